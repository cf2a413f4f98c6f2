using Backprop.Simd.Activations;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Double functions against 50 digits: dense where values are small, where formulas change, and in the tails.</summary>
public class DoubleAccuracyTests
{
    public static TheoryData<string> Names => [.. ExactFunctions.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void No_double_function_is_further_off_than_the_bound(string function)
    {
        var x = Arguments(function == "log");
        var y = Evaluate(function, x);
        var (worst, at) = (0.0, 0.0);
        for (var i = 0; i < x.Length; i++)
        {
            // Zero as rounded, and infinity, are what is left beyond the range.
            if (double.IsInfinity(y[i]) || x[i] == 0)
                continue;
            var error = ExactFunctions.ByName[function](x[i]).UlpsTo(y[i]);
            if (error > worst)
                (worst, at) = (error, x[i]);
        }

        Assert.True(worst <= UlpTable.ExactDoubleBound, $"{function}({at:R}) is {worst} ULP off.");
    }

    [Fact]
    public void The_reference_has_the_digits_of_known_values()
    {
        // 17 digits of values that are known to more.
        Check("exp", 1, 2.7182818284590452);
        Check("log", 10, 2.3025850929940457);
        Check("sigmoid", -1, 0.26894142136999512);
        Check("tanh", 0.5, 0.46211715726000976);
        Check("erf", 0.5, 0.52049987781304654);
        Check("erf", 3, 0.99997790950300141);
        Check("gelu", -1, -0.15865525393145705);
        Check("gelu", -3, -0.0040496940948902836);
        Check("silu", -1, -0.26894142136999512);
        Check("softplus", 0, 0.69314718055994531);
        Check("mish", 1, 0.86509838826731035);

        static void Check(string function, double x, double expected) =>
            Assert.InRange(ExactFunctions.ByName[function](x).UlpsTo(expected), 0, 1);
    }

    private static double[] Arguments(bool arePositive)
    {
        var random = new Random(11);
        var x = new List<double>();
        for (var i = 0; i < 700; i++)
        {
            // All sizes from 1e-9 to 40 on both sides, what lies around 0, the near tail, and the far one.
            x.Add(-Math.Pow(10, -9 + 10.6 * random.NextDouble()));
            x.Add(Math.Pow(10, -9 + 10.6 * random.NextDouble()));
            x.Add(-random.NextDouble());
            x.Add(2 * random.NextDouble());
            x.Add(-4 * random.NextDouble());
            x.Add(-40 * random.NextDouble());
            if (i % 5 == 0)
                x.Add(-745 * random.NextDouble());
        }

        return [.. x.Select(value => arePositive ? Math.Abs(value) : value)];
    }

    private static double[] Evaluate(string function, double[] x)
    {
        if (function is not ("mish" or "elu"))
            return Functions.Evaluate(function, x);
        var y = new double[x.Length];
        if (function == "mish")
            ActivationKernels.Forward(new Mish(), x, y.AsSpan());
        else
            ActivationKernels.Forward(new Elu(), x, y.AsSpan());
        return y;
    }
}
