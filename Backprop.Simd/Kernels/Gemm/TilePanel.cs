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

    /// <summary>From the first vector of a row of B to the second.</summary>
    public nint BSecond;

    /// <summary>From one row of C to the next.</summary>
    public nint CRowStride;

    /// <summary>From one row of the addend to the next: that of C, or 0 for one row added to all.</summary>
    public nint AddendRowStride;

    /// <summary>From the first vector of a row of C and of the addend to the second.</summary>
    public nint CSecond;

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
}

/// <summary>C = A B.</summary>
internal readonly struct Overwrite : ITileUpdate
{
    public static bool Adds => false;

    public static bool Scales => false;
}

/// <summary>C = D + A B.</summary>
internal readonly struct AddTo : ITileUpdate
{
    public static bool Adds => true;

    public static bool Scales => false;
}

/// <summary>C = alpha A B.</summary>
internal readonly struct ScaledOverwrite : ITileUpdate
{
    public static bool Adds => false;

    public static bool Scales => true;
}

/// <summary>C = beta D + alpha A B.</summary>
internal readonly struct ScaledAddTo : ITileUpdate
{
    public static bool Adds => true;

    public static bool Scales => true;
}
