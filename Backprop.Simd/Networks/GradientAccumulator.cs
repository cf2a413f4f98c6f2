using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <summary>Adds up the gradients of several micro-batches, for a step of a batch that does not fit into a workspace.</summary>
/// <remarks>
/// <code>
/// for (var i = 0; i &lt; 4; i++) { fill the workspace; accumulator.Add(); }
/// var loss = accumulator.Average();             // gradients are those of the four in one batch
/// GradientClipping.ByNorm(workspace.Gradients, 1);   // if wanted
/// network.Update(workspace, optimizer);
/// </code>
/// <para>Loss and gradients are those of one batch of all rows, within rounding: a mean over positions kept or over weights divides by the
/// sum of what its micro-batches divide by, a sum adds up, and so do outputs whose gradients the caller gives. Sample weights that a network
/// computes from its parameters are the exception: gradients by them are those of each micro-batch. Layers that look at a whole batch (batch
/// normalization) see micro-batches, and the running statistics take up each of them; dropout draws another mask for each, because every
/// micro-batch counts <see cref="Workspace{T}.StepNumber"/> on. The gradients of inputs and nodes are not those of a loss here, and reading
/// them throws.</para>
/// <para>Cost: one backward pass for each micro-batch where there is one loss, where all are sums, or where all are means over a fixed
/// number for each row. Other losses divide by what is known at the end only: all sums have a pass and a buffer of the length of the
/// parameters together, all means over rows too, and each other mean (class labels, sample weights, a loss of one's own) has its own.
/// The buffers are made with the accumulator.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class GradientAccumulator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly Workspace<T> _workspace;

    /// <summary>Losses whose denominators stay in proportion share a backward pass.</summary>
    private readonly List<Group> _groups = [];

    private readonly double[] _seeds;

    /// <summary>Whether the last micro-batch is whole and another has not yet begun.</summary>
    private bool _isWhole;

    /// <summary>Whether a backward pass ended early and left a part of its gradients.</summary>
    private bool _isBroken;

    /// <summary>Makes an accumulator, its buffers included.</summary>
    /// <param name="network">The network.</param>
    /// <param name="workspace">A training workspace of it.</param>
    public GradientAccumulator(Network<T> network, Workspace<T> workspace)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(workspace);
        _network = network;
        _workspace = workspace;
        Losses = new LossSums(network.Definition);
        var graph = network.Definition.Graph;
        _seeds = new double[graph.Losses.Length];
        for (var i = 0; i < _seeds.Length; i++)
        {
            var divisor = graph.Nodes[graph.Edges[graph.Losses[i].Edge].Producer].Declaration.Divisor;
            GroupOf(divisor).Losses.Add(i);
        }

        if (workspace.Executor.StartsFromOutputs || _groups.Count == 0)
            GroupOf(LossDivisor.None).HasOutputs = true;
        foreach (var group in _groups)
            group.Buffer = _groups.Count == 1 ? null : new AlignedBuffer<T>(network.Parameters.Length);
    }

    /// <summary>The micro-batches added since the last average.</summary>
    public int Count { get; private set; }

    /// <summary>The losses of the micro-batches since <see cref="Count"/> was 0 last.</summary>
    internal LossSums Losses { get; }

    /// <summary>Adds the gradients of the workspace's inputs: forward, and backward on top of those before.</summary>
    /// <returns>The loss of this micro-batch.</returns>
    /// <exception cref="ArgumentException">The workspace belongs to another network.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference; or an earlier call failed in a backward pass, whose
    /// gradients cannot be taken back: <see cref="Reset"/> and begin anew.</exception>
    public double Add()
    {
        _workspace.Executor.RequireParameterGradients();
        RequireWhole();

        // One that failed before takes no part: neither in the running statistics nor in the count of steps.
        if (Count > 0 && _isWhole)
            _workspace.Executor.BeginMicroBatch();
        if (Count == 0)
        {
            Losses.Clear();
            foreach (var group in _groups)
                group.Clear();
        }

        _isWhole = false;
        var loss = _network.Forward(_workspace);
        _isBroken = true;
        foreach (var group in _groups)
            Add(group);
        _isBroken = false;
        Losses.Add(_workspace);
        Count++;
        _isWhole = true;
        return loss;
    }

    /// <summary>Makes <see cref="Workspace{T}.Gradients"/> those of all micro-batches in one batch, ready for <see cref="Network{T}.Update"/>;
    /// the next micro-batch begins anew.</summary>
    /// <returns>The loss over all rows.</returns>
    /// <exception cref="InvalidOperationException">No micro-batch was added, or one failed in its backward pass.</exception>
    public double Average()
    {
        RequireWhole();
        if (Count == 0)
            throw new InvalidOperationException("There are no micro-batches to average: Add some first.");
        var gradients = _workspace.Gradients;
        if (_groups is [var only])
        {
            Scale(gradients, only.ToWhole);
        }
        else
        {
            gradients.Clear();
            foreach (var group in _groups)
            {
                Scale(group.Buffer!.Span, group.ToWhole);
                Elementwise.Add(group.Buffer.Span, gradients, gradients, _workspace.Executor.ActiveCompute);
            }
        }

        // What was frozen meanwhile has the gradients of the micro-batches before.
        foreach (var range in _network.Blocks.Frozen)
            gradients.Slice(range.Start, range.Length).Clear();
        Count = 0;
        return Losses.Value;
    }

    /// <summary>Forgets the micro-batches added.</summary>
    public void Reset() => (Count, _isBroken) = (0, false);

    private void RequireWhole()
    {
        if (_isBroken)
            throw new InvalidOperationException(
                "A micro-batch failed in its backward pass and left a part of its gradients: Reset, and add all micro-batches again.");
    }

    private Group GroupOf(LossDivisor divisor)
    {
        var group = divisor is LossDivisor.Data or LossDivisor.Unknown ? null : _groups.Find(g => g.Divisor == divisor);
        if (group is null)
            _groups.Add(group = new Group(divisor));
        return group;
    }

    /// <summary>Backward from the losses of a group, on top of the micro-batches before.</summary>
    private void Add(Group group)
    {
        var (before, seed) = group.Include(_workspace);
        Array.Clear(_seeds);
        foreach (var loss in group.Losses)
            _seeds[loss] = _network.Definition.Graph.Losses[loss].Weight * seed;
        if (group.Buffer is null)
        {
            if (Count > 0)
                Scale(_workspace.Gradients, before);
            _workspace.Executor.Backward(accumulate: Count > 0, _seeds, group.HasOutputs);
            return;
        }

        _workspace.Executor.Backward(accumulate: false, _seeds, group.HasOutputs);
        var sum = group.Buffer.Span;
        if (Count == 0)
        {
            _workspace.Gradients.CopyTo(sum);
            return;
        }

        Scale(sum, before);
        Elementwise.Add(_workspace.Gradients, sum, sum, _workspace.Executor.ActiveCompute);
    }

    private void Scale(Span<T> gradients, double factor)
    {
        if (factor == 0)
            gradients.Clear();
        else if (factor != 1)
            Elementwise.Scale(gradients, T.CreateTruncating(factor), gradients, _workspace.Executor.ActiveCompute);
    }

    /// <summary>
    /// Losses whose numerators' gradients are added up in one buffer, as multiples of a unit. The unit is at least the sum of the
    /// denominators, so that what is in the buffer is never larger than the mean, and grows by doubling, so that the buffer is rarely scaled.
    /// </summary>
    private sealed class Group(LossDivisor divisor)
    {
        private double _total, _size, _unit;

        public readonly LossDivisor Divisor = divisor;

        public readonly List<int> Losses = [];

        public bool HasOutputs;

        /// <summary>Null where the workspace's own gradients are the sum.</summary>
        public AlignedBuffer<T>? Buffer;

        /// <summary>What makes the sum the gradient over all rows.</summary>
        public double ToWhole => _total == 0 ? 0 : _unit / _total;

        public void Clear() => _total = _size = _unit = 0;

        /// <summary>Takes up a micro-batch.</summary>
        /// <returns>The factor of what is in the buffer, and the gradient to start from for a weight of 1.</returns>
        public (double Before, double Seed) Include(Workspace<T> workspace)
        {
            var parts = Divisor is LossDivisor.Data or LossDivisor.Unknown ? workspace.Executor.PartsAt(Losses[0]) : default;
            if (Divisor == LossDivisor.None || parts.IsSum)
            {
                _total = _unit = 1;
                return (1, 1);
            }

            var denominator = Divisor == LossDivisor.Rows ? workspace.Rows : parts.Denominator;
            var before = _unit;
            var isFirst = _size == 0;
            _total += denominator;
            _size += Math.Abs(denominator);
            if (isFirst)
                _unit = _size == 0 ? 1 : _size;
            else if (_size > _unit)
                _unit = Math.Max(_size, 2 * _unit);

            // A mean over nothing gives the gradient of its numerator.
            return (before / _unit, denominator == 0 ? 1 / _unit : denominator / _unit);
        }
    }
}
