using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Chain forms that are more than a layer's constructor.</summary>
public sealed class ChainFormTests
{
    [Theory]
    [InlineData(6, 3)]
    [InlineData(2, 3, 3)]
    public void Affine_acts_at_each_position(params int[] shape)
    {
        var network = GraphBuilder.Chain(new Shape(shape)).Affine(4, perPosition: shape.Length > 2).Build<double>(seed: 1);
        network.ParameterOf(network.Definition.Parameters.Entries[^1].Name).Fill(0.5);
        var alone = GraphBuilder.Chain(3).Affine(4).Build<double>();
        network.Parameters.CopyTo(alone.Parameters);

        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        var positions = alone.CreateWorkspace(2 * 6, WorkspaceOptions.Inference);
        for (var i = 0; i < positions.Input().Length; i++)
            workspace.Input()[i] = positions.Input()[i] = Math.Sin(i);
        network.Forward(workspace);
        alone.Forward(positions);
        Assert.Equal(new Shape([.. shape[..^1], 4]), network.Definition.TypeOf(network.Definition.OutputNames.Single()).Shape);
        for (var i = 0; i < positions.Output().Length; i++)
            Assert.Equal(positions.Output()[i], workspace.Output()[i], 1e-14);
    }

    [Fact]
    public void An_image_in_front_of_affine_is_refused_unless_asked_for()
    {
        var error = Assert.Throws<ArgumentException>(() => GraphBuilder.Chain(new Shape(4, 4, 3)).Affine(4));
        Assert.Contains("values [4, 4, 3]", error.Message, StringComparison.Ordinal);
        Assert.Contains("Flatten", error.Message, StringComparison.Ordinal);
        Assert.Contains("perPosition", error.Message, StringComparison.Ordinal);
        Assert.Equal(new Shape(4), GraphBuilder.Chain(new Shape(4, 4, 3)).Flatten().Affine(4).Type.Shape);
    }

    [Theory]
    [InlineData("rnn", true)]
    [InlineData("rnn", false)]
    [InlineData("lstm", true)]
    [InlineData("lstm", false)]
    [InlineData("gru", true)]
    [InlineData("gru", false)]
    public void The_last_state_is_that_of_each_rows_end(string kind, bool withLengths)
    {
        const int steps = 5, units = 3;
        var graph = new GraphBuilder();
        var x = graph.Input("x", steps, 2);
        Node? lengths = withLengths ? graph.IndexInput("lengths") : null;
        var last = kind == "rnn" ? x.RnnLast(units, lengths) : kind == "lstm" ? x.LstmLast(units, lengths) : x.GruLast(units, lengths);
        Assert.Equal(new EdgeType(EdgeKind.Values, new Shape(units)), last.Type);

        var network = last.Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference with { Retain = Retain.All });
        for (var i = 0; i < workspace.Input("x").Length; i++)
            workspace.Input("x")[i] = Math.Cos(i);
        int[] ends = withLengths ? [2, 4] : [steps, steps];
        if (withLengths)
            workspace.SetIndexInput("lengths", ends);
        network.Forward(workspace);

        var all = workspace.ValueOf(kind + "1");
        for (var row = 0; row < 2; row++)
            Assert.Equal(all.Slice((row * steps + ends[row] - 1) * units, units).ToArray(), workspace.Output().Slice(row * units, units).ToArray());
    }

    [Theory]
    [InlineData("rnn", true)]
    [InlineData("lstm", false)]
    [InlineData("gru", true)]
    public void Both_directions_stand_side_by_side(string kind, bool withLengths)
    {
        const int steps = 5, units = 3;
        var graph = new GraphBuilder();
        var x = graph.Input("x", steps, 2);
        Node? lengths = withLengths ? graph.IndexInput("lengths") : null;
        var (all, last) = kind == "rnn" ? (x.BidirectionalRnn(units, lengths), x.BidirectionalRnnLast(units, lengths))
            : kind == "lstm" ? (x.BidirectionalLstm(units, lengths), x.BidirectionalLstmLast(units, lengths))
            : (x.BidirectionalGru(units, lengths), x.BidirectionalGruLast(units, lengths));
        Assert.Equal(new Shape(steps, 2 * units), all.Type.Shape);
        Assert.Equal(new Shape(2 * units), last.Type.Shape);
        graph.Output(all);
        graph.Output(last);
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        foreach (var entry in network.Definition.Parameters.Entries.Where(e => e.Name[kind.Length] is '1' or '2'))
            network.ParameterOf(entry.Name).CopyTo(network.ParameterOf(kind + (char)(entry.Name[kind.Length] + 2) + entry.Name[(kind.Length + 1)..]));
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        for (var i = 0; i < workspace.Input("x").Length; i++)
            workspace.Input("x")[i] = Math.Cos(i);
        int[] ends = withLengths ? [2, 4] : [steps, steps];
        if (withLengths)
            workspace.SetIndexInput("lengths", ends);
        network.Forward(workspace);

        // The forward half at each row's end, the backward half at its beginning.
        for (var row = 0; row < 2; row++)
        {
            var y = workspace.Output(all.Name).Slice(row * steps * 2 * units, steps * 2 * units);
            double[] expected = [.. y.Slice((ends[row] - 1) * 2 * units, units), .. y.Slice(units, units)];
            Assert.Equal(expected, workspace.Output(last.Name).Slice(row * 2 * units, 2 * units).ToArray());
        }
    }

    [Theory, InlineData("rnn"), InlineData("lstm"), InlineData("gru")]
    public void Layers_stand_on_each_other_with_dropout_between_them(string kind)
    {
        var y = Make(GraphBuilder.Chain(new Shape(5, 2)), layers: 3, dropout: 0.25, bidirectional: false, last: false);
        Assert.Equal(new Shape(5, 4), y.Type.Shape);
        var network = y.Build<double>(seed: 1);
        Assert.Equal(2, Count(y, "dropout"));
        Assert.Equal(3, network.Definition.Parameters.Entries.Count(e => e.Name.EndsWith(".inputWeight", StringComparison.Ordinal)));
        y = Make(GraphBuilder.Chain(new Shape(5, 2)), layers: 2, dropout: 0, bidirectional: true, last: true);
        Assert.Equal(new Shape(8), y.Type.Shape);
        Assert.Equal(0, Count(y, "dropout"));

        // One layer is the form without layers.
        y = Make(GraphBuilder.Chain(new Shape(5, 2)), layers: 1, dropout: 0.5, bidirectional: false, last: true);
        Assert.Equal(0, Count(y, "dropout"));
        Assert.Equal(new Shape(4), y.Type.Shape);

        Assert.Equal("layers", Assert.Throws<ArgumentOutOfRangeException>(() => Make(GraphBuilder.Chain(new Shape(5, 2)), 0, 0, false, false)).ParamName);
        foreach (var wrong in (double[])[-0.1, 1.1, double.NaN])
        {
            Assert.Equal("dropout",
                Assert.Throws<ArgumentOutOfRangeException>(() => Make(GraphBuilder.Chain(new Shape(5, 2)), 2, wrong, false, false)).ParamName);
        }

        Node Make(Node x, int layers, double dropout, bool bidirectional, bool last) => (kind, last) switch
        {
            ("rnn", false) => x.StackedRnn(4, layers, null, dropout, bidirectional),
            ("rnn", true) => x.StackedRnnLast(4, layers, null, dropout, bidirectional),
            ("lstm", false) => x.StackedLstm(4, layers, null, dropout, bidirectional),
            ("lstm", true) => x.StackedLstmLast(4, layers, null, dropout, bidirectional),
            ("gru", false) => x.StackedGru(4, layers, null, dropout, bidirectional),
            _ => x.StackedGruLast(4, layers, null, dropout, bidirectional),
        };

        static int Count(Node node, string layer) =>
            node.Build<double>().Summary().Split('\n').Count(line => line.TrimStart().StartsWith(layer, StringComparison.Ordinal));
    }
}
