using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Activations;

/// <summary>Activations beside their definitions, and their limits.</summary>
public sealed class ActivationDefinitionTests
{
    private const double Inf = double.PositiveInfinity;

    [Fact]
    public void Forward_and_derivative_follow_the_definition_relatively_in_the_tails()
    {
        foreach (var alpha in (double[])[1, 0.3, 0, -0.5])
            Check(new Elu(alpha), x => ActivationReference.Elu(x, alpha), x => ActivationReference.EluSlope(x, alpha), absoluteSlope: true);
        Check(new Selu(), ActivationReference.Selu, ActivationReference.SeluSlope, absoluteSlope: true);
        Check(new Gelu(), ElementaryFunctions.Gelu, ActivationReference.GeluSlope, tailFrom: -12);
        Check(new GeluTanh(), ElementaryFunctions.GeluTanh, ActivationReference.GeluTanhSlope, tailFrom: -8);
        Check(new Silu(), ElementaryFunctions.Silu, ActivationReference.SiluSlope);
        Check(new Mish(), ActivationReference.Mish, ActivationReference.MishSlope);
        foreach (var (beta, threshold) in ((double, double)[])[(1, 20), (4, 20), (0.5, 1), (2, 0), (1, -2)])
        {
            Check(new Softplus(beta, threshold), x => ActivationReference.Softplus(x, beta, threshold),
                x => ActivationReference.SoftplusSlope(x, beta, threshold));
        }

        Check(new Softsign(), ActivationReference.Softsign, ActivationReference.SoftsignSlope);
        Check(new HardSigmoid(), ActivationReference.HardSigmoid, ActivationReference.HardSigmoidSlope);
        Check(new HardSwish(), ActivationReference.HardSwish, ActivationReference.HardSwishSlope);
    }

    [Fact]
    public void At_the_infinities_outputs_and_derivatives_are_the_limits()
    {
        AssertLimits(new Elu(2), -2, Inf, 0, 1);
        AssertLimits(new Elu(-2), 2, Inf, 0, 1);
        AssertLimits(new Elu(0), 0, Inf, 0, 1);
        AssertLimits(new Selu(), -1.7580993408473766, Inf, 0, 1.0507009873554805);
        AssertLimits(new Gelu(), 0, Inf, 0, 1);
        AssertLimits(new GeluTanh(), 0, Inf, 0, 1);
        AssertLimits(new Silu(), 0, Inf, 0, 1);
        AssertLimits(new Mish(), 0, Inf, 0, 1);
        AssertLimits(new Softplus(), 0, Inf, 0, 1);
        AssertLimits(new Softplus(3, 1e30), 0, Inf, 0, 1);
        AssertLimits(new Softsign(), -1, 1, 0, 0);
        AssertLimits(new HardSigmoid(), 0, 1, 0, 0);
        AssertLimits(new HardSwish(), 0, Inf, 0, 1);
    }

    [Fact]
    public void At_kinks_the_derivative_is_PyTorchs()
    {
        Assert.Equal([0.3], Slopes(new Elu(0.3), 0.0));
        Assert.Equal([-0.3], Slopes(new Elu(-0.3), 0.0));
        Assert.Equal([1.0507009873554805 * 1.6732632423543772], Slopes(new Selu(), 0.0));
        Assert.Equal([0, 0.0], Slopes(new HardSigmoid(), -3.0, 3));
        Assert.Equal([0, 1.0], Slopes(new HardSwish(), -3.0, 3));
        Assert.Equal([ElementaryFunctions.Sigmoid(1), 1], Slopes(new Softplus(2, 2), 1.0 / 2, Math.BitIncrement(1.0)), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([1], Slopes(new Softsign(), 0.0));
    }

    [Fact]
    public void Where_the_input_is_NaN_pieces_pass_the_gradient_and_smooth_functions_give_NaN()
    {
        Assert.Equal([1.0], Slopes(new Elu(), double.NaN));
        Assert.Equal([1.0], Slopes(new Elu(-1), double.NaN));
        Assert.Equal([1.0507009873554805], Slopes(new Selu(), double.NaN));
        Assert.Equal([1 / 6.0], Slopes(new HardSigmoid(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new HardSwish(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new Gelu(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new GeluTanh(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new Silu(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new Mish(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new Softplus(), double.NaN));
        Assert.Equal([double.NaN], Slopes(new Softsign(), double.NaN));
    }

    [Fact]
    public void A_hard_gate_that_is_shut_lets_no_gradient_through_not_even_an_infinite_one()
    {
        double[] x = [-4, 4], dy = [Inf, double.NaN];
        Assert.Equal([0.0, 0], Backward(new HardSigmoid(), dy, x));
        Assert.Equal([0.0, double.NaN], Backward(new HardSwish(), dy, x));
    }

    [Fact]
    public void Elu_reads_its_output_only_where_that_has_the_sign_of_the_input()
    {
        Assert.False(new Elu().BackwardUsesInput);
        Assert.False(new Selu().BackwardUsesInput);
        Assert.False(new HardSigmoid().BackwardUsesInput);
        Assert.True(new Elu(0).BackwardUsesInput);
        Assert.True(new Elu(-1).BackwardUsesInput);
    }

    [Fact]
    public void Parameters_are_checked_and_have_PyTorchs_defaults()
    {
        Assert.Equal(1, new Elu().Alpha);
        Assert.Equal((1, 20), (new Softplus().Beta, new Softplus().Threshold));
        foreach (var bad in (double[])[double.NaN, Inf, 1e31])
        {
            Assert.Equal("alpha", Assert.Throws<ArgumentOutOfRangeException>(() => new Elu(bad)).ParamName);
            Assert.Equal("beta", Assert.Throws<ArgumentOutOfRangeException>(() => new Softplus(bad)).ParamName);
            Assert.Equal("threshold", Assert.Throws<ArgumentOutOfRangeException>(() => new Softplus(1, bad)).ParamName);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new Softplus(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Softplus(-1));
    }

    [Fact]
    public void Rectifier_like_activations_prefer_He()
    {
        foreach (var f in (IActivation[])[new Elu(), new Gelu(), new GeluTanh(), new Silu(), new Mish(), new HardSwish()])
            Assert.Same(Initialize.He, f.PreferredInitializer);
        foreach (var f in (IActivation[])[new Selu(), new Softplus(), new Softsign(), new HardSigmoid()])
            Assert.Null(f.PreferredInitializer);
    }

    private static void Check<TActivation>(
        TActivation f, Func<double, double> value, Func<double, double> slope, double tailFrom = -80, bool absoluteSlope = false)
        where TActivation : struct, IActivation
    {
        // From the tail to far above, densely about 0, and tiny ones.
        var x = Enumerable.Range(0, 1801).Select(i => (double)(float)(tailFrom + i * (40 - tailFrom) / 1800))
            .Concat(Enumerable.Range(-400, 801).Select(i => (double)(i / 100f)))
            .Concat(Enumerable.Range(1, 30).SelectMany(i => (double[])[(float)Math.Pow(10, -i), -(float)Math.Pow(10, -i)])).ToArray();
        Compare<double>(4e-14);
        Compare<float>(2e-6);

        void Compare<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var inputs = x.Select(T.CreateTruncating).ToArray();
            T[] y = Forward(f, inputs), dx = Slopes(f, inputs);
            for (var i = 0; i < x.Length; i++)
            {
                double exact = value(x[i]), exactSlope = slope(x[i]);
                AssertNear(exact, y[i], tolerance * Math.Abs(exact), f.Name, x[i]);
                var scale = absoluteSlope || Math.Abs(x[i]) <= 2 ? 1 : Math.Abs(exactSlope);
                AssertNear(exactSlope, dx[i], tolerance * scale, f.Name + "'", x[i]);
            }
        }

        static void AssertNear<T>(double expected, T actual, double tolerance, string what, double at) where T : unmanaged, IFloatingPointIeee754<T> =>
            Assert.True(Math.Abs(expected - double.CreateTruncating(actual)) <= tolerance + double.CreateTruncating(T.Epsilon),
                $"{what}({at}) of {typeof(T).Name} is {actual}, not {expected}.");
    }

    private static void AssertLimits<TActivation>(TActivation f, double low, double high, double slopeLow, double slopeHigh)
        where TActivation : struct, IActivation
    {
        Check<double>();
        Check<float>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = [T.NegativeInfinity, T.PositiveInfinity];
            Assert.Equal([T.CreateTruncating(low), T.CreateTruncating(high)], Forward(f, x));
            Assert.Equal([T.CreateTruncating(slopeLow), T.CreateTruncating(slopeHigh)], Slopes(f, x));
        }
    }

    private static T[] Forward<T, TActivation>(TActivation f, T[] x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var y = new T[x.Length];
        ActivationKernels.Forward(f, x, y.AsSpan());
        return y;
    }

    private static T[] Slopes<T, TActivation>(TActivation f, params T[] x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation => Backward(f, [.. x.Select(_ => T.One)], x);

    private static T[] Backward<T, TActivation>(TActivation f, T[] dy, T[] x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var dx = new T[x.Length];
        ActivationKernels.Backward<T, TActivation>(f, dy, f.BackwardUsesInput ? x : [], Forward(f, x), dx);
        return dx;
    }
}
