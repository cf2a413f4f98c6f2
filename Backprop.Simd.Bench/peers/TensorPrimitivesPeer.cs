using System.Numerics;
using System.Numerics.Tensors;

namespace Backprop.Simd.Bench;

/// <summary>System.Numerics.Tensors: elementwise functions and reductions, on one thread always.</summary>
internal sealed class TensorPrimitivesPeer : IPeer
{
    public const string Tensors = "TensorPrimitives";

    public string Name => Tensors;

    public string Description => $"System.Numerics.Tensors {typeof(TensorPrimitives).Assembly.GetName().Version?.ToString(3)}, one thread";

    public void UseThreads(int threads)
    {
    }

    public Call? Vector<T>(VectorProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var p = problem;
        var factor = T.CreateChecked(VectorProblem<T>.Factor);
        Action? run = p.Operation.Name switch
        {
            "exp" => () => TensorPrimitives.Exp<T>(p.X.Span, p.Destination.Span),
            "log" => () => TensorPrimitives.Log<T>(p.X.Span, p.Destination.Span),
            "sigmoid" => () => TensorPrimitives.Sigmoid<T>(p.X.Span, p.Destination.Span),
            "tanh" => () => TensorPrimitives.Tanh<T>(p.X.Span, p.Destination.Span),
            "silu" => () =>
            {
                TensorPrimitives.Sigmoid<T>(p.X.Span, p.Destination.Span);
                TensorPrimitives.Multiply<T>(p.X.Span, p.Destination.Span, p.Destination.Span);
            }
            ,
            "relu" => () => TensorPrimitives.Max(p.X.Span, T.Zero, p.Destination.Span),
            "add" => () => TensorPrimitives.Add<T>(p.X.Span, p.Y.Span, p.Destination.Span),
            "multiply" => () => TensorPrimitives.Multiply<T>(p.X.Span, p.Y.Span, p.Destination.Span),
            "scale" => () => TensorPrimitives.Multiply(p.X.Span, factor, p.Destination.Span),
            "axpy" => () => TensorPrimitives.MultiplyAdd(p.X.Span, factor, p.Destination.Span, p.Destination.Span),
            "sum" => () => p.Value = TensorPrimitives.Sum<T>(p.X.Span),
            "dot" => () => p.Value = TensorPrimitives.Dot<T>(p.X.Span, p.Y.Span),
            "max" => () => p.Value = TensorPrimitives.MaxNumber<T>(p.X.Span),
            "sum of squares" => () => p.Value = TensorPrimitives.SumOfSquares<T>(p.X.Span),
            _ => null,
        };
        return run is null ? null : new Call(run, p.Result);
    }

    /// <summary>Its own SoftMax, which does not subtract the maximum; right where logits are small, as here.</summary>
    public Call? Softmax(RowsProblem problem)
    {
        var p = problem;
        return new Call(
            () =>
            {
                for (var start = 0; start < p.Logits.Length; start += p.Classes)
                    TensorPrimitives.SoftMax<float>(p.Logits.Span.Slice(start, p.Classes), p.Destination.Span.Slice(start, p.Classes));
            },
            () => Fill.ToDouble<float>(p.Destination.Span));
    }

    /// <summary>The composition that a user writes, a row at a time: maximum, difference, exp, sum, scale, and the label's own term.</summary>
    public Call? CrossEntropy(RowsProblem problem)
    {
        var p = problem;
        var loss = 0.0;
        return new Call(
            () =>
            {
                var sum = 0.0;
                for (var row = 0; row < p.Rows; row++)
                {
                    var x = p.Logits.Span.Slice(row * p.Classes, p.Classes);
                    var dx = p.Destination.Span.Slice(row * p.Classes, p.Classes);
                    var max = TensorPrimitives.Max<float>(x);
                    TensorPrimitives.Subtract(x, max, dx);
                    TensorPrimitives.Exp<float>(dx, dx);
                    var total = TensorPrimitives.Sum<float>(dx);
                    TensorPrimitives.Multiply(dx, 1 / (total * p.Rows), dx);
                    dx[p.Labels[row]] -= 1f / p.Rows;
                    sum += max - x[p.Labels[row]] + MathF.Log(total);
                }

                loss = sum / p.Rows;
            },
            () => [loss, .. Fill.ToDouble<float>(p.Destination.Span)]);
    }

    /// <summary>The loop over rows that a user writes.</summary>
    public Call? Arrays(ArrayProblem problem)
    {
        var (p, columns) = (problem, problem.Operation.X[^1]);
        Action<int>? row = p.Operation.Name switch
        {
            ArrayOperation.AddRows => r => TensorPrimitives.Add<float>(Row(p.X, r), p.Y.Span, Row(p.Z, r)),
            ArrayOperation.ScaleRows => r => TensorPrimitives.Multiply(Row(p.X, r), p.Y.Span[r], Row(p.Z, r)),
            ArrayOperation.SumRows => r => p.Z.Span[r] = TensorPrimitives.Sum<float>(Row(p.X, r)),
            ArrayOperation.SumColumns => r => TensorPrimitives.Add<float>(Row(p.X, r), p.Z.Span, p.Z.Span),
            ArrayOperation.MaxRows => r => p.Z.Span[r] = TensorPrimitives.Max<float>(Row(p.X, r)),
            _ => null,
        };
        return row is null ? null : new Call(
            () =>
            {
                if (p.Operation.Name == ArrayOperation.SumColumns)
                    p.Z.Span.Clear();
                for (var r = 0; r < p.Operation.X[0]; r++)
                    row(r);
            },
            () => Fill.ToDouble<float>(p.Z.Span));

        Span<float> Row(Memory.AlignedBuffer<float> matrix, int r) => matrix.Span.Slice(r * columns, columns);
    }

    /// <summary>w - rate g in one pass; the others would be several.</summary>
    public Call? Optimizer(OptimizerProblem problem)
    {
        var p = problem;
        return p.Name != "sgd" ? null : new Call(
            () => TensorPrimitives.MultiplyAdd(p.Gradients.Span, (float)-OptimizerProblem.LearningRate, p.Parameters.Span, p.Parameters.Span),
            () => Fill.ToDouble<float>(p.Parameters.Span));
    }

    public void Dispose()
    {
    }
}
