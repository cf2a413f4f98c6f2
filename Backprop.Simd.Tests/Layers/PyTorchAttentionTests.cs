using System.Globalization;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>PyTorch's numbers: PyTorch/attention.py made PyTorch/attention.txt.</summary>
public sealed class PyTorchAttentionTests
{
    private static readonly Dictionary<string, Func<GraphBuilder, Node>> Graphs = new()
    {
        ["padding"] = g => g.Input("x0", 3, 4).SelfAttention(2, mask: g.IndexInput("mask", 3)),
        ["mask"] = g => g.Input("x0", 3, 4).SelfAttention(2, mask: g.IndexInput("mask", 3, 3)),
        ["added"] = g => g.Input("x0", 3, 4).SelfAttention(2, mask: g.SharedInput("added", 3, 3)),
        ["added-each"] = g => g.Input("x0", 3, 4).SelfAttention(2, mask: g.Input("added", 2, 3, 3)),
        ["sizes"] = g => g.Input("x0", 3, 4).Apply(new MultiHeadAttention(2), g.Input("x1", 5, 3), g.Input("x2", 5, 2)),
        ["groups"] = g => g.Input("x0", 3, 8).SelfAttention(4, causal: true, keyValueHeads: 2),
        ["rotary-False"] = g => g.Input("x0", 3, 8).RotaryPositions(2),
        ["rotary-True"] = g => g.Input("x0", 3, 8).RotaryPositions(2, interleaved: true),
        ["sinusoidal"] = g => g.Input("x0", 3, 6).SinusoidalPositions(),
        ["learned"] = g => g.Input("x0", 3, 4).LearnedPositions(5),
        ["rotary-attention"] = g => g.Input("x0", 3, 8).SelfAttention(2, rotary: new RotaryPositions()),
        ["weights"] = g => g.ApplyAll(new MultiHeadAttention(2, weights: true), g.Input("x0", 3, 4))[1],
        ["encoder-False"] = g => g.Input("x0", 3, 4).TransformerEncoderLayer(2, 5, 0, false, x => x.Gelu(), lengths: g.IndexInput("lengths")),
        ["encoder-True"] = g => g.Input("x0", 3, 4).TransformerEncoderLayer(2, 5, 0, true, x => x.Gelu(), lengths: g.IndexInput("lengths")),
        ["decoder-False"] = g => g.Input("x0", 3, 4).TransformerDecoderLayer(g.Input("x1", 3, 4), 2, 5, 0, memoryLengths: g.IndexInput("lengths")),
        ["decoder-True"] = g => g.Input("x0", 3, 4).TransformerDecoderLayer(g.Input("x1", 3, 4), 2, 5, 0, true, memoryLengths: g.IndexInput("lengths")),
    };

    private static readonly ILookup<string, (string Kind, string Of, string[] Numbers)> Lines = Read();

    public static TheoryData<string> Names => [.. Graphs.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Values_and_gradients_are_PyTorchs(string name)
    {
        var graph = new GraphBuilder();
        graph.Output(Graphs[name](graph));
        var network = graph.Build().CreateNetwork<double>();
        var rows = Lines[name].Single(l => l.Kind == "y").Numbers.Length / network.Definition.TypeOf(network.Definition.OutputNames.Single()).Shape.Size;
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        foreach (var (kind, of, numbers) in Lines[name])
        {
            if (kind == "index")
                workspace.SetIndexInput(of, [.. numbers.Select(n => (int)Number(n))]);
            else if (kind == "input")
                workspace.SetInput(of, [.. numbers.Select(Number)]);
            else if (kind == "parameter")
                Doubles(numbers).CopyTo(network.ParameterOf(of));
            else if (kind == "dy")
                Doubles(numbers).CopyTo(workspace.OutputGradient());
        }

        network.Forward(workspace);
        network.Backward(workspace);
        foreach (var (kind, of, numbers) in Lines[name])
        {
            if (kind == "y")
                Close(numbers, workspace.Output(), of);
            else if (kind == "dinput")
                Close(numbers, workspace.GradientOf(of), of);
            else if (kind == "dparameter")
                Close(numbers, workspace.ParameterGradientOf(of), of);
        }

        Assert.Equal(network.Definition.Parameters.Entries.Count, Lines[name].Count(l => l.Kind == "dparameter"));
    }

    [Fact]
    public void Every_case_of_the_file_is_here() => Assert.Equal(Lines.Select(l => l.Key).Order(), Graphs.Keys.Order());

    private static void Close(string[] expected, ReadOnlySpan<double> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(Number(expected[i]) - actual[i]) <= 1e-12 * (1 + Math.Abs(actual[i])), $"{what} [{i}]: {actual[i]}, not {expected[i]}.");
    }

    private static double[] Doubles(string[] numbers) => [.. numbers.Select(Number)];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static ILookup<string, (string Kind, string Of, string[] Numbers)> Read()
    {
        using var stream = typeof(PyTorchAttentionTests).Assembly.GetManifestResourceStream("PyTorch.attention.txt")!;
        using var reader = new StreamReader(stream);
        var lines = new List<string[]>();
        while (reader.ReadLine() is { } line)
            lines.Add(line.Split(' '));
        return lines.ToLookup(c => c[0], c => (c[1], c[2], c[3..]));
    }
}
