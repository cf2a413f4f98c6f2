using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;
using BenchmarkDotNet.Attributes;

namespace Backprop.Simd.Bench;

/// <summary>Softmax by rows, and softmax cross-entropy forward and backward.</summary>
[Config(typeof(LimitsConfig))]
public class SoftmaxBenchmarks : IHasWork
{
    private AlignedBuffer<float> _logits = new(0), _probabilities = new(0);
    private Network<float>? _network;
    private Workspace<float>? _workspace;

    [Params("100x10", "1000x10", "128x1000")]
    public string Shape { get; set; } = "";

    private int Rows => int.Parse(Shape.Split('x')[0]);

    private int Classes => int.Parse(Shape.Split('x')[1]);

    public Work WorkOf(string method) => new(0, 2.0 * sizeof(float) * Rows * Classes);

    [GlobalSetup]
    public void Setup()
    {
        (_logits, _probabilities) = (new(Rows * Classes), new(Rows * Classes));
        Fill.Uniform(_logits.Span, seed: 1, -4, 4);
        _network = GraphBuilder.Chain(Classes).SoftmaxCrossEntropy().Build<float>();
        _workspace = _network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        _workspace.BindInput("x", _logits.Memory);
        Fill.Labels(Rows, Classes, seed: 3).CopyTo(_workspace.IndexInput());
    }

    [Benchmark]
    public void Softmax() => SoftmaxKernels.Softmax(new(_logits.Span, Rows, Classes), new Matrix<float>(_probabilities.Span, Rows, Classes));

    [Benchmark]
    public double CrossEntropyWithGradient()
    {
        var loss = _network!.Forward(_workspace!);
        _network.Backward(_workspace!);
        return loss;
    }
}
