using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Execution;

/// <summary>Runs forward and backward over the nodes of a plan, in their buffers.</summary>
internal sealed partial class Executor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NetworkBlocks<T> _network;
    private readonly PlanOptions _options;

    // What is in use at the current sizes, and its parts.
    private SizedPlan<T> _now;
    private Graph _graph;
    private ExecutionPlan _plan;
    private Buffers<T> _buffers;
    private ThreadChoice _choice;
    private int[] _zeroedEdges;
    private BlockRange[] _unwritten;
    private PassState _pass;
    private BlockRange[] _restingState = [];
    private Phase _phase;
    private bool _gradientsApplied;
    private bool _isRunning;

    public Executor(NetworkBlocks<T> network, PlanOptions options, int capacity, ComputeContext compute)
    {
        (_network, _options, Compute, Capacity, Rows) = (network, options, compute, capacity, capacity);
        _pass = new PassState { Seed = network.Seed, Training = options.Training };
        Use(Make(network.Graph, network.Graph.LargestSizes(), null));
        _plans.Add(_now);
        _buffers.ReserveKernelScratch(compute);
    }

    private enum Phase
    {
        Empty,
        Forward,
        Backward,
        Updated,
    }

    public ComputeContext Compute { get; }

    /// <summary>The threads of the pass in progress: <see cref="Compute"/>, or only the calling thread if that has proved faster.</summary>
    public ComputeContext ActiveCompute => _choice.Current;

    public int Capacity { get; }

    public int Rows { get; private set; }

    public long Bytes => _buffers.Bytes;

    public long StepNumber
    {
        get => _pass.Step;
        set => _pass.Step = value;
    }

    /// <summary>The weighted sum of the losses of the last forward pass; NaN if they are not computed.</summary>
    public double Loss { get; private set; }

    public ExecutionPlan Plan => _plan;

    public EdgeBuffer<T>[] Edges => _buffers.Edges;

    /// <summary>For each output that backward starts from, the gradient that the caller gives.</summary>
    public AlignedBuffer<T>?[] OutputGradients => _buffers.OutputGradients;

    public bool IsTraining => _plan.Options.Training;

    public bool HasForward => _phase != Phase.Empty;

    public bool HasBackward => _phase >= Phase.Backward;

    /// <summary>Whether the last step applied the gradients of parameters without storing them.</summary>
    public bool HasAppliedGradients => _gradientsApplied;

    /// <summary>Whether the last backward pass was for one part of a loss over several batches.</summary>
    public bool IsOfParts => _pass.OfParts;

    /// <summary>The gradients of all parameters.</summary>
    public Span<T> Gradients => _buffers.Gradients is not { } block ? throw NoGradients()
        : _gradientsApplied ? throw AppliedGradients() : block.Span;

    /// <summary>Whether backward starts from outputs too, with gradients that the caller gave.</summary>
    public bool StartsFromOutputs => Array.Exists(OutputGradients, static seed => seed is not null);

    public void SetRows(int rows)
    {
        if (_isRunning)
            throw IsRunning();
        if (rows != Rows)
            _phase = Phase.Empty;
        Rows = rows;
    }

    /// <summary>Whether passes run a node. Nodes that the options leave out have no buffers.</summary>
    public bool Runs(int node) => _plan.Nodes[node].RunsForward;

    /// <summary>The parts of a loss from the last forward pass; null if it was not computed.</summary>
    public LossParts? PartsOf(int edge) => _buffers.Nodes[_graph.Edges[edge].Producer]?.Loss;

    /// <summary>The parts of a loss, in the order of the graph.</summary>
    public LossParts PartsAt(int loss) => _buffers.Nodes[_graph.Edges[_graph.Losses[loss].Edge].Producer]!.Loss;

    /// <summary>The value that forward proposed for one piece of state.</summary>
    public ReadOnlySpan<T> ProposedStateOf(BlockRange range) => _buffers.ProposedState!.Span.Slice(range.Start, range.Length);

    /// <summary>Begins a pass that is repeated. Everything up to <see cref="EndPass"/> runs on the same threads.</summary>
    public void BeginPass() => _choice.Begin(measures: Rows == Capacity);

    public void EndPass() => _choice.End();

    /// <summary>Computes the outputs and losses.</summary>
    /// <returns>The loss.</returns>
    public double Forward()
    {
        Enter();
        try
        {
            return RunForward();
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>Computes the gradients of the last forward pass.</summary>
    /// <param name="accumulate">True to add to the gradients of parameters.</param>
    /// <param name="seeds">The gradient of each loss, if this is one part of a loss over several batches; null to use the weights.</param>
    /// <param name="fromOutputs">False to start from losses only.</param>
    public void Backward(bool accumulate, double[]? seeds = null, bool fromOutputs = true)
    {
        Enter();
        try
        {
            RunBackward(accumulate, seeds, fromOutputs);
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>Throws unless a bound input has enough elements for the current rows.</summary>
    public static void CheckBound(string name, int expected, int actual, string? parameter = null)
    {
        if (actual < expected)
            throw new ArgumentException($"Input '{name}' takes {expected} elements for the current rows; the memory has {actual}.", parameter);
    }

    public static InvalidOperationException AppliedGradients() => new(
        "The last step applied the gradients of parameters and did not keep them. Make the workspace with KeepGradients, "
        + "or run Forward, Backward and Update.");

    private double RunForward()
    {
        _phase = Phase.Empty;
        CheckBindings();
        foreach (var edge in Edges)
            edge.TakeIndices(Rows);
        if (_buffers.ProposedState is { } proposed)
            _network.State.Span.CopyTo(proposed.Span);
        ClearLosses();
        (_pass.FrozenState, _pass.Evaluating, _restingState) = (_network.FrozenState, _network.Evaluating, _network.RestingState);
        var nodes = _buffers.Nodes;
        for (var n = 0; n < nodes.Length; n++)
        {
            if (nodes[n] is not { } node || _plan.Nodes[n].IsView)
                continue;
            var context = new ForwardContext<T>(node, in _pass, 0, Rows, _choice.Current);
            _plan.Nodes[n].Layer.Forward(in context);
        }

        Loss = 0;
        foreach (var loss in _graph.Losses)
            Loss += loss.Weight * (PartsOf(loss.Edge)?.Value ?? double.NaN);
        _phase = Phase.Forward;
        return Loss;
    }

    private void RunBackward(bool accumulate, double[]? seeds, bool fromOutputs)
    {
        RequireTraining();
        if (_phase == Phase.Empty)
            throw new InvalidOperationException("Backward needs a Forward before it, with the same rows.");
        if (_phase == Phase.Updated)
            throw new InvalidOperationException("The parameters have changed since the last Forward. Run it again before Backward.");
        if (accumulate && _gradientsApplied)
            throw AppliedGradients();
        _gradientsApplied = false;

        // If this pass fails, an update must not take its gradients for complete.
        _phase = Phase.Forward;
        _pass.Accumulate = accumulate;
        _pass.OfParts = seeds is not null;
        _pass.Frozen = _network.Frozen;
        ClearGradients(accumulate);
        Seed(seeds, fromOutputs);
        var nodes = _buffers.Nodes;
        for (var n = nodes.Length - 1; n >= 0; n--)
        {
            var plan = _plan.Nodes[n];
            if (nodes[n] is not { } node || !plan.RunsBackward || plan.IsGradientView)
                continue;
            foreach (var e in plan.ClearedGradients)
            {
                if (!(accumulate && Edges[e].IsParameterGradient))
                    Edges[e].Gradient(0, Rows).Clear();
            }

            var context = new BackwardContext<T>(node, in _pass, 0, Rows, _choice.Current);
            plan.Layer.Backward(in context);
            _buffers.Updates?.Finish(_choice.Current);
        }

        _phase = Phase.Backward;
    }

    /// <summary>Clears the losses, so that a loss that reports nothing does not keep the numbers of the pass before.</summary>
    private void ClearLosses()
    {
        foreach (var loss in _graph.Losses)
        {
            if (_buffers.Nodes[_graph.Edges[loss.Edge].Producer] is { } node)
                node.Loss = default;
        }
    }

    /// <summary>Clears the gradients that no layer writes.</summary>
    private void ClearGradients(bool accumulate)
    {
        if (_buffers.Gradients is { } gradients)
        {
            foreach (var range in _network.Frozen)
                gradients.Span.Slice(range.Start, range.Length).Clear();
            foreach (var range in accumulate ? [] : _unwritten)
                gradients.Span.Slice(range.Start, range.Length).Clear();
        }

        foreach (var edge in _zeroedEdges)
            Edges[edge].Gradient(0, Rows).Clear();
    }

    /// <summary>Writes the gradients that backward starts from.</summary>
    private void Seed(double[]? seeds, bool fromOutputs)
    {
        foreach (var edge in _graph.Outputs)
        {
            if (OutputGradients[edge] is not { } seed)
                continue;
            var gradient = Edges[edge].Gradient(0, Rows);
            if (fromOutputs)
                seed.Span[..gradient.Length].CopyTo(gradient);
            else
                gradient.Clear();
        }

        for (var i = 0; i < _graph.Losses.Length; i++)
            Edges[_graph.Losses[i].Edge].Gradient(0, Rows)[0] = T.CreateChecked(seeds is null ? _graph.Losses[i].Weight : seeds[i]);
    }

    /// <summary>Throws if a pass is running. What a layer has checked must hold to the end of the pass, so rows and passes may not change.</summary>
    private void Enter()
    {
        if (_isRunning)
            throw IsRunning();
        _isRunning = true;
    }

    /// <summary>Checks bound inputs again, because the number of rows may have grown since they were bound.</summary>
    private void CheckBindings()
    {
        for (var e = 0; e < Edges.Length; e++)
        {
            var edge = Edges[e];
            if (!edge.IsBound)
                continue;
            var length = edge.Type.Kind == EdgeKind.Indices ? edge.BoundIndices.Length : edge.Bound.Length;
            CheckBound(_graph.Edges[e].Name, edge.Type.Elements(Rows), length);
        }
    }

    private static InvalidOperationException IsRunning() => new(
        "A pass of this workspace is running. A layer may not run another pass in it or change its rows.");
}
