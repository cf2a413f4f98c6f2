using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>What the recurrent layers have in common: agreement with the definition, lengths, errors, bits.</summary>
public sealed class RecurrentTests
{
    private static readonly string[] All = ["rnn", "rnn relu", "lstm", "gru", "gru before", "rnn reverse", "lstm reverse", "gru reverse", "gru before reverse"];
    private static readonly string[] Projections = ["lstm projection", "lstm projection reverse"];

    public static TheoryData<string> Kinds => [.. All];

    public static TheoryData<string> KindsAndProjections => [.. All, .. Projections];

    /// <summary>Kind, rows, steps, inputs, units, lengths, initial state.</summary>
    public static TheoryData<string, int, int, int, int, int[]?, bool> Shapes
    {
        get
        {
            var data = new TheoryData<string, int, int, int, int, int[]?, bool>();
            foreach (var kind in (string[])[.. All, .. Projections])
            {
                data.Add(kind, 1, 1, 1, 1, null, false);
                data.Add(kind, 3, 5, 4, 7, null, false);
                data.Add(kind, 2, 3, 2, 16, null, true);
                data.Add(kind, 5, 7, 3, 33, [7, 1, 3, 6, 2], true);
                data.Add(kind, 4, 6, 9, 8, [1, 1, 1, 1], false);
                data.Add(kind, 19, 4, 1, 5, [.. Enumerable.Range(0, 19).Select(i => 1 + i % 4)], false);
            }

            return data;
        }
    }

    /// <summary>A layer by its kind, behind which stand options.</summary>
    internal static Layer Make(string kind, int units)
    {
        var words = kind.Split(' ');
        var reverse = words.Contains("reverse");
        return words[0] switch
        {
            "rnn" => new Rnn(units, words.Contains("relu") ? RnnFunction.Relu : RnnFunction.Tanh, reverse: reverse),
            "lstm" => new Lstm(units, reverse: reverse, projection: words.Contains("projection") ? units + 1 - units / 3 * 2 : null),
            "gru" => new Gru(units, resetAfter: !words.Contains("before"), reverse: reverse),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such layer."),
        };
    }

    [Theory, MemberData(nameof(Shapes))]
    public void They_follow_the_definition(string kind, int rows, int steps, int inputs, int units, int[]? lengths, bool hasState)
    {
        var run = new RecurrentRun<double>(Make(kind, units), rows, steps, inputs, units, lengths, hasState);
        run.Run();
        var actual = run.Results();
        foreach (var (name, values) in run.Reference())
            AssertClose(values, actual[name], name);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Inference_gives_the_bits_of_training(string kind, int rows, int steps, int inputs, int units, int[]? lengths, bool hasState)
    {
        var training = new RecurrentRun<float>(Make(kind, units), rows, steps, inputs, units, lengths, hasState);
        var inference = new RecurrentRun<float>(Make(kind, units), rows, steps, inputs, units, lengths, hasState, training: false);
        training.Network.Forward(training.Workspace);
        inference.Network.Forward(inference.Workspace);
        foreach (var output in training.Network.Definition.OutputNames)
            Bits.AssertEqual<float>(training.Workspace.Output(output), inference.Workspace.Output(output), output);
    }

    [Theory, MemberData(nameof(KindsAndProjections))]
    public void The_same_bits_for_any_number_of_threads(string kind)
    {
        Dictionary<string, float[]>? expected = null;
        int[] lengths = [.. Enumerable.Range(0, 37).Select(i => 1 + i * 5 % 9)];
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var before = TestThreads.Snapshot(compute);
            var run = new RecurrentRun<float>(Make(kind, 45), 37, 9, 30, 45, lengths, hasState: true, compute);
            run.Run();
            if (threads > 1)
                TestThreads.AssertEachWorked(compute, before, threads, $"{threads} threads");
            expected ??= run.Results();
            foreach (var (name, values) in run.Results())
                Bits.AssertEqual<float>(expected[name], values, $"{name} on {threads} threads");
        }
    }

    [Theory, MemberData(nameof(KindsAndProjections))]
    public void Nothing_depends_on_the_padding(string kind)
    {
        int[] lengths = [2, 4, 1];
        RecurrentRun<double> run = new(Make(kind, 6), 3, 4, 5, 6, lengths, hasState: true), other = new(Make(kind, 6), 3, 4, 5, 6, lengths, hasState: true);
        var size = run.Size;
        for (var row = 0; row < 3; row++)
        {
            other.Workspace.Input("x").Slice((row * 4 + lengths[row]) * 5, (4 - lengths[row]) * 5).Fill(1e6);
            other.Workspace.OutputGradient(run.Output(0)).Slice((row * 4 + lengths[row]) * size, (4 - lengths[row]) * size).Fill(1e6);
        }

        run.Run();
        other.Run();
        var expected = run.Results();
        foreach (var (name, values) in other.Results())
            Bits.AssertEqual<double>(expected[name], values, name);
        for (var row = 0; row < 3; row++)
        {
            Assert.All(expected[run.Output(0)][((row * 4 + lengths[row]) * size)..((row + 1) * 4 * size)], v => Assert.Equal(0, v));
            Assert.All(expected["d x"][((row * 4 + lengths[row]) * 5)..((row + 1) * 20)], v => Assert.Equal(0, v));
            var last = kind.EndsWith("reverse", StringComparison.Ordinal) ? 0 : lengths[row] - 1;
            Assert.Equal(expected[run.Output(0)][((row * 4 + last) * size)..((row * 4 + last + 1) * size)],
                expected[run.Output(1)][(row * size)..((row + 1) * size)]);
        }
    }

    [Theory, MemberData(nameof(KindsAndProjections))]
    public void A_shorter_batch_is_a_prefix(string kind)
    {
        var run = new RecurrentRun<double>(Make(kind, 5), 4, 3, 2, 5, null, hasState: false);
        run.Run();
        var all = run.Workspace.Output(run.Output(0)).ToArray();
        run.Workspace.Rows = 2;
        run.Run();
        var two = run.Workspace.Output(run.Output(0)).ToArray();
        Assert.Equal(6 * run.Size, two.Length);
        AssertClose(all.AsSpan(0, two.Length), two, "prefix");
    }

    [Theory, InlineData("rnn"), InlineData("lstm"), InlineData("gru"), InlineData("gru before")]
    public void Large_inputs_saturate_and_NaN_passes_to_its_own_row(string kind)
    {
        var run = new RecurrentRun<float>(Make(kind, 20), 3, 3, 2, 20, null, hasState: false);
        run.Workspace.Input("x")[..6].Fill(1e30f);
        run.Workspace.Input("x")[6] = float.NaN;
        run.Network.Forward(run.Workspace);
        var h = run.Workspace.Output(run.Output(0)).ToArray();
        Assert.All(h[..60], v => Assert.InRange(v, -1, 1));
        Assert.All(h[60..120], v => Assert.True(float.IsNaN(v)));
        Assert.All(h[120..], v => Assert.InRange(v, -1, 1));
    }

    [Theory, MemberData(nameof(KindsAndProjections))]
    public void A_length_outside_its_range_throws(string kind)
    {
        foreach (var wrong in (int[])[0, 5, -1])
        {
            var run = new RecurrentRun<double>(Make(kind, 3), 3, 4, 2, 3, [4, 1, wrong], hasState: false);
            var error = Assert.Throws<ArgumentException>(() => { run.Network.Forward(run.Workspace); });
            Assert.Equal("lengths", error.ParamName);
            Assert.Contains($"Lengths of {run.Kind} must be between 1 and 4; row 2 has {wrong}.", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Wrong_inputs_are_named(string kind)
    {
        var states = kind.StartsWith("lstm", StringComparison.Ordinal) ? 2 : 1;
        var graph = new GraphBuilder();
        Node x = graph.Input("x", 4, 2), flat = graph.Input("flat", 8), lengths = graph.IndexInput("lengths"), perStep = graph.IndexInput("perStep", 4);
        Node state = graph.Input("state", 3), wide = graph.Input("wide", 5);
        AssertThrows("Input 0 of", "values [8]", flat);
        AssertThrows("Input 0 of", "indices []", lengths);
        AssertThrows("Input 1 of", "indices [4]", x, perStep);
        AssertThrows($"it got {2 + states} input(s)", "", [x, .. Enumerable.Repeat(state, states + 1)]);
        AssertThrows($"it got {3 + states} input(s)", "", [x, lengths, .. Enumerable.Repeat(state, states + 1)]);
        AssertThrows($"Input {states} of", "values [3]; it is values [5]", [x, .. Enumerable.Repeat(state, states - 1), wide]);
        AssertThrows("it got 0 input(s)", "");
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(kind, 0));

        void AssertThrows(string what, string type, params Node[] inputs)
        {
            var message = Assert.Throws<ArgumentException>(() => { graph.Apply(Make(kind, 3), inputs); }).Message;
            Assert.Contains(what, message, StringComparison.Ordinal);
            Assert.Contains(type, message, StringComparison.Ordinal);
            Assert.Contains(kind.Split(' ')[0], message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_forget_gate_starts_at_its_bias()
    {
        foreach (var (layer, bias) in new (Layer, double)[] { (new Lstm(3), 1), (new Lstm(3, forgetBias: 0), 0), (new Lstm(3, forgetBias: -2.5), -2.5) })
        {
            var network = new GraphBuilder().Input("x", 4, 2).Apply(layer).Build<double>();
            Assert.Equal([0, 0, 0, bias, bias, bias, 0, 0, 0, 0, 0, 0], network.ParameterOf("lstm1.bias").ToArray());
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new Lstm(3, double.NaN));
    }

    [Fact]
    public void An_rnn_has_its_parameters_and_outputs()
    {
        var graph = new GraphBuilder();
        var outputs = graph.ApplyAll(new Rnn(3), graph.Input("x", 7, 2));
        foreach (var output in outputs)
            graph.Output(output);
        Assert.Equal([new Shape(7, 3), new Shape(3)], outputs.Select(o => o.Type.Shape));
        var parameters = graph.Build().Parameters;
        Assert.Equal(new Shape(2, 3), parameters["rnn1.inputWeight"].Shape);
        Assert.Equal(new Shape(3, 3), parameters["rnn1.hiddenWeight"].Shape);
        Assert.Equal(new Shape(3), parameters["rnn1.bias"].Shape);
        Assert.Equal("function", Assert.Throws<ArgumentOutOfRangeException>(() => new Rnn(3, (RnnFunction)2)).ParamName);
    }

    [Fact]
    public void A_NaN_stays_one_behind_a_rectifier()
    {
        var run = new RecurrentRun<float>(Make("rnn relu", 20), 3, 3, 2, 20, null, hasState: false);
        run.Workspace.Input("x")[6] = float.NaN;
        run.Run();
        var h = run.Workspace.Output(run.Output(0)).ToArray();
        Assert.All(h[..60], v => Assert.True(v >= 0));
        Assert.All(h[60..120], v => Assert.True(float.IsNaN(v)));
        Assert.All(h[120..], v => Assert.True(v >= 0));
    }

    [Fact]
    public void An_lstm_has_its_parameters_and_outputs()
    {
        var graph = new GraphBuilder();
        var outputs = graph.ApplyAll(new Lstm(3), graph.Input("x", 7, 2));
        foreach (var output in outputs)
            graph.Output(output);
        Assert.Equal([new Shape(7, 3), new Shape(3), new Shape(3)], outputs.Select(o => o.Type.Shape));
        var parameters = graph.Build().Parameters;
        Assert.Equal(new Shape(2, 12), parameters["lstm1.inputWeight"].Shape);
        Assert.Equal(new Shape(3, 12), parameters["lstm1.hiddenWeight"].Shape);
        Assert.Equal(new Shape(12), parameters["lstm1.bias"].Shape);
    }

    [Fact]
    public void An_lstm_with_a_projection_has_its_parameters_and_outputs()
    {
        var graph = new GraphBuilder();
        var outputs = graph.ApplyAll(new Lstm(3, projection: 2), graph.Input("x", 7, 5));
        foreach (var output in outputs)
            graph.Output(output);
        Assert.Equal([new Shape(7, 2), new Shape(2), new Shape(3)], outputs.Select(o => o.Type.Shape));
        Node[] states = [graph.Input("y", 7, 5), graph.Input("h", 3), graph.Input("c", 3)];
        var wrong = Assert.Throws<ArgumentException>(() => { graph.ApplyAll(new Lstm(3, projection: 2), states); });
        Assert.Contains("Input 1 of lstm, an initial state, must be values [2]; it is values [3]", wrong.Message, StringComparison.Ordinal);
        var parameters = graph.Build().Parameters;
        Assert.Equal([new Shape(5, 12), new Shape(2, 12), new Shape(12), new Shape(3, 2)], parameters.Entries.Select(e => e.Shape));
        Assert.Equal("lstm1.projectionWeight", parameters.Entries[3].Name);
        Assert.Equal("projection", Assert.Throws<ArgumentOutOfRangeException>(() => new Lstm(3, projection: 0)).ParamName);
    }

    [Fact]
    public void A_gru_has_its_parameters_and_outputs()
    {
        var graph = new GraphBuilder();
        var outputs = graph.ApplyAll(new Gru(3), graph.Input("x", 7, 2));
        foreach (var output in outputs)
            graph.Output(output);
        Assert.Equal([new Shape(7, 3), new Shape(3)], outputs.Select(o => o.Type.Shape));
        var parameters = graph.Build().Parameters;
        Assert.Equal(new Shape(2, 9), parameters["gru1.inputWeight"].Shape);
        Assert.Equal(new Shape(3, 9), parameters["gru1.hiddenWeight"].Shape);
        Assert.Equal(new Shape(9), parameters["gru1.bias"].Shape);
        Assert.Equal(new Shape(3), parameters["gru1.hiddenBias"].Shape);
        parameters = GraphBuilder.Chain(new Shape(7, 2)).Apply(new Gru(3, resetAfter: false)).Build<double>().Definition.Parameters;
        Assert.Equal(["gru1.inputWeight", "gru1.hiddenWeight", "gru1.bias"], parameters.Entries.Select(e => e.Name));
    }

    internal static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-12 * (1 + Math.Abs(expected[i])), $"{what}[{i}] is {actual[i]}, expected {expected[i]}.");
    }
}
