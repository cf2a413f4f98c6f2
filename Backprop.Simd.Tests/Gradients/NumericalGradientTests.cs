using Backprop.Simd.Gradients;

namespace Backprop.Simd.Tests.Gradients;

public sealed class NumericalGradientTests
{
    [Fact]
    public void It_is_that_of_the_function()
    {
        double[] x = [0.5, -2, 3];
        var gradient = new double[3];
        NumericalGradient.Compute(() => x[0] * x[1] * x[1] + Math.Sin(x[2]), x, gradient);
        Assert.Equal(4, gradient[0], 1e-9);
        Assert.Equal(-2, gradient[1], 1e-9);
        Assert.Equal(Math.Cos(3), gradient[2], 1e-8);
    }

    [Fact]
    public void Its_error_is_of_second_order()
    {
        double[] x = [1];
        var errors = new List<double>();
        foreach (var step in (double[])[1e-1, 1e-2, 1e-3])
        {
            var gradient = new double[1];
            NumericalGradient.Compute(() => Math.Exp(x[0]), x, gradient, step);
            errors.Add(gradient[0] - Math.E);
        }

        Assert.Equal(100, errors[0] / errors[1], 1.0);
        Assert.Equal(100, errors[1] / errors[2], 1.0);
    }

    [Fact]
    public void A_quadratic_has_no_truncation_error()
    {
        double[] x = [1.5];
        var gradient = new double[1];
        NumericalGradient.Compute(() => x[0] * x[0], x, gradient, 0.25);
        Assert.Equal(3, gradient[0]);
    }

    [Fact]
    public void The_step_divided_by_is_the_one_taken()
    {
        // Near 1e8 doubles lie 1.49e-8 apart: only the distance really travelled gives the slope.
        double[] x = [1e8];
        var gradient = new double[1];
        NumericalGradient.Compute(() => x[0], x, gradient, 1.2e-8);
        Assert.Equal(1, gradient[0]);
    }

    [Fact]
    public void Variables_are_restored_exactly_also_after_a_throw()
    {
        double[] x = [0.1, 1e300, double.Epsilon, -0.0];
        var before = x.ToArray();
        NumericalGradient.Compute(() => x[0], x, new double[4]);
        Infrastructure.Bits.AssertEqual<double>(before, x, "after");
        Assert.Throws<InvalidOperationException>(() => NumericalGradient.Compute(() => throw new InvalidOperationException(), x, new double[4]));
        Infrastructure.Bits.AssertEqual<double>(before, x, "after a throw");
        NumericalGradient.Directional(() => x[0], x, [1, 1, 1, 1]);
        Infrastructure.Bits.AssertEqual<double>(before, x, "after a direction");
        Assert.Throws<InvalidOperationException>(() => NumericalGradient.Directional(() => throw new InvalidOperationException(), x, [1, 1, 1, 1]));
        Infrastructure.Bits.AssertEqual<double>(before, x, "after a throw along a direction");
    }

    [Fact]
    public void A_direction_gives_the_gradient_times_the_direction()
    {
        double[] x = [0.5, -2, 3];
        double[] direction = [2, -1, 0.5];
        var value = NumericalGradient.Directional(() => x[0] * x[1] * x[1] + Math.Sin(x[2]), x, direction);
        Assert.Equal(2 * 4 + 2 + 0.5 * Math.Cos(3), value, 1e-7);
    }

    [Fact]
    public void Arguments_are_checked()
    {
        var x = new double[3];
        Assert.Throws<ArgumentNullException>(() => NumericalGradient.Compute(null!, x, new double[3]));
        Assert.Throws<ArgumentException>(() => NumericalGradient.Compute(() => 0, x, new double[2]));
        Assert.Throws<ArgumentException>(() => NumericalGradient.Compute(() => 0, x, x));
        Assert.Throws<ArgumentException>(() => NumericalGradient.Directional(() => 0, x, new double[2]));
        Assert.Throws<ArgumentException>(() => NumericalGradient.Directional(() => 0, x, x));
        foreach (var step in (double[])[0, -1, double.NaN, double.PositiveInfinity])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => NumericalGradient.Compute(() => 0, x, new double[3], step));
            Assert.Throws<ArgumentOutOfRangeException>(() => NumericalGradient.Directional(() => 0, x, new double[3], step));
        }
    }
}
