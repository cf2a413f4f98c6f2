using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Optimizers;

namespace Backprop.Simd.Tests.Kernels;

public class UpdateLoopsTests
{
    [Fact]
    public void Every_width_gives_the_same_bits()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T F(double value) => T.CreateTruncating(value);
            CheckOperator(new GradientUpdate<T>(F(-0.1)));
            CheckOperator(new DecayedGradientUpdate<T>(F(-0.1), F(0.3)));
            CheckOperator(new MomentumUpdate<T>(F(-0.1), F(0.3), F(0.9), F(0.7)));
            CheckOperator(new NesterovUpdate<T>(F(-0.1), F(0.3), F(0.9)));
            var adam = new AdamUpdate<T>
            {
                Rate = F(-0.1),
                Scale = F(1.5),
                Epsilon = F(1e-8),
                Beta1 = F(0.9),
                Weight1 = F(0.1),
                Beta2 = F(0.99),
                Weight2 = F(0.01),
                Decay = F(0.3),
                Keep = F(0.98),
                Rounder = F(1e-23),
                Least = F(1e-33),
            };
            CheckOperator(adam);
            CheckOperator(new AmsGradUpdate<T>(adam));
            CheckOperator(new NAdamUpdate<T>(adam, F(-0.2)));
            CheckOperator(new AdaGradUpdate<T>(F(-0.1), F(1e-8), F(0.3)));
            var numbers = new RmsPropNumbers<T>(F(-0.1), F(1e-3), F(0.9), F(0.1), F(0.3), F(0.8), F(1e-23), F(1e-33));
            CheckOperator(new RmsPropUpdate<T, No, No>(numbers));
            CheckOperator(new RmsPropUpdate<T, No, Yes>(numbers));
            CheckOperator(new RmsPropUpdate<T, Yes, No>(numbers));
            CheckOperator(new RmsPropUpdate<T, Yes, Yes>(numbers));
            CheckOperator(new LionUpdate<T>(F(-0.1), F(0.9), F(0.1), F(0.8), F(0.2), F(0.98)));
            CheckOperator(new FirstMomentUpdate<T>(adam));
            CheckOperator(new AdaDeltaUpdate<T>(F(-0.1), F(1e-3), F(0.9), F(0.1), F(0.3), F(1e-12)));
            CheckOperator(new AdaMaxUpdate<T>(F(-0.1), F(1e-3), F(0.9), F(0.1), F(0.8), F(0.3), F(1e-23)));
            CheckOperator(new BlendUpdate<T>(F(0.1)));

            static void CheckOperator<TUpdate>(TUpdate update) where TUpdate : struct, IUpdate<T>
            {
                for (var n = 0; n < 70; n++)
                {
                    var expected = Run(n, SimdWidth.Bits128);
                    foreach (var width in (SimdWidth[])[SimdWidth.Bits256, SimdWidth.Bits512, SimdWidth.Portable, SimdWidth.Widest])
                        Guarded<T>.AssertSameBits(expected, Run(n, width));
                }

                T[] Run(int n, SimdWidth width)
                {
                    Guarded<T> g = new(Samples.Ordinary<T>(n, 1)), w = new(Samples.Ordinary<T>(n, 2));
                    Guarded<T> s = new(TUpdate.States == 1 ? Positive(n, 3) : Samples.Ordinary<T>(n, 3)), t = new(Positive(n, 4)), u = new(Positive(n, 5));
                    new RangeUpdate<T>(w.Span, g.Span, new BlockRange(0, n), null, width).Visit(update, s.Span, t.Span, u.Span);
                    w.AssertIntact();
                    s.AssertIntact();
                    t.AssertIntact();
                    u.AssertIntact();
                    return [.. w.Span, .. s.Span, .. t.Span, .. u.Span];
                }

                static T[] Positive(int n, int seed) => [.. Samples.Ordinary<T>(n, seed).Select(T.Abs)];
            }
        }
    }

    [Fact]
    public void A_visitor_gets_the_operator_of_the_step_in_progress_and_the_state()
    {
        Optimizer<double>[] optimizers =
        [
            new Sgd<double>(5, 0.1), new Sgd<double>(5, 0.1, weightDecay: 0.2), new Sgd<double>(5, 0.1, 0.9, dampening: 0.5),
            new Sgd<double>(5, 0.1, 0.9, nesterov: true), new Adam<double>(5), new AdamW<double>(5),
            .. OptimizerCases.Names.Select(name => OptimizerCases.Create<double>(name, 5)),
        ];
        Optimizer<double>[] visited =
        [
            new Sgd<double>(5, 0.1), new Sgd<double>(5, 0.1, weightDecay: 0.2), new Sgd<double>(5, 0.1, 0.9, dampening: 0.5),
            new Sgd<double>(5, 0.1, 0.9, nesterov: true), new Adam<double>(5), new AdamW<double>(5),
            .. OptimizerCases.Names.Select(name => OptimizerCases.Create<double>(name, 5)),
        ];
        for (var i = 0; i < optimizers.Length; i++)
        {
            var expected = Samples.Ordinary<double>(5, 1);
            var w = expected.ToArray();
            for (var step = 0; step < 3; step++)
            {
                var g = Samples.Ordinary<double>(5, 2 + step);
                optimizers[i].Step(expected, g);

                // Two visits of a step, as two layers would make them.
                var first = new RangeUpdate<double>(w, g, new BlockRange(3, 2), null);
                var second = new RangeUpdate<double>(w, g, new BlockRange(0, 3), null);
                Assert.True(visited[i].TryVisit(ref first));
                Assert.True(visited[i].TryVisit(ref second));
                visited[i].FinishStep();
            }

            Guarded<double>.AssertSameBits(expected, w);
        }
    }
}
