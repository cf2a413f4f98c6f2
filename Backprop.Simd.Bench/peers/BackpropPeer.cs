using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>This library, through its public API.</summary>
internal sealed class BackpropPeer : IPeer
{
    public const string Ours = "Backprop.Simd";

    private ComputeContext _context = ComputeContext.SingleThreaded;

    public string Name => Ours;

    public string Description => $"{typeof(Gemm).Assembly.GetName().Version?.ToString(3)}";

    public void UseThreads(int threads)
    {
        _context.Dispose();
        _context = new ComputeContext(threads);
    }

    public Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (p, context) = (problem, _context);
        return new Call(
            () =>
            {
                var a = new ReadOnlyMatrix<T>(p.A.Span, p.StoredA.Rows, p.StoredA.Columns);
                var b = new ReadOnlyMatrix<T>(p.B.Span, p.StoredB.Rows, p.StoredB.Columns);
                Kernels.Gemm.Multiply(p.TransposeA ? a.Transposed : a, p.TransposeB ? b.Transposed : b, new Matrix<T>(p.C.Span, p.M, p.N), context);
            },
            p.ReadC);
    }

    public Call? Vector<T>(VectorProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (p, context) = (problem, _context);
        var factor = T.CreateChecked(VectorProblem<T>.Factor);
        Action? run = p.Operation.Name switch
        {
            "exp" => () => Elementwise.Exp(p.X.Span, p.Destination.Span, context),
            "log" => () => Elementwise.Log(p.X.Span, p.Destination.Span, context),
            "sigmoid" => () => ActivationKernels.Forward(default(Sigmoid), p.X.Span, p.Destination.Span, context),
            "tanh" => () => ActivationKernels.Forward(default(Tanh), p.X.Span, p.Destination.Span, context),
            "erf" => () => Elementwise.Erf(p.X.Span, p.Destination.Span, context),
            "gelu" => () => Elementwise.Gelu(p.X.Span, p.Destination.Span, context),
            "silu" => () => Elementwise.Silu(p.X.Span, p.Destination.Span, context),
            "softplus" => () => Elementwise.Softplus(p.X.Span, p.Destination.Span, context),
            "relu" => () => ActivationKernels.Forward(default(Relu), p.X.Span, p.Destination.Span, context),
            "add" => () => Elementwise.Add(p.X.Span, p.Y.Span, p.Destination.Span, context),
            "multiply" => () => Elementwise.Multiply(p.X.Span, p.Y.Span, p.Destination.Span, context),
            "scale" => () => Elementwise.Scale(p.X.Span, factor, p.Destination.Span, context),
            "axpy" => () => Elementwise.Axpy(factor, p.X.Span, p.Destination.Span, context),
            "sum" => () => p.Value = Reductions.Sum<T>(p.X.Span),
            "dot" => () => p.Value = Reductions.Dot<T>(p.X.Span, p.Y.Span),
            "max" => () => p.Value = Reductions.Max<T>(p.X.Span),
            "sum of squares" => () => p.Value = Reductions.SumOfSquares<T>(p.X.Span),
            _ => null,
        };
        return run is null ? null : new Call(run, p.Result);
    }

    public Call? Softmax(RowsProblem problem)
    {
        var (p, context) = (problem, _context);
        return new Call(
            () => SoftmaxKernels.Softmax(new(p.Logits.Span, p.Rows, p.Classes), new Matrix<float>(p.Destination.Span, p.Rows, p.Classes), context),
            () => Fill.ToDouble<float>(p.Destination.Span));
    }

    public Call? CrossEntropy(RowsProblem problem)
    {
        var (p, context) = (problem, _context);
        var losses = new float[p.Rows];
        var loss = 0.0;
        return new Call(
            () =>
            {
                CrossEntropyKernels.CrossEntropyWithGradient(
                    new(p.Logits.Span, p.Rows, p.Classes), p.Labels, 1f / p.Rows, losses, new Matrix<float>(p.Destination.Span, p.Rows, p.Classes),
                    context: context);
                loss = Reductions.Sum<float>(losses) / p.Rows;
            },
            () => [loss, .. Fill.ToDouble<float>(p.Destination.Span)]);
    }

    public Call? Arrays(ArrayProblem problem)
    {
        var context = _context;
        return new Call(() => problem.Run(context), () => Fill.ToDouble<float>(problem.Z.Span));
    }

    public Call? Optimizer(OptimizerProblem problem)
    {
        var (p, context) = (problem, _context);
        Optimizer<float>? optimizer = p.Name switch
        {
            "sgd" => new Sgd<float>(p.Count, OptimizerProblem.LearningRate),
            "momentum" => new Sgd<float>(p.Count, OptimizerProblem.LearningRate, OptimizerProblem.Momentum),
            "adam" => new Adam<float>(p.Count, OptimizerProblem.LearningRate, OptimizerProblem.Beta1, OptimizerProblem.Beta2, OptimizerProblem.Epsilon),
            "adamw" => new AdamW<float>(p.Count, OptimizerProblem.LearningRate, OptimizerProblem.Beta1, OptimizerProblem.Beta2, OptimizerProblem.Epsilon,
                OptimizerProblem.WeightDecay),
            _ => null,
        };
        return optimizer is null ? null : new Call(
            () => optimizer.Step(p.Parameters.Span, p.Gradients.Span, [new BlockRange(0, p.Count)], context),
            () => Fill.ToDouble<float>(p.Parameters.Span));
    }

    public Call? Train(NetworkProblem problem)
    {
        var network = problem.Build();
        var optimizer = problem.CreateOptimizer<float>(network.Parameters.Length);
        var workspace = network.CreateWorkspace(problem.Batch, compute: _context);
        problem.CopyBatch(workspace.Input(), workspace.IndexInput());
        var loss = 0.0;
        return new Call(
            () => loss = network.Step(workspace, optimizer),
            () => [loss, .. Enumerable.Range(1, NetworkProblem.CheckedSteps - 1).Select(_ => network.Step(workspace, optimizer))]);
    }

    public Call? Infer(NetworkProblem problem)
    {
        var network = problem.Build();
        var workspace = network.CreateWorkspace(problem.Batch, WorkspaceOptions.Inference, _context);
        problem.CopyBatch(workspace.Input(), default);
        return new Call(() => network.Forward(workspace), () => Fill.ToDouble(workspace.Output()));
    }

    public Call? Convolution(ConvProblem problem)
    {
        var (p, s, context) = (problem, problem.Shape, _context);
        float[] y = new float[p.Gradient.Length], dx = new float[p.X.Length], dw = new float[p.W.Length],
            scratch = new float[Kernels.Convolution.ScratchLength(s)];
        return new Call(
            () =>
            {
                Kernels.Convolution.Forward<float>(s, p.X, p.W, [], y, scratch, context);
                if (!p.IsFirst)
                    Kernels.Convolution.BackwardInput<float>(s, p.Gradient, p.W, dx, scratch, context);
                Kernels.Convolution.BackwardWeights<float>(s, p.X, p.Gradient, dw, default, scratch, context);
            },
            () => [.. Fill.ToDouble<float>(y), .. p.IsFirst ? [] : Fill.ToDouble<float>(dx), .. Fill.ToDouble<float>(dw)]);
    }

    public Call? TrainConvolutional(ConvNetworkProblem problem)
    {
        var network = ConvNetworkProblem.Build();
        var optimizer = new Adam<float>(network.Parameters.Length, ConvNetworkProblem.LearningRate);
        var workspace = network.CreateWorkspace(problem.Batch, compute: _context);
        problem.CopyBatch(workspace.Input(), workspace.IndexInput());
        var loss = 0.0;
        return new Call(
            () => loss = network.Step(workspace, optimizer),
            () => [loss, .. Enumerable.Range(1, NetworkProblem.CheckedSteps - 1).Select(_ => network.Step(workspace, optimizer))]);
    }

    public Call? Train(Model model)
    {
        var network = model.Create();
        var optimizer = new Adam<float>(network, Model.LearningRate);
        var workspace = network.CreateWorkspace(model.Batch, compute: _context);
        model.CopyBatch(network, workspace);
        var loss = 0.0;
        return new Call(
            () => loss = network.Step(workspace, optimizer),
            () => [loss, .. Enumerable.Range(1, NetworkProblem.CheckedSteps - 1).Select(_ => network.Step(workspace, optimizer))]);
    }

    public void Dispose() => _context.Dispose();
}
