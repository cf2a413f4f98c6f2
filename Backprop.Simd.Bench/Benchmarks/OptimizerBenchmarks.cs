using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using BenchmarkDotNet.Attributes;

namespace Backprop.Simd.Bench;

/// <summary>One update of the parameters of 784-50-10, of 784-512-256-10, and of more than the caches hold.</summary>
[Config(typeof(LimitsConfig))]
public class OptimizerBenchmarks : IHasWork
{
    private AlignedBuffer<float> _parameters = new(0), _gradients = new(0);
    private Optimizer<float>? _sgd, _momentum;

    [Params(39_760, 535_818, 1 << 24)]
    public int Count { get; set; }

    /// <summary>Parameters are read and written, gradients read, each state read and written.</summary>
    public Work WorkOf(string method) => new(0, sizeof(float) * (double)Count * (method == nameof(Sgd) ? 3 : 5));

    [GlobalSetup]
    public void Setup()
    {
        (_parameters, _gradients) = (new(Count), new(Count));
        Fill.Uniform(_parameters.Span, seed: 1);
        Fill.Uniform(_gradients.Span, seed: 2);
        _sgd = new Sgd<float>(Count, 1e-3);
        _momentum = new Sgd<float>(Count, 1e-3, momentum: 0.9);
    }

    [Benchmark]
    public void Sgd() => _sgd!.Step(_parameters.Span, _gradients.Span);

    [Benchmark]
    public void Momentum() => _momentum!.Step(_parameters.Span, _gradients.Span);
}
