using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels.Matrices;

public sealed class PermutationTests
{
    public static TheoryData<int[], int[]> Cases => new()
    {
        { [], [] }, { [5], [0] }, { [3, 4], [1, 0] }, { [100, 70], [1, 0] }, { [33, 1, 65], [2, 0, 1] }, { [2, 3, 4], [0, 1, 2] }, { [2, 3, 4], [2, 1, 0] },
        { [2, 40, 50], [0, 2, 1] }, { [3, 5, 40], [1, 0, 2] }, { [2, 3, 4, 5], [3, 1, 0, 2] }, { [2, 35, 3, 34], [2, 3, 0, 1] },
        { [2, 3, 2, 3, 2, 3, 2], [6, 0, 5, 1, 4, 2, 3] }, { [0, 3], [1, 0] }, { [1, 1], [1, 0] },
        { [512, 40], [1, 0] }, { [2, 256, 3], [0, 2, 1] }, { [300, 5, 256], [2, 1, 0] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_element_goes_to_its_place(int[] shape, int[] axes)
    {
        using var team = new ComputeContext(3);
        var n = shape.Aggregate(1, (a, b) => a * b);
        float[] x = [.. Enumerable.Range(1, n).Select(i => (float)i)], expected = new float[n], y = new float[n];
        for (var i = 0; i < n; i++)
        {
            // The index of element i of x, and where it lies in y.
            var index = new int[shape.Length];
            for (int d = shape.Length - 1, rest = i; d >= 0; rest /= shape[d--])
                index[d] = rest % shape[d];
            expected[axes.Aggregate(0, (at, axis) => at * shape[axis] + index[axis])] = x[i];
        }

        Permutation.Transpose(new(x, shape), axes, new Destination<float>(y), team);
        Assert.Equal(expected, y);
        Permutation.Transpose(new(x, shape), axes, new Destination<float>(y, adds: true));
        Assert.Equal(expected.Select(v => 2 * v), y);
        double[] wide = [.. x], turned = new double[n];
        Permutation.Transpose(new(wide, shape), axes, new Destination<double>(turned));
        Assert.Equal(expected.Select(v => (double)v), turned);
    }

    [Fact]
    public void Misfits_are_refused()
    {
        float[] x = new float[6], y = new float[6];
        Assert.Equal("axes", Assert.Throws<ArgumentException>(() => Permutation.Transpose(new(x, 2, 3), [0, 0], new Destination<float>(y))).ParamName);
        Assert.Equal("axes", Assert.Throws<ArgumentException>(() => Permutation.Transpose(new(x, 2, 3), [0], new Destination<float>(y))).ParamName);
        Assert.Equal("axes", Assert.Throws<ArgumentException>(() => Permutation.Transpose(new(x, 2, 3), [0, 33], new Destination<float>(y))).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Permutation.Transpose(new(x, 2, 3), [1, 0], new Destination<float>(y.AsSpan(1)))).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Permutation.Transpose(new(x, 2, 3), [1, 0], new Destination<float>(x))).ParamName);
    }
}
