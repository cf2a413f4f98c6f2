using System.Numerics;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Sine and cosine of huge angles, beside multiples of a quarter turn, and at the ends of the range.</summary>
public class AngleTests
{
    [Theory]
    [InlineData("sin")]
    [InlineData("cos")]
    public void Angles_of_every_size_have_all_their_digits(string function)
    {
        // 6381956970095103 2^797 is the double nearest to a multiple of pi/2.
        var random = new Random(3);
        var x = new List<double> { Math.ScaleB(6381956970095103, 797), double.MaxValue, 1e22, Math.PI, Math.PI / 2, 16 * Math.PI };
        for (var exponent = -60; exponent < 1024; exponent++)
        {
            x.Add(Math.ScaleB(1 + random.NextDouble(), exponent));
            x.Add(-Math.ScaleB(1 + random.NextDouble(), exponent));
        }

        // As near to multiples of pi/2 as doubles are, around the bound of the short reduction too.
        for (var i = 0; i < 400; i++)
            x.Add(Math.Round(Math.Pow(10, 15 * random.NextDouble())) * (Math.PI / 2));
        x.AddRange([1073741824, Math.BitIncrement(1073741824), Math.BitDecrement(1073741824)]);
        Check<double>(1.2);
        Check<float>(1.2);

        void Check<T>(double bound) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var arguments = x.Select(T.CreateTruncating).Where(T.IsFinite).ToArray();
            foreach (var width in Functions.Widths)
            {
                var y = Functions.Evaluate(function, arguments, width);
                for (var i = 0; i < y.Length; i++)
                {
                    var exact = ExactFunctions.ByName[function](double.CreateTruncating(arguments[i]));
                    var error = typeof(T) == typeof(double) ? exact.UlpsTo(double.CreateTruncating(y[i])) : UlpTable.Error(y[i], (double)exact);
                    Assert.True(error <= bound, $"{width}: {function}({arguments[i]:R}) = {y[i]:R} is {error} ULP off.");
                }
            }
        }
    }

    [Fact]
    public void Zeros_keep_their_sign_and_infinities_give_NaN()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = [T.Zero, -T.Zero, T.PositiveInfinity, T.NegativeInfinity, T.NaN, T.Epsilon, -T.Epsilon];
            Guarded<T>.AssertSameBits([T.Zero, -T.Zero, T.NaN, T.NaN, T.NaN, T.Epsilon, -T.Epsilon], Functions.Evaluate("sin", x));
            Guarded<T>.AssertSameBits([T.One, T.One, T.NaN, T.NaN, T.NaN, T.One, T.One], Functions.Evaluate("cos", x));
        }
    }
}
