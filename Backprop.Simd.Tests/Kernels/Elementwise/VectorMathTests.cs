using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public class VectorMathTests
{
    public static TheoryData<string> Functions => [.. UlpTable.Bounds.Keys];

    private static Vector<T> Evaluate<T>(string function, Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T> => function switch
    {
        "exp" => VectorMath.Exp(x),
        "log" => VectorMath.Log(x),
        "sigmoid" => VectorMath.Sigmoid(x),
        "tanh" => VectorMath.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, null),
    };

    private static double Exact(string function, double x) => function switch
    {
        "exp" => Math.Exp(x),
        "log" => Math.Log(x),
        "sigmoid" => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x)),
        "tanh" => Math.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, null),
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public void Floats_of_the_whole_range_stay_within_the_bound(string function)
    {
        var bits = 0u;
        AssertWithinBound(function, 1_100_000, () => BitConverter.UInt32BitsToSingle(bits += 3989));
    }

    [Theory]
    [MemberData(nameof(Functions))]
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
        var x = new T[Vector<T>.Count];
        var (worst, at) = (0.0, T.Zero);
        for (var i = 0; i < count; i += x.Length)
        {
            foreach (ref var value in x.AsSpan())
                value = next();
            var y = Evaluate(function, new Vector<T>(x));
            for (var lane = 0; lane < x.Length; lane++)
            {
                var error = UlpTable.Error(y[lane], Exact(function, double.CreateTruncating(x[lane])));
                if (error > worst)
                    (worst, at) = (error, x[lane]);
            }
        }

        Assert.True(worst <= UlpTable.Bound<T>(function), $"{function}({at}) is {worst} ULP off.");
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void Special_values_are_as_the_scalar_functions_have_them(string function)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var x in Samples.Special<T>())
            {
                var y = Evaluate(function, Vector.Create(x))[0];
                var exact = Exact(function, double.CreateTruncating(x));
                Assert.True(UlpTable.Error(y, exact) <= UlpTable.Bound<T>(function), $"{function}({x}) = {y}, not {exact}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void A_lane_does_not_depend_on_its_neighbours(string function)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            for (var seed = 0; seed < 2000; seed++)
            {
                var x = new Vector<T>(Samples.Mixed<T>(Vector<T>.Count, seed));
                var together = Evaluate(function, x);
                for (var lane = 0; lane < Vector<T>.Count; lane++)
                    Assert.Equal(UlpTable.Bits(Evaluate(function, Vector.Create(x[lane]))[0]), UlpTable.Bits(together[lane]));
            }
        }
    }

    [Fact]
    public void Exp_covers_the_whole_range()
    {
        Assert.Equal(1f, VectorMath.Exp(Vector<float>.Zero)[0]);
        Assert.Equal(1d, VectorMath.Exp(Vector.Create(-0d))[0]);
        Assert.Equal(float.PositiveInfinity, VectorMath.Exp(Vector.Create(88.73f))[0]);
        Assert.Equal(double.PositiveInfinity, VectorMath.Exp(Vector.Create(709.79))[0]);
        Assert.Equal(float.Epsilon, VectorMath.Exp(Vector.Create(-103.9f))[0]);
        Assert.Equal(double.Epsilon, VectorMath.Exp(Vector.Create(-745.1))[0]);
        Assert.Equal(0f, VectorMath.Exp(Vector.Create(-104f))[0]);
        Assert.Equal(0d, VectorMath.Exp(Vector.Create(-746d))[0]);
    }

    [Fact]
    public void Sigmoid_saturates_to_exactly_0_and_1_without_overflow()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var huge in (T[])[T.CreateTruncating(1000), T.CreateTruncating(1e30), T.PositiveInfinity])
            {
                Assert.Equal(T.One, VectorMath.Sigmoid(Vector.Create(huge))[0]);
                Assert.Equal(UlpTable.Bits(T.Zero), UlpTable.Bits(VectorMath.Sigmoid(Vector.Create(-huge))[0]));
            }

            Assert.Equal(T.CreateTruncating(0.5), VectorMath.Sigmoid(Vector<T>.Zero)[0]);
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
            {
                Assert.Equal(T.One, VectorMath.Tanh(Vector.Create(huge))[0]);
                Assert.Equal(-T.One, VectorMath.Tanh(Vector.Create(-huge))[0]);
            }

            Assert.Equal(UlpTable.Bits(-T.Zero), UlpTable.Bits(VectorMath.Tanh(Vector.Create(-T.Zero))[0]));
            foreach (var x in Samples.Mixed<T>(1000, 1))
                Assert.Equal(UlpTable.Bits(-VectorMath.Tanh(Vector.Create(x))[0]), UlpTable.Bits(VectorMath.Tanh(Vector.Create(-x))[0]));
        }
    }

    [Fact]
    public void Tanh_keeps_relative_accuracy_near_0()
    {
        for (var x = 0.7; x > 1e-300; x /= 3)
        {
            Assert.True(UlpTable.Error(VectorMath.Tanh(Vector.Create(x))[0], Math.Tanh(x)) <= UlpTable.Bound<double>("tanh"));
            var single = (float)x;
            Assert.True(UlpTable.Error(VectorMath.Tanh(Vector.Create(single))[0], Math.Tanh(single)) <= UlpTable.Bound<float>("tanh"));
        }
    }

    [Fact]
    public void Other_types_are_not_supported()
    {
        Assert.Throws<NotSupportedException>(() => Elementwise.Add<Half>(new Half[1], new Half[1], new Half[1]));
        Assert.Throws<NotSupportedException>(() => Reductions.Sum<Half>(new Half[1]));
    }
}
