using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Bench;

/// <summary>A network of other pieces than affine layers, with initial parameters and a batch. Trained by Adam.</summary>
/// <remarks>The result of a call is the losses of the first three steps, held against this library in double.</remarks>
/// <param name="Name">What peers know it by.</param>
/// <param name="Sizes">What the name leaves open: a length, or nothing.</param>
/// <param name="Batch">The rows.</param>
/// <param name="OperationsPerRow">Multiplications and additions of a step: forward, and the products of backward; 0 where they are not what costs.</param>
/// <param name="Build">Makes the graph, with a loss.</param>
internal sealed record Model(string Name, string Sizes, int Batch, double OperationsPerRow, Action<GraphBuilder> Build)
{
    public const double LearningRate = 1e-5;

    /// <summary>The index inputs that are not labels below 10, with the range of their values.</summary>
    public Dictionary<string, (int First, int End)> Ranges { get; init; } = [];

    /// <summary>The network with its initial parameters, new for each call.</summary>
    public Network<float> Create()
    {
        var graph = new GraphBuilder();
        Build(graph);
        return graph.Build().CreateNetwork<float>(seed: 1);
    }

    /// <summary>The numbers of an input, from -1 to 1.</summary>
    public float[] Values(string input, EdgeType type)
    {
        var values = new float[type.Shape.Size * Batch];
        Fill.Uniform<float>(values, seed: (ulong)input.Length);
        return values;
    }

    /// <summary>The integers of an input.</summary>
    public int[] Indices(string input, EdgeType type)
    {
        var (first, end) = Ranges.GetValueOrDefault(input, (0, 10));
        return [.. Fill.Labels(type.Shape.Size * Batch, end - first, seed: (ulong)input.Length).Select(i => i + first)];
    }

    /// <summary>Fills the inputs of a workspace.</summary>
    public void CopyBatch<T>(Network<T> network, Workspace<T> workspace)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        foreach (var name in network.Definition.InputNames)
        {
            var type = network.Definition.TypeOf(name);
            if (type.Kind == EdgeKind.Indices)
            {
                Indices(name, type).CopyTo(workspace.IndexInput(name));
                continue;
            }

            var values = Values(name, type);
            var input = workspace.Input(name);
            for (var i = 0; i < input.Length; i++)
                input[i] = T.CreateTruncating(values[i]);
        }
    }

    public string? Verify(double[] losses)
    {
        var network = Create().ConvertTo<double>();
        var workspace = network.CreateWorkspace(Batch);
        var optimizer = new Adam<double>(network, LearningRate);
        CopyBatch(network, workspace);
        for (var step = 0; step < NetworkProblem.CheckedSteps; step++)
        {
            var expected = network.Step(workspace, optimizer);
            if (step >= losses.Length || !(Math.Abs(losses[step] - expected) <= 5e-5 * (1 + Math.Abs(expected))))
                return $"the loss of step {step} is {(step < losses.Length ? losses[step] : double.NaN):G9} instead of {expected:G9}";
        }

        return null;
    }
}
