using Backprop.Simd.Memory;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Backprop.Simd.Bench;

internal sealed partial class TorchPeer
{
    /// <summary>Functional calls on bare parameters, without the overhead of modules; everything of a step in one dispose scope.</summary>
    public Call? Train(NetworkProblem problem)
    {
        var p = problem;
        var (x, parameters) = Load(p);
        var labels = tensor(Array.ConvertAll(p.Labels, l => (long)l));
        var optimizer = CreateOptimizer(p.Shape.Optimizer,
            p.Shape.Optimizer == "sgd" ? NetworkProblem.SgdLearningRate : NetworkProblem.AdamLearningRate, parameters);
        return Training(() => nn.functional.cross_entropy(Forward(p, x, parameters), labels), parameters, optimizer, [x, labels]);
    }

    /// <summary>A step: the loss, its gradients and an update. The result is the losses of the first steps.</summary>
    private static Call Training(Func<Tensor> forward, IReadOnlyList<Parameter> parameters, optim.Optimizer optimizer, IEnumerable<IDisposable> owned)
    {
        var losses = new List<double>();
        void Run()
        {
            using var scope = NewDisposeScope();
            var loss = forward();
            // zero_grad of TorchSharp fills with zeros, which backward then adds to; none, as PyTorch's default, is faster.
            foreach (var parameter in parameters)
                parameter.grad = null;
            loss.backward();
            optimizer.step();
            if (losses.Count < NetworkProblem.CheckedSteps)
                losses.Add(loss.item<float>());
        }

        double[] Result()
        {
            while (losses.Count < NetworkProblem.CheckedSteps)
                Run();
            return [.. losses];
        }

        return new Call(Run, Result, [optimizer, .. owned, .. parameters]);
    }

    public Call? Infer(NetworkProblem problem)
    {
        var p = problem;
        var (x, parameters) = Load(p);
        double[]? first = null;
        void Run()
        {
            using var mode = inference_mode();
            using var scope = NewDisposeScope();
            var result = Forward(p, x, parameters);
            first ??= Read<float>(result.flatten());
        }

        return new Call(Run, () => first!, [x, .. parameters]);
    }

    private static (Tensor X, List<Parameter> Parameters) Load(NetworkProblem p)
    {
        var parameters = new List<Parameter>();
        var inputs = p.Shape.Inputs;
        foreach (var (weights, biases) in p.Layers())
        {
            // nn.functional.linear takes weights as [outputs, inputs].
            using var w = tensor(weights).reshape(inputs, biases.Length);
            parameters.Add(new Parameter(w.t().contiguous()));
            parameters.Add(new Parameter(tensor(biases)));
            inputs = biases.Length;
        }

        return (tensor(p.X).reshape(p.Batch, p.Shape.Inputs), parameters);
    }

    private static Tensor Forward(NetworkProblem p, Tensor x, List<Parameter> parameters)
    {
        for (var i = 0; i < parameters.Count; i += 2)
        {
            x = nn.functional.linear(x, parameters[i], parameters[i + 1]);
            if (i + 2 < parameters.Count)
                x = p.Shape.Activation == "relu" ? x.relu_() : x.sigmoid_();
        }

        return x;
    }
}
