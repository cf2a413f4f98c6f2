using System.Text.RegularExpressions;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Gradients;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The code of docs/layers.md, compiled and run; <see cref="LayersDocumentTests"/> holds it equal to the document.</summary>
internal static class LayersExamples
{
    public static Node Residual()
    {
        // begin Residual
        var graph = new GraphBuilder();
        var x = graph.Input("x", 32, 32, 16);
        var y = (x.Convolution2D(16, 3, padding: 1).BatchNormalization().Relu().Convolution2D(16, 3, padding: 1) + x).Relu();
        // end Residual
        return y;
    }

    public static GraphBuilder Agree()
    {
        // begin Agree
        var graph = new GraphBuilder();
        var encoder = graph.Share(new Affine(16));
        var a = graph.Input("a", 64).Apply(encoder).Tanh();
        var b = graph.Input("b", 64).Apply(encoder).Tanh();
        var scale = graph.Parameter("scale", new Shape(16));
        graph.Loss(((a - b) * scale).SquaredNorm());
        graph.Loss((1 - scale.SquaredNorm()).Relu(), 0.1);      // a norm below 1 costs
        // end Agree
        return graph;
    }

    public static Workspace<float> Lengths()
    {
        // begin Lengths
        var graph = new GraphBuilder();
        var tokens = graph.IndexInput("tokens", Dimension.Free("time", 512));
        var x = tokens.Embedding(1000, 64);
        x += graph.Parameter("position", new Shape(512, 64)).CutTo(x);
        x.SelfAttention(4).Mean(0).Affine(2).SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(32);
        workspace.SetSizes(("time", 57));                                  // or Bind a batch, which tells its sizes
        // end Lengths
        return workspace;
    }

    public static void Accumulate(Network<float> network, Workspace<float> workspace, BatchLoader<float> batches, Optimizer<float> adam,
        ExponentialMovingAverage<float> average)
    {
        // begin Accumulate
        var accumulator = new GradientAccumulator<float>(network, workspace);
        for (var i = 0; i < 4; i++)
        {
            workspace.Bind(batches.Next());
            accumulator.Add();
        }

        accumulator.Average();                                // workspace.Gradients are those of one batch with all rows
        network.Update(workspace, adam);
        average.Update(network.Parameters);                   // an ExponentialMovingAverage<float>

        average.Swap(network.Parameters);                     // test with the average, then swap back
        // end Accumulate
    }

    public static LbfgsResult WholeBatch(Network<double> network, Workspace<double> workspace)
    {
        // begin WholeBatch
        var result = new Lbfgs<double>(network).Minimize(network.Parameters, (_, gradient) =>
        {
            var loss = network.Forward(workspace);
            network.Backward(workspace);
            workspace.Gradients.CopyTo(gradient);
            return loss;
        });
        // end WholeBatch
        return result;
    }

    public static void UseLowRank()
    {
        // begin UseLowRank
        var report = GradientCheck.Layer(new LowRank(5, rank: 2), [new EdgeType(EdgeKind.Values, new Shape(7))], rows: 4);
        Console.WriteLine(report.Passes());                                // True: against central differences in double

        var network = GraphBuilder.Chain(64).Apply(new LowRank(50, rank: 8)).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        Console.WriteLine(network.Summary());
        // end UseLowRank
    }

    // begin LowRank
    public sealed class LowRank(int outputs, int rank) : Layer
    {
        public int Outputs => outputs;                                 // settings are public: enough to make the layer again

        public int Rank => rank;

        public override string Kind => "lowrank";                      // nodes are named lowrank1, lowrank2, ...

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(1);
            var inputs = declaration.Require(0, EdgeKind.Values, rank: 1)[0];
            declaration.AddParameter("down", new Shape(inputs, Rank), inputs, Rank, Initialize.Xavier);
            declaration.AddParameter("up", new Shape(Rank, Outputs), Rank, Outputs, null);      // as suits the layer that follows
            declaration.AddParameter("bias", new Shape(Outputs), Rank, Outputs, Initialize.Zeros);
            declaration.UseCache(perRow: Rank);                        // kept from forward to backward
            declaration.UseScratch(perRow: Rank);                      // for one call
            declaration.AddOutput(new Shape(Outputs));
            declaration.Traits = LayerTraits.ReadsInput | LayerTraits.StridedRows;              // backward does not read the output
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var h = new Matrix<T>(context.Training ? context.Cache : context.Scratch, context.Rows, Rank);
            Gemm.Multiply(context.InputMatrix(0), context.ParameterMatrix(0), h, context.Compute);
            Gemm.MultiplyAddRow(h, context.ParameterMatrix(1), context.Parameter(2), context.OutputMatrix(), context.Compute);
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            ReadOnlyMatrix<T> x = context.InputMatrix(0), u = context.ParameterMatrix(0), v = context.ParameterMatrix(1);
            ReadOnlyMatrix<T> h = new(context.Cache, context.Rows, Rank), dy = context.OutputGradientMatrix();
            var dh = new Matrix<T>(context.Scratch, context.Rows, Rank);
            Gemm.Multiply(dy, v.Transposed, dh, context.Compute);
            context.InputGradient(0).Product(dh, u.Transposed);
            context.ParameterGradient(0).Product(x.Transposed, dh);
            context.ParameterGradient(1).Product(h.Transposed, dy);
            context.ParameterGradient(2).ColumnSums(dy);
        }
    }
    // end LowRank
}

[Collection(RunAlone.Name)]
public sealed partial class LayersDocumentTests
{
    [Fact]
    public void The_layer_passes_its_check_and_takes_its_place_in_a_network()
    {
        var before = Console.Out;
        using var output = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        Console.SetOut(output);
        try
        {
            LayersExamples.UseLowRank();
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.StartsWith("True", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("lowrank1", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_residual_block_keeps_its_shape() => Assert.Equal(new Shape(32, 32, 16), LayersExamples.Residual().Type.Shape);

    [Fact]
    public void Sequences_of_another_length_train()
    {
        var workspace = LayersExamples.Lengths();
        Assert.Equal(32 * 57, workspace.IndexInput("tokens").Length);
        var adam = new Adam<float>(workspace.Network);
        var first = workspace.Network.Step(workspace, adam);
        Assert.InRange(workspace.Network.Step(workspace, adam), 0, first);
    }

    [Fact]
    public void Micro_batches_and_the_average_move_the_weights()
    {
        var network = GraphBuilder.Chain(64).Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var before = network.Parameters.ToArray();
        using var batches = new BatchLoader<float>(Digits.Split().Train.ToDataset<float>(), 16);
        var average = new ExponentialMovingAverage<float>(network);
        LayersExamples.Accumulate(network, network.CreateWorkspace(16), batches, new Adam<float>(network), average);
        Assert.True(average.IsSwapped);
        average.Swap(network.Parameters);
        Assert.NotEqual(before, network.Parameters.ToArray());
    }

    [Fact]
    public void The_whole_batch_fits_a_line()
    {
        var network = GraphBuilder.Chain(1).Affine(1).MeanSquaredError().Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(3);
        workspace.SetInput("x", [0, 1, 2]);
        workspace.SetInput("targets", [1, 3, 5]);
        LayersExamples.WholeBatch(network, workspace);
        Assert.InRange(network.ParameterOf("affine1.weight")[0], 2 - 1e-4, 2 + 1e-4);
    }

    [Fact]
    public void Two_branches_come_to_agree()
    {
        var network = LayersExamples.Agree().Build().CreateNetwork<float>(seed: 1);
        Assert.Equal(3, network.Definition.Parameters.Entries.Count);
        var workspace = network.CreateWorkspace(8);
        var random = new Random(1);
        foreach (var name in (string[])["a", "b"])
        {
            foreach (ref var value in workspace.Input(name))
                value = random.NextSingle() - 0.5f;
        }

        var adam = new Adam<float>(network, learningRate: 0.01);
        var first = network.Step(workspace, adam);
        for (var step = 0; step < 200; step++)
            network.Step(workspace, adam);
        Assert.InRange(network.Step(workspace, adam), 0, 0.2 * first);
    }

    /// <summary>The examples in the order of the document.</summary>
    private static readonly string[] Names =
    [
        "Residual",
        "Lengths",
        "Agree",
        "Accumulate",
        "WholeBatch",
        "LowRank",
        "UseLowRank",
    ];

    public static TheoryData<string> Examples => [.. Names];

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_document_shows_what_is_run(string name)
    {
        var document = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "layers.md"));
        var blocks = CSharpBlock().Matches(document);
        Assert.Equal(Names.Length, blocks.Count);
        var shown = blocks[Array.IndexOf(Names, name)].Groups[1].Value;
        var withoutUsings = string.Join('\n', shown.Split('\n').Where(l => !l.StartsWith("using Backprop", StringComparison.Ordinal))).Trim();
        var source = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Backprop.Simd.Tests", "Documentation", "LayersDocumentTests.cs"));
        var begin = source.IndexOf($"// begin {name}\n", StringComparison.Ordinal) + $"// begin {name}\n".Length;
        var end = source.IndexOf($"// end {name}\n", StringComparison.Ordinal);
        var margin = new string(' ', end - source.LastIndexOf('\n', end) - 1);
        var run = string.Join('\n', source[begin..end].Split('\n').Select(l => l.StartsWith(margin, StringComparison.Ordinal) ? l[margin.Length..] : l)).Trim();
        Assert.Equal(withoutUsings, run);
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();
}
