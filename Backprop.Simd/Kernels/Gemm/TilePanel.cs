using System.Numerics;

namespace Backprop.Simd.Kernels;

/// <summary>The operands of one column panel, for <see cref="TileKernel{TSimd, TVector, T}"/>. Strides and offsets are in bytes.</summary>
internal unsafe struct TilePanel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>From one row of A to the next.</summary>
    public nint ARowStride;

    /// <summary>From one k of A to the next.</summary>
    public nint AStep;

    /// <summary>From one row tile of A to the next.</summary>
    public nint ATileStride;

    /// <summary>The panel of B.</summary>
    public byte* B;

    /// <summary>From one k of B to the next.</summary>
    public nint BStep;

    /// <summary>From the first vector of a row of B to the last.</summary>
    public nint BLast;

    /// <summary>From one row of C to the next.</summary>
    public nint CRowStride;

    /// <summary>From one row of the addend to the next: that of C, or 0 for one row added to all.</summary>
    public nint AddendRowStride;

    /// <summary>From the first vector of a row of C and of the addend to the last.</summary>
    public nint CLast;

    /// <summary>Columns of C: fewer than a vector's if the update is partial.</summary>
    public int Width;

    /// <summary>The length of the k loop.</summary>
    public nint Depth;

    /// <summary>Whether the k loop is long enough to fetch C behind it.</summary>
    public bool PrefetchesC;

    public T Alpha;

    public T Beta;
}

/// <summary>What happens to a finished tile.</summary>
internal interface ITileUpdate
{
    /// <summary>True: the addend is added. False: C is never read.</summary>
    static abstract bool Adds { get; }

    /// <summary>True: alpha scales the product and beta the addend.</summary>
    static abstract bool Scales { get; }

    /// <summary>True: the panel is narrower than a vector.</summary>
    static abstract bool IsPartial { get; }
}

/// <summary>C = A B.</summary>
internal readonly struct Overwrite : ITileUpdate
{
    public static bool Adds => false;

    public static bool Scales => false;

    public static bool IsPartial => false;
}

/// <summary>C = D + A B.</summary>
internal readonly struct AddTo : ITileUpdate
{
    public static bool Adds => true;

    public static bool Scales => false;

    public static bool IsPartial => false;
}

/// <summary>C = alpha A B.</summary>
internal readonly struct ScaledOverwrite : ITileUpdate
{
    public static bool Adds => false;

    public static bool Scales => true;

    public static bool IsPartial => false;
}

/// <summary>C = beta D + alpha A B.</summary>
internal readonly struct ScaledAddTo : ITileUpdate
{
    public static bool Adds => true;

    public static bool Scales => true;

    public static bool IsPartial => false;
}

/// <summary>An update of a panel narrower than a vector.</summary>
internal readonly struct Partial<TUpdate> : ITileUpdate
    where TUpdate : struct, ITileUpdate
{
    public static bool Adds => TUpdate.Adds;

    public static bool Scales => TUpdate.Scales;

    public static bool IsPartial => true;
}
