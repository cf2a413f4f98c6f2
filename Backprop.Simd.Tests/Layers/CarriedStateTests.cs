using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Sequences in pieces: the last state of a piece is the initial state of the next one.</summary>
public sealed class CarriedStateTests
{
    private const int Rows = 3, Piece = 4, Count = 3, Columns = 2, Units = 5;

    [Theory, InlineData("rnn"), InlineData("rnn relu"), InlineData("lstm"), InlineData("gru"), InlineData("gru before"), InlineData("lstm projection")]
    public void A_sequence_in_pieces_has_the_outputs_of_the_whole(string kind)
    {
        var (whole, outputs) = Make(kind, Piece * Count);
        var (pieces, _) = Make(kind, Piece);
        var random = new TestRandom(3);
        foreach (ref var value in whole.Network.Parameters)
            value = random.Signed<double>();
        whole.Network.Parameters.CopyTo(pieces.Network.Parameters);
        foreach (ref var value in whole.Input("x"))
            value = random.Signed<double>();
        whole.Network.Forward(whole);
        var all = whole.Output(outputs[0]);
        var x = whole.Input("x");
        var size = all.Length / (Rows * Piece * Count);
        for (var piece = 0; piece < Count; piece++)
        {
            for (var row = 0; row < Rows; row++)
                x.Slice((row * Count + piece) * Piece * Columns, Piece * Columns).CopyTo(pieces.Input("x")[(row * Piece * Columns)..]);
            pieces.Network.Forward(pieces);
            for (var row = 0; row < Rows; row++)
            {
                RecurrentTests.AssertClose(all.Slice((row * Count + piece) * Piece * size, Piece * size),
                    pieces.Output(outputs[0]).Slice(row * Piece * size, Piece * size), $"piece {piece}, row {row}");
            }

            foreach (var (state, i) in States(kind).Select((s, i) => (s, i + 1)))
                pieces.SetInput(state, pieces.Output(outputs[i]));
        }

        foreach (var output in outputs[1..])
            RecurrentTests.AssertClose(whole.Output(output), pieces.Output(output), output);
    }

    private static string[] States(string kind) => kind.StartsWith("lstm", StringComparison.Ordinal) ? ["h", "c"] : ["h"];

    private static (Workspace<double> Workspace, string[] Outputs) Make(string kind, int steps)
    {
        var (graph, layer) = (new GraphBuilder(), RecurrentTests.Make(kind, Units));
        List<Node> nodes = [graph.Input("x", steps, Columns)];
        foreach (var state in States(kind))
            nodes.Add(graph.Input(state, state == "h" && layer is Lstm { Projection: { } size } ? size : Units));
        var outputs = graph.ApplyAll(layer, [.. nodes]);
        foreach (var output in outputs)
            graph.Output(output);
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        return (network.CreateWorkspace(Rows, WorkspaceOptions.Inference, ComputeContext.SingleThreaded), [.. outputs.Select(o => o.Name)]);
    }
}
