using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>How a moving average begins.</summary>
public enum AverageStart
{
    /// <summary>As a copy of the first parameters, as in PyTorch's AveragedModel. They keep the largest weight for 1 / (1 - decay) updates.</summary>
    First,

    /// <summary>At zero, with Adam's bias correction: a sum divided by 1 - decay^t. The first parameters get no extra weight.</summary>
    BiasCorrected,

    /// <summary>As a copy, with a rising decay: min(decay, (1 + t) / (10 + t)) at update t, as in TensorFlow.</summary>
    WarmUp,
}

/// <summary>An exponential moving average of the parameters. It often generalizes better than the last parameters (Polyak and Juditsky,
/// Acceleration of Stochastic Approximation by Averaging, 1992).</summary>
/// <remarks>
/// a += (1 - d) (w - a), in one pass, where d is the decay as <see cref="Start"/> changes it. The average covers only the
/// parameters, not a network's state (running statistics). An update allocates nothing, and gives the same bits on any number of
/// threads.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class ExponentialMovingAverage<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _average;

    /// <summary>Creates an average for a network, of zeros until the first update.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="decay">The share of the average that an update keeps, in [0, 1).</param>
    /// <param name="start">How it begins.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public ExponentialMovingAverage(ITrainable<T> network, double decay = 0.999, AverageStart start = AverageStart.First)
        : this(ITrainable<T>.CountOf(network), decay, start) { }

    /// <summary>Creates an average, of zeros until the first update.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="decay">The share of the average that an update keeps, in [0, 1).</param>
    /// <param name="start">How it begins.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public ExponentialMovingAverage(int parameterCount, double decay = 0.999, AverageStart start = AverageStart.First)
    {
        SpanGuard.Supported<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(parameterCount);
        if (!(decay >= 0 && decay < 1))
            throw new ArgumentOutOfRangeException(nameof(decay), decay, "'decay' must be in [0, 1).");
        if (start is < AverageStart.First or > AverageStart.WarmUp)
            throw new ArgumentOutOfRangeException(nameof(start), start, "'start' must be one of the names of AverageStart.");
        ParameterCount = parameterCount;
        Decay = decay;
        Start = start;
        _average = new AlignedBuffer<T>(parameterCount);
    }

    /// <summary>The number of parameters.</summary>
    public int ParameterCount { get; }

    /// <summary>The share of the average that an update keeps.</summary>
    public double Decay { get; }

    /// <summary>How the average begins.</summary>
    public AverageStart Start { get; }

    /// <summary>The number of updates.</summary>
    public long Updates { get; private set; }

    /// <summary>Whether <see cref="Swap"/> has exchanged the average and the parameters.</summary>
    public bool IsSwapped { get; private set; }

    /// <summary>The average. While swapped, the parameters.</summary>
    public ReadOnlySpan<T> Average => _average.Span;

    internal ReadOnlyMemory<T> Memory => _average.Memory;

    /// <summary>Adds the parameters to the average. Call it after each step, or after every few steps.</summary>
    /// <param name="parameters"><see cref="ParameterCount"/> parameters.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The length is wrong; nothing was written.</exception>
    /// <exception cref="InvalidOperationException">The average is swapped with the parameters.</exception>
    public void Update(ReadOnlySpan<T> parameters, ComputeContext? context = null)
    {
        SpanGuard.SameLength(ParameterCount, parameters.Length);
        RequireInPlace();
        Updates++;
        var weight = Start switch
        {
            AverageStart.BiasCorrected => (1 - Decay) / (1 - PortableMath.Power(Decay, Updates)),
            AverageStart.WarmUp when Updates > 1 => 1 - Math.Min(Decay, (1.0 + Updates) / (10.0 + Updates)),
            _ => Updates == 1 ? 1 : 1 - Decay,
        };
        if (weight == 1)
        {
            parameters.CopyTo(_average.Span);
        }
        else if (ParameterCount > 0)
        {
            var all = new RangeUpdate<T>(_average.Span, parameters, new BlockRange(0, ParameterCount), context);
            all.Visit(new BlendUpdate<T>(T.CreateTruncating(weight)), default, default, default);
        }

    }

    /// <summary>Copies the average to a network's parameters, or elsewhere.</summary>
    /// <param name="parameters">Takes the average, <see cref="ParameterCount"/> elements.</param>
    /// <exception cref="ArgumentException">The length is wrong; nothing was written.</exception>
    /// <exception cref="InvalidOperationException">The average is swapped with the parameters, or there was no update.</exception>
    public void CopyTo(Span<T> parameters)
    {
        SpanGuard.SameLength(ParameterCount, parameters.Length);
        RequireInPlace();
        RequireUpdate();
        _average.Span.CopyTo(parameters);
    }

    /// <summary>Exchanges the average and the parameters, to evaluate with the average. A second call exchanges them back.</summary>
    /// <param name="parameters"><see cref="ParameterCount"/> parameters.</param>
    /// <exception cref="ArgumentException">The length is wrong; nothing was written.</exception>
    /// <exception cref="InvalidOperationException">There was no update.</exception>
    public void Swap(Span<T> parameters)
    {
        SpanGuard.SameLength(ParameterCount, parameters.Length);
        RequireUpdate();
        Span<T> held = stackalloc T[512];
        for (var start = 0; start < ParameterCount; start += held.Length)
        {
            var length = Math.Min(held.Length, ParameterCount - start);
            Span<T> average = _average.Span.Slice(start, length), parameter = parameters.Slice(start, length);
            average.CopyTo(held);
            parameter.CopyTo(average);
            held[..length].CopyTo(parameter);
        }

        IsSwapped = !IsSwapped;
    }

    /// <summary>Sets the average to its value when it was saved.</summary>
    /// <param name="average">What <see cref="Average"/> was, not swapped.</param>
    /// <param name="updates">What <see cref="Updates"/> was.</param>
    /// <exception cref="ArgumentException">The length is wrong; nothing was written.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="updates"/> is negative.</exception>
    public void Restore(ReadOnlySpan<T> average, long updates)
    {
        SpanGuard.SameLength(ParameterCount, average.Length);
        ArgumentOutOfRangeException.ThrowIfNegative(updates);
        average.CopyTo(_average.Span);
        Updates = updates;
        IsSwapped = false;
    }

    private void RequireInPlace()
    {
        if (IsSwapped)
            throw new InvalidOperationException("The average and the parameters are swapped. Call Swap again first.");
    }

    private void RequireUpdate()
    {
        if (Updates == 0)
            throw new InvalidOperationException("There is no average yet. Call Update first.");
    }
}
