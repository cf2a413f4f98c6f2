using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <summary>Adds up the gradients of several micro-batches, for a step over a batch that does not fit into a workspace.</summary>
/// <remarks>
/// <code>
/// for (var i = 0; i &lt; 4; i++) { fill the workspace; accumulator.Add(); }
/// var loss = accumulator.Average();             // the gradients of all four as one batch
/// GradientClipping.ByNorm(workspace.Gradients, 1);   // if wanted
/// network.Update(workspace, optimizer);
/// </code>
/// <para>Up to rounding, the loss and the gradients are the same as for one batch of all rows. A mean divides by the sum of the
/// denominators of its micro-batches. Sums add up, and so do outputs whose gradients the caller gives. There is one exception: sample
/// weights that the network computes from its parameters; their gradients are computed for each micro-batch alone.</para>
/// <para>Batch normalization sees each micro-batch alone and updates its running statistics with each. Dropout draws another mask for
/// each micro-batch, because each adds 1 to <see cref="Workspace{T}.StepNumber"/>. The gradients of inputs and nodes are not available;
/// reading them throws.</para>
/// <para>Cost: if there is one loss, if all losses are sums, or if all are means with a fixed denominator per row, each micro-batch takes
/// one backward pass. Otherwise there is one backward pass, and one buffer as long as the parameters, for all sums together, one for all
/// means over rows together, and one for each other mean (over class labels, over sample weights, or a loss of your own; with free sizes,
/// for each mean). The
/// accumulator allocates the buffers when it is made.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class GradientAccumulator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly Workspace<T> _workspace;

    /// <summary>The losses of a group share a backward pass: their denominators are proportional.</summary>
    private readonly List<Group> _groups = [];

    private readonly double[] _seeds;

    /// <summary>Whether the last micro-batch is complete and the next has not begun.</summary>
    private bool _isWhole;

    /// <summary>Whether a backward pass failed and left incomplete gradients.</summary>
    private bool _isBroken;

    /// <summary>Makes an accumulator and its buffers.</summary>
    /// <param name="network">The network.</param>
    /// <param name="workspace">A training workspace of the network.</param>
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

            // With free sizes, a mean over positions does not divide by the same number for every row.
            if (divisor == LossDivisor.Rows && graph.FreeSizes.Length > 0)
                divisor = LossDivisor.Data;
            GroupOf(divisor).Losses.Add(i);
        }

        if (workspace.Executor.StartsFromOutputs || _groups.Count == 0)
            GroupOf(LossDivisor.None).HasOutputs = true;
        foreach (var group in _groups)
            group.Buffer = _groups.Count == 1 ? null : new AlignedBuffer<T>(network.Parameters.Length);
    }

    /// <summary>The micro-batches added since the last average.</summary>
    public int Count { get; private set; }

    /// <summary>The losses of the micro-batches since the last average.</summary>
    internal LossSums Losses { get; }

    /// <summary>Runs forward and backward on the workspace's inputs, and adds the gradients to those of the micro-batches before.</summary>
    /// <returns>The loss of this micro-batch.</returns>
    /// <exception cref="ArgumentException">The workspace belongs to another network.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference; or an earlier call failed in its backward pass. Then
    /// call <see cref="Reset"/> and add all micro-batches again.</exception>
    public double Add()
    {
        _workspace.Executor.RequireParameterGradients();
        RequireWhole();

        // A micro-batch that failed changes neither the running statistics nor the step number.
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

    /// <summary>Sets <see cref="Workspace{T}.Gradients"/> to the gradients of all micro-batches as one batch, for
    /// <see cref="Network{T}.Update"/>. The next micro-batch begins a new sum.</summary>
    /// <returns>The loss over all rows.</returns>
    /// <exception cref="InvalidOperationException">No micro-batch was added, or a micro-batch failed in its backward pass.</exception>
    public double Average()
    {
        RequireWhole();
        if (Count == 0)
            throw new InvalidOperationException("There are no micro-batches to average. Call Add first.");
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

        // A parameter that was frozen after some micro-batches still holds their gradients.
        foreach (var range in _network.Blocks.Frozen)
            gradients.Slice(range.Start, range.Length).Clear();
        Count = 0;
        return Losses.Value;
    }

    /// <summary>Discards the micro-batches added so far.</summary>
    public void Reset() => (Count, _isBroken) = (0, false);

    private void RequireWhole()
    {
        if (_isBroken)
            throw new InvalidOperationException(
                "A micro-batch failed in its backward pass and left incomplete gradients. Call Reset and add all micro-batches again.");
    }

    private Group GroupOf(LossDivisor divisor)
    {
        var group = divisor is LossDivisor.Data or LossDivisor.Unknown ? null : _groups.Find(g => g.Divisor == divisor);
        if (group is null)
            _groups.Add(group = new Group(divisor));
        return group;
    }

    /// <summary>Runs backward from the losses of a group, and adds to the micro-batches before.</summary>
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
    /// Losses whose gradients are added up in one buffer, divided by a common unit. The unit is at least the sum of the
    /// denominators, so the buffer never holds more than the mean. It grows by doubling, so the buffer is rarely rescaled.
    /// </summary>
    private sealed class Group(LossDivisor divisor)
    {
        private double _total, _size, _unit;

        public readonly LossDivisor Divisor = divisor;

        public readonly List<int> Losses = [];

        public bool HasOutputs;

        /// <summary>Null if the sum is kept in the workspace's own gradients.</summary>
        public AlignedBuffer<T>? Buffer;

        /// <summary>The factor that turns the sum into the gradient over all rows.</summary>
        public double ToWhole => _total == 0 ? 0 : _unit / _total;

        public void Clear() => _total = _size = _unit = 0;

        /// <summary>Includes a micro-batch.</summary>
        /// <returns>The factor for the buffer, and the gradient that backward starts from for a weight of 1.</returns>
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

            // If the denominator is 0, the mean gives the gradient of its numerator.
            return (before / _unit, denominator == 0 ? 1 / _unit : denominator / _unit);
        }
    }
}
