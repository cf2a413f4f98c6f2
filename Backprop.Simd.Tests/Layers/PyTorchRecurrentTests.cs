using System.Globalization;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>PyTorch's numbers: PyTorch/recurrent.py made PyTorch/recurrent.txt.</summary>
public sealed class PyTorchRecurrentTests
{
    private const int Rows = 3, Steps = 4, Columns = 2, Units = 3;

    /// <summary>The forms: what a graph gives for the sequence and the other inputs.</summary>
    private static readonly Dictionary<string, Func<Node, Node[], IReadOnlyList<Node>>> Forms = new()
    {
        ["rnn-tanh"] = Of(new Rnn(Units)),
        ["rnn-tanh-lengths-state"] = Of(new Rnn(Units)),
        ["rnn-relu"] = Of(new Rnn(Units, RnnFunction.Relu)),
        ["rnn-relu-lengths-state"] = Of(new Rnn(Units, RnnFunction.Relu)),
        ["lstm-lengths-state"] = Of(new Lstm(Units)),
        ["gru-lengths-state"] = Of(new Gru(Units)),
        ["rnn-reverse-lengths-state"] = Of(new Rnn(Units, reverse: true)),
        ["lstm-reverse-lengths-state"] = Of(new Lstm(Units, reverse: true)),
        ["gru-reverse-lengths-state"] = Of(new Gru(Units, reverse: true)),
        ["rnn-both"] = (x, others) => [x.BidirectionalRnn(Units)],
        ["lstm-both-lengths"] = (x, others) => [x.BidirectionalLstm(Units, others[0])],
        ["gru-both-lengths"] = (x, others) => [x.BidirectionalGru(Units, others[0])],
        ["lstm-projection"] = Of(new Lstm(Units, projection: 2)),
        ["lstm-projection-lengths-state"] = Of(new Lstm(Units, projection: 2)),
        ["lstm-projection-reverse-lengths-state"] = Of(new Lstm(Units, reverse: true, projection: 2)),
        ["rnn-stacked"] = (x, others) => [x.StackedRnn(Units, layers: 3)],
        ["lstm-stacked-both-lengths"] = (x, others) => [x.StackedLstm(Units, layers: 2, others[0], bidirectional: true)],
        ["gru-stacked-lengths"] = (x, others) => [x.StackedGru(Units, layers: 2, others[0])],
        ["gru-before-lengths-state"] = Of(new Gru(Units, resetAfter: false)),
    };

    public static TheoryData<string> Names => [.. Forms.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Outputs_and_gradients_are_PyTorchs(string form)
    {
        var numbers = Read(form);
        var graph = new GraphBuilder();
        var x = graph.Input("x", Steps, Columns);
        List<Node> others = [];
        if (numbers.ContainsKey("lengths"))
            others.Add(graph.IndexInput("lengths"));
        foreach (var state in States(numbers))
            others.Add(graph.Input(state, numbers[state].Length / Rows));
        var outputs = Forms[form](x, [.. others]);
        foreach (var output in outputs)
            graph.Output(output);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        var kind = form.Split('-')[0];
        foreach (var (name, parameter) in Parameters(numbers, kind))
            numbers[name].CopyTo(network.ParameterOf(parameter));
        Assert.Equal(Parameters(numbers, kind).Count(), network.Definition.Parameters.Entries.Count);
        foreach (var input in (IEnumerable<string>)["x", .. States(numbers)])
            workspace.SetInput(input, numbers[input]);
        if (numbers.TryGetValue("lengths", out var lengths))
            workspace.SetIndexInput("lengths", [.. lengths.Select(l => (int)l)]);
        network.Forward(workspace);
        string[] names = ["y", "hn", "cn"], seeds = ["sy", "sh", "sc"];
        for (var i = 0; i < outputs.Count; i++)
        {
            Close(names[i], workspace.Output(outputs[i].Name));
            numbers[seeds[i]].CopyTo(workspace.OutputGradient(outputs[i].Name));
        }

        network.Backward(workspace);
        foreach (var input in (IEnumerable<string>)["x", .. States(numbers)])
            Close("d" + input, workspace.GradientOf(input));
        foreach (var (name, parameter) in Parameters(numbers, kind))
            Close("d" + name, workspace.ParameterGradientOf(parameter));

        void Close(string name, ReadOnlySpan<double> actual)
        {
            var expected = numbers[name];
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
                Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-13 * Math.Max(1, Math.Abs(expected[i])), $"{name}[{i}] is {actual[i]}, not {expected[i]}.");
        }
    }

    /// <summary>All outputs of one layer.</summary>
    private static Func<Node, Node[], IReadOnlyList<Node>> Of(Layer layer) => (x, others) => x.Graph.ApplyAll(layer, [x, .. others]);

    private static IEnumerable<string> States(Dictionary<string, double[]> numbers) => new[] { "h", "c" }.Where(numbers.ContainsKey);

    /// <summary>The names of the parameters there and here.</summary>
    private static IEnumerable<(string Name, string Parameter)> Parameters(Dictionary<string, double[]> numbers, string kind)
    {
        for (var i = 0; numbers.ContainsKey($"w{i}"); i++)
        {
            foreach (var (letter, name) in ((string, string)[])[
                ("w", "inputWeight"), ("u", "hiddenWeight"), ("b", "bias"), ("a", "hiddenBias"), ("r", "projectionWeight")])
            {
                if (numbers.ContainsKey($"{letter}{i}"))
                    yield return ($"{letter}{i}", $"{kind}{i + 1}.{name}");
            }
        }
    }

    private static Dictionary<string, double[]> Read(string form)
    {
        using var reader = new StreamReader(typeof(PyTorchRecurrentTests).Assembly.GetManifestResourceStream("PyTorch.recurrent.txt")!);
        var numbers = new Dictionary<string, double[]>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(' ');
            if (cells[0] == form)
                numbers.Add(cells[1], [.. cells[2..].Select(c => double.Parse(c, CultureInfo.InvariantCulture))]);
        }

        return numbers;
    }
}
