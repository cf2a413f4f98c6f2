using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

public class SgdTests
{
    public static TheoryData<double, bool, double> Options => new()
    {
        { 0, false, 0 }, { 0, false, 0.1 }, { 0.9, false, 0 }, { 0.9, false, 0.1 }, { 0.8, true, 0 }, { 0.8, true, 0.1 },
    };

    /// <summary>PyTorch's torch.optim.SGD, line by line, in double.</summary>
    private sealed class Reference(int count, double rate, double momentum, bool nesterov, double weightDecay)
    {
        private readonly double[] _buffer = new double[count];
        private bool _started;

        public void Step(double[] w, double[] g, int start, int length)
        {
            for (var i = start; i < start + length; i++)
            {
                var gradient = g[i] + weightDecay * w[i];
                if (momentum != 0)
                {
                    _buffer[i] = _started ? momentum * _buffer[i] + gradient : gradient;
                    gradient = nesterov ? gradient + momentum * _buffer[i] : _buffer[i];
                }

                w[i] -= rate * gradient;
            }

            _started = true;
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Steps_follow_the_formulas_at_every_length(double momentum, bool nesterov, double weightDecay)
    {
        Check<float>(1e-5);
        Check<double>(1e-13);

        void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var n in Samples.Lengths<T>())
            {
                var optimizer = new Sgd<T>(n, 0.05, momentum, nesterov, weightDecay);
                var reference = new Reference(n, 0.05, momentum, nesterov, weightDecay);
                var parameters = new Guarded<T>(Samples.Ordinary<T>(n, n));
                var expected = Array.ConvertAll(parameters.Span.ToArray(), double.CreateTruncating);
                for (var step = 0; step < 6; step++)
                {
                    Assert.Equal(step, optimizer.Steps);
                    var gradients = new Guarded<T>(Samples.Ordinary<T>(n, 100 + step));
                    var before = gradients.Span.ToArray();
                    optimizer.Step(parameters.Span, gradients.Span);
                    reference.Step(expected, Array.ConvertAll(before, double.CreateTruncating), 0, n);
                    Assert.Equal(before, gradients.Span.ToArray());
                    gradients.AssertIntact();
                }

                for (var i = 0; i < n; i++)
                    Assert.Equal(expected[i], double.CreateTruncating(parameters.Span[i]), tolerance);
                parameters.AssertIntact();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Only_the_given_ranges_change(double momentum, bool nesterov, double weightDecay)
    {
        const int n = 100;
        BlockRange[] ranges = [new(3, 1), new(10, 0), new(17, 21), new(38, 2), new(60, 40)];
        var optimizer = new Sgd<double>(n, 0.05, momentum, nesterov, weightDecay);
        var start = Samples.Ordinary<double>(n, 1);
        var (w, expected) = (start.ToArray(), start.ToArray());
        var references = ranges.Select(_ => new Reference(n, 0.05, momentum, nesterov, weightDecay)).ToArray();
        for (var step = 0; step < 3; step++)
        {
            var g = Samples.Ordinary<double>(n, step + 5);
            optimizer.Step(w, g, ranges);
            for (var i = 0; i < ranges.Length; i++)
                references[i].Step(expected, g, ranges[i].Start, ranges[i].Length);
        }

        for (var i = 0; i < n; i++)
        {
            var inside = ranges.Any(range => i >= range.Start && i < range.End);
            Assert.Equal(expected[i], w[i], 1e-13);
            Assert.Equal(inside, w[i] != start[i]);
            if (!optimizer.Velocity.IsEmpty)
                Assert.Equal(inside, optimizer.Velocity[i] != 0);
        }

        Assert.Equal(3, optimizer.Steps);
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void The_same_bits_on_1_2_3_and_8_threads(double momentum, bool nesterov, double weightDecay)
    {
        const int n = 8 * 512 + 100;
        Threads.AssertSameBits<float>(context =>
        {
            var optimizer = new Sgd<float>(n, 0.05, momentum, nesterov, weightDecay);
            var w = Samples.Ordinary<float>(n, 1);
            for (var step = 0; step < 3; step++)
                optimizer.Step(w, Samples.Ordinary<float>(n, step + 2), [new BlockRange(0, 7), new BlockRange(16, n - 16)], context);
            return [.. w, .. optimizer.Velocity];
        });
    }

    [Fact]
    public void Dampening_spares_the_first_step()
    {
        // v1 = g1; v = momentum v + (1 - dampening) g.
        var optimizer = new Sgd<double>(1, 0.5, momentum: 0.5, dampening: 0.75);
        double[] w = [1];
        optimizer.Step(w, [4]);
        Assert.Equal(1 - 0.5 * 4, w[0]);
        optimizer.Step(w, [8]);
        Assert.Equal(-1 - 0.5 * (0.5 * 4 + 0.25 * 8), w[0]);
        optimizer.Step(w, [-4]);
        Assert.Equal(-3 - 0.5 * (0.5 * 4 + 0.25 * -4), w[0]);
        Assert.Equal(0.75, optimizer.Dampening);
    }

    [Fact]
    public void The_learning_rate_of_the_next_step_may_change()
    {
        var optimizer = new Sgd<double>(1, 0.5);
        double[] w = [0];
        optimizer.Step(w, [1]);
        optimizer.LearningRate = 2;
        optimizer.Step(w, [1]);
        Assert.Equal(-2.5, w[0]);
        Assert.Equal("LearningRate", Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.LearningRate = -1).ParamName);
        Assert.Equal(2, optimizer.LearningRate);
    }

    [Fact]
    public void Zero_padding_stays_zero()
    {
        var optimizer = new Sgd<float>(20, 0.1, 0.9, nesterov: true, weightDecay: 0.01);
        var w = new float[20];
        for (var step = 0; step < 3; step++)
            optimizer.Step(w, new float[20]);
        Assert.All(w, value => Assert.Equal(0, value));
    }

    [Fact]
    public void There_is_no_velocity_without_momentum()
    {
        Assert.True(new Sgd<float>(10, 0.1).Velocity.IsEmpty);
        Assert.Equal(10, new Sgd<float>(10, 0.1, 0.5).Velocity.Length);
    }

    [Fact]
    public void Options_are_validated()
    {
        Throws("learningRate", () => new Sgd<float>(1, -0.1));
        Throws("learningRate", () => new Sgd<float>(1, double.NaN));
        Throws("learningRate", () => new Sgd<float>(1, double.PositiveInfinity));
        Throws("momentum", () => new Sgd<float>(1, 0.1, 1));
        Throws("momentum", () => new Sgd<float>(1, 0.1, -0.1));
        Throws("momentum", () => new Sgd<float>(1, 0.1, double.NaN));
        Throws("weightDecay", () => new Sgd<float>(1, 0.1, weightDecay: -1));
        Throws("dampening", () => new Sgd<float>(1, 0.1, 0.9, dampening: 1.1));
        Throws("dampening", () => new Sgd<float>(1, 0.1, 0.9, dampening: double.NaN));
        Throws("parameterCount", () => new Sgd<float>(-1, 0.1));
        Assert.Equal("dampening", Assert.Throws<ArgumentException>(() => new Sgd<float>(1, 0.1, dampening: 0.1)).ParamName);
        Assert.Equal("nesterov", Assert.Throws<ArgumentException>(() => new Sgd<float>(1, 0.1, 0.9, nesterov: true, dampening: 0.1)).ParamName);
        Assert.Equal("nesterov", Assert.Throws<ArgumentException>(() => new Sgd<float>(1, 0.1, nesterov: true)).ParamName);
        Assert.Throws<NotSupportedException>(() => new Sgd<Half>(1, 0.1));

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }

    [Fact]
    public void Nothing_is_written_on_an_error()
    {
        var optimizer = new Sgd<float>(4, 0.1, 0.9);
        float[] w = [1, 2, 3, 4], g = [1, 1, 1, 1];
        var error = Throws("parameters", () => optimizer.Step(w.AsSpan(0, 3), g));
        Assert.Contains("4", error.Message, StringComparison.Ordinal);
        Assert.Contains("3", error.Message, StringComparison.Ordinal);
        Throws("gradients", () => optimizer.Step(w, g.AsSpan(0, 3)));
        Throws("parameters", () => optimizer.Step(w, w));
        Throws("ranges", () => optimizer.Step(w, g, [new BlockRange(0, 2), new BlockRange(1, 2)]));
        Throws("ranges", () => optimizer.Step(w, g, [new BlockRange(0, 2), new BlockRange(3, 2)]));
        Throws("ranges", () => optimizer.Step(w, g, [new BlockRange(0, 1), new BlockRange(2, -1)]));
        Throws("ranges", () => optimizer.Step(w, g, [new BlockRange(-1, 1)]));
        Throws("ranges", () => optimizer.Step(w, g, [new BlockRange(0, 1), new BlockRange(int.MaxValue, int.MaxValue)]));
        Assert.Equal([1, 2, 3, 4], w);
        Assert.All(optimizer.Velocity.ToArray(), v => Assert.Equal(0, v));
        Assert.Equal(0, optimizer.Steps);

        static ArgumentException Throws(string name, Action step)
        {
            var error = Assert.Throws<ArgumentException>(step);
            Assert.Equal(name, error.ParamName);
            return error;
        }
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        // Counted on this thread only, which does all the work of a call without a context.
        Sgd<float>[] optimizers = [new(1000, 0.1), new(1000, 0.1, 0.9), new(1000, 0.1, 0.9, nesterov: true, weightDecay: 0.1)];
        float[] w = Samples.Ordinary<float>(1000, 1), g = Samples.Ordinary<float>(1000, 2);
        BlockRange[] ranges = [new(0, 400), new(416, 500)];
        foreach (var optimizer in optimizers)
        {
            Assert.Equal(0, ThreadAllocations.Least(() =>
            {
                for (var step = 0; step < 1000; step++)
                    Both(optimizer, w, g, ranges);
            }));
        }

        static void Both(Sgd<float> optimizer, float[] w, float[] g, ReadOnlySpan<BlockRange> ranges)
        {
            optimizer.Step(w, g);
            optimizer.Step(w, g, ranges, ComputeContext.SingleThreaded);
        }
    }
}
