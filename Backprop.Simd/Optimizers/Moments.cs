using System.Numerics;

namespace Backprop.Simd.Optimizers;

/// <summary>Keeps moments that decay out of the subnormal range, where processors are several times slower.</summary>
internal static class Moments
{
    /// <summary>A number that rounds a first moment to multiples of 2^-100 (float) or 2^-960 (double), when added and subtracted again.</summary>
    public static T Rounder<T>() where T : unmanaged, IFloatingPointIeee754<T> =>
        T.CreateTruncating(Math.ScaleB(1.5, typeof(T) == typeof(float) ? 23 - 100 : 52 - 960));

    /// <summary>The amount that a second moment loses in every step, until it is 0.</summary>
    /// <remarks>
    /// Over many steps v falls short by 1 / (1 - decay) times this amount. Its root falls short by less than half a unit in the last place
    /// of epsilon, because sqrt(a) - sqrt(a - b) &lt;= sqrt(b).
    /// </remarks>
    public static T Least<T>(double epsilon, double decay) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shortfall = Math.ScaleB(epsilon, typeof(T) == typeof(float) ? -26 : -55);
        return T.CreateTruncating((1 - decay) * shortfall * shortfall);
    }
}
