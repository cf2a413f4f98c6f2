using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using BenchmarkDotNet.Attributes;

namespace Backprop.Simd.Bench;

/// <summary>One training step of the notebook's network, 784-50-10, and one inference.</summary>
[Config(typeof(LimitsConfig))]
public class StepBenchmarks : IHasWork, IDisposable
{
    private ComputeContext? _compute;
    private Network<float>? _network;
    private Workspace<float>? _training, _inference;
    private Sgd<float>? _optimizer;

    [Params(1, 32, 100, 1000)]
    public int Batch { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    public Work WorkOf(string method) => new(Batch * (method == nameof(Step) ? 2 * (2 * 784 * 50 + 3 * 50 * 10) : 2 * (784 * 50 + 50 * 10)));

    [GlobalSetup]
    public void Setup()
    {
        _compute = new ComputeContext(Threads);
        _network = GraphBuilder.Chain(784).Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        _training = _network.CreateWorkspace(Batch, compute: _compute);
        _inference = _network.CreateWorkspace(Batch, WorkspaceOptions.Inference, _compute);
        _optimizer = new Sgd<float>(_network.Parameters.Length, learningRate: 0.1);
        for (var i = 0; i < _training.Input().Length; i++)
            _training.Input()[i] = _inference.Input()[i] = i % 17 / 17f;
        for (var i = 0; i < Batch; i++)
            _training.IndexInput()[i] = i % 10;
    }

    [Benchmark]
    public double Step() => _network!.Step(_training!, _optimizer!);

    [Benchmark]
    public double Inference() => _network!.Forward(_inference!);

    [GlobalCleanup]
    public void Dispose()
    {
        _compute?.Dispose();
        GC.SuppressFinalize(this);
    }
}
