using System.Numerics;

namespace Backprop.Simd.Bench;

/// <summary>A library that takes part in the comparison. Each method gives the library's best calling form, or null where it has none.</summary>
internal interface IPeer : IDisposable
{
    /// <summary>The name in tables and JSON.</summary>
    string Name { get; }

    /// <summary>Version and configuration, as the library itself reports them.</summary>
    string Description { get; }

    /// <summary>Threads of every later call.</summary>
    void UseThreads(int threads);

    /// <summary>C = A B.</summary>
    Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T> => null;

    /// <summary>An elementwise function or a reduction.</summary>
    Call? Vector<T>(VectorProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T> => null;

    /// <summary>The softmax of each row.</summary>
    Call? Softmax(RowsProblem problem) => null;

    /// <summary>Softmax cross-entropy with labels, and its gradient by the logits.</summary>
    Call? CrossEntropy(RowsProblem problem) => null;

    /// <summary>An operation on arrays.</summary>
    Call? Arrays(ArrayProblem problem) => null;

    /// <summary>One update of all parameters.</summary>
    Call? Optimizer(OptimizerProblem problem) => null;

    /// <summary>Forward, loss, backward and update.</summary>
    Call? Train(NetworkProblem problem) => null;

    /// <summary>A convolution forward, and both its gradients.</summary>
    Call? Convolution(ConvProblem problem) => null;

    /// <summary>Forward, loss, backward and update of a convolutional network.</summary>
    Call? TrainConvolutional(ConvNetworkProblem problem) => null;

    /// <summary>Forward, loss, backward and update of a network of other pieces.</summary>
    Call? Train(Model model) => null;

    /// <summary>The outputs of a network.</summary>
    Call? Infer(NetworkProblem problem) => null;
}
