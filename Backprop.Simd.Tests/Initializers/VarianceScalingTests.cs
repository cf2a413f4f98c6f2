using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Initializers;

/// <summary>Gain and fan mode, LeCun, and the rules that need the shape: identity, sparse and Dirac.</summary>
public class VarianceScalingTests
{
    private static T[] Fill<T>(Initializer initializer, int[] shape, int fanIn = 300, int fanOut = 100, ulong seed = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = new T[shape.Aggregate(1, (a, b) => a * b)];
        var random = new Philox(seed, 0);
        initializer.Fill<T>(values, shape, fanIn, fanOut, ref random);
        return values;
    }

    [Theory]
    [InlineData(FanMode.FanIn, 300)]
    [InlineData(FanMode.FanOut, 100)]
    [InlineData(FanMode.Average, 200)]
    public void The_variance_is_the_square_of_the_gain_over_the_fan(FanMode mode, double fan)
    {
        // The fourth moment over the square of the variance: 3 for normal numbers, 9/5 for uniform ones, 2.3655 within 2 standard deviations of a normal one.
        Check(ScalingDistribution.Normal, 3, double.PositiveInfinity);
        Check(ScalingDistribution.Uniform, 1.8, Math.Sqrt(3));
        Check(ScalingDistribution.TruncatedNormal, 2.3655, 2 / 0.87962566103423978);

        void Check(ScalingDistribution distribution, double kurtosis, double bound)
        {
            var deviation = 1.7 / Math.Sqrt(fan);
            var values = Fill<double>(Initialize.VarianceScaling(1.7, mode, distribution), [200_000]);
            Assert.Equal(0, values.Average() / deviation, 0.01);
            Assert.Equal(1, values.Average(v => v * v) / (deviation * deviation), 0.015);
            Assert.Equal(kurtosis, values.Average(v => v * v * v * v) / Math.Pow(deviation, 4), 0.1);
            Assert.True(values.Max() <= bound * deviation && values.Min() >= -bound * deviation);
            if (double.IsFinite(bound))
                Assert.Equal(bound, values.Max() / deviation, 1e-3);
        }
    }

    [Fact]
    public void Names_are_cases_of_it()
    {
        // Up to rounding: the square root is taken of another number.
        Same(Initialize.He, Initialize.VarianceScaling(Gain.Relu));
        Same(Initialize.HeUniform, Initialize.VarianceScaling(Gain.Relu, distribution: ScalingDistribution.Uniform));
        Same(Initialize.XavierNormal, Initialize.VarianceScaling(1, FanMode.Average));
        Same(Initialize.Xavier, Initialize.VarianceScaling(1, FanMode.Average, ScalingDistribution.Uniform));
        Same(Initialize.LeCun, Initialize.Normal(1 / Math.Sqrt(300)));
        Same(Initialize.LeCunUniform, Initialize.Uniform(-Math.Sqrt(3.0 / 300), Math.Sqrt(3.0 / 300)), 1e-15);
        Same(Initialize.VarianceScaling(1, FanMode.FanOut, ScalingDistribution.TruncatedNormal), Initialize.TruncatedNormal(0.1 / 0.87962566103423978));
        Assert.All(Fill<double>(Initialize.VarianceScaling(0), [9]), v => Assert.Equal(0, v));

        static void Same(Initializer first, Initializer second, double absolute = 0)
        {
            foreach (var (a, b) in Fill<double>(first, [1000]).Zip(Fill<double>(second, [1000])))
                Assert.True(Math.Abs(a - b) <= 1e-15 * Math.Abs(a) + absolute, $"{a} and {b}");
        }
    }

    [Fact]
    public void Sparse_columns_have_their_zeros_at_random_rows()
    {
        const int rows = 10, columns = 4000;
        var values = Fill<double>(Initialize.Sparse(0.25, 0.5), [rows, columns]);
        var perRow = new int[rows];
        var pairs = 0;
        for (var column = 0; column < columns; column++)
        {
            bool Zero(int row) => values[row * columns + column] == 0;
            Assert.Equal(3, Enumerable.Range(0, rows).Count(Zero));
            for (var row = 0; row < rows; row++)
                perRow[row] += Zero(row) ? 1 : 0;
            pairs += Zero(0) && Zero(rows - 1) ? 1 : 0;
        }

        // Every row with 3 in 10, the first with the last with 3 x 2 in 10 x 9: four standard deviations.
        Assert.All(perRow, count => Assert.Equal(0.3, count / (double)columns, 0.029));
        Assert.Equal(6.0 / 90, pairs / (double)columns, 0.016);
        var others = values.Where(v => v != 0).ToArray();
        Assert.Equal(0, others.Average(), 0.012);
        Assert.Equal(0.25, others.Average(v => v * v), 0.01);
        Assert.Equal(3, others.Average(v => Math.Pow(v, 4)) / 0.0625, 0.25);
    }

    [Fact]
    public void Sparse_takes_the_inputs_of_a_filter_for_a_column()
    {
        var values = Fill<double>(Initialize.Sparse(0.5, 1), [3, 3, 2, 5], 18, 45);
        for (var filter = 0; filter < 5; filter++)
            Assert.Equal(9, Enumerable.Range(0, 18).Count(i => values[i * 5 + filter] == 0));
        Assert.DoesNotContain(0, Fill<double>(Initialize.Sparse(0), [20, 20]));
        Assert.All(Fill<double>(Initialize.Sparse(1), [20, 20]), v => Assert.Equal(0, v));
        Assert.Equal(Fill<double>(Initialize.Normal(0.01), [30]), Fill<double>(Initialize.Sparse(0), [30], 5));
    }

    [Fact]
    public void Identity_has_ones_on_the_diagonal()
    {
        Assert.Equal([1, 0, 0, 0, 1, 0], Fill<double>(Initialize.Identity(), [2, 3], 7, 7));
        Assert.Equal([2.5f, 0, 0, 2.5f, 0, 0], Fill<float>(Initialize.Identity(2.5), [3, 2]));
        var (values, random) = (new double[6], new Philox(1, 0));
        Initialize.Identity().Fill<double>(values, 3, 99, ref random);
        Assert.Equal([1, 0, 0, 1, 0, 0], values);
        Initialize.Dirac.Fill<double>(values, 3, 2, ref random);
        Assert.Equal([1, 0, 0, 1, 0, 0], values);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Filters_of_Dirac_pass_on_an_image(int groups)
    {
        var network = GraphBuilder.Chain(new Shape(5, 4, 4)).Apply(new Convolution2D(4, 3, padding: 1, initializer: Initialize.Dirac, groups: groups))
            .Build<float>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        float[] x = [.. Enumerable.Range(0, 80).Select(i => i - 40f)];
        workspace.SetInput("x", x);
        network.Forward(workspace);
        Assert.Equal(x, workspace.Output().ToArray());
    }

    [Fact]
    public void A_network_gives_the_shape()
    {
        var graph = new GraphBuilder();
        var table = graph.IndexInput("i").Apply(new Embedding(3, 3, Initialize.Identity(), paddingIndex: 1)).Affine(2, Initialize.Identity());
        graph.Output(table * graph.Parameter("matrix", new Shape(2, 2), Initialize.Identity(3)));
        var network = graph.Build().CreateNetwork<double>();
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0, 1], network.ParameterOf("embedding1.weight").ToArray());
        Assert.Equal([1, 0, 0, 1, 0, 0], network.ParameterOf("affine1.weight").ToArray());
        Assert.Equal([3, 0, 0, 3], network.ParameterOf("matrix").ToArray());
    }

    [Fact]
    public void Floats_are_the_rounded_doubles()
    {
        foreach (var distribution in Enum.GetValues<ScalingDistribution>())
            Check(Initialize.VarianceScaling(1.3, FanMode.FanOut, distribution));
        Check(Initialize.Identity(0.1));
        Check(Initialize.Sparse(0.3, 2));
        Check(Initialize.Dirac);

        static void Check(Initializer initializer) => Assert.Equal(
            Fill<double>(initializer, [12, 9], 12, 9).Select(v => (float)v), Fill<float>(initializer, [12, 9], 12, 9));
    }

    [Fact]
    public void Arguments_are_validated()
    {
        Throws("gain", () => Initialize.VarianceScaling(-1));
        Throws("gain", () => Initialize.VarianceScaling(double.PositiveInfinity));
        Throws("mode", () => Initialize.VarianceScaling(1, (FanMode)3));
        Throws("distribution", () => Initialize.VarianceScaling(1, FanMode.FanIn, (ScalingDistribution)(-1)));
        Throws("gain", () => Initialize.Identity(double.NaN));
        Throws("sparsity", () => Initialize.Sparse(1.1));
        Throws("sparsity", () => Initialize.Sparse(double.NaN));
        Throws("standardDeviation", () => Initialize.Sparse(0.5, -1));
        Assert.Throws<ArgumentOutOfRangeException>("slope", () => Gain.LeakyRelu(double.NaN));
        Throws("fanIn", () => Fill<float>(Initialize.LeCun, [1], 0));
        Throws("fanOut", () => Fill<float>(Initialize.VarianceScaling(1, FanMode.FanOut), [1], 0, 0));
        Throws("fanOut", () => Fill<float>(Initialize.VarianceScaling(1, FanMode.Average), [1], 1, -1));
        Refuses("shape", Initialize.Identity(), [2, 2, 2], 4, 2);
        Refuses("shape", Initialize.Identity(), [4], 4, 2);
        Refuses("shape", Initialize.Dirac, [4], 4, 2);
        Refuses("fanOut", Initialize.Dirac, [3, 3, 2, 4], 17, 36);
        Refuses("fanOut", Initialize.Dirac, [3, 3, 2, 4], 18, 27);
        Refuses("fanOut", Initialize.Dirac, [3, 3, 2, 4], 18, 0);
        Refuses("values", Initialize.Sparse(0.5), [7], 2, 2);
        foreach (var initializer in (Initializer[])[Initialize.Identity(), Initialize.Sparse(0.5), Initialize.Dirac])
        {
            foreach (var shape in (int[][])[[2, 3], [-2, -2], [], [65536, 65536, 0], [int.MaxValue, int.MaxValue, int.MaxValue]])
            {
                var error = Assert.Throws<ArgumentException>(() =>
                {
                    var random = new Philox(1, 0);
                    initializer.Fill<float>(new float[4], shape, 2, 2, ref random);
                });
                Assert.Equal("shape", error.ParamName);
            }

            Assert.Empty(Fill<float>(initializer, [0, 4]));
        }

        static void Throws(string name, Func<object> create) => Assert.Throws<ArgumentOutOfRangeException>(name, create);

        static void Refuses(string name, Initializer initializer, int[] shape, int fanIn, int fanOut) =>
            Assert.Throws<ArgumentException>(name, () => Fill<float>(initializer, shape, fanIn, fanOut));
    }

    /// <summary>The same bits on every machine. An independent implementation in another language gave the same ones.</summary>
    [Fact]
    public void The_bits_are_golden()
    {
        Assert.Equal(0xD5DF4E725E61A5F2u, Hash(Initialize.VarianceScaling(Gain.Tanh, FanMode.Average)));
        Assert.Equal(0x27BC049EE3E85B45u, Hash(Initialize.VarianceScaling(Gain.Tanh, FanMode.FanOut, ScalingDistribution.Uniform)));
        Assert.Equal(0x61BD512E21341D52u, Hash(Initialize.VarianceScaling(1, FanMode.FanIn, ScalingDistribution.TruncatedNormal)));
        Assert.Equal(0x7C2638B6F5A3DDC1u, Hash(Initialize.Sparse(0.4)));

        static ulong Hash(Initializer initializer) => Fill<double>(initializer, [20, 15], seed: 20240229)
            .Aggregate(0UL, (hash, x) => unchecked(hash * 31 + BitConverter.DoubleToUInt64Bits(x)));
    }
}
