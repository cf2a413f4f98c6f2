using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Brings the singular values of a matrix near 1 and keeps its singular vectors.</summary>
internal static class NewtonSchulz
{
    /// <summary>Odd, so that the result lies in the second buffer.</summary>
    private const int Iterations = 5;

    /// <summary>The polynomial a s + b s^3 + c s^5 of a singular value. Its slope at 0 is large; near 1 it moves between 0.7 and 1.2.</summary>
    private const double A = 3.4445, B = -4.7750, C = 2.0315;

    /// <summary>X = x / (|x| + 1e-7); five times X = a X + (b G + c G^2) X with G = X X^T, of the smaller side.</summary>
    /// <param name="x">The matrix, [rows, columns]; overwritten.</param>
    /// <param name="result">The result, as long.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="gram">Scratch: the square of the smaller side.</param>
    /// <param name="polynomial">Scratch, as long.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    public static void Run<T>(Span<T> x, Span<T> result, int rows, int columns, Span<T> gram, Span<T> polynomial, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var isWide = rows <= columns;
        var side = Math.Min(rows, columns);
        gram = gram[..(side * side)];
        polynomial = polynomial[..(side * side)];
        Matrix<T> g = new(gram, side, side), p = new(polynomial, side, side);
        T a = T.CreateTruncating(A), b = T.CreateTruncating(B), c = T.CreateTruncating(C);
        Elementwise.Scale(x, T.CreateTruncating(1 / (Reductions.WideNorm<T>(x, context) + 1e-7)), x, context);
        Span<T> from = x, to = result;
        for (var i = 0; i < Iterations; i++)
        {
            var source = new ReadOnlyMatrix<T>(from, rows, columns);
            if (isWide)
                Gemm.Multiply(source, source.Transposed, g, context);
            else
                Gemm.Multiply(source.Transposed, source, g, context);
            gram.CopyTo(polynomial);
            Gemm.Multiply(c, g, g, b, p, context);
            from.CopyTo(to);
            var destination = new Matrix<T>(to, rows, columns);
            if (isWide)
                Gemm.Multiply(T.One, p, source, a, destination, context);
            else
                Gemm.Multiply(T.One, source, p, a, destination, context);
            var used = from;
            from = to;
            to = used;
        }
    }
}
