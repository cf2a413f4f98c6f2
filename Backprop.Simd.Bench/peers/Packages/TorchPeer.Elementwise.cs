using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Backprop.Simd.Bench;

internal sealed partial class TorchPeer
{
    /// <summary>TorchSharp has no out forms of these: each call makes its result and disposes of it, as LibTorch's allocator expects.</summary>
    public Call? Vector<T>(VectorProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = Vector<T>(problem.X.Span);
        var y = Vector<T>(problem.Y.Span);
        Scalar factor = VectorProblem<T>.Factor;
        if (problem.Operation.Name == "axpy")
            return new Call(() => y.add_(x, factor), () => Read<T>(y), x, y);
        Func<Tensor>? operation = problem.Operation.Name switch
        {
            "exp" => x.exp,
            "log" => x.log,
            "sigmoid" => x.sigmoid,
            "tanh" => x.tanh,
            "relu" => x.relu,
            "erf" => x.erf,
            "gelu" => () => nn.functional.gelu(x),
            "silu" => () => nn.functional.silu(x),
            "softplus" => () => nn.functional.softplus(x),
            "add" => () => x.add(y),
            "multiply" => () => x.mul(y),
            "scale" => () => x.mul(factor),
            "sum" => () => x.sum(),
            "dot" => () => x.dot(y),
            "max" => () => x.max(),
            "sum of squares" => () => x.dot(x),
            _ => null,
        };
        if (operation is not null)
            return Inference<T>(operation, x, y);
        x.Dispose();
        y.Dispose();
        return null;
    }

    public Call? Softmax(RowsProblem problem)
    {
        var x = Matrix(problem.Logits, (problem.Rows, problem.Classes));
        return Inference<float>(() => x.softmax(1), x);
    }

    public Call? CrossEntropy(RowsProblem problem)
    {
        var x = Matrix(problem.Logits, (problem.Rows, problem.Classes)).requires_grad_();
        var labels = tensor(Array.ConvertAll(problem.Labels, l => (long)l));
        var read = true;
        var loss = 0.0;
        void Run()
        {
            using var scope = NewDisposeScope();
            var value = nn.functional.cross_entropy(x, labels);
            x.grad = null;
            value.backward();
            if (read)
                loss = value.item<float>();
            read = false;
        }

        return new Call(Run, () => [loss, .. Read<float>(x.grad!)], x, labels);
    }

    /// <summary>torch.optim on one flat parameter: one call for the whole block, as ours. TorchSharp has no fused optimizers.</summary>
    public Call? Optimizer(OptimizerProblem problem)
    {
        var p = problem;
        var parameter = new Parameter(Vector<float>(p.Parameters.Span));
        var gradient = Vector<float>(p.Gradients.Span);
        parameter.grad = gradient;
        var optimizer = CreateOptimizer(p.Name, OptimizerProblem.LearningRate, [parameter]);
        void Run()
        {
            using var scope = NewDisposeScope();
            optimizer.step();
        }

        return new Call(Run, () => Read<float>(parameter), optimizer, parameter, gradient);
    }

    private static optim.Optimizer CreateOptimizer(string name, double learningRate, IEnumerable<Parameter> parameters) => name switch
    {
        "sgd" => optim.SGD(parameters, learningRate),
        "momentum" => optim.SGD(parameters, learningRate, momentum: OptimizerProblem.Momentum),
        "adam" => optim.Adam(parameters, learningRate, OptimizerProblem.Beta1, OptimizerProblem.Beta2, OptimizerProblem.Epsilon),
        "adamw" => optim.AdamW(parameters, learningRate, OptimizerProblem.Beta1, OptimizerProblem.Beta2, OptimizerProblem.Epsilon,
            OptimizerProblem.WeightDecay),
        _ => throw new NotSupportedException(name),
    };

    /// <summary>A function without gradients. The first result is kept, for the check.</summary>
    private static Call Inference<T>(Func<Tensor> function, params IReadOnlyList<IDisposable> owned)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double[]? first = null;
        void Run()
        {
            using var result = function();
            first ??= Read<T>(result.flatten());
        }

        return new Call(Run, () => first!, owned);
    }
}
