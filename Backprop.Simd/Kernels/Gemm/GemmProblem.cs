using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Kernels;

/// <summary>The forms of a product.</summary>
internal enum GemmForm
{
    /// <summary>C = A B.</summary>
    Overwrite,

    /// <summary>C += A B.</summary>
    Accumulate,

    /// <summary>C = A B + one row.</summary>
    AddRow,

    /// <summary>C = alpha A B.</summary>
    ScaledOverwrite,

    /// <summary>C = alpha A B + beta C.</summary>
    ScaledAccumulate,
}

/// <summary>What a product does to C.</summary>
/// <param name="Form">The form.</param>
/// <param name="Alpha">The factor of the product.</param>
/// <param name="Beta">The factor of C.</param>
internal readonly record struct GemmUpdate<T>(GemmForm Form, T Alpha, T Beta)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A form without factors.</summary>
    public GemmUpdate(GemmForm form)
        : this(form, T.One, form == GemmForm.Overwrite ? T.Zero : T.One)
    {
    }
}

/// <summary>A product as the routes see it: pointers, sizes and strides in elements. Tiles need unit column strides of C and the addend.</summary>
[StructLayout(LayoutKind.Auto)]
internal unsafe struct GemmProblem<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public int M, N, K;
    public T* A, B, C, Addend;
    public nint ARow, AColumn;
    public nint BRow, BColumn;
    public nint CRow, CColumn;
    public nint AddendRow, AddendColumn;
    public GemmForm Form;
    public T Alpha, Beta;

    /// <summary>What a tile does to C in the first block of k, or in a later one, which adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileForm FormOfBlock(bool isFirst) => Form switch
    {
        GemmForm.Overwrite when isFirst => TileForm.Overwrite,
        GemmForm.ScaledOverwrite when isFirst => TileForm.ScaledOverwrite,
        GemmForm.ScaledOverwrite or GemmForm.ScaledAccumulate => TileForm.ScaledAddTo,
        _ => TileForm.AddTo,
    };

    /// <summary>What it takes on one thread, at some nanoseconds for each multiply-add and byte of element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly double Nanoseconds(double cost) => cost * sizeof(T) * M * N * K;

    /// <summary>C^T = B^T A^T.</summary>
    public readonly GemmProblem<T> Transposed => new()
    {
        M = N,
        N = M,
        K = K,
        A = B,
        ARow = BColumn,
        AColumn = BRow,
        B = A,
        BRow = AColumn,
        BColumn = ARow,
        C = C,
        CRow = CColumn,
        CColumn = CRow,
        Addend = Addend,
        AddendRow = AddendColumn,
        AddendColumn = AddendRow,
        Form = Form,
        Alpha = Alpha,
        Beta = Beta,
    };
}
