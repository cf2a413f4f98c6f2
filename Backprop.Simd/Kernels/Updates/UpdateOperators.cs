using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>w += rate g, with rate = -learningRate.</summary>
internal readonly struct GradientUpdate<T>(T rate) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 0;

    public static bool LeavesZeroGradients => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T> =>
        parameter = TVector.MultiplyAdd(TVector.Create(rate), gradient, parameter);
}

/// <summary>w += rate (g + decay w).</summary>
internal readonly struct DecayedGradientUpdate<T>(T rate, T decay) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
        parameter = TVector.MultiplyAdd(TVector.Create(rate), g, parameter);
    }
}

/// <summary>g' = g + decay w; v = momentum v + weight g'; w += rate v.</summary>
internal readonly struct MomentumUpdate<T>(T rate, T decay, T momentum, T weight) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
        first = TVector.MultiplyAdd(TVector.Create(momentum), first, TVector.Create(weight) * g);
        parameter = TVector.MultiplyAdd(TVector.Create(rate), first, parameter);
    }
}

/// <summary>g' = g + decay w; v = momentum v + g'; w += rate (g' + momentum v).</summary>
internal readonly struct NesterovUpdate<T>(T rate, T decay, T momentum) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var mu = TVector.Create(momentum);
        var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
        first = TVector.MultiplyAdd(mu, first, g);
        parameter = TVector.MultiplyAdd(TVector.Create(rate), TVector.MultiplyAdd(mu, first, g), parameter);
    }
}

/// <summary>The step of Adam. Its numbers are each rounded once from double.</summary>
internal readonly record struct AdamUpdate<T> : IUpdate<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>-learningRate / (1 - beta1^t).</summary>
    public required T Rate { get; init; }

    /// <summary>1 / sqrt(1 - beta2^t).</summary>
    public required T Scale { get; init; }

    /// <summary>The number added to the root.</summary>
    public required T Epsilon { get; init; }

    /// <summary>The decay of the first moment.</summary>
    public required T Beta1 { get; init; }

    /// <summary>1 - beta1.</summary>
    public required T Weight1 { get; init; }

    /// <summary>The decay of the second moment.</summary>
    public required T Beta2 { get; init; }

    /// <summary>1 - beta2.</summary>
    public required T Weight2 { get; init; }

    /// <summary>The part of the parameter that is added to its gradient.</summary>
    public required T Decay { get; init; }

    /// <summary>The factor of the parameter.</summary>
    public required T Keep { get; init; }

    /// <summary>Rounds first moments to multiples of a number far above the subnormal ones; see <see cref="Invoke"/>.</summary>
    public required T Rounder { get; init; }

    /// <summary>Taken from second moments in each step: far too little to show.</summary>
    public required T Least { get; init; }

    public static int States => 2;

    /// <summary>
    /// g' = g + decay w; m = beta1 m + (1 - beta1) g'; v = beta2 v + (1 - beta2) g'^2;
    /// w = keep w + rate m / (scale sqrt(v) + epsilon).
    /// </summary>
    /// <remarks>
    /// Moments that decay would come to rest in the subnormal range, where division and root take several times as long. So m
    /// carries the rounder while it is summed, which drops what is below half of the rounder's last place and is lost in any
    /// larger m, and v gives up a little in every step until nothing is left.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        Moments(gradient, parameter, ref first, ref second);
        parameter = TVector.MultiplyAdd(TVector.Create(Keep), parameter, TVector.Create(Rate) * first / Root(second));
    }

    /// <summary>Moves the moments.</summary>
    /// <returns>g', the gradient with the decay.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Moments<TVector>(TVector gradient, TVector parameter, ref TVector first, ref TVector second)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var rounder = TVector.Create(Rounder);
        var g = TVector.MultiplyAdd(TVector.Create(Decay), parameter, gradient);
        var m = TVector.MultiplyAdd(TVector.Create(Weight1), g, rounder);
        m = TVector.MultiplyAdd(TVector.Create(Beta1), first, m);
        first = m - rounder;
        var v = TVector.MultiplyAdd(TVector.Create(Weight2) * g, g, TVector.Create(-Least));
        v = TVector.MultiplyAdd(TVector.Create(Beta2), second, v);
        second = TVector.Max(TVector.Zero, v);
        return g;
    }

    /// <summary>scale sqrt(v) + epsilon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Root<TVector>(TVector second)
        where TVector : unmanaged, ISimdVector<TVector, T> =>
        TVector.MultiplyAdd(TVector.Create(Scale), TVector.Sqrt(second), TVector.Create(Epsilon));
}
