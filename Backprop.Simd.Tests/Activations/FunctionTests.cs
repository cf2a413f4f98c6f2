using System.Globalization;
using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Activations;

/// <summary>Elementary functions as layers: beside PyTorch's numbers at bounds, kinks, zeros and infinities, and beside their definitions.</summary>
public sealed class FunctionTests
{
    public static TheoryData<string> Lines => [.. ReadLines()];

    private static string[] ReadLines()
    {
        using var reader = new StreamReader(typeof(FunctionTests).Assembly.GetManifestResourceStream("PyTorch.functions.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void Outputs_and_gradients_are_PyTorchs(string line)
    {
        var parts = line.Split(" | ");
        var head = parts[0].Split(' ');
        var p = head[1..].Select(Number).ToArray();
        double[] x = Numbers(parts[1]), y = Numbers(parts[2]), dx = Numbers(parts[3]);
        switch (head[0])
        {
            case "log": Check(new Log()); break;
            case "sqrt": Check(new Sqrt()); break;
            case "abs": Check(new Abs()); break;
            case "sin": Check(new Sin()); break;
            case "cos": Check(new Cos()); break;
            case "erf": Check(new Erf()); break;
            case "floor": Check(new Floor()); break;
            case "clip": Check(new Clip(p[0], p[1])); break;
            case "hardtanh": Check(new HardTanh(p[0], p[1])); break;
            case "relu6": Check(new Relu6()); break;
            case "celu": Check(new Celu(p[0])); break;
            case "thresholdedrelu": Check(new ThresholdedRelu(p[0])); break;
            case "logsigmoid": Check(new LogSigmoid()); break;
            case "pow": Check(new Pow(p[0])); break;
            case "glu" or "swiglu": CheckGated(head[0] == "glu"); break;
            default: Assert.Fail($"Unknown function {head[0]}."); break;
        }

        void Check<TActivation>(TActivation f) where TActivation : struct, IActivation
        {
            var dy = x.Select((_, i) => i + 1.0).ToArray();
            Compare(y, Forward(f, x), f.Name, f is Celu ? 2e-16 : 0); // PyTorch's celu is e^x - 1 with cancellation.
            Compare(dx, Backward(f, dy, x), f.Name + "'", f is Celu ? 1e-6 : 0); // Its derivative takes 1 / alpha in single precision.
            for (var i = 0; i < x.Length; i++)
            {
                if (x[i] == (float)x[i]) // Other arguments are no floats.
                    Assert.True(IsNear((float)y[i], Forward(f, [(float)x[i]])[0], 4e-7, 0), $"{f.Name}({x[i]:R}) of float is not {y[i]:R}.");
            }
        }

        void CheckGated(bool isGlu)
        {
            var half = x.Length / 2;
            double[] output = new double[half], gradient = new double[x.Length], dy = [.. Enumerable.Range(1, half).Select(i => (double)i)];
            if (isGlu)
            {
                GatedUnits.Glu(x, half, output);
                GatedUnits.GluBackward<double>(dy, x, half, gradient);
            }
            else
            {
                GatedUnits.SwiGlu(x, half, output);
                GatedUnits.SwiGluBackward<double>(dy, x, half, gradient);
            }

            Compare(y, output, head[0], 0);
            Compare(dx, gradient, head[0] + "'", 0);
        }

        void Compare(double[] expected, double[] actual, string what, double absolute)
        {
            for (var i = 0; i < expected.Length; i++)
            {
                var (e, a) = (expected[i], actual[i]);
                Assert.True(IsNear(e, a, 1e-14, absolute), $"{what}({x[i]:R}) is {a:R}, not {e:R}.");
            }
        }
    }

    private static bool IsNear(double expected, double actual, double relative, double absolute) =>
        expected == actual || double.IsNaN(expected) && double.IsNaN(actual) || Math.Abs(expected - actual) <= relative * Math.Abs(expected) + absolute;

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(Number)];

    private static double Number(string text) => text.Trim() switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        var number => double.Parse(number, CultureInfo.InvariantCulture),
    };

    [Fact]
    public void Values_and_derivatives_follow_their_definitions()
    {
        Check(new Log(), Math.Log, x => 1 / x, positive: true);
        Check(new Sqrt(), Math.Sqrt, x => 0.5 / Math.Sqrt(x), positive: true);
        Check(new Abs(), Math.Abs, x => Math.Sign(x));
        Check(new Sin(), Math.Sin, Math.Cos);
        Check(new Cos(), Math.Cos, x => -Math.Sin(x));
        Check(new Erf(), ElementaryFunctions.Erf, ActivationReference.ErfSlope);
        Check(new Floor(), Math.Floor, _ => 0);
        Check(new Relu6(), x => ActivationReference.Bounded(x, 0, 6), x => ActivationReference.BoundedSlope(x, 0, 6, 0));
        Check(new HardTanh(), x => ActivationReference.Bounded(x, -1, 1), x => ActivationReference.BoundedSlope(x, -1, 1, 0));
        Check(new Clip(-2, 0.5), x => ActivationReference.Bounded(x, -2, 0.5), x => ActivationReference.BoundedSlope(x, -2, 0.5, 1));
        Check(new LogSigmoid(), ActivationReference.LogSigmoid, ActivationReference.LogSigmoidSlope);
        Check(new ThresholdedRelu(), x => ActivationReference.ThresholdedRelu(x, 1), x => ActivationReference.ThresholdedReluSlope(x, 1));
        foreach (var alpha in (double[])[1, 0.25, 3])
            Check(new Celu(alpha), x => ActivationReference.Celu(x, alpha), x => ActivationReference.CeluSlope(x, alpha));
        foreach (var p in (double[])[0, 1, 2, 3, 4, -1, -3])
            Check(new Pow(p), x => Math.Pow(x, p), x => p == 0 ? 0 : p * Math.Pow(x, p - 1));
        foreach (var p in (double[])[0.5, 1.5, -0.25, 7.75])
            Check(new Pow(p), x => Math.Pow(x, p), x => p * Math.Pow(x, p - 1), positive: true);

        static void Check<TActivation>(TActivation f, Func<double, double> value, Func<double, double> slope, bool positive = false)
            where TActivation : struct, IActivation
        {
            var x = Enumerable.Range(-800, 1601).Select(i => (double)(float)(i * 0.015625 + (positive ? 12.6 : 0))).ToArray();
            Compare<double>(1e-13);
            Compare<float>(2e-6);

            void Compare<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
            {
                var inputs = x.Select(T.CreateTruncating).ToArray();
                T[] y = Forward(f, inputs), dx = Backward(f, [.. inputs.Select(_ => T.One)], inputs);
                for (var i = 0; i < x.Length; i++)
                {
                    AssertNear(value(x[i]), y[i], f.Name);
                    AssertNear(slope(x[i]), dx[i], f.Name + "'");

                    void AssertNear(double expected, T actual, string what)
                    {
                        var a = double.CreateTruncating(actual);
                        Assert.True(IsNear(expected, a, tolerance, 1e-36), $"{what}({x[i]:R}) of {typeof(T).Name} is {a:R}, not {expected:R}.");
                    }
                }
            }
        }
    }

    [Fact]
    public void Gated_units_follow_their_definitions_row_by_row_and_refuse_what_is_no_rows()
    {
        const int half = 19, rows = 5;
        double[] x = Samples.Ordinary<double>(2 * half * rows, 1), dy = Samples.Ordinary<double>(half * rows, 2), y = new double[half * rows + 1];
        double[] swi = new double[half * rows], dx = new double[x.Length], swiDx = new double[x.Length];
        y[^1] = 7;
        GatedUnits.Glu(x, half, y);
        GatedUnits.SwiGlu(x, half, swi);
        GatedUnits.GluBackward<double>(dy, x, half, dx);
        GatedUnits.SwiGluBackward<double>(dy, x, half, swiDx);
        Assert.Equal(7, y[^1]);
        for (var i = 0; i < half * rows; i++)
        {
            var at = i / half * 2 * half + i % half;
            var (a, b) = (x[at], x[at + half]);
            double s = ElementaryFunctions.Sigmoid(b), silu = ElementaryFunctions.Silu(a);
            Assert.Equal(a * s, y[i], 1e-14);
            Assert.Equal(silu * b, swi[i], 1e-14);
            Assert.Equal(dy[i] * s, dx[at], 1e-14);
            Assert.Equal(dy[i] * a * s * (1 - s), dx[at + half], 1e-14);
            Assert.Equal(dy[i] * b * ActivationReference.SiluSlope(a), swiDx[at], 1e-13);
            Assert.Equal(dy[i] * silu, swiDx[at + half], 1e-14);
        }

        GatedUnits.GluBackward<double>(dy, x, half, new(swiDx, adds: true));
        GatedUnits.SwiGluBackward<double>(dy, x, half, new(dx, adds: true));
        for (var i = 0; i < dx.Length; i++)
            Assert.Equal(dx[i], swiDx[i], 1e-13);
        Assert.Equal("half", Assert.Throws<ArgumentOutOfRangeException>(() => GatedUnits.Glu<double>(x, 0, y)).ParamName);
        Assert.Equal("x", Assert.Throws<ArgumentException>(() => GatedUnits.Glu<double>(x, 18, y)).ParamName);
        Assert.Equal("x", Assert.Throws<ArgumentException>(() => GatedUnits.Glu<double>(x, int.MaxValue, y)).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => GatedUnits.SwiGlu<double>(x, half, new double[3])).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => GatedUnits.Glu<double>(x, half, x)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() => GatedUnits.GluBackward<double>(dy, x, half, new double[4])).ParamName);
    }

    [Fact]
    public void Signs_of_zero_and_subnormal_numbers_stay()
    {
        Guarded<double>.AssertSameBits([-0.0, 0.0], Forward(new Sin(), [-0.0, 0.0]));
        Guarded<double>.AssertSameBits([-0.0, 0.0], Forward(new Sqrt(), [-0.0, 0.0]));
        Guarded<double>.AssertSameBits([0.0, 0.0], Forward(new Abs(), [-0.0, 0.0]));
        Guarded<double>.AssertSameBits([-0.0, -1], Forward(new Floor(), [-0.0, -double.Epsilon]));
        Guarded<double>.AssertSameBits([double.Epsilon], Forward(new Celu(), [double.Epsilon]));
    }

    [Fact]
    public void Bad_settings_are_refused_by_name()
    {
        foreach (var bad in (double[])[double.NaN, 1e31])
        {
            Assert.Equal("exponent", Assert.Throws<ArgumentOutOfRangeException>(() => new Pow(bad)).ParamName);
            Assert.Equal("low", Assert.Throws<ArgumentOutOfRangeException>(() => new Clip(bad, 1)).ParamName);
            Assert.Equal("high", Assert.Throws<ArgumentOutOfRangeException>(() => new HardTanh(0, bad)).ParamName);
            Assert.Equal("theta", Assert.Throws<ArgumentOutOfRangeException>(() => new ThresholdedRelu(bad)).ParamName);
            Assert.Equal("alpha", Assert.Throws<ArgumentOutOfRangeException>(() => new Celu(bad)).ParamName);
        }

        Assert.Equal("alpha", Assert.Throws<ArgumentOutOfRangeException>(() => new Celu(0)).ParamName);
        Assert.Equal("alpha", Assert.Throws<ArgumentOutOfRangeException>(() => new Celu(-1)).ParamName);
        Assert.Equal((1.0, 1.0, 1.0, -1.0, 1.0), (new Celu().Alpha, default(Celu).Alpha, new ThresholdedRelu().Theta, new HardTanh().Low, new HardTanh().High));
    }

    private static T[] Forward<T, TActivation>(TActivation f, T[] x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var y = new T[x.Length];
        ActivationKernels.Forward(f, x, y.AsSpan());
        return y;
    }

    private static T[] Backward<T, TActivation>(TActivation f, T[] dy, T[] x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var dx = new T[x.Length];
        ActivationKernels.Backward<T, TActivation>(f, dy, f.BackwardUsesInput ? x : [], Forward(f, x), dx);
        return dx;
    }
}
