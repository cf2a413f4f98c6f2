using System.Numerics;
using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace Backprop.Simd.Bench;

/// <summary>Math.NET Numerics with its managed provider.</summary>
internal sealed class MathNetPeer : IPeer
{
    public const string MathNet = "MathNet";

    /// <summary>Products beyond that of matrices of 256 are left out, and vectors out of cache: a hundred milliseconds a call and more.</summary>
    public const double MaximumOperations = 2.0 * 256 * 256 * 256;

    public const int MaximumLength = 1 << 20;

    public string Name => MathNet;

    public string Description => $"Math.NET Numerics {typeof(Control).Assembly.GetName().Version?.ToString(3)}, managed provider";

    public void UseThreads(int threads)
    {
        Control.UseManaged();
        if (threads == 1)
            Control.UseSingleThread();
        else
            Control.UseMultiThreading();
        Control.MaxDegreeOfParallelism = threads;
    }

    public Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (problem.Shape.Operations > MaximumOperations)
            return null;
        var a = Dense<T>(problem.A.Span, problem.StoredA);
        var b = Dense<T>(problem.B.Span, problem.StoredB);
        var c = Matrix<T>.Build.Dense(problem.M, problem.N);
        Action run = problem.TransposeA ? () => a.TransposeThisAndMultiply(b, c)
            : problem.TransposeB ? () => a.TransposeAndMultiply(b, c)
            : () => a.Multiply(b, c);
        return new Call(run, () => Fill.ToDouble<T>(c.ToRowMajorArray()));
    }

    public Call? Vector<T>(VectorProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (problem.Length > MaximumLength)
            return null;
        var p = problem;
        var x = CreateVector.Dense(p.X.Span.ToArray());
        var y = CreateVector.Dense(p.Y.Span.ToArray());
        var result = CreateVector.Dense<T>(p.Length);
        var factor = T.CreateChecked(VectorProblem<T>.Factor);
        Action? run = p.Operation.Name switch
        {
            "exp" => () => x.PointwiseExp(result),
            "log" => () => x.PointwiseLog(result),
            "tanh" => () => x.PointwiseTanh(result),
            "add" => () => x.Add(y, result),
            "multiply" => () => x.PointwiseMultiply(y, result),
            "scale" => () => x.Multiply(factor, result),
            "sum" => () => p.Value = x.Sum(),
            "dot" => () => p.Value = x.DotProduct(y),
            "max" => () => p.Value = x.Maximum(),
            "sum of squares" => () => p.Value = x.DotProduct(x),
            _ => null,
        };
        return run is null ? null : new Call(run, () => p.Operation.IsReduction ? p.Result() : Fill.ToDouble<T>(result.AsArray()));
    }

    public void Dispose()
    {
    }

    private static Matrix<T> Dense<T>(ReadOnlySpan<T> rowMajor, (int Rows, int Columns) shape)
        where T : unmanaged, IFloatingPointIeee754<T> => Matrix<T>.Build.DenseOfRowMajor(shape.Rows, shape.Columns, rowMajor.ToArray());
}
