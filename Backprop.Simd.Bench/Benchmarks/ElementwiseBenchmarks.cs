using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using BenchmarkDotNet.Attributes;

namespace Backprop.Simd.Bench;

/// <summary>Elementwise functions and reductions in the first-level cache, the second, and memory.</summary>
[Config(typeof(LimitsConfig))]
public class ElementwiseBenchmarks : IHasWork
{
    private AlignedBuffer<float> _x = new(0), _y = new(0), _z = new(0);

    [Params(4096, 65536, 1 << 24)]
    public int Length { get; set; }

    public Work WorkOf(string method) => new(0, sizeof(float) * (double)Length * method switch
    {
        nameof(Add) or nameof(Axpy) => 3,
        nameof(Sum) or nameof(Max) => 1,
        _ => 2,
    });

    [GlobalSetup]
    public void Setup()
    {
        (_x, _y, _z) = (new(Length), new(Length), new(Length));
        Fill.Uniform(_x.Span, seed: 1, 0.1, 4);
        Fill.Uniform(_y.Span, seed: 2);
    }

    [Benchmark]
    public void Exp() => Elementwise.Exp(_x.Span, _z.Span);

    [Benchmark]
    public void Log() => Elementwise.Log(_x.Span, _z.Span);

    [Benchmark]
    public void SigmoidForward() => ActivationKernels.Forward(default(Sigmoid), _x.Span, _z.Span);

    [Benchmark]
    public void TanhForward() => ActivationKernels.Forward(default(Tanh), _x.Span, _z.Span);

    [Benchmark]
    public void ReluForward() => ActivationKernels.Forward(default(Relu), _x.Span, _z.Span);

    [Benchmark]
    public void Add() => Elementwise.Add(_x.Span, _y.Span, _z.Span);

    [Benchmark]
    public void Axpy() => Elementwise.Axpy(1e-6f, _x.Span, _y.Span);

    [Benchmark]
    public float Sum() => Reductions.Sum<float>(_x.Span);

    [Benchmark]
    public float Dot() => Reductions.Dot<float>(_x.Span, _y.Span);

    [Benchmark]
    public float Max() => Reductions.Max<float>(_x.Span);
}
