using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Networks;

/// <summary>Averages the gradients of several micro-batches, for a step of a batch that does not fit into a workspace.</summary>
/// <remarks>
/// <code>
/// for (var i = 0; i &lt; 4; i++) { fill the workspace; accumulator.Add(); }
/// var loss = accumulator.Average();             // gradients are the mean of the four
/// GradientClipping.ByNorm(workspace.Gradients, 1);   // if wanted
/// network.Update(workspace, optimizer);
/// </code>
/// Micro-batches weigh by their rows: where the loss is a mean over rows, the mean over them is that of one batch of all rows. Layers that
/// look at a whole batch (batch normalization) see micro-batches, and the running statistics take up each of them; dropout draws
/// another mask for each, because every micro-batch counts <see cref="Workspace{T}.StepNumber"/> on.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="network">The network.</param>
/// <param name="workspace">A training workspace of it.</param>
public sealed class GradientAccumulator<T>(Network<T> network, Workspace<T> workspace) where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network = network ?? throw new ArgumentNullException(nameof(network));
    private readonly Workspace<T> _workspace = workspace ?? throw new ArgumentNullException(nameof(workspace));
    private double _losses;

    /// <summary>The rows so far, and those of a gradient that counts once: the gradients are the sum over micro-batches of
    /// their mean times their rows, divided by the unit; so are the losses.</summary>
    private long _rows;

    private int _unit;

    /// <summary>Whether the last micro-batch is whole and another has not yet begun.</summary>
    private bool _isWhole;

    /// <summary>The micro-batches added since the last average.</summary>
    public int Count { get; private set; }

    /// <summary>Adds the gradients of the workspace's inputs: forward, and backward on top of those before.</summary>
    /// <returns>The loss of this micro-batch.</returns>
    /// <exception cref="ArgumentException">The workspace belongs to another network.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public double Add()
    {
        // One that failed before takes no part: neither in the running statistics nor in the count of steps.
        if (Count > 0 && _isWhole)
            _workspace.BeginMicroBatch();
        _isWhole = false;
        var rows = _workspace.Rows;
        if (Count > 0 && rows != _unit)
        {
            var factor = (double)_unit / rows;
            Elementwise.Scale(_workspace.Gradients, T.CreateTruncating(factor), _workspace.Gradients, _workspace.ActiveCompute);
            _losses *= factor;
        }

        _unit = rows;
        var loss = _network.Forward(_workspace);
        _network.Backward(_workspace, accumulate: Count > 0);
        Count++;
        _isWhole = true;
        _rows += rows;
        _losses += loss;
        return loss;
    }

    /// <summary>Makes <see cref="Workspace{T}.Gradients"/> the mean over the micro-batches, ready for <see cref="Network{T}.Update"/>;
    /// the next micro-batch begins anew.</summary>
    /// <returns>The mean of the losses, weighed by rows.</returns>
    /// <exception cref="InvalidOperationException">No micro-batch was added.</exception>
    public double Average()
    {
        if (Count == 0)
            throw new InvalidOperationException("There are no micro-batches to average: Add some first.");
        if (Count > 1)
            Elementwise.Scale(_workspace.Gradients, T.CreateTruncating((double)_unit / _rows), _workspace.Gradients, _workspace.ActiveCompute);
        var mean = _losses / ((double)_rows / _unit);
        Reset();
        return mean;
    }

    /// <summary>Forgets the micro-batches added.</summary>
    public void Reset() => (Count, _rows, _losses) = (0, 0, 0);
}
