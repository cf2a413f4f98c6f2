using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary><see cref="AdamUpdate{T}"/> that divides by the largest v so far, u = max(u, v), instead of v.</summary>
internal readonly struct AmsGradUpdate<T>(AdamUpdate<T> adam) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        adam.Moments(gradient, parameter, ref first, ref second);
        third = TVector.Max(third, second);
        parameter = TVector.MultiplyAdd(TVector.Create(adam.Keep), parameter, TVector.Create(adam.Rate) * first / adam.Root(third));
    }
}

/// <summary>The moments of <see cref="AdamUpdate{T}"/>; w = keep w + (gradientRate g' + rate m) / (scale sqrt(v) + epsilon).</summary>
internal readonly struct NAdamUpdate<T>(AdamUpdate<T> adam, T gradientRate) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var g = adam.Moments(gradient, parameter, ref first, ref second);
        var step = TVector.MultiplyAdd(TVector.Create(gradientRate), g, TVector.Create(adam.Rate) * first) / adam.Root(second);
        parameter = TVector.MultiplyAdd(TVector.Create(adam.Keep), parameter, step);
    }
}

/// <summary>g' = g + decay w; s += g'^2; w += rate g' / (sqrt(s) + epsilon).</summary>
internal readonly struct AdaGradUpdate<T>(T rate, T epsilon, T decay) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
        first = TVector.MultiplyAdd(g, g, first);
        parameter += TVector.Create(rate) * g / (TVector.Sqrt(first) + TVector.Create(epsilon));
    }
}

/// <summary>A choice that is a constant to the compiler.</summary>
internal interface IChoice
{
    static abstract bool IsMade { get; }
}

internal readonly struct Yes : IChoice
{
    public static bool IsMade => true;
}

internal readonly struct No : IChoice
{
    public static bool IsMade => false;
}

/// <summary>The numbers of one step of RMSProp, each rounded once from double.</summary>
/// <param name="Rate">-learningRate.</param>
/// <param name="Epsilon">The number added to the root.</param>
/// <param name="Alpha">The decay of the moments.</param>
/// <param name="Weight">1 - alpha.</param>
/// <param name="Decay">The share of the parameter that is added to its gradient.</param>
/// <param name="Momentum">The momentum, where there is one.</param>
/// <param name="Rounder">Keeps the mean out of the subnormal range: see <see cref="AdamUpdate{T}"/>.</param>
/// <param name="Least">Keeps the second moment out of it.</param>
internal readonly record struct RmsPropNumbers<T>(T Rate, T Epsilon, T Alpha, T Weight, T Decay, T Momentum, T Rounder, T Least)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>
/// g' = g + decay w; v = alpha v + (1 - alpha) g'^2; centered: a = alpha a + (1 - alpha) g' and r = sqrt(v - a^2), else
/// r = sqrt(v); with momentum: b = momentum b + g' / (r + epsilon) and w += rate b, else w += rate g' / (r + epsilon).
/// </summary>
/// <remarks>The state is v, then a where there is one, then b where there is one. Rounding may bring a^2 above v: r is then 0.</remarks>
internal readonly struct RmsPropUpdate<T, TCentered, TMomentum>(RmsPropNumbers<T> numbers) : IUpdate<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TCentered : struct, IChoice
    where TMomentum : struct, IChoice
{
    public static int States => 1 + (TCentered.IsMade ? 1 : 0) + (TMomentum.IsMade ? 1 : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        TVector alpha = TVector.Create(numbers.Alpha), weight = TVector.Create(numbers.Weight), rate = TVector.Create(numbers.Rate);
        var g = TVector.MultiplyAdd(TVector.Create(numbers.Decay), parameter, gradient);
        var v = TVector.MultiplyAdd(weight * g, g, TVector.Create(-numbers.Least));
        first = TVector.Max(TVector.Zero, TVector.MultiplyAdd(alpha, first, v));
        var square = first;
        if (TCentered.IsMade)
        {
            var rounder = TVector.Create(numbers.Rounder);
            second = TVector.MultiplyAdd(alpha, second, TVector.MultiplyAdd(weight, g, rounder)) - rounder;
            square = TVector.Max(TVector.Zero, TVector.MultiplyAdd(-second, second, first));
        }

        var root = TVector.Sqrt(square) + TVector.Create(numbers.Epsilon);
        if (!TMomentum.IsMade)
        {
            parameter += rate * g / root;
            return;
        }

        ref var velocity = ref TCentered.IsMade ? ref third : ref second;
        velocity = TVector.MultiplyAdd(TVector.Create(numbers.Momentum), velocity, g / root);
        parameter = TVector.MultiplyAdd(rate, velocity, parameter);
    }
}

/// <summary>c = beta1 m + weight1 g; w = keep w + rate sign(c); m = beta2 m + weight2 g, with sign(0) = 0.</summary>
internal readonly struct LionUpdate<T>(T rate, T beta1, T weight1, T beta2, T weight2, T keep) : IUpdate<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var c = TVector.MultiplyAdd(TVector.Create(beta1), first, TVector.Create(weight1) * gradient);
        first = TVector.MultiplyAdd(TVector.Create(beta2), first, TVector.Create(weight2) * gradient);
        var sign = TVector.Select(c > TVector.Zero, TVector.One, TVector.Select(c < TVector.Zero, -TVector.One, c));
        parameter = TVector.MultiplyAdd(TVector.Create(keep), parameter, TVector.Create(rate) * sign);
    }
}

/// <summary>The moments of <see cref="AdamUpdate{T}"/>; w = keep w + rate m.</summary>
internal readonly struct FirstMomentUpdate<T>(AdamUpdate<T> adam) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        adam.Moments(gradient, parameter, ref first, ref second);
        parameter = TVector.MultiplyAdd(TVector.Create(adam.Keep), parameter, TVector.Create(adam.Rate) * first);
    }
}

/// <summary>g' = g + decay w; v = rho v + weight g'^2; d = sqrt(u + epsilon) / sqrt(v + epsilon) g'; u = rho u + weight d^2; w += rate d.</summary>
/// <remarks>Each step takes <c>least</c> from v and u, until they are 0: it keeps them out of the subnormal range.</remarks>
internal readonly struct AdaDeltaUpdate<T>(T rate, T epsilon, T rho, T weight, T decay, T least) : IUpdate<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        TVector keep = TVector.Create(rho), share = TVector.Create(weight), added = TVector.Create(epsilon), taken = TVector.Create(-least);
        var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
        first = TVector.Max(TVector.Zero, TVector.MultiplyAdd(keep, first, TVector.MultiplyAdd(share * g, g, taken)));
        var d = TVector.Sqrt(second + added) / TVector.Sqrt(first + added) * g;
        second = TVector.Max(TVector.Zero, TVector.MultiplyAdd(keep, second, TVector.MultiplyAdd(share * d, d, taken)));
        parameter = TVector.MultiplyAdd(TVector.Create(rate), d, parameter);
    }
}

/// <summary>g' = g + decay w; m = beta1 m + weight1 g'; u = max(beta2 u, |g'| + epsilon); w += rate m / u.</summary>
internal readonly struct AdaMaxUpdate<T>(T rate, T epsilon, T beta1, T weight1, T beta2, T decay, T rounder) : IUpdate<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var round = TVector.Create(rounder);
        var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
        first = TVector.MultiplyAdd(TVector.Create(beta1), first, TVector.MultiplyAdd(TVector.Create(weight1), g, round)) - round;
        second = TVector.Max(TVector.Create(beta2) * second, TVector.Abs(g) + TVector.Create(epsilon));
        parameter += TVector.Create(rate) * first / second;
    }
}

/// <summary>w += weight (g - w): the parameter is an average, and its gradient is the number that enters the average.</summary>
internal readonly struct BlendUpdate<T>(T weight) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T> =>
        parameter = TVector.MultiplyAdd(TVector.Create(weight), gradient - parameter, parameter);
}
