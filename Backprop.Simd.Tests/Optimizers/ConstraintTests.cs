using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>Constraints and penalties: their formulas, what they are applied to, and that every way of stepping applies them.</summary>
public sealed class ConstraintTests
{
    public static TheoryData<int, int> Shapes => new() { { 1, 1 }, { 5, 3 }, { 300, 70 }, { 7, 200 }, { 1000, 1 }, { 129, 64 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Formulas_are_those_of_the_reference(int rows, int columns)
    {
        Check<double>(1e-13);
        Check<float>(1e-5);

        void Check<T>(double tolerance) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            var random = new Random(rows + columns);
            T[] w = [.. Enumerable.Range(0, rows * columns).Select(_ => T.CreateTruncating(random.NextDouble() - 0.4))];
            double[] wide = [.. w.Select(double.CreateTruncating)];
            double[] norms = [.. Enumerable.Range(0, columns).Select(c => Math.Sqrt(Enumerable.Range(0, rows).Sum(r => Square(wide[r * columns + c]))))];
            var largest = norms.Order().ElementAt(columns / 2);
            Near(new NonNegative(), (x, _) => Math.Max(x, 0));
            Near(new L1Penalty(2), (x, _) => Math.Sign(x) * Math.Max(Math.Abs(x) - 0.2, 0));
            Near(new L2Penalty(2), (x, _) => x / 1.4);
            Near(new UnitNorm(), (x, c) => x / norms[c]);
            Near(new MaxNorm(largest), (x, c) => x * Math.Min(1, largest / norms[c]));

            static double Square(double x) => x * x;

            void Near(ParameterConstraint constraint, Func<double, int, double> formula)
            {
                using var team = new ComputeContext(3);
                T[]? first = null;
                foreach (var context in (ComputeContext?[])[null, team])
                {
                    var actual = w.ToArray();
                    constraint.Apply(new Matrix<T>(actual, rows, columns), 0.1, context);
                    for (var i = 0; i < w.Length; i++)
                        Assert.InRange(double.CreateTruncating(actual[i]) - formula(wide[i], i % columns), -tolerance, tolerance);
                    first ??= actual;
                    Assert.Equal(first, actual);
                }
            }
        }
    }

    [Fact]
    public void Zeros_stay_and_NaN_stays()
    {
        double[] w = [0, double.NaN, 0, 3];
        new UnitNorm().Apply(new Matrix<double>(w, 2, 2), 0.1, null);
        Assert.Equal([0, double.NaN, 0, double.NaN], w);
        foreach (var constraint in (ParameterConstraint[])[new NonNegative(), new L1Penalty(1), new L2Penalty(1), new MaxNorm(1)])
        {
            w = [double.NaN];
            constraint.Apply(new Matrix<double>(w, 1, 1), 0.1, null);
            Assert.Equal([double.NaN], w);
        }
    }

    /// <summary>1 / norm is no number of the type, or one with few digits.</summary>
    [Fact]
    public void Columns_of_any_size_get_the_norm()
    {
        Check<float>([1e-30, 3e-39, 1e-39, 1e-42, float.Epsilon, 1e30, 8e37], 2e-7);
        Check<double>([1e-300, 3e-308, 1e-309, 1e-320, double.Epsilon, 1e300, 4e307], 4e-16);

        static void Check<T>(double[] scales, double tolerance) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            foreach (var scale in scales)
            {
                foreach (var (constraint, norm) in ((ParameterConstraint, double)[])[(new UnitNorm(), 1), (new MaxNorm(1e-30), 1e-30)])
                {
                    // Columns (3, 4, 0, 0) and (-2, 2, 2, 2): rows without gaps, and columns without gaps.
                    var unit = T.CreateTruncating(scale);
                    T[] rows = [.. ((double[])[3, -2, 4, 2, 0, 2, 0, 2]).Select(w => T.CreateTruncating(w) * unit)];
                    T[] columns = [.. ((double[])[3, 4, 0, 0, -2, 2, 2, 2]).Select(w => T.CreateTruncating(w) * unit)];
                    var isScaled = norm == 1 || scale > 2e-31;
                    var (five, four) = isScaled ? (norm / 5, norm / 4) : (scale, scale);
                    constraint.Apply(new Matrix<T>(rows, 4, 2), 0.1, null);
                    constraint.Apply(new Matrix<T>(columns, 2, 4).Transposed, 0.1, null);
                    double[] expected = [3 * five, -2 * four, 4 * five, 2 * four, 0, 2 * four, 0, 2 * four];
                    for (var i = 0; i < 8; i++)
                    {
                        var allowed = Math.Abs(expected[i]) * tolerance + (isScaled ? 0 : 4 * scale * 1e-3);
                        Assert.InRange(double.CreateTruncating(rows[i]) - expected[i], -allowed, allowed);
                        Assert.InRange(double.CreateTruncating(columns[i % 2 * 4 + i / 2]) - expected[i], -allowed, allowed);
                    }
                }
            }
        }
    }

    /// <summary>One row of a batch, plain SGD: gradients of weights are applied at once and never stored.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void A_step_projects_what_it_has_moved_however_it_moves(int rows)
    {
        var network = GraphBuilder.Chain(40).Affine(30).Relu().Affine(30).Relu().Affine(3).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var workspace = network.CreateWorkspace(rows);
        foreach (var optimizer in (Optimizer<float>[])[new Sgd<float>(network, 0.5), new Adam<float>(network, 0.5)])
        {
            optimizer.Constrain(network.Definition.Parameters.Matrices(p => p.Name == "affine2.weight"), new UnitNorm());
            optimizer.Constrain(network.Definition.Parameters.Matrices(p => p.Name is "affine1.weight" or "affine1.bias"), new NonNegative());
            for (var step = 0; step < 3; step++)
            {
                workspace.Input().Fill(step + 0.5f);
                network.Step(workspace, optimizer);
                var w = network.ParameterOf("affine2.weight");
                for (var c = 0; c < 30; c++)
                {
                    var sum = 0.0;
                    for (var r = 0; r < 30; r++)
                        sum += (double)w[r * 30 + c] * w[r * 30 + c];
                    Assert.InRange(sum, 1 - 1e-5, 1 + 1e-5);
                }

                Assert.DoesNotContain(network.ParameterOf("affine1.weight").ToArray(), x => x < 0);
                Assert.Contains(network.ParameterOf("affine3.weight").ToArray(), x => x < 0);
            }

            optimizer.ClearConstraints();
            network.Forward(workspace);
            network.Backward(workspace);
            network.Update(workspace, optimizer);
        }
    }

    [Fact]
    public void What_is_frozen_is_not_changed_and_a_group_has_its_own_rate()
    {
        var network = GraphBuilder.Chain(2).Affine(2).Affine(2).SoftmaxCrossEntropy().Build<double>(seed: 1);
        var sgd = new Sgd<double>(network, 0.1);
        sgd.Constrain(network.Definition.Parameters.Matrices(), new L2Penalty(1));
        network.Freeze("affine1.weight");
        sgd.SetGroups(network.Definition.Parameters.Group("head", p => p.Name == "affine2.weight"));
        sgd.Groups[0].LearningRate = 0.5;
        double[] frozen = [.. network.ParameterOf("affine1.weight")], head = [.. network.ParameterOf("affine2.weight")];
        sgd.Step(network.Parameters, new double[network.Parameters.Length], network.TrainableRanges);
        Assert.Equal(frozen, network.ParameterOf("affine1.weight").ToArray());
        Assert.Equal(head.Select(w => w * (1 / 2.0)), network.ParameterOf("affine2.weight").ToArray());
    }

    [Fact]
    public void A_penalty_makes_weights_that_do_nothing_exactly_zero()
    {
        var network = GraphBuilder.Chain(3).Affine(1).MeanSquaredError().Build<float>(seed: 1);
        var workspace = network.CreateWorkspace(64);
        var random = new Random(1);
        for (var row = 0; row < 64; row++)
        {
            for (var i = 0; i < 3; i++)
                workspace.Input("x")[row * 3 + i] = random.NextSingle() - 0.5f;
            workspace.Input("targets")[row] = 2 * workspace.Input("x")[row * 3];
        }

        var sgd = new Sgd<float>(network, 0.5);
        sgd.Constrain(network.Definition.Parameters.Matrices(p => p.Name.EndsWith(".weight", StringComparison.Ordinal)), new L1Penalty(0.02));
        for (var step = 0; step < 300; step++)
            network.Step(workspace, sgd);
        var w = network.ParameterOf("affine1.weight");
        Assert.InRange(w[0], 1.5f, 2);
        Assert.Equal([0, 0], w[1..].ToArray());
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        Assert.Equal("largest", Assert.Throws<ArgumentOutOfRangeException>(() => new MaxNorm(0)).ParamName);
        Assert.Equal("strength", Assert.Throws<ArgumentOutOfRangeException>(() => new L1Penalty(-1)).ParamName);
        Assert.Equal("strength", Assert.Throws<ArgumentOutOfRangeException>(() => new L2Penalty(double.NaN)).ParamName);
        var sgd = new Sgd<float>(10, 0.1);
        foreach (var bad in (ParameterMatrix[])[new("w", new(8, 4), 2, 2), new("w", new(0, 4), 3, 2), new("w", new(0, 4), -2, -2)])
            Assert.Equal("parameters", Assert.Throws<ArgumentException>(() => sgd.Constrain([bad], new UnitNorm())).ParamName);
        Assert.Throws<ArgumentNullException>(() => sgd.Constrain(null!, new UnitNorm()));
        Assert.Throws<ArgumentNullException>(() => sgd.Constrain([], null!));
    }
}
