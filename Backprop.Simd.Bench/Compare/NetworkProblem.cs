using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Bench;

/// <summary>Affine layers with one activation between them, softmax cross-entropy and an optimizer.</summary>
/// <param name="Sizes">Inputs, hidden layers and classes.</param>
/// <param name="Activation">sigmoid or relu.</param>
/// <param name="Optimizer">sgd or adam.</param>
internal sealed record NetworkShape(string Activation, string Optimizer, params int[] Sizes)
{
    public int Inputs => Sizes[0];

    public int Classes => Sizes[^1];

    public string Name => $"{string.Join('-', Sizes)} {Activation}";

    /// <summary>Multiplications and additions of a row: forward alone, or with dW and dx, but for dx of the first layer.</summary>
    public double Operations(bool training)
    {
        var sum = 0.0;
        for (var layer = 1; layer < Sizes.Length; layer++)
            sum += 2.0 * Sizes[layer - 1] * Sizes[layer] * (!training ? 1 : layer == 1 ? 2 : 3);
        return sum;
    }
}

/// <summary>A network with initial parameters and a batch.</summary>
/// <remarks>
/// The result of a training call is the losses of the first three steps; that of an inference call the outputs, row by row.
/// Both are held against this library in double, whose gradients the tests prove by numerical differentiation.
/// Learning rates are small: thousands of steps on one batch must not end in gradients of zero.
/// </remarks>
internal sealed class NetworkProblem
{
    public const double SgdLearningRate = 0.01, AdamLearningRate = 1e-5;

    /// <summary>Steps whose losses are compared.</summary>
    public const int CheckedSteps = 3;

    public NetworkProblem(NetworkShape shape, int batch)
    {
        Shape = shape;
        Batch = batch;
        X = new float[batch * shape.Inputs];
        Labels = Fill.Labels(batch, shape.Classes, seed: 3);
        Fill.Uniform<float>(X, seed: 1, 0, 1);
    }

    public NetworkShape Shape { get; }

    public int Batch { get; }

    /// <summary>The rows, one after the other.</summary>
    public float[] X { get; }

    public int[] Labels { get; }

    /// <summary>The network with its initial parameters, new for each call.</summary>
    public Network<float> Build()
    {
        var node = GraphBuilder.Chain(Shape.Inputs);
        for (var layer = 1; layer < Shape.Sizes.Length; layer++)
        {
            node = node.Affine(Shape.Sizes[layer]);
            if (layer < Shape.Sizes.Length - 1)
                node = Shape.Activation == "relu" ? node.Relu() : node.Sigmoid();
        }

        return node.SoftmaxCrossEntropy().Build<float>(seed: 1);
    }

    /// <summary>The initial weights of each layer, [inputs, outputs], and biases.</summary>
    public IReadOnlyList<(float[] Weights, float[] Biases)> Layers()
    {
        var network = Build();
        return [.. Enumerable.Range(1, Shape.Sizes.Length - 1)
            .Select(layer => (network.ParameterOf($"affine{layer}.weight").ToArray(), network.ParameterOf($"affine{layer}.bias").ToArray()))];
    }

    public Optimizer<T> CreateOptimizer<T>(int count)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => Shape.Optimizer switch
        {
            "sgd" => new Sgd<T>(count, SgdLearningRate),
            "adam" => new Adam<T>(count, AdamLearningRate),
            _ => throw new NotSupportedException(Shape.Optimizer),
        };

    public string? VerifyTraining(double[] losses)
    {
        var network = Build().ConvertTo<double>();
        var workspace = network.CreateWorkspace(Batch);
        var optimizer = CreateOptimizer<double>(network.Parameters.Length);
        CopyBatch(workspace.Input(), workspace.IndexInput());
        var expected = new double[CheckedSteps];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = network.Step(workspace, optimizer);
        return Close(losses, expected, 1e-5);
    }

    public string? VerifyInference(double[] outputs)
    {
        var network = Build().ConvertTo<double>();
        var workspace = network.CreateWorkspace(Batch, WorkspaceOptions.Inference);
        CopyBatch(workspace.Input(), default);
        network.Forward(workspace);
        return Close(outputs, workspace.Output().ToArray(), 1e-4);
    }

    /// <summary>Fills the inputs of a workspace; labels where it has them.</summary>
    public void CopyBatch<T>(Span<T> x, Span<int> labels)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        for (var i = 0; i < X.Length; i++)
            x[i] = T.CreateTruncating(X[i]);
        if (!labels.IsEmpty)
            Labels.CopyTo(labels);
    }

    private static string? Close(double[] result, double[] expected, double tolerance)
    {
        if (result.Length != expected.Length)
            return $"{result.Length} numbers instead of {expected.Length}";
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(result[i] - expected[i]) <= tolerance * (1 + Math.Abs(expected[i]))))
                return $"number {i} is {result[i]:G9} instead of {expected[i]:G9}";
        }

        return null;
    }
}
