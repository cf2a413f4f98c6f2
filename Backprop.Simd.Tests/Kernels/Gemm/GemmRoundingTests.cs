using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>
/// GEMM's rounding: |error| at most k u / (1 - k u) times (|A| |B|), Higham, "Accuracy and Stability of Numerical Algorithms"
/// (2nd ed.), section 3.5, against a product in twice double precision.
/// </summary>
public sealed class GemmRoundingTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 },
        { 1, 50, 784 },
        { 33, 47, 129 },
        { 7, 101, 1000 },
        { 100, 50, 784 },
        { 70, 90, 2000 },
        { 3, 2, 10_000 },
        { 65, 3, 300 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Float_stays_within_the_bound(int m, int n, int k) => Check<float>(m, n, k, Math.ScaleB(1, -24));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Double_stays_within_the_bound(int m, int n, int k) => Check<double>(m, n, k, Math.ScaleB(1, -53));

    [Fact]
    public void The_bound_catches_a_lost_term()
    {
        const int K = 784;
        var (a, b) = Operands<float>(1, 1, K);
        a[K - 1] = b[K - 1] = 0.5f;
        var c = new float[1];
        Gemm.Multiply(new ReadOnlyMatrix<float>(a, 1, K - 1), new(b, K - 1, 1), new Matrix<float>(c, 1, 1));
        Assert.True(Excess<float>(a, b, c, 1, 1, K, Math.ScaleB(1, -24)) > 1);
    }

    private static void Check<T>(int m, int n, int k, double unit) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (a, b) = Operands<T>(m, n, k);
        var bTransposed = new T[n * k];
        for (var p = 0; p < k; p++)
        {
            for (var j = 0; j < n; j++)
                bTransposed[j * k + p] = b[p * n + j];
        }

        var c = new T[m * n];
        foreach (var width in Enum.GetValues<SimdWidth>())
        {
            GemmDispatch.Run(new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), default, new Matrix<T>(c, m, n), new(GemmForm.Overwrite), null, width);
            var excess = Excess(a, b, c, m, n, k, unit);
            Assert.True(excess <= 1, $"{width} NN: error is {excess} times the bound.");
            GemmDispatch.Run(new ReadOnlyMatrix<T>(a, m, k), new ReadOnlyMatrix<T>(bTransposed, n, k).Transposed, default, new Matrix<T>(c, m, n),
                new(GemmForm.Overwrite), null, width);
            excess = Excess(a, b, c, m, n, k, unit);
            Assert.True(excess <= 1, $"{width} NT: error is {excess} times the bound.");
        }
    }

    /// <summary>The worst error as a multiple of the bound.</summary>
    private static double Excess<T>(T[] a, T[] b, T[] c, int m, int n, int k, double unit) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var worst = 0.0;
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var (high, low, magnitude) = MatrixReference.Element<T>(a, b, n, k, i, j);
                var error = Math.Abs(double.CreateChecked(c[i * n + j]) - high - low);
                worst = Math.Max(worst, error / (k * unit / (1 - k * unit) * magnitude));
            }
        }

        return worst;
    }

    /// <summary>Values of both signs whose magnitudes span 2^-20 to 1.</summary>
    private static (T[] A, T[] B) Operands<T>(int m, int n, int k) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom((ulong)(m * 31 + n * 17 + k));
        var a = new T[m * k];
        var b = new T[k * n];
        foreach (ref var x in a.AsSpan())
            x = T.ScaleB(random.Signed<T>(), -random.Integer(0, 20));
        foreach (ref var x in b.AsSpan())
            x = T.ScaleB(random.Signed<T>(), -random.Integer(0, 20));
        return (a, b);
    }
}
