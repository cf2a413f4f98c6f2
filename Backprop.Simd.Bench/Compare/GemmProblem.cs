using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Bench;

/// <summary>C = op(A) op(B) with C of m rows and n columns, all row-major; op transposes where asked. The result of a call is C.</summary>
internal sealed class GemmProblem<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Elements compared with the double reference; a whole C up to this size.</summary>
    private const int Samples = 256;

    public GemmProblem(GemmShape shape)
    {
        Shape = shape;
        A = new(shape.M * shape.K);
        B = new(shape.K * shape.N);
        C = new(shape.M * shape.N);
        Fill.Uniform(A.Span, seed: 1);
        Fill.Uniform(B.Span, seed: 2);
    }

    public GemmShape Shape { get; }

    public int M => Shape.M;

    public int N => Shape.N;

    public int K => Shape.K;

    public bool TransposeA => Shape.TransposeA;

    public bool TransposeB => Shape.TransposeB;

    public AlignedBuffer<T> A { get; }

    public AlignedBuffer<T> B { get; }

    public AlignedBuffer<T> C { get; }

    /// <summary>Rows and columns of A as stored.</summary>
    public (int Rows, int Columns) StoredA => TransposeA ? (K, M) : (M, K);

    /// <summary>Rows and columns of B as stored.</summary>
    public (int Rows, int Columns) StoredB => TransposeB ? (N, K) : (K, N);

    /// <summary>Null if <paramref name="c"/> is the product within (k + 2) u |A| |B|, the bound of any order of summation; else what is wrong.</summary>
    public string? Verify(double[] c)
    {
        if (c.Length != M * N)
            return $"{c.Length} elements instead of {M * N}";
        var unit = (K + 2) * Fill.UnitRoundoff<T>();
        var step = Math.Max(1, M * N / Samples | 1);
        for (var i = 0; i < M * N; i = i == M * N - 1 ? M * N : Math.Min(i + step, M * N - 1))
        {
            var (row, column) = (i / N, i % N);
            var (sum, magnitude) = (0.0, 0.0);
            for (var k = 0; k < K; k++)
            {
                var term = double.CreateTruncating(A.Span[TransposeA ? k * M + row : row * K + k])
                    * double.CreateTruncating(B.Span[TransposeB ? column * K + k : k * N + column]);
                sum += term;
                magnitude += Math.Abs(term);
            }

            if (!(Math.Abs(c[i] - sum) <= unit * magnitude))
                return $"[{row}, {column}] is {c[i]:G9} instead of {sum:G9}";
        }

        return null;
    }

    /// <summary>C, for calls that write it in place.</summary>
    public double[] ReadC() => Fill.ToDouble<T>(C.Span);
}

/// <summary>Sizes and transposes of a product.</summary>
internal sealed record GemmShape(int M, int N, int K, bool TransposeA = false, bool TransposeB = false)
{
    public string Form => (TransposeA ? "T" : "N") + (TransposeB ? "T" : "N");

    /// <summary>Multiplications and additions.</summary>
    public double Operations => 2.0 * M * N * K;

    /// <summary>A product of a matrix and a vector, which reads every element once: bound by memory, not by arithmetic.</summary>
    public bool IsMatrixVector => M == 1 || N == 1;

    public override string ToString() => $"{Form} {M}x{N}x{K}";
}
