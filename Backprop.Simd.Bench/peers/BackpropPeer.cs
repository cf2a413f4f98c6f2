using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>This library, through its public API.</summary>
internal sealed class BackpropPeer : IPeer
{
    public const string Ours = "Backprop.Simd";

    private ComputeContext? _context;

    public string Name => Ours;

    public string Description => $"{typeof(Gemm).Assembly.GetName().Version?.ToString(3)}";

    public void UseThreads(int threads)
    {
        _context?.Dispose();
        _context = threads == 1 ? null : new ComputeContext(threads);
    }

    public Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (p, context) = (problem, _context);
        return new Call(
            () =>
            {
                var a = new ReadOnlyMatrix<T>(p.A.Span, p.StoredA.Rows, p.StoredA.Columns);
                var b = new ReadOnlyMatrix<T>(p.B.Span, p.StoredB.Rows, p.StoredB.Columns);
                Kernels.Gemm.Multiply(p.TransposeA ? a.Transposed : a, p.TransposeB ? b.Transposed : b, new Matrix<T>(p.C.Span, p.M, p.N), context);
            },
            p.ReadC);
    }

    public void Dispose() => _context?.Dispose();
}
