using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Softmax and its logarithm over the rows of a matrix, and the gradients of both.</summary>
/// <remarks>
/// <para>The maximum of a row is subtracted first. A row of all -infinity, one with +infinity and one with NaN give NaN
/// probabilities. Rows of any length of at least 1.</para>
/// <para>Each row is computed by itself, in a form that depends on the number of columns alone; threads share the rows. The
/// probabilities may be the logits' own matrix, or share no element with it.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static class SoftmaxKernels
{
    /// <summary>probabilities[i, j] = exp(logits[i, j]) / sum over k of exp(logits[i, k]).</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows, classes], classes at least 1.</param>
    /// <param name="probabilities">The result, of the same shape, row-major.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">The shapes differ, there are no classes, a matrix is not row-major, or the two overlap
    /// without being the same view.</exception>
    public static void Softmax<T>(ReadOnlyMatrix<T> logits, Matrix<T> probabilities, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Run(logits, probabilities, default, default, context);

    /// <summary>
    /// Softmax, and for each row its maximum and logSum[i] = ln sum over k of exp(logits[i, k] - maximum[i]).
    /// </summary>
    /// <remarks>
    /// The log-sum-exp of a row is maximum + logSum, and its cross-entropy with label l is (maximum - logits[l]) + logSum, which
    /// does not cancel: equal logits of 1e8 give ln K. Where the maximum is infinite, logSum is 0, so that the log-sum-exp is
    /// that infinity. Longer spans keep their tails.
    /// </remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows, classes], classes at least 1.</param>
    /// <param name="probabilities">The result, of the same shape, row-major.</param>
    /// <param name="maximum">The largest logit of each row, NaN if one is NaN.</param>
    /// <param name="logSum">The logarithm of the sum of each row's exponentials, relative to its maximum.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">The shapes differ, there are no classes, a matrix is not row-major, a span is shorter
    /// than the rows, or an output overlaps another operand (probabilities may be the logits' own view).</exception>
    public static void SoftmaxWithLogSumExp<T>(
        ReadOnlyMatrix<T> logits, Matrix<T> probabilities, Span<T> maximum, Span<T> logSum, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.AtLeast(logits.Rows, maximum.Length);
        SpanGuard.AtLeast(logits.Rows, logSum.Length);
        maximum = maximum[..logits.Rows];
        logSum = logSum[..logits.Rows];
        SpanGuard.Disjoint<T>(maximum, logSum);
        Run(logits, probabilities, maximum, logSum, context);
    }

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

    private static void Run<T>(ReadOnlyMatrix<T> logits, Matrix<T> probabilities, Span<T> maximum, Span<T> logSum, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckClasses(logits, nameof(logits));
        CheckPair(logits, probabilities, nameof(probabilities));
        var x = logits.Span[..RowMajor.Used(logits)];
        var p = probabilities.Span[..RowMajor.Used<T>(probabilities)];
        SpanGuard.Disjoint(x, maximum, nameof(maximum));
        SpanGuard.Disjoint(x, logSum, nameof(logSum));
        SpanGuard.Disjoint<T>(p, maximum, nameof(maximum));
        SpanGuard.Disjoint<T>(p, logSum, nameof(logSum));
        if (logits.Rows == 0)
            return;
        var body = new SoftmaxBody<T>(x, logits.RowStride, p, probabilities.RowStride, logits.Columns, maximum, logSum);
        new SoftmaxRange<T, SoftmaxBody<T>>(body).Run(logits.Rows, context);
    }

    /// <summary>The result has the logits' shape, is row-major, and is the same view or apart.</summary>
    internal static void CheckPair<T>(ReadOnlyMatrix<T> logits, Matrix<T> result, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        RowMajor.SameShape(logits, result, name);
        RowMajor.Check<T>(result, name);
        var x = logits.Span[..RowMajor.Used(logits)];
        var p = result.Span[..RowMajor.Used<T>(result)];
        if (logits.RowStride == result.RowStride || logits.Rows <= 1)
            SpanGuard.SameStartOrDisjoint(x, p, name);
        else
            SpanGuard.Disjoint(x, p, name);
    }

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
