using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Networks of one recurrent layer with all its inputs and outputs, and the same problem for the reference.</summary>
internal sealed class RecurrentRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Layer _layer;
    private readonly int _rows, _steps, _inputs, _units;
    private readonly bool _hasState;
    private readonly int[] _lengths;

    public RecurrentRun(Layer layer, int rows, int steps, int inputs, int units, int[]? lengths, bool hasState, ComputeContext? compute = null,
        bool training = true)
    {
        (_layer, _rows, _steps, _inputs, _units, _hasState) = (layer, rows, steps, inputs, units, hasState);
        _lengths = lengths ?? [.. Enumerable.Repeat(steps, rows)];
        var graph = new GraphBuilder();
        List<Node> nodes = [graph.Input("x", steps, inputs)];
        if (lengths is not null)
            nodes.Add(graph.IndexInput("lengths"));
        if (hasState)
            nodes.AddRange(States.Select(s => graph.Input(s, s == "h" ? Size : units)));
        foreach (var output in graph.ApplyAll(layer, [.. nodes]))
            graph.Output(output);
        Network = graph.Build().CreateNetwork<T>(seed: 3);
        Workspace = Network.CreateWorkspace(rows, training ? new WorkspaceOptions { InputGradients = true } : WorkspaceOptions.Inference,
            compute ?? ComputeContext.SingleThreaded);
        var random = new TestRandom(5);
        Fill(ref random, Network.Parameters);
        Fill(ref random, Workspace.Input("x"));
        if (lengths is not null)
            Workspace.SetIndexInput("lengths", lengths);
        foreach (var state in hasState ? States : [])
            Fill(ref random, Workspace.Input(state));
        foreach (var output in training ? Network.Definition.OutputNames : [])
            Fill(ref random, Workspace.OutputGradient(output));
    }

    public Network<T> Network { get; }

    public Workspace<T> Workspace { get; }

    public string Kind => _layer.Kind;

    /// <summary>The size of h.</summary>
    public int Size => (_layer as Lstm)?.Projection ?? _units;

    private string[] States => _layer is Lstm ? ["h", "c"] : ["h"];

    public string Output(int port) => port == 0 ? $"{Kind}1" : $"{Kind}1:{port}";

    public void Run()
    {
        Network.Forward(Workspace);
        Network.Backward(Workspace);
    }

    /// <summary>What the reference computes, by the names of <see cref="Results"/>.</summary>
    public Dictionary<string, double[]> Reference()
    {
        var problem = new RecurrentReference.Problem(_rows, _steps, _inputs, _units, Wide(Workspace.Input("x")), _lengths,
            Wide(Parameter("inputWeight")), Wide(Parameter("hiddenWeight")), Wide(Parameter("bias")))
        {
            Dy = Wide(Workspace.OutputGradient(Output(0))),
            H0 = _hasState ? Wide(Workspace.Input("h")) : new double[_rows * Size],
            Projection = Size != _units ? Wide(Parameter("projectionWeight")) : [],
            DLastHidden = Wide(Workspace.OutputGradient(Output(1))),
        };
        if (_hasState && _layer is Lstm)
            problem = problem with { C0 = Wide(Workspace.Input("c")) };
        var result = _layer switch
        {
            Rnn l => RecurrentReference.Read(problem, l.IsReverse, p => RecurrentReference.Rnn(p, l.Function == RnnFunction.Relu)),
            Lstm l => RecurrentReference.Read(
                problem with { DLastCell = Wide(Workspace.OutputGradient(Output(2))) }, l.IsReverse, RecurrentReference.Lstm),
            Gru { ResetAfter: false } l => RecurrentReference.Read(problem, l.IsReverse, RecurrentReference.GruBefore),
            Gru l => RecurrentReference.Read(problem with { HiddenBias = Wide(Parameter("hiddenBias")) }, l.IsReverse, RecurrentReference.Gru),
            _ => throw new InvalidOperationException($"No reference for {Kind}."),
        };
        var results = new Dictionary<string, double[]>
        {
            [Output(0)] = result.Outputs,
            [Output(1)] = result.LastHidden,
            ["d x"] = result.Dx,
            [$"d {Kind}1.inputWeight"] = result.Dw,
            [$"d {Kind}1.hiddenWeight"] = result.Du,
            [$"d {Kind}1.bias"] = result.Db,
        };
        if (result.DHiddenBias.Length > 0)
            results[$"d {Kind}1.hiddenBias"] = result.DHiddenBias;
        if (result.DProjection.Length > 0)
            results[$"d {Kind}1.projectionWeight"] = result.DProjection;
        if (_layer is Lstm)
            results[Output(2)] = result.LastCell;
        if (_hasState)
            results["d h"] = result.Dh;
        if (_hasState && _layer is Lstm)
            results["d c"] = result.Dc;
        return results;
    }

    /// <summary>Everything that a pass computes, by name.</summary>
    public Dictionary<string, T[]> Results()
    {
        var results = new Dictionary<string, T[]>();
        foreach (var output in Network.Definition.OutputNames)
            results[output] = Workspace.Output(output).ToArray();
        foreach (var parameter in Network.Definition.Parameters.Entries)
            results["d " + parameter.Name] = Workspace.ParameterGradientOf(parameter.Name).ToArray();
        foreach (var input in Network.Definition.InputNames.Where(i => i != "lengths"))
            results["d " + input] = Workspace.GradientOf(input).ToArray();
        return results;
    }

    public Span<T> Parameter(string name) => Network.ParameterOf($"{Kind}1.{name}");

    private static double[] Wide(ReadOnlySpan<T> values)
    {
        var wide = new double[values.Length];
        for (var i = 0; i < wide.Length; i++)
            wide[i] = double.CreateTruncating(values[i]);
        return wide;
    }

    private static void Fill(ref TestRandom random, Span<T> values)
    {
        foreach (ref var value in values)
            value = random.Signed<T>();
    }
}
