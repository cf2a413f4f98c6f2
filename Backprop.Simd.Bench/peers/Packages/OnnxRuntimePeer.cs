using Backprop.Simd.Interchange;
using Backprop.Simd.Memory;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Bench;

/// <summary>ONNX Runtime on its CPU provider: forward passes, with input and output bound to memory of ours.</summary>
internal sealed class OnnxRuntimePeer : IPeer
{
    public const string Onnx = "ONNX Runtime";

    private int _threads = 1;

    public string Name => Onnx;

    public string Description { get; } = $"{OrtEnv.Instance().GetVersionString()}, CPU provider, all graph optimizations";

    public void UseThreads(int threads) => _threads = threads;

    public Call? Infer(NetworkProblem problem)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = _threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        var network = problem.Build();
        using var model = new MemoryStream();
        network.SaveOnnx(model);
        var session = new InferenceSession(model.ToArray(), options);
        var (x, y) = (new AlignedBuffer<float>(problem.X.Length), new AlignedBuffer<float>(problem.Batch * problem.Shape.Classes));
        problem.X.CopyTo(x.Span);
        var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, x.Memory, [problem.Batch, problem.Shape.Inputs]);
        var output = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, y.Memory, [problem.Batch, problem.Shape.Classes]);
        var binding = session.CreateIoBinding();
        binding.BindInput(network.Definition.InputNames.First(), input);
        binding.BindOutput(network.Definition.OutputNames.Single(), output);
        var run = new RunOptions();
        return new Call(() => session.RunWithBinding(run, binding), () => Fill.ToDouble<float>(y.Span), run, binding, input, output, session);
    }

    public void Dispose()
    {
    }
}
