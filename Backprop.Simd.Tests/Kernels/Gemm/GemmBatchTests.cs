using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;
using Product = Backprop.Simd.Kernels.Gemm;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Products of arrays of matrices, on small integers: every order of sums gives the same number.</summary>
public sealed class GemmBatchTests
{
    public static TheoryData<int[], int[]> Shapes => new()
    {
        { [2, 3], [3, 4] }, { [5, 2, 3], [5, 3, 4] }, { [5, 2, 3], [3, 4] }, { [2, 3], [5, 3, 4] }, { [5, 1, 3], [1, 3, 4] }, { [3, 5, 2, 3], [5, 3, 4] },
        { [3, 1, 2, 3], [5, 3, 4] }, { [3, 1, 2, 3], [1, 5, 3, 4] }, { [1, 1, 2, 3], [1, 3, 4] }, { [2, 3, 4, 2, 3], [2, 1, 4, 3, 1] },
        { [2, 1, 4, 2, 3], [3, 1, 3, 5] }, { [7, 33, 20], [7, 20, 31] }, { [3, 7, 33, 20], [20, 31] }, { [2, 1, 2, 1, 3, 1, 3, 2], [1, 3, 1, 2, 1, 2, 2, 4] },
        { [4, 2, 0], [0, 3] }, { [4, 0, 3], [4, 3, 2] }, { [300, 1, 2], [300, 2, 1] },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Products_and_gradients_are_those_of_each_matrix(int[] aShape, int[] bShape)
    {
        using var team = new ComputeContext(3);
        var (a, b) = (Integers(aShape, 3), Integers(bShape, 5));
        var shape = MatrixBatchReference.Shape(aShape, bShape);
        var dc = Integers(shape, 4);
        var (c, da, db) = MatrixBatchReference.Run(a, aShape, b, bShape, i => dc[i]);
        foreach (var context in (ComputeContext?[])[null, team])
        {
            double[] actual = Filled(c), forA = Filled(da), forB = Filled(db);
            Product.MultiplyBatch<double>(new(a, aShape), new(b, bShape), actual, context);
            Product.MultiplyBatch<double>(new(dc, shape), false, new(b, bShape), true, aShape, forA, context);
            Product.MultiplyBatch<double>(new(a, aShape), true, new(dc, shape), false, bShape, forB, context);
            Assert.Equal(c, actual);
            Assert.Equal(da, forA);
            Assert.Equal(db, forB);

            // Added, in float, and with the left side as it is transposed.
            float[] more = [.. c.Select(v => (float)v)];
            Product.MultiplyBatch(new([.. a.Select(v => (float)v)], aShape), new ShapedSpan<float>([.. b.Select(v => (float)v)], bShape),
                new Destination<float>(more, adds: true), context);
            Assert.Equal(c.Select(v => (float)(2 * v)), more);
        }
    }

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        using var team = new ComputeContext(3);
        foreach (var (aShape, bShape) in ((int[], int[])[])[([40, 17, 33], [40, 33, 19]), ([9, 64, 65], [65, 31]), ([3, 130, 128], [3, 128, 140])])
        {
            float[] a = Fractions(aShape, 1), b = Fractions(bShape, 2), dc = Fractions(MatrixBatchReference.Shape(aShape, bShape), 3);
            Assert.Equal(Run(null), Run(team));

            float[] Run(ComputeContext? context)
            {
                var shape = MatrixBatchReference.Shape(aShape, bShape);
                float[] c = new float[dc.Length], da = new float[a.Length], db = new float[b.Length];
                Product.MultiplyBatch<float>(new(a, aShape), new(b, bShape), c, context);
                Product.MultiplyBatch<float>(new(dc, shape), false, new(b, bShape), true, aShape, da, context);
                Product.MultiplyBatch<float>(new(a, aShape), true, new(dc, shape), false, bShape, db, context);
                return [.. c, .. da, .. db];
            }
        }
    }

    [Fact]
    public void No_matrices_have_no_product_and_a_sum_of_zero()
    {
        double[] none = [], db = [1, 2, 3, 4, 5, 6];
        Product.MultiplyBatch<double>(new(none, 0, 2, 3), new(db, 3, 2), none);
        Product.MultiplyBatch<double>(new(none, 0, 2, 3), true, new(none, 0, 2, 2), false, [3, 2], new Destination<double>(db, adds: true));
        Assert.Equal([1, 2, 3, 4, 5, 6], db);
        Product.MultiplyBatch<double>(new(none, 0, 2, 3), true, new(none, 0, 2, 2), false, [3, 2], db);
        Assert.Equal(new double[6], db);
    }

    [Fact]
    public void Misfits_are_refused_with_their_shapes()
    {
        double[] a = new double[6], b = new double[12], c = new double[8];
        Assert.Equal("b", Assert.Throws<ArgumentException>(() => Product.MultiplyBatch<double>(new(a, 2, 3), new(b, 4, 3), c)).ParamName);
        Assert.Equal("b", Assert.Throws<ArgumentException>(() => Product.MultiplyBatch<double>(new(a, 6), new(b, 6, 2), c)).ParamName);
        Assert.Equal("c", Assert.Throws<ArgumentException>(() => Product.MultiplyBatch<double>(new(a, 2, 3), new(b, 3, 4), c.AsSpan(1))).ParamName);
        Assert.Equal("c", Assert.Throws<ArgumentException>(() => Product.MultiplyBatch<double>(new(a, 2, 3), new(b, 3, 4), b.AsSpan(0, 8))).ParamName);
        Assert.Contains("[2, 1, 3] and B [2, 3, 2] is not [3, 1, 2]", Assert.Throws<ArgumentException>("shape", () =>
            Product.MultiplyBatch<double>(new(a, 2, 1, 3), false, new(b, 2, 3, 2), false, [3, 1, 2], c)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("shape", () => Product.MultiplyBatch<double>(new(a, 2, 3), false, new(b, 3, 4), false, [4, 2], c));
        Assert.Throws<ArgumentException>("shape", () => Product.MultiplyBatch<double>(new(a, 2, 3), false, new(b, 3, 4), false, [2, 2, 4], c));
    }

    private static double[] Filled(double[] like)
    {
        var filled = new double[like.Length];
        Array.Fill(filled, double.NaN);
        return filled;
    }

    private static double[] Integers(int[] shape, int step) =>
        [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(i => (double)(i * step % 7 - 3))];

    private static float[] Fractions(int[] shape, int step) =>
        [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(i => (float)Math.Sin(i * step + 1))];
}
