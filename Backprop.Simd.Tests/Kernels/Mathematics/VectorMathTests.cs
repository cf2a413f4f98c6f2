using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public class VectorMathTests
{
    public static TheoryData<string> Names => [.. UlpTable.Bounds.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Floats_of_the_whole_range_stay_within_the_bound(string function)
    {
        var bits = 0u;
        AssertWithinBound(function, 1_100_000, () => BitConverter.UInt32BitsToSingle(bits += 3989));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Doubles_of_the_whole_range_stay_within_the_bound(string function)
    {
        var random = new Random(7);
        var draw = 0;
        AssertWithinBound(function, 1_000_000, () => (draw++ & 3) switch
        {
            0 => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)),
            1 => 1500 * random.NextDouble() - 750,
            2 => 44 * random.NextDouble() - 22,
            _ => 4 * random.NextDouble() - 2,
        });
    }

    private static void AssertWithinBound<T>(string function, int count, Func<T> next) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = new T[count];
        foreach (ref var value in x.AsSpan())
            value = next();
        var y = Functions.Evaluate(function, x);
        var (worst, at) = (0.0, T.Zero);
        for (var i = 0; i < count; i++)
        {
            var error = UlpTable.Error(y[i], Functions.Exact(function, double.CreateTruncating(x[i])));
            if (error > worst)
                (worst, at) = (error, x[i]);
        }

        Assert.True(worst <= UlpTable.Bound<T>(function), $"{function}({at}) is {worst} ULP off.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Special_values_are_as_the_scalar_functions_have_them(string function)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var width in Functions.Widths)
            {
                var x = Samples.Special<T>();
                var y = Functions.Evaluate(function, x, width);
                for (var i = 0; i < x.Length; i++)
                {
                    var exact = Functions.Exact(function, double.CreateTruncating(x[i]));
                    Assert.True(UlpTable.Error(y[i], exact) <= UlpTable.Bound<T>(function), $"{width}: {function}({x[i]}) = {y[i]}, not {exact}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_register_width_gives_the_same_bits_and_a_lane_does_not_depend_on_its_neighbours(string function)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = [.. Samples.Special<T>(), .. Samples.Mixed<T>(3000, 5)];
            var alone = x.Select(value => Functions.Evaluate(function, value)).ToArray();
            foreach (var width in Functions.Widths)
                Guarded<T>.AssertSameBits(alone, Functions.Evaluate(function, x, width));
        }
    }

    [Fact]
    public void Exp_covers_the_whole_range()
    {
        foreach (var width in Functions.Widths)
        {
            Assert.Equal(
                [1f, float.PositiveInfinity, float.Epsilon, 0f],
                Functions.Evaluate("exp", [0f, 88.73f, -103.9f, -104f], width));
            Assert.Equal(
                [1d, double.PositiveInfinity, double.Epsilon, 0d],
                Functions.Evaluate("exp", [-0d, 709.79, -745.1, -746], width));
        }
    }

    [Fact]
    public void Sigmoid_saturates_to_exactly_0_and_1_without_overflow()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var huge in (T[])[T.CreateTruncating(1000), T.CreateTruncating(1e30), T.PositiveInfinity])
                Guarded<T>.AssertSameBits([T.One, T.Zero], Functions.Evaluate("sigmoid", [huge, -huge]));
            Assert.Equal(T.CreateTruncating(0.5), Functions.Evaluate("sigmoid", T.Zero));
        }
    }

    [Fact]
    public void Tanh_saturates_to_exactly_1_keeps_the_sign_of_0_and_is_odd()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var huge in (T[])[T.CreateTruncating(30), T.CreateTruncating(1e30), T.PositiveInfinity])
                Assert.Equal([T.One, -T.One], Functions.Evaluate("tanh", [huge, -huge]));
            AssertOdd<T>("tanh");
        }
    }

    private static void AssertOdd<T>(string function) where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[] x = [T.Zero, .. Samples.Mixed<T>(1000, 1)];
        var y = Functions.Evaluate(function, x);
        var mirrored = Functions.Evaluate(function, x.Select(value => -value).ToArray());
        Guarded<T>.AssertSameBits(y.Select(value => -value).ToArray(), mirrored);
    }

    [Fact]
    public void Tanh_keeps_relative_accuracy_near_0()
    {
        for (var x = 0.7; x > 1e-300; x /= 3)
        {
            Assert.True(UlpTable.Error(Functions.Evaluate("tanh", x), Math.Tanh(x)) <= UlpTable.Bound<double>("tanh"));
            var single = (float)x;
            Assert.True(UlpTable.Error(Functions.Evaluate("tanh", single), Math.Tanh(single)) <= UlpTable.Bound<float>("tanh"));
        }
    }

    [Fact]
    public void Other_types_are_not_supported()
    {
        Assert.Throws<NotSupportedException>(() => Elementwise.Add<Half>(new Half[1], new Half[1], new Half[1]));
        Assert.Throws<NotSupportedException>(() => Elementwise.Exp<Half>(new Half[1], new Half[1]));
        Assert.Throws<NotSupportedException>(() => Reductions.Sum<Half>(new Half[1]));
    }
}
