using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>The logarithm of softmax, and the gradients of both.</content>
public static partial class SoftmaxCrossEntropyKernels
{
    /// <summary>logProbabilities[i, j] = logits[i, j] - ln sum over k of exp(logits[i, k]).</summary>
    /// <remarks>Computed as (x - maximum) - ln sum exp(x - maximum), which does not cancel. A row of all -infinity, one with
    /// +infinity and one with NaN give NaN.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows, classes], classes at least 1.</param>
    /// <param name="logProbabilities">The result, of the same shape, row-major; it may be the logits' own view.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">The shapes differ, there are no classes, a matrix is not row-major, or the two overlap
    /// without being the same view.</exception>
    public static void LogSoftmax<T>(ReadOnlyMatrix<T> logits, Matrix<T> logProbabilities, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckClasses(logits, nameof(logits));
        CheckPair(logits, logProbabilities, nameof(logProbabilities));
        var body = new LogSoftmaxBody<T>(logits.Span, logits.RowStride, logProbabilities.Span, logProbabilities.RowStride, logits.Columns);
        if (logits.Rows > 0)
            new SoftmaxRange<T, LogSoftmaxBody<T>>(body).Run(logits.Rows, context);
    }

    /// <summary>dx[i, j] = y[i, j] (dy[i, j] - sum over k of dy[i, k] y[i, k]) for y = softmax(x), or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the output, a row-major matrix [rows, classes], classes at least 1.</param>
    /// <param name="y">The output, of the same shape, row-major.</param>
    /// <param name="dx">The gradient of the input, row after row without gaps; it may be the memory of a <paramref name="dy"/>
    /// without gaps. A longer span keeps its tail.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">The shapes differ, there are no classes, a matrix is not row-major, or
    /// <paramref name="dx"/> is too short or overlaps an input otherwise.</exception>
    public static void SoftmaxBackward<T>(ReadOnlyMatrix<T> dy, ReadOnlyMatrix<T> y, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Backward(dy, y, dx, default(SoftmaxGradient<T>), context);

    /// <summary>dx[i, j] = dy[i, j] - exp(y[i, j]) sum over k of dy[i, k] for y = log softmax(x), or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the output, a row-major matrix [rows, classes], classes at least 1.</param>
    /// <param name="y">The output, of the same shape, row-major.</param>
    /// <param name="dx">The gradient of the input, row after row without gaps; it may be the memory of a <paramref name="dy"/>
    /// without gaps. A longer span keeps its tail.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">The shapes differ, there are no classes, a matrix is not row-major, or
    /// <paramref name="dx"/> is too short or overlaps an input otherwise.</exception>
    public static void LogSoftmaxBackward<T>(ReadOnlyMatrix<T> dy, ReadOnlyMatrix<T> y, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Backward(dy, y, dx, default(LogSoftmaxGradient<T>), context);

    /// <summary>The sum of q[c] ((maximum - logits[c]) + logSum), without the classes whose q is 0, whatever their logits.</summary>
    internal static double ExpectedLoss<T>(ReadOnlySpan<T> q, ReadOnlySpan<T> logits, T maximum, T logSum)
        where T : unmanaged, IFloatingPointIeee754<T> => ReductionLoops.Pairwise(new ExpectedLossTerm<T>(maximum, logSum), q, logits);

    private static void Backward<T, TGradient>(
        ReadOnlyMatrix<T> dy, ReadOnlyMatrix<T> y, Destination<T> dx, TGradient gradient, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TGradient : struct, IRowGradient<T>
    {
        if (!dx.IsWanted)
            return;
        CheckClasses(dy, nameof(dy));
        RowMajor.SameShape(dy, y, nameof(y));
        RowMajor.Check(y, nameof(y));
        SpanGuard.AtLeast(dy.Rows * dy.Columns, dx.Span.Length);
        var rows = new Matrix<T>(dx.Span, dy.Rows, dy.Columns);
        CheckPair(dy, rows, nameof(dx));
        SpanGuard.Disjoint(y.Span[..RowMajor.Used(y)], rows.Span[..RowMajor.Used<T>(rows)], nameof(dx));
        var body = new SoftmaxGradientBody<T, TGradient>(gradient, dy.Span, dy.RowStride, y.Span, y.RowStride, dx, dy.Columns);
        if (dy.Rows > 0)
            new SoftmaxRange<T, SoftmaxGradientBody<T, TGradient>>(body).Run(dy.Rows, context);
    }

    private static void CheckClasses<T>(ReadOnlyMatrix<T> matrix, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        if (matrix.Columns == 0)
            throw new ArgumentException($"'{name}' must have at least 1 column; it is {matrix.ToString()}.", name);
        RowMajor.Check(matrix, name);
    }
}
