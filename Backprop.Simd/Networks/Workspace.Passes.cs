using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Networks;

/// <content>Forward and backward over the nodes.</content>
public sealed partial class Workspace<T>
{
    /// <summary>One loss of the last forward pass, without its weight, in double.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    /// <exception cref="InvalidOperationException">There was no forward, or losses are not computed here.</exception>
    public double LossOf(string name) => PartsOf(name).Value;

    /// <summary>One loss of the last forward pass, without its weight, as parts that add up over batches.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The parts.</returns>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    /// <exception cref="InvalidOperationException">There was no forward, or losses are not computed here.</exception>
    public LossParts PartsOf(string name)
    {
        var edge = _definition.EdgeOf(name);
        if (!_plan.IsLoss[edge])
            throw new ArgumentException($"'{name}' is not a loss; the losses are: {string.Join(", ", _definition.LossNames)}.", nameof(name));
        if (_phase == Phase.Empty || _nodes[_definition.Edges[edge].Producer] is not { } node)
            throw new InvalidOperationException($"'{name}' was not computed: run Forward in a workspace for training or with Losses.");
        return node.Loss;
    }

    internal bool IsTraining => _training;

    /// <summary>The threads of the pass in progress: <see cref="Compute"/>, or the caller alone where that has proved faster.</summary>
    internal ComputeContext ActiveCompute => _choice.Current;

    /// <summary>Forward alone, as inference repeats it.</summary>
    internal double RunInference()
    {
        BeginPass();
        var loss = RunForward();
        EndPass();
        return loss;
    }

    /// <summary>A repeated pass begins: all up to <see cref="EndPass"/> runs on the same threads.</summary>
    internal void BeginPass() => _choice.Begin(measures: _rows == Capacity);

    internal void EndPass() => _choice.End();

    internal double RunForward()
    {
        Enter();
        try
        {
            return Forward();
        }
        finally
        {
            _isRunning = false;
        }
    }

    private double Forward()
    {
        _phase = Phase.Empty;
        CheckBindings();
        foreach (var edge in _edges)
            edge.TakeIndices(_rows);
        if (_proposedState is not null)
            Network.State.CopyTo(_proposedState.Span);

        // A loss that reports nothing has nothing of the pass before.
        foreach (var loss in _definition.Losses)
        {
            if (_nodes[_definition.Edges[loss.Edge].Producer] is { } node)
                node.Loss = default;
        }

        for (var n = 0; n < _nodes.Length; n++)
        {
            if (_nodes[n] is not { RunsForward: true } node)
                continue;
            var context = new ForwardContext<T>(node, in _pass, 0, _rows, _choice.Current);
            if (_plan.Fusions[n] is { } fusion)
                fusion.Forward(in context);
            else
                _definition.Nodes[n].Layer.Forward(in context);
        }

        Loss = 0;
        foreach (var loss in _definition.Losses)
        {
            if (_nodes[_definition.Edges[loss.Edge].Producer] is { } node)
                Loss += loss.Weight * node.Loss.Value;
            else
                Loss = double.NaN;
        }

        _phase = Phase.Forward;
        return Loss;
    }

    /// <summary>Backward and update in one: what a layer can update where it makes the gradient is never stored.</summary>
    internal void RunBackwardAndUpdate(Optimizer<T> optimizer)
    {
        _fused?.Begin(optimizer);
        try
        {
            RunBackward(accumulate: false);
        }
        finally
        {
            _fused?.End();
        }

        var ranges = _fused is null ? Network.TrainableRanges : _fused.Rest(Network.TrainableRanges);
        optimizer.Step(Network.Parameters, _gradients!.Span, ranges, ActiveCompute);
        _gradientsApplied = _fused is not null;
        CommitState();
    }

    internal void RunBackward(bool accumulate) => RunBackward(accumulate, null, fromOutputs: true);

    /// <summary>Whether backward starts from outputs too, with gradients that the caller gave.</summary>
    internal bool StartsFromOutputs
    {
        get
        {
            foreach (var seed in _outputGradients)
            {
                if (seed is not null)
                    return true;
            }

            return false;
        }
    }

    /// <summary>The parts of a loss in the last forward pass.</summary>
    /// <param name="loss">The loss, in the order of the definition.</param>
    internal LossParts PartsAt(int loss) => _nodes[_definition.Edges[_definition.Losses[loss].Edge].Producer]!.Loss;

    /// <summary>Backward from losses with gradients other than their weights, as parts of a mean over more than this batch.</summary>
    /// <param name="accumulate">True to add to the gradients of parameters.</param>
    /// <param name="seeds">The gradient of each loss; null for their weights.</param>
    /// <param name="fromOutputs">False to start from losses alone.</param>
    internal void RunBackward(bool accumulate, double[]? seeds, bool fromOutputs)
    {
        Enter();
        try
        {
            Backward(accumulate, seeds, fromOutputs);
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>What a layer has checked holds to the end of the pass: nobody runs another or changes the rows meanwhile.</summary>
    private void Enter()
    {
        if (_isRunning)
            throw IsRunning();
        _isRunning = true;
    }

    private static InvalidOperationException IsRunning() => new(
        "A pass of this workspace is running: a layer may neither run another in it nor change its rows.");

    private void Backward(bool accumulate, double[]? seeds, bool fromOutputs)
    {
        RequireTraining();
        if (_phase == Phase.Empty)
            throw new InvalidOperationException("Backward needs a Forward before it, with the same rows.");
        if (_phase == Phase.Updated)
            throw new InvalidOperationException("The parameters have changed since the last Forward: run it again before Backward.");
        if (accumulate && _gradientsApplied)
            throw AppliedGradients();
        _gradientsApplied = false;

        // Whatever ends this pass early leaves no gradients that an update could take for whole.
        _phase = Phase.Forward;
        _pass.Accumulate = accumulate;
        _pass.OfParts = seeds is not null;
        _pass.Frozen = Network.FrozenRanges;
        foreach (var range in Network.FrozenRanges)
            _gradients!.Span.Slice(range.Start, range.Length).Clear();
        foreach (var range in accumulate ? [] : _unwritten)
            _gradients!.Span.Slice(range.Start, range.Length).Clear();
        foreach (var edge in _zeroedEdges)
            _edges[edge].Gradient(0, _rows).Clear();
        foreach (var edge in _definition.OutputEdges)
        {
            if (_outputGradients[edge] is not { } seed)
                continue;
            var gradient = _edges[edge].Gradient(0, _rows);
            if (fromOutputs)
                seed.Span[..gradient.Length].CopyTo(gradient);
            else
                gradient.Clear();
        }

        for (var i = 0; i < _definition.Losses.Length; i++)
            _edges[_definition.Losses[i].Edge].Gradient(0, _rows)[0] = T.CreateChecked(seeds is null ? _definition.Losses[i].Weight : seeds[i]);

        for (var n = _nodes.Length - 1; n >= 0; n--)
        {
            if (_nodes[n] is not { RunsBackward: true } node)
                continue;
            var context = new BackwardContext<T>(node, in _pass, 0, _rows, _choice.Current);
            if (_plan.Fusions[n] is { } fusion)
                fusion.Backward(in context);
            else
                _definition.Nodes[n].Layer.Backward(in context);
        }

        _phase = Phase.Backward;
    }

    /// <summary>Whether all that forward proposed as state is finite.</summary>
    internal bool ProposesFiniteState()
    {
        foreach (var value in _proposedState is null ? [] : _proposedState.Span)
        {
            if (!T.IsFinite(value))
                return false;
        }

        return true;
    }

    /// <summary>What forward proposed for one piece of state.</summary>
    internal ReadOnlySpan<T> ProposedStateOf(BlockRange range) => _proposedState!.Span.Slice(range.Start, range.Length);

    internal void RequireTraining()
    {
        if (!_training)
            throw NoGradients();
    }

    internal void RequireBackward()
    {
        RequireTraining();
        if (_phase < Phase.Backward)
            throw new InvalidOperationException("There are no gradients yet: run Forward and Backward first.");
    }

    internal void RequireFreshGradients()
    {
        RequireBackward();
        if (_phase == Phase.Updated)
            throw new InvalidOperationException("These gradients have been applied already: run Forward and Backward first.");
    }

    /// <summary>Makes what forward proposed the network's state, once, and counts the step.</summary>
    internal void CommitState()
    {
        if (_proposedState is { Length: > 0 } proposed)
            proposed.Span.CopyTo(Network.State);
        _pass.Step++;
        _phase = Phase.Updated;
    }

    /// <summary>
    /// Another micro-batch of the same step: what the one before proposed becomes the network's state, and random layers draw other
    /// numbers.
    /// </summary>
    internal void BeginMicroBatch()
    {
        if (_proposedState is { Length: > 0 } proposed)
            proposed.Span.CopyTo(Network.State);
        _pass.Step++;
    }

    /// <summary>Lets go of all memory that inputs were bound to.</summary>
    internal void Unbind()
    {
        foreach (var edge in _edges)
        {
            edge.IsBound = false;
            (edge.Bound, edge.BoundIndices) = (default, default);
        }
    }

    /// <summary>The rows may have grown since an input was bound.</summary>
    private void CheckBindings()
    {
        for (var e = 0; e < _edges.Length; e++)
        {
            var edge = _edges[e];
            if (!edge.IsBound)
                continue;
            var length = edge.Type.Kind == EdgeKind.Indices ? edge.BoundIndices.Length : edge.Bound.Length;
            CheckBound(_definition.Edges[e].Name, edge.Type.Elements(_rows), length);
        }
    }
}
