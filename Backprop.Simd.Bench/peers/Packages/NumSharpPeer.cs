using System.Numerics;
using NumSharp;
using NumSharp.Backends;

// The package's analyzer asks to dispose of what a call returns; with an out argument that is the argument.
#pragma warning disable NDW012

namespace Backprop.Simd.Bench;

/// <summary>NumSharp, with its <c>out</c> forms.</summary>
internal sealed class NumSharpPeer : IPeer
{
    public const string NumSharp = "NumSharp";

    public string Name => NumSharp;

    public string Description => $"NumSharp {typeof(np).Assembly.GetName().Version?.ToString(3)}";

    public void UseThreads(int threads)
    {
        MultiThread.Enabled = threads > 1;
        MultiThread.MaxThreads = threads;
    }

    public Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (problem.Shape.Operations > MathNetPeer.MaximumOperations)
            return null;
        var a = np.array(problem.A.Span.ToArray()).reshape(problem.StoredA.Rows, problem.StoredA.Columns);
        var b = np.array(problem.B.Span.ToArray()).reshape(problem.StoredB.Rows, problem.StoredB.Columns);
        var c = np.array(new T[problem.C.Length]).reshape(problem.M, problem.N);
        var (left, right) = (problem.TransposeA ? a.T : a, problem.TransposeB ? b.T : b);
        return new Call(() => np.matmul(left, right, @out: c), () => Fill.ToDouble<T>(c.ToArray<T>()));
    }

    public Call? Vector<T>(VectorProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (problem.Length > MathNetPeer.MaximumLength)
            return null;
        var p = problem;
        var x = np.array(p.X.Span.ToArray());
        var y = np.array(p.Y.Span.ToArray());
        var result = np.array(new T[p.Length]);
        Action? run = p.Operation.Name switch
        {
            "exp" => () => np.exp(x, @out: result),
            "log" => () => np.log(x, @out: result),
            "tanh" => () => np.tanh(x, @out: result),
            "add" => () => np.add(x, y, @out: result),
            "multiply" => () => np.multiply(x, y, @out: result),
            "sum" => () =>
            {
                using var sum = np.sum(x);
                p.Value = sum.GetAtIndex<T>(0);
            },
            "dot" => () =>
            {
                using var dot = np.dot(x, y);
                p.Value = dot.GetAtIndex<T>(0);
            },
            "max" => () => p.Value = np.amax<T>(x),
            _ => null,
        };
        return run is null ? null : new Call(run, () => p.Operation.IsReduction ? p.Result() : Fill.ToDouble<T>(result.ToArray<T>()));
    }

    public void Dispose()
    {
    }
}
