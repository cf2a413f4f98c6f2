using System.Numerics;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>
/// The error bounds of all elementary functions, in units in the last place of the exact result: one place, for tests and
/// documentation. Measured with FMA over all floats (<c>Backprop.Simd.Bench -- ulp</c>) and a million doubles (the reference is
/// in double too, so that a double bound includes its error). The tests take samples with FMA and without; both hold.
/// </summary>
internal static class UlpTable
{
    public static readonly IReadOnlyDictionary<string, (double Single, double Double)> Bounds = new Dictionary<string, (double, double)>
    {
        //                 float double     measured: float, double
        ["exp"] = /*      */ (1.1, 2), //   1.08, 1
        ["log"] = /*      */ (1.0, 2), //   0.99, 1
        ["sigmoid"] = /*  */ (2.5, 3), //   2.41, 2
        ["tanh"] = /*     */ (2.0, 3), //   1.97, 2
        ["erf"] = /*      */ (1.5, 3), //   1.22, 2
        ["gelu"] = /*     */ (2.5, 7), //   1.74, 6 (2.3 against 50 digits: the reference's own error shows below -19)
        ["geluTanh"] = /* */ (2.5, 6), //   2.15, 5
        ["silu"] = /*     */ (2.5, 4), //   2.17, 3
        ["softplus"] = /* */ (2.5, 4), //   1.64, 3
        ["sin"] = /*      */ (1.2, 2), //   1.2 against 50 digits, in both types: AngleTests
        ["cos"] = /*      */ (1.2, 2), //   the same
    };

    /// <summary>The bound of every double function against 50 digits, with FMA and without, in the whole range.</summary>
    public const double ExactDoubleBound = 2.5;

    public static double Bound<T>(string function) => typeof(T) == typeof(float) ? Bounds[function].Single : Bounds[function].Double;

    /// <summary>The distance of a result from the exact value, in ULP of that value; 0 for equal infinities and for two NaN.</summary>
    public static double Error<T>(T actual, double exact) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (double.IsNaN(exact) || T.IsNaN(actual))
            return double.IsNaN(exact) && T.IsNaN(actual) ? 0 : double.PositiveInfinity;
        var rounded = T.CreateTruncating(exact);
        if (T.IsInfinity(rounded) || T.IsInfinity(actual))
            return rounded == actual ? 0 : double.PositiveInfinity;
        var magnitude = T.Abs(rounded);
        var ulp = magnitude == T.CreateTruncating(typeof(T) == typeof(float) ? float.MaxValue : double.MaxValue)
            ? magnitude - T.BitDecrement(magnitude)
            : T.BitIncrement(magnitude) - magnitude;
        return Math.Abs(double.CreateTruncating(actual) - exact) / double.CreateTruncating(ulp);
    }

    /// <summary>The bits of a value, so that -0 and 0 differ; every NaN is the same.</summary>
    public static long Bits<T>(T value) where T : unmanaged, IFloatingPointIeee754<T> =>
        T.IsNaN(value) ? long.MaxValue : BitConverter.DoubleToInt64Bits(double.CreateTruncating(value));
}
