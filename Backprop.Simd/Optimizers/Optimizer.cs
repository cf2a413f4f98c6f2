using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Changes a flat block of parameters by a block of gradients of the same layout.</summary>
/// <remarks>
/// A step is one pass over the blocks and allocates nothing. It checks everything before it writes anything. A new optimizer
/// overrides <see cref="Update"/>; <see cref="Steps"/> + 1 is the number of the step in progress, and <see cref="RangeLearningRate"/>
/// and <see cref="RangeWeightDecay"/> are the range's own, as its group says.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract partial class Optimizer<T> : IUpdateSource<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Creates an optimizer for a block of parameters.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="weightDecay">The weight decay, finite and not negative. Each optimizer says how it uses it.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    protected Optimizer(int parameterCount, double learningRate, double weightDecay = 0)
    {
        SpanGuard.Supported<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(parameterCount);
        CheckNotNegative(learningRate, nameof(learningRate));
        CheckNotNegative(weightDecay, nameof(weightDecay));
        ParameterCount = parameterCount;
        LearningRate = learningRate;
        WeightDecay = weightDecay;
    }

    /// <summary>The number of parameters that a step expects.</summary>
    public int ParameterCount { get; }

    /// <summary>The number of finished steps.</summary>
    public long Steps { get; private set; }

    /// <summary>The learning rate of the next step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LearningRate
    {
        get;
        set
        {
            CheckNotNegative(value, nameof(LearningRate));
            field = value;
        }
    }

    /// <summary>The weight decay. Each optimizer says how it uses it.</summary>
    public double WeightDecay { get; }

    /// <summary>Updates all parameters, on the calling thread.</summary>
    /// <param name="parameters"><see cref="ParameterCount"/> parameters.</param>
    /// <param name="gradients">Their gradients, in the same order.</param>
    /// <exception cref="ArgumentException">A length is wrong or the spans overlap; nothing was written.</exception>
    public void Step(Span<T> parameters, ReadOnlySpan<T> gradients) =>
        Step(parameters, gradients, [new BlockRange(0, ParameterCount)]);

    /// <summary>Updates some ranges of the parameters. Other parameters and their state do not change.</summary>
    /// <param name="parameters"><see cref="ParameterCount"/> parameters.</param>
    /// <param name="gradients">Their gradients, in the same order.</param>
    /// <param name="ranges">The ranges to change, in ascending order and disjoint.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">A length is wrong, the spans overlap, or the ranges are not inside the parameters,
    /// ascending and disjoint; nothing was written.</exception>
    /// <exception cref="InvalidOperationException">A group's setting is not finite in <typeparamref name="T"/>, or a range or group cuts a
    /// parameter that the optimizer takes as a whole; nothing was written.</exception>
    public void Step(Span<T> parameters, ReadOnlySpan<T> gradients, ReadOnlySpan<BlockRange> ranges, ComputeContext? context = null)
    {
        SpanGuard.SameLength(ParameterCount, parameters.Length);
        SpanGuard.SameLength(ParameterCount, gradients.Length);
        SpanGuard.Disjoint(gradients, parameters, nameof(parameters));
        CheckRanges(ranges);
        CheckGroups();
        CheckPieces(ranges);
        foreach (var range in ranges)
        {
            if (range.Length == 0)
                continue;
            if (_groups.Length == 0)
                Update(parameters, gradients, range, context);
            else
                UpdatePieces(parameters, gradients, range, context);
        }

        ApplyConstraints(parameters, ranges, context);
        FinishStep();
    }

    /// <summary>
    /// Passes the operator of the step in progress and the state of all parameters to kernels that update numbers in registers. A
    /// caller that applies a step in this way, to each parameter at most once, ends it with <see cref="FinishStep"/>.
    /// </summary>
    /// <returns>False if the optimizer has no such operator: then use <see cref="Step(Span{T}, ReadOnlySpan{T})"/>.</returns>
    internal virtual bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
        where TVisitor : struct, IUpdateVisitor<T>, allows ref struct => false;

    /// <summary>For optimizers that take parameters as a whole: refuses a range that cuts one.</summary>
    internal virtual void CheckWhole(BlockRange range)
    {
    }

    /// <summary>Counts a step.</summary>
    internal void FinishStep() => Steps++;

    /// <summary>Changes one range of the parameters and of the optimizer's state. All arguments have been checked.</summary>
    /// <param name="parameters">All parameters.</param>
    /// <param name="gradients">All gradients.</param>
    /// <param name="range">The range to change, not empty.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    protected abstract void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context);

    private protected static void CheckNotNegative(double value, string name)
    {
        if (!(value >= 0 && T.IsFinite(T.CreateTruncating(value))))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite, in {typeof(T).Name} too, and not negative.");
    }

    private protected static void CheckPositive(double value, string name)
    {
        CheckNotNegative(value, name);
        if (!(T.CreateTruncating(value) > T.Zero))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be positive, in {typeof(T).Name} too.");
    }

    private protected static void CheckFraction(double value, string name)
    {
        if (!(value >= 0 && value < 1))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be in [0, 1).");
    }

    private void CheckRanges(ReadOnlySpan<BlockRange> ranges)
    {
        var end = 0;
        foreach (var range in ranges)
        {
            if (range.Start < end || range.Length < 0 || range.Start > ParameterCount - range.Length)
            {
                throw new ArgumentException(
                    $"Ranges must be ascending, disjoint and inside [0, {ParameterCount}); found start {range.Start}, length {range.Length}"
                    + $" where the range before ends at {end}.",
                    nameof(ranges));
            }

            end = range.End;
        }
    }
}
