using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;

namespace Backprop.Simd.Tests.Activations;

public class ActivationTests
{
    /// <summary>An activation as a user writes it: x sigmoid(x), whose backward pass reads input and output.</summary>
    private readonly record struct Swish : IActivation
    {
        public string Name => nameof(Swish);

        public bool BackwardUsesInput => true;

        public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => x * VectorMath.Sigmoid(x);

        public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
            outputGradient * (y + VectorMath.Sigmoid(x) * (1 - y));
    }

    private static T First<T>(SimdVector<T> x) where T : unmanaged, IFloatingPointIeee754<T> => Unsafe.As<SimdVector<T>, T>(ref x);

    private static T[] Forward<T, TActivation>(TActivation f, T[] x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var y = new T[x.Length];
        ActivationKernels.Forward(f, x, y.AsSpan());
        return y;
    }

    private static T[] Backward<T, TActivation>(TActivation f, T[] dy, T[] x, T[]? start = null)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var dx = start ?? new T[x.Length];
        ActivationKernels.Backward<T, TActivation>(f, dy, f.BackwardUsesInput ? x : [], Forward(f, x), new(dx, adds: start is not null));
        return dx;
    }

    [Fact]
    public void ReLU_of_NaN_is_NaN_and_of_minus_0_is_0()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = [T.NaN, -T.Zero, T.Zero, T.One, -T.One, T.PositiveInfinity, T.NegativeInfinity, T.Epsilon, -T.Epsilon];
            Guarded<T>.AssertSameBits(
                [T.NaN, T.Zero, T.Zero, T.One, T.Zero, T.PositiveInfinity, T.Zero, T.Epsilon, T.Zero], Forward(new Relu(), x));
        }
    }

    [Fact]
    public void ReLU_passes_the_gradient_where_x_is_positive_or_NaN_and_gives_exactly_0_elsewhere()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = [T.NaN, -T.Zero, T.Zero, T.One, -T.One, T.Epsilon, -T.Epsilon];
            foreach (var g in (T[])[T.CreateTruncating(-2.5), T.NaN, T.PositiveInfinity])
                Guarded<T>.AssertSameBits([g, T.Zero, T.Zero, g, T.Zero, g, T.Zero], Backward(new Relu(), Enumerable.Repeat(g, 7).ToArray(), x));
        }
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.2)]
    [InlineData(0)]
    [InlineData(-0.5)]
    public void LeakyReLU_has_its_slope_at_and_below_0(double slope)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var f = new LeakyRelu(slope);
            Assert.Equal(!(slope > 0), f.BackwardUsesInput);
            var a = T.CreateTruncating(slope);
            T two = T.CreateTruncating(2), three = T.CreateTruncating(3);
            T[] x = [T.NaN, -T.Zero, T.Zero, two, -two, T.Epsilon, -T.Epsilon];
            Guarded<T>.AssertSameBits([T.NaN, a * -T.Zero, a * T.Zero, two, a * -two, T.Epsilon, a * -T.Epsilon], Forward(f, x));
            Guarded<T>.AssertSameBits(
                [three, a * three, a * three, three, a * three, three, a * three], Backward(f, Enumerable.Repeat(three, 7).ToArray(), x));
        }
    }

    [Fact]
    public void LeakyReLU_validates_its_slope_and_defaults_to_a_hundredth()
    {
        foreach (var slope in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
            Assert.Equal("negativeSlope", Assert.Throws<ArgumentOutOfRangeException>(() => new LeakyRelu(slope)).ParamName);
        Assert.Equal(0.01, new LeakyRelu().NegativeSlope);
    }

    [Fact]
    public void NaN_in_NaN_out_everywhere()
    {
        Check(new Relu());
        Check(new LeakyRelu());
        Check(new Sigmoid());
        Check(new Tanh());
        Check(new Elu());
        Check(new Elu(-0.5));
        Check(new Selu());
        Check(new Gelu());
        Check(new GeluTanh());
        Check(new Silu());
        Check(new Mish());
        Check(new Softplus());
        Check(new Softplus(2, 3));
        Check(new Softsign());
        Check(new HardSigmoid());
        Check(new HardSwish());

        static void Check<TActivation>(TActivation f) where TActivation : struct, IActivation
        {
            Assert.Equal([float.NaN], Forward(f, [float.NaN]));
            Assert.Equal([double.NaN], Forward(f, [double.NaN]));
            Assert.Equal([double.NaN], Backward(f, [double.NaN], [1]));
            Assert.False(string.IsNullOrWhiteSpace(f.Name));
        }
    }

    [Fact]
    public void Sigmoid_and_tanh_saturate_exactly_and_their_gradient_is_then_0()
    {
        float[] x = [-1000, 1000, float.NegativeInfinity, float.PositiveInfinity], dy = [3, 3, 3, 3];
        Assert.Equal([0, 1, 0, 1], Forward(new Sigmoid(), x));
        Assert.Equal([-1, 1, -1, 1], Forward(new Tanh(), x));
        Assert.Equal([0, 0, 0, 0], Backward(new Sigmoid(), dy, x));
        Assert.Equal([0, 0, 0, 0], Backward(new Tanh(), dy, x));
    }

    [Fact]
    public void Backward_is_the_derivative_of_forward()
    {
        Check(new Relu());
        Check(new LeakyRelu(0.1));
        Check(new LeakyRelu(-0.1));
        Check(new Sigmoid());
        Check(new Tanh());
        Check(new Swish());
        Check(new Elu());
        Check(new Elu(-0.5));
        Check(new Selu());
        Check(new Gelu());
        Check(new GeluTanh());
        Check(new Silu());
        Check(new Mish());
        Check(new Softplus());
        Check(new Softsign());
        Check(new HardSigmoid());
        Check(new HardSwish());

        static void Check<TActivation>(TActivation f) where TActivation : struct, IActivation
        {
            const double h = 1e-5;
            double[] x = Samples.Ordinary<double>(201, 9), dy = Samples.Ordinary<double>(201, 10);
            double[] up = Forward(f, x.Select(v => v + h).ToArray()), down = Forward(f, x.Select(v => v - h).ToArray());
            double[] dx = Backward(f, dy, x), accumulated = Backward(f, dy, x, Enumerable.Repeat(100.0, 201).ToArray());
            var single = Backward(f, dy.Select(v => (float)v).ToArray(), x.Select(v => (float)v).ToArray());
            for (var i = 0; i < x.Length; i++)
            {
                Assert.Equal(dy[i] * (up[i] - down[i]) / (2 * h), dx[i], 1e-8);
                Assert.Equal(dx[i], accumulated[i] - 100, 1e-12);
                Assert.Equal(dx[i], single[i], 2e-6);
            }
        }
    }

    [Fact]
    public void Kernels_match_single_elements_at_every_length_in_place_and_keep_a_tail()
    {
        Check<float, Relu>(new());
        Check<double, LeakyRelu>(new());
        Check<float, LeakyRelu>(new(-0.3));
        Check<float, Sigmoid>(new());
        Check<double, Tanh>(new());
        Check<float, Swish>(new());
        Check<double, Elu>(new());
        Check<float, Elu>(new());
        Check<float, Selu>(new());
        Check<double, Selu>(new());
        Check<double, Gelu>(new());
        Check<float, Gelu>(new());
        Check<float, GeluTanh>(new());
        Check<double, GeluTanh>(new());
        Check<double, Silu>(new());
        Check<float, Silu>(new());
        Check<float, Mish>(new());
        Check<double, Mish>(new());
        Check<double, Softplus>(new());
        Check<float, Softplus>(new());
        Check<float, Softsign>(new());
        Check<double, Softsign>(new());
        Check<double, HardSigmoid>(new());
        Check<float, HardSigmoid>(new());
        Check<float, HardSwish>(new());
        Check<double, HardSwish>(new());

        static void Check<T, TActivation>(TActivation f)
            where T : unmanaged, IFloatingPointIeee754<T>
            where TActivation : struct, IActivation
        {
            foreach (var n in Samples.Lengths<T>())
            {
                T[] x = Samples.Mixed<T>(n, n), dy = Samples.Mixed<T>(n, n + 1), start = Samples.Ordinary<T>(n, 3);
                var y = x.Select(value => First(f.Forward(SimdVector<T>.Create(value)))).ToArray();
                var dx = y.Select((value, i) =>
                    First(f.Backward(SimdVector<T>.Create(dy[i]), SimdVector<T>.Create(f.BackwardUsesInput ? x[i] : value),
                        SimdVector<T>.Create(value)))).ToArray();

                Guarded<T> output = new([.. start, T.One]), inPlace = new(x);
                ActivationKernels.Forward<T, TActivation>(f, x, output.Span);
                ActivationKernels.Forward<T, TActivation>(f, inPlace.Span, inPlace.Span);
                Guarded<T>.AssertSameBits([.. y, T.One], output.Span);
                Guarded<T>.AssertSameBits(y, inPlace.Span);

                Guarded<T> gradient = new([.. start, T.One]), overDy = new(dy), sum = new([.. start, T.One]);
                ActivationKernels.Backward<T, TActivation>(f, dy, f.BackwardUsesInput ? x : [], y, gradient.Span);
                ActivationKernels.Backward<T, TActivation>(f, overDy.Span, f.BackwardUsesInput ? x : [], y, overDy.Span);
                ActivationKernels.Backward<T, TActivation>(f, dy, f.BackwardUsesInput ? x : [], y, new(sum.Span, adds: true));
                Guarded<T>.AssertSameBits([.. dx, T.One], gradient.Span);
                Guarded<T>.AssertSameBits(dx, overDy.Span);
                Guarded<T>.AssertSameBits([.. start.Zip(dx, (a, b) => a + b), T.One], sum.Span);
                Assert.All([output, inPlace, gradient, overDy, sum], span => span.AssertIntact());
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        const int n = 8 * 512 + 11;
        Check(new LeakyRelu());
        Check(new Tanh());
        Check(new Swish());

        static void Check<TActivation>(TActivation f) where TActivation : struct, IActivation
        {
            float[] x = Samples.Mixed<float>(n, 1), dy = Samples.Mixed<float>(n, 2);
            Threads.AssertSameBits<float>(context =>
            {
                float[] y = new float[n], dx = new float[n];
                ActivationKernels.Forward<float, TActivation>(f, x, y, context);
                ActivationKernels.Backward<float, TActivation>(f, dy, x, y, dx, context);
                ActivationKernels.Backward<float, TActivation>(f, dy, x, y, new(dx, adds: true), context);
                return [.. y, .. dx];
            });
        }
    }

    [Fact]
    public void Wrong_lengths_and_shifted_overlaps_throw()
    {
        var a = new float[20];
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => ActivationKernels.Forward<float, Tanh>(new(), a, new float[19])).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => ActivationKernels.Forward<float, Tanh>(new(), a.AsSpan(0, 10), a.AsSpan(1))).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => ActivationKernels.Backward<float, Tanh>(new(), a, [], new float[19], a)).ParamName);
        Assert.Equal("x", Assert.Throws<ArgumentException>(() => ActivationKernels.Backward<float, Swish>(new(), a, [], new float[20], a)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() =>
            ActivationKernels.Backward<float, Tanh>(new(), a, [], new float[20], new float[19])).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() =>
            ActivationKernels.Backward<float, Tanh>(new(), a.AsSpan(1, 10), [], new float[10], a)).ParamName);
    }

    [Fact]
    public void ReLU_like_activations_prefer_He_and_others_the_default()
    {
        Assert.Same(Initialize.He, ((IActivation)new Relu()).PreferredInitializer);
        Assert.Same(Initialize.He, ((IActivation)new LeakyRelu()).PreferredInitializer);
        Assert.Null(((IActivation)new Sigmoid()).PreferredInitializer);
        Assert.Null(((IActivation)new Tanh()).PreferredInitializer);
    }
}
