using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Layers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>
/// The error of long sums grows no faster than the logarithm of the number n of terms, wherever a layer or kernel sums over rows,
/// positions, channels or classes: |error| is at most c log2(n) eps times the sum of the sizes of the terms.
/// </summary>
/// <remarks>
/// Equal terms are the worst for one chain: each addition rounds the same way. Chains of 128 additions, which all sums have at their
/// bottom, err by up to 40 roundings there, half of which is 2 log2(n) eps for n = 2^10; products have chains of 512.
/// </remarks>
public sealed class SumErrorTests
{
    private const double Plain = 2, Products = 8;

    public static TheoryData<int> Counts => [1000, 1 << 15, 1 << 20];

    [Theory, MemberData(nameof(Counts))]
    public void Column_sums(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            foreach (var columns in (int[])[1, 3, 5, 9, 37])
            {
                var stride = columns + 1;
                var values = Spread(terms, stride);
                var sums = new T[columns];
                Reductions.ColumnSums(new ReadOnlyMatrix<T>(values, n, columns, stride), sums);
                assert(sums[0], Plain, $"first of {columns} columns");
                sums.AsSpan().Clear();
                Reductions.ColumnSums(new ReadOnlyMatrix<T>(values.AsSpan(1), n, columns, stride), new(sums, adds: true));
                assert(sums[^1], Plain, $"last of {columns} columns");
            }
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Weights_and_biases_of_normalized_rows(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            // Center 0, offset 0, inverse 1.
            var cache = Spread([T.Zero, T.Zero, T.One], 1, n);
            foreach (var size in (int[])[1, 3, 17])
            {
                T[] values = Spread(terms, size), ones = Filled(n * size, T.One);
                T[] products = new T[size], sums = new T[size], scratch = new T[RowWeightSums.ScratchLength(size)];
                RowWeightSums.Compute<T>(new(values, values.Length / size, size), ones, cache, scratch, products, sums, ComputeContext.SingleThreaded);
                assert(products[^1], Plain, $"weight of {size}");
                RowWeightSums.Compute<T>(new(ones, ones.Length / size, size), values, cache, scratch, products, sums, ComputeContext.SingleThreaded);
                assert(sums[^1], Plain, $"bias of {size}");
            }
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Statistics_and_gradients_of_channels(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            foreach (var channels in (int[])[1, 3, 18])
            {
                T[] values = Spread(terms, channels), ones = Filled(n * channels, T.One), zeros = new T[channels];
                T[] products = new T[channels], sums = new T[channels], more = new T[channels], last = new T[channels];
                var scratch = new T[ChannelStatistics.ScratchLength(channels)];
                ChannelStatistics.Products<T>(new(ones, ones.Length / channels, channels), values, zeros, scratch, sums, products,
                    ComputeContext.SingleThreaded);
                assert(sums[^1], Plain, $"bias of {channels}");
                assert(products[^1], Plain, $"weight of {channels}");
                var moments = new ChannelMoments<T> { Center = sums, Offset = products, Inverse = more, Variance = last };
                ChannelStatistics.Moments(new(values, values.Length / channels, channels), 1e-5, scratch, in moments, ComputeContext.SingleThreaded);
                assert((sums[^1] + products[^1]) * T.CreateTruncating(n), Plain, $"mean of {channels}");
            }

            // One group over all channels, and over all positions.
            foreach (var (positions, channels) in ((int, int)[])[(n, 1), (1, n)])
            {
                T[] y = new T[n], cache = new T[3], scratch = new T[GroupNormalizationKernels.Tables * ChannelPlan.TableLength(channels)];
                var form = new GroupForm<T> { Positions = positions, Channels = channels, Groups = 1, Epsilon = 1e-5 };
                GroupNormalizationKernels.Forward(in form, terms, cache, scratch, y, ComputeContext.SingleThreaded);
                assert((cache[0] + cache[1]) * T.CreateTruncating(n), Plain, $"mean of a group of {positions} positions");
            }
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Means_of_long_rows(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            T[] y = new T[n], cache = new T[3];
            var form = new RowForm<T> { Length = n, Epsilon = 1e-5, SubtractsMean = true };
            RowNormalization.Forward(in form, terms, cache, y, ComputeContext.SingleThreaded);
            assert((cache[0] + cache[1]) * T.CreateTruncating(n), Plain, "mean");
            assert(Reductions.Sum<T>(terms), Plain, "sum");
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Slopes(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            foreach (var channels in (int[])[1, 3, 600])
            {
                if ((long)n * channels > 1 << 26)
                    continue;
                var run = new LayerRun<T>(new PRelu(), new Shape(channels), Filled(n * channels, -T.One), Spread(terms, channels), Filled(channels, T.One));
                assert(-run.Gradients[channels - 1], Plain, $"slope of {channels} channels");
            }
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Rows_of_a_table(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            foreach (var size in (int[])[1, 5, 17])
            {
                var network = new GraphBuilder().IndexInput("i").Embedding(3, size).Build<T>(seed: 1);
                var workspace = network.CreateWorkspace(n, new WorkspaceOptions { OutputGradients = true, KeepGradients = true });
                workspace.IndexInput("i").Fill(1);
                network.Forward(workspace);
                Spread(terms, size).CopyTo(workspace.OutputGradient());
                network.Backward(workspace);
                assert(workspace.ParameterGradientOf("embedding1.weight")[2 * size - 1], Plain, $"row of {size}");
            }
        });
    }

    [Theory]
    [InlineData(1 << 20, 1, 1, 2), InlineData(1000, 1000, 1, 1), InlineData(8, 8, 1 << 14, 33), InlineData(4, 4, 1 << 11, 1100)]
    public void Biases_of_convolutions(int height, int width, int images, int filters)
    {
        var n = height * width * images;
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            var shape = new ConvolutionShape(height, width, 1, filters, 3, padding: 1);
            T[] dw = new T[shape.WeightSize], db = Filled(filters, T.One), scratch = new T[Convolution.ScratchLength(shape)];
            Convolution.BackwardWeights<T>(shape, new T[n], Spread(terms, filters), dw, db, scratch);
            assert(db[^1], Plain, $"bias of {filters}");
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Means_of_large_windows(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            foreach (var channels in (int[])[1, 3, 18])
            {
                foreach (var height in (int[])[1, 1000, n])
                {
                    if (n % height != 0)
                        continue;
                    var y = new T[channels];
                    AveragePooling.Forward<T>(PoolingShape.Bins(height, n / height, channels, 1), false, Spread(terms, channels), y, null);
                    assert(y[^1] * T.CreateTruncating(n), Plain, $"{channels} channels, {height} rows");
                }
            }
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Exponentials_of_many_classes(int n)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(n, (terms, assert, _) =>
        {
            // Behind a first logit of 0 they are about 0.1: each probability is an exponential over the sum.
            var logits = terms.Select(term => T.Log(T.Abs(term) + T.CreateTruncating(1e-3))).ToArray();
            logits[0] = T.One;
            var p = new T[n];
            SoftmaxKernels.Softmax(new ReadOnlyMatrix<T>(logits, 1, n), new Matrix<T>(p, 1, n));
            double sum = 0, rest = 0;
            foreach (var logit in logits)
                Compensated(Math.Exp(double.CreateTruncating(logit) - 1), ref sum, ref rest);
            var error = double.CreateTruncating(p[0]) * (sum + rest) - 1;
            Assert.True(Math.Abs(error) <= Plain * Math.Log2(n) * Epsilon<T>(), $"{typeof(T).Name}, {n} classes: {error / Epsilon<T>()} eps");
        });
    }

    [Theory, MemberData(nameof(Counts))]
    public void Losses(int n)
    {
        Each<double>(n, (terms, assert, _) =>
        {
            foreach (var isWeighted in (bool[])[false, true])
            {
                foreach (var size in (int[])[1, n])
                {
                    var graph = new GraphBuilder();
                    Node y = graph.Input("y", size), t = graph.Input("t", size);
                    var loss = new MeanAbsoluteError(LossReduction.Sum);
                    if (isWeighted)
                        graph.Loss(graph.Apply(loss, y, t, graph.Input("w")));
                    else
                        graph.Loss(graph.Apply(loss, y, t));
                    var network = graph.Build().CreateNetwork<double>();
                    var workspace = network.CreateWorkspace(n / size, WorkspaceOptions.Inference with { Losses = true });
                    workspace.SetInput("y", [.. terms.Select(Math.Abs)]);
                    if (isWeighted)
                        workspace.Input("w").Fill(1);
                    network.Forward(workspace);
                    var exact = Sum(terms.Select(Math.Abs), out _);
                    var error = Math.Abs(workspace.Loss - exact) / (Math.Log2(n) * Epsilon<double>() * exact);
                    Assert.True(error <= Plain, $"{n} terms of {size}, weighted: {isWeighted}: the error is {error} log2(n) eps");
                }
            }
        });
    }

    /// <summary>One row of many positions: labels with and without class weights, smoothed, and distributions.</summary>
    [Theory, InlineData(1000), InlineData(1 << 15)]
    public void Losses_of_many_positions(int n)
    {
        double[] weights = [0.1, 0.1];
        foreach (var loss in (LabelLoss[])[new NegativeLogLikelihood(reduction: LossReduction.Sum), new NegativeLogLikelihood(weights),
            new SoftmaxCrossEntropy(weights, reduction: LossReduction.Sum), new SoftmaxCrossEntropy(labelSmoothing: 0.1, reduction: LossReduction.Sum)])
        {
            var graph = new GraphBuilder();
            graph.Loss(graph.Apply(loss, graph.Input("x", n, 2), graph.IndexInput("labels", n)), 1);
            var network = graph.Build().CreateNetwork<double>();
            var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference with { Losses = true });
            workspace.Input("x").Fill(-0.1);
            network.Forward(workspace);
            var parts = workspace.PartsOf(network.Definition.LossNames.Single());
            var perPosition = loss is NegativeLogLikelihood ? 0.1 : Math.Log(2);
            var exact = n * perPosition * (loss.ClassWeights.Count > 0 ? 0.1 : 1);
            Assert.True(Math.Abs(parts.Numerator - exact) <= (Plain * Math.Log2(n) + 2) * Epsilon<double>() * exact, $"{loss}: {parts.Numerator} for {exact}");
            if (loss is NegativeLogLikelihood { Reduction: LossReduction.Mean })
                Assert.True(Math.Abs(parts.Denominator - 0.1 * n) <= Plain * Math.Log2(n) * Epsilon<double>() * 0.1 * n, $"{parts.Denominator}");
        }
    }

    /// <summary>[rows, k] times [k, columns]: A by columns, as the gradient of weights has it, and by rows.</summary>
    [Theory]
    [InlineData(1000, 1, 1), InlineData(1 << 15, 1, 1), InlineData(1 << 20, 1, 1)]
    [InlineData(1000003, 5, 1), InlineData(300001, 1, 5), InlineData(300001, 2, 2)]
    [InlineData(100003, 20, 3), InlineData(100003, 3, 20)]
    [InlineData(100003, 11, 9), InlineData(100003, 40, 10), InlineData(100003, 10, 40), InlineData(100003, 5, 50), InlineData(33333, 140, 1)]
    [InlineData(33333, 140, 10), InlineData(33333, 10, 140), InlineData(33333, 40, 17)]
    public void Thin_products_of_a_long_k(int k, int rows, int columns)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T> => Each<T>(k, (terms, assert, unit) =>
        {
            var a = new T[k * rows];
            foreach (var byColumns in (bool[])[true, false])
            {
                for (var i = 0; i < rows; i++)
                {
                    for (var p = 0; p < k; p++)
                        a[byColumns ? p * rows + i : i * k + p] = terms[p];
                }

                var b = Filled(k * columns, T.One);
                var c = Filled(rows * columns, T.One);
                var first = byColumns ? new ReadOnlyMatrix<T>(a, k, rows).Transposed : new ReadOnlyMatrix<T>(a, rows, k);
                var to = new Matrix<T>(c, rows, columns);
                Gemm.Multiply(first, new ReadOnlyMatrix<T>(b, k, columns), to);
                All("product");
                Gemm.Multiply(-T.One, first, new ReadOnlyMatrix<T>(b, k, columns), T.One, to);
                Assert.True(Math.Abs(double.CreateTruncating(c[columns - 1])) <= 2 * Products * unit);
                c.AsSpan().Clear();
                Gemm.MultiplyAdd(first, new ReadOnlyMatrix<T>(b, columns, k).Transposed, to);
                All("added product");
                var row = Filled(columns, T.One + T.One);
                Gemm.MultiplyAddRow(first, new ReadOnlyMatrix<T>(b, k, columns), row, to);
                for (var i = 0; i < c.Length; i++)
                    c[i] -= row[0];
                All("with a row");

                void All(string what)
                {
                    // Of more than few rows and columns, the last column alone is thin.
                    foreach (var value in columns > 12 && rows > 12 ? c[(columns - 1)..columns] : c)
                        assert(value, Products, $"{what} [{rows}, {k}] [{k}, {columns}], by columns: {byColumns}");
                }
            }
        });
    }

    private delegate void Assertion<T>(T actual, double c, string what);

    private delegate void Case<T>(T[] terms, Assertion<T> assert, double unit) where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>Runs a case with equal terms, terms about 1, and terms of both signs; the unit is log2(n) eps times the sum of their sizes.</summary>
    private static void Each<T>(int n, Case<T> run) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom((ulong)n);
        foreach (var kind in (string[])["equal", "about 1", "of both signs"])
        {
            var terms = new T[n];
            foreach (ref var term in terms.AsSpan())
            {
                var u = random.Signed<T>();
                term = kind == "equal" ? T.CreateTruncating(0.1) : kind == "about 1" ? T.One + u / T.CreateTruncating(16) : u;
            }

            var exact = Sum(terms.Select(double.CreateTruncating), out var sizes);
            var unit = Math.Log2(n) * Epsilon<T>() * sizes;
            run(terms, (actual, c, what) =>
            {
                var error = Math.Abs(double.CreateTruncating(actual) - exact) / unit;
                Assert.True(error <= c, $"{typeof(T).Name}, {n} terms {kind}, {what}: the error is {error} log2(n) eps");
            }, unit);
        }
    }

    private static double Epsilon<T>() => typeof(T) == typeof(float) ? Math.ScaleB(1, -23) : Math.ScaleB(1, -52);

    private static double Sum(IEnumerable<double> terms, out double sizes)
    {
        double sum = 0, rest = 0;
        sizes = 0;
        foreach (var term in terms)
        {
            Compensated(term, ref sum, ref rest);
            sizes += Math.Abs(term);
        }

        return sum + rest;
    }

    /// <summary>The sum in two doubles.</summary>
    private static void Compensated(double term, ref double sum, ref double rest)
    {
        var next = sum + term;
        rest += Math.Abs(sum) >= Math.Abs(term) ? sum - next + term : term - next + sum;
        sum = next;
    }

    /// <summary>Each term, repeated to fill a row.</summary>
    private static T[] Spread<T>(T[] terms, int columns)
    {
        var values = new T[terms.Length * columns];
        for (var i = 0; i < terms.Length; i++)
            values.AsSpan(i * columns, columns).Fill(terms[i]);
        return values;
    }

    /// <summary>A row of terms, repeated.</summary>
    private static T[] Spread<T>(T[] row, int columns, int rows)
    {
        var values = new T[row.Length * rows * columns];
        for (var i = 0; i < rows; i++)
            row.CopyTo(values, i * row.Length);
        return values;
    }

    private static T[] Filled<T>(int length, T value)
    {
        var values = new T[length];
        Array.Fill(values, value);
        return values;
    }
}
