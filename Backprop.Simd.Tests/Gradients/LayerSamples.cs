using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>
/// The cases of every layer of the library: a new layer gets its lines here, or <see cref="SampleCoverageTests"/> fails.
/// </summary>
internal static partial class LayerSamples
{
    /// <summary>Data stay this far from a kink: far more than the step of a central difference.</summary>
    private const double Margin = 0.05;

    public static IReadOnlyList<LayerSample> All { get; } =
    [
        .. Affines(),
        .. Activations(),
        .. MoreActivations(),
        .. FunctionSamples(),
        .. Softmaxes(),
        .. Gates(),
        .. Broadcasts(),
        .. Reductions(),
        .. Products(),
        .. Losses(),
        .. Convolutions(),
        .. Views(),
        .. MoreLosses(),
        .. Sequences(),
        .. Poolings(),
        .. Shapings(),
        .. Normalizations(),
    ];

    /// <summary>Inputs in (-1, 1).</summary>
    public static void Signed(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
            value = random.Signed<double>();
    }

    /// <summary>Inputs in (-2, 2) at least <see cref="Margin"/> from 0.</summary>
    public static void AwayFromZero(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
        {
            do
                value = 2 * random.Signed<double>();
            while (Math.Abs(value) < Margin);
        }
    }

    /// <summary>Inputs in 0.5 to 2, of either sign.</summary>
    private static void Invertible(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
            value = (random.Integer(0, 1) == 0 ? -1 : 1) * (1.25 + 0.75 * random.Signed<double>());
    }

    /// <summary>Input 1 differs from input 0 by at least <see cref="Margin"/>, either way.</summary>
    private static void Apart(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        AwayFromZero(ref random, input, values, first);
        for (var i = 0; input == 1 && i < values.Length; i++)
            values[i] += first[i];
    }

    /// <summary>Input 1 is a distribution over 4 classes in each row.</summary>
    private static void Distribution(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        Signed(ref random, input, values, first);
        for (var start = 0; input == 1 && start < values.Length; start += 4)
        {
            var row = values.Slice(start, 4);
            var sum = 0.0;
            foreach (ref var value in row)
                sum += value = value * value + 0.01;
            foreach (ref var value in row)
                value /= sum;
        }
    }

    private static EdgeType Values(params ReadOnlySpan<int> shape) => new(EdgeKind.Values, new Shape(shape));

    private static EdgeType Shared(params ReadOnlySpan<int> shape) => new(EdgeKind.Shared, new Shape(shape));

    private static EdgeType Labels => new(EdgeKind.Indices, Shape.Scalar);

    private static IEnumerable<LayerSample> Affines()
    {
        yield return new(new Affine(1), [Values(1)], 1, Signed);
        yield return new(new Affine(4), [Values(3)], 2, Signed);
        yield return new(new Affine(17), [Values(9)], 5, Signed);
        yield return new(new Affine(3), [Values(2, 3)], 4, Signed);
        yield return new(new Affine(3), [Values()], 3, Signed);
        yield return new(new Affine(5, Initialize.He, bias: false), [Values(7)], 3, Signed) { Name = "without bias " };
    }

    private static IEnumerable<LayerSample> Activations()
    {
        foreach (var (type, rows) in ElementwiseTypes())
        {
            yield return new(new Activation<Relu>(default), [type], rows, AwayFromZero);
            yield return new(new Activation<LeakyRelu>(new LeakyRelu(0.1)), [type], rows, AwayFromZero);
            yield return new(new Activation<LeakyRelu>(new LeakyRelu(-0.5)), [type], rows, AwayFromZero) { Name = "negative slope " };
            yield return new(new Activation<LeakyRelu>(new LeakyRelu(0)), [type], rows, AwayFromZero) { Name = "slope zero " };
            yield return new(new Activation<Sigmoid>(default), [type], rows, AwayFromZero);
            yield return new(new Activation<Tanh>(default), [type], rows, AwayFromZero);
        }
    }

    private static IEnumerable<LayerSample> Gates()
    {
        foreach (var (type, rows) in ElementwiseTypes())
        {
            yield return new(new BinaryGate<Add>(), [type, type], rows, Signed);
            yield return new(new BinaryGate<Multiply>(), [type, type], rows, Signed);
            yield return new(new BinaryGate<Maximum>(), [type, type], rows, Apart);
            yield return new(new BinaryGate<Minimum>(), [type, type], rows, Apart);
            yield return new(new BinaryGate<Subtract>(), [type, type], rows, Signed);
            yield return new(new BinaryGate<Divide>(), [type, type], rows, Invertible);
            yield return new(new BinaryGate<Power>(), [type, type], rows, Positive);
            yield return new(new Reciprocal(), [type], rows, Invertible);
            yield return new(new Exponential(), [type], rows, Signed);
            yield return new(new Negate(), [type], rows, Signed);
            yield return new(new Scale(-1.75), [type], rows, Signed);
            yield return new(new Shift(0.3), [type], rows, Signed);
            yield return new(new SquaredNorm(), [type], rows, Signed);
        }
    }

    private static IEnumerable<LayerSample> Broadcasts()
    {
        (EdgeType, EdgeType)[] pairs =
        [
            (Values(3, 2), Values(3, 1)), (Values(2, 2, 3), Values(1, 1, 3)), (Values(3), Values()), (Values(3, 1), Values(4)),
            (Values(3, 2), Shared(3, 2)), (Values(3, 2), Shared(2)), (Shared(2, 1), Values(3)), (Values(5), Shared()), (Shared(), Values()),
            (Shared(2, 3), Shared(3)), (Shared(2, 1), Shared(1, 3)), (Values(2, 1, 2, 1, 2, 1), Values(2, 1, 2, 1, 2)), (Shared(2, 2), Values(2)),
        ];
        foreach (var (x, y) in pairs)
        {
            yield return new(new BinaryGate<Multiply>(), [x, y], 3, Signed);
            yield return new(new BinaryGate<Subtract>(), [x, y], 3, Signed);
        }

        yield return new(new BinaryGate<Divide>(), [Values(3, 2), Values(3, 1)], 2, Invertible);
        yield return new(new Where(), [Values(3, 2), Values(3, 2), Values(3, 2)], 3, AwayFromZero);
        yield return new(new Where(), [Values(3, 1), Values(2), Shared()], 3, AwayFromZero);
        yield return new(new Where(), [Shared(2), Values(3, 2), Values(3, 1)], 3, AwayFromZero);
        yield return new(new Where(), [Shared(3, 1), Shared(2), Shared()], 3, AwayFromZero);
        yield return new(new BinaryGate<Maximum>(), [Values(3), Shared()], 2, Apart);
        yield return new(new BinaryGate<Add>(), [Values(19), Shared()], 3, Signed);
    }

    private static IEnumerable<LayerSample> Reductions()
    {
        (EdgeType Type, int[] Axes)[] cases =
        [
            (Values(4), []), (Values(3, 4), [0]), (Values(3, 4), [1]), (Values(2, 3, 4), [0, -1]), (Values(2, 3, 4), [1]), (Values(2, 2, 2, 3), [1, 3]),
            (Shared(3, 4), [1]), (Shared(5), []), (Values(), []), (Values(2, 1, 3), [1]), (Values(2, 20, 5), [1]),
        ];
        foreach (var (type, axes) in cases)
        {
            yield return new(new Sum(false, axes), [type], 3, Signed);
            yield return new(new Mean(true, axes), [type], 3, Signed);
            yield return new(new Max(false, axes), [type], 3, Apart);
            yield return new(new Min(true, axes), [type], 3, Apart);
            yield return new(new Norm(false, axes), [type], 3, Signed);
            yield return new(new LogSumExp(false, axes), [type], 3, Signed);
            yield return new(new Variance(0, true, axes), [type], 3, Signed);
        }

        yield return new(new Variance(1, false, -1), [Values(3, 4)], 2, Signed);
        yield return new(new ArgMax(), [Values(3, 4)], 2, Apart);
        yield return new(new ArgMax(0, true), [Values(3, 4)], 2, Apart);
        yield return new(new Transpose(), [Values(2, 3, 4)], 3, Signed);
        yield return new(new Transpose(1, 0, -1), [Values(2, 3, 4)], 3, Signed);
        yield return new(new Transpose(0, 2, 1), [Shared(2, 9, 40)], 3, Signed);
        yield return new(new Transpose(5, 1, 3, 2, 4, 0), [Values(2, 1, 3, 2, 2, 2)], 2, Signed);
    }

    private static IEnumerable<LayerSample> Products()
    {
        yield return new(new MatrixProduct(), [Values(2, 3), Values(3, 4)], 3, Signed);
        yield return new(new MatrixProduct(), [Values(2, 3), Values(3)], 3, Signed);
        yield return new(new MatrixProduct(), [Values(3), Values(3, 4)], 2, Signed);
        yield return new(new MatrixProduct(), [Values(3), Values(3)], 2, Signed);
        yield return new(new MatrixProduct(), [Shared(2, 3), Shared(3, 4)], 2, Signed);
        yield return new(new MatrixProduct(), [Shared(3), Shared(3)], 2, Signed);
        yield return new(new MatrixProduct(), [Shared(2, 3), Values(3)], 4, Signed) { Name = "W x " };
        yield return new(new MatrixProduct(), [Values(3), Shared(3, 2)], 4, Signed) { Name = "x W " };
        yield return new(new MatrixProduct(), [Shared(2, 3), Values(3, 4)], 3, Signed);
        yield return new(new MatrixProduct(), [Values(2, 3), Shared(3, 4)], 3, Signed);
        yield return new(new MatrixProduct(), [Values(2, 3), Shared(3)], 3, Signed);
        yield return new(new MatrixProduct(), [Shared(3), Values(3, 2)], 3, Signed);
        yield return new(new MatrixProduct(), [Shared(3), Values(3)], 3, Signed);
        yield return new(new MatrixProduct(), [Values(9, 17), Values(17, 5)], 2, Signed);
    }

    private static IEnumerable<LayerSample> Losses()
    {
        double[] weights = [0.5, 2, 0, 1.5];
        yield return new(new MeanSquaredError(), [Values(3), Values(3)], 4, Signed);
        yield return new(new MeanSquaredError(), [Values(), Values()], 1, Signed);
        yield return new(new MeanSquaredError(), [Values(2, 5), Values(2, 5)], 2, Signed);
        yield return new(new SoftmaxCrossEntropy(), [Values(3), Labels], 4, Signed, [0, 2, 1, 2]);
        yield return new(new SoftmaxCrossEntropy(), [Values(1), Labels], 2, Signed, [0, 0]) { Name = "one class " };
        yield return new(new SoftmaxCrossEntropy(), [Values(21), Labels], 3, Signed, [20, 0, 7]);
        yield return new(new SoftmaxCrossEntropy(), [Values(4), Labels], 4, Signed, [0, -100, 3, -100]) { Name = "ignored rows " };
        yield return new(new SoftmaxCrossEntropy(ignoreIndex: 2), [Values(4), Labels], 3, Signed, [0, 2, 1]) { Name = "ignored class " };
        yield return new(new SoftmaxCrossEntropy(weights), [Values(4), Labels], 5, Signed, [0, 1, 2, 3, -100]) { Name = "weights " };
        yield return new(new SoftmaxCrossEntropy(labelSmoothing: 0.1), [Values(4), Labels], 3, Signed, [3, -100, 1]) { Name = "smoothing " };
        yield return new(new SoftmaxCrossEntropy(weights, 0.3), [Values(4), Labels], 4, Signed, [3, -100, 1, 0]) { Name = "both " };
        yield return new(new SoftmaxCrossEntropy(), [Values(4), Values(4)], 3, Distribution);
        yield return new(new SoftmaxCrossEntropy(weights), [Values(4), Values(4)], 3, Distribution) { Name = "weights " };
        yield return new(new SoftmaxCrossEntropy(labelSmoothing: 0.2), [Values(4), Values(4)], 3, Distribution) { Name = "smoothing " };
        yield return new(new SoftmaxCrossEntropy(weights, 0.3), [Values(4), Values(4)], 2, Distribution) { Name = "both " };
    }

    private static IEnumerable<(EdgeType Type, int Rows)> ElementwiseTypes() =>
        [(Values(), 1), (Values(3), 2), (Values(2, 2, 2, 2), 3), (Values(19), 3), (Shared(), 2), (Shared(2, 3), 2)];
}
