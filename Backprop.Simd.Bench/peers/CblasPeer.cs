using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Bench;

/// <summary>A library with the C interface of BLAS. A product with a vector is a gemv, its best form there.</summary>
internal abstract unsafe class CblasPeer : IPeer
{
    private const int RowMajor = 101, NoTranspose = 111, Transpose = 112;

    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> _sgemm;
    private readonly delegate* unmanaged<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void> _dgemm;
    private readonly delegate* unmanaged<int, int, int, int, float, float*, int, float*, int, float, float*, int, void> _sgemv;
    private readonly delegate* unmanaged<int, int, int, int, double, double*, int, double*, int, double, double*, int, void> _dgemv;

    /// <exception cref="DllNotFoundException">There is no such library.</exception>
    /// <exception cref="EntryPointNotFoundException">It lacks a function.</exception>
    protected CblasPeer(string file, Action? beforeLoad = null)
    {
        beforeLoad?.Invoke();
        Library = NativeLibrary.Load(file);
        _sgemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)Export("cblas_sgemm");
        _dgemm = (delegate* unmanaged<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void>)Export("cblas_dgemm");
        _sgemv = (delegate* unmanaged<int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)Export("cblas_sgemv");
        _dgemv = (delegate* unmanaged<int, int, int, int, double, double*, int, double*, int, double, double*, int, void>)Export("cblas_dgemv");
    }

    public abstract string Name { get; }

    public abstract string Description { get; }

    protected nint Library { get; }

    public abstract void UseThreads(int threads);

    public Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var p = problem;
        // Buffers are pinned, so their addresses stay.
        var (a, b, c) = (Address(p.A), Address(p.B), Address(p.C));
        var (lda, ldb) = (p.StoredA.Columns, p.StoredB.Columns);
        var (ta, tb) = (p.TransposeA ? Transpose : NoTranspose, p.TransposeB ? Transpose : NoTranspose);
        Action run;
        if (p.Shape.IsMatrixVector)
        {
            // c = op(A) b for one column; c^T = op(B)^T a^T for one row.
            var column = p.N == 1;
            var (matrix, vector) = column ? (a, b) : (b, a);
            var (rows, columns) = column ? p.StoredA : p.StoredB;
            var op = column ? ta : p.TransposeB ? NoTranspose : Transpose;
            run = typeof(T) == typeof(float)
                ? () => _sgemv(RowMajor, op, rows, columns, 1, (float*)matrix, columns, (float*)vector, 1, 0, (float*)c, 1)
                : () => _dgemv(RowMajor, op, rows, columns, 1, (double*)matrix, columns, (double*)vector, 1, 0, (double*)c, 1);
        }
        else
        {
            run = typeof(T) == typeof(float)
                ? () => _sgemm(RowMajor, ta, tb, p.M, p.N, p.K, 1, (float*)a, lda, (float*)b, ldb, 0, (float*)c, p.N)
                : () => _dgemm(RowMajor, ta, tb, p.M, p.N, p.K, 1, (double*)a, lda, (double*)b, ldb, 0, (double*)c, p.N);
        }

        return new Call(run, p.ReadC);
    }

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected nint Export(string name) => NativeLibrary.GetExport(Library, name);

    private static nint Address<T>(AlignedBuffer<T> buffer)
        where T : unmanaged, IFloatingPointIeee754<T> => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(buffer.Span));
}
