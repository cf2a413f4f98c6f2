using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Softmax over the rows of a matrix of logits, and the cross-entropy with labels.</summary>
/// <remarks>
/// <para>The maximum of a row is subtracted first. A row of all -infinity, one with +infinity and one with NaN give NaN
/// probabilities. Rows of any length of at least 1.</para>
/// <para>Each row is computed by itself, in a form that depends on the number of columns alone; threads share the rows. The
/// probabilities may be the logits' own matrix, or share no element with it.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class SoftmaxCrossEntropyKernels
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

    /// <summary>losses[i] = -ln softmax(logits[i])[labels[i]]; 0 for rows labelled <paramref name="ignoreIndex"/>.</summary>
    /// <remarks>Computed as (maximum - logits[i, label]) + ln sum, which does not cancel. A longer <paramref name="losses"/> keeps
    /// its tail.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows, classes].</param>
    /// <param name="labels">The class of each row.</param>
    /// <param name="losses">The loss of each row.</param>
    /// <param name="ignoreIndex">The label of rows that take no part.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">A label is neither a class nor ignored, a length is wrong, the logits are not
    /// row-major, or the losses overlap logits or labels; nothing was written.</exception>
    public static void CrossEntropy<T>(
        ReadOnlyMatrix<T> logits, ReadOnlySpan<int> labels, Span<T> losses, int ignoreIndex = -100, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckLabels(logits, labels, losses, ignoreIndex);
        CrossEntropyUnchecked(logits, labels, T.Zero, losses, default, ignoreIndex, context);
    }

    /// <summary>
    /// Forward and backward in one: the losses of <see cref="CrossEntropy"/>, and gradient[i, j] =
    /// scale (softmax(logits[i])[j] - [j = labels[i]]), 0 for rows labelled <paramref name="ignoreIndex"/>.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows, classes].</param>
    /// <param name="labels">The class of each row.</param>
    /// <param name="scale">What the gradient is multiplied by: 1 / rows for the mean.</param>
    /// <param name="losses">The loss of each row.</param>
    /// <param name="gradient">The gradient, of the logits' shape, row-major; it may be the logits' own view.</param>
    /// <param name="ignoreIndex">The label of rows that take no part.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">A label is neither a class nor ignored, a length or shape is wrong, a matrix is not
    /// row-major, or outputs overlap inputs; nothing was written.</exception>
    public static void CrossEntropyWithGradient<T>(
        ReadOnlyMatrix<T> logits, ReadOnlySpan<int> labels, T scale, Span<T> losses, Matrix<T> gradient, int ignoreIndex = -100, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckLabels(logits, labels, losses, ignoreIndex);
        CheckPair(logits, gradient, nameof(gradient));
        var g = gradient.Span[..RowMajor.Used<T>(gradient)];
        SpanGuard.Disjoint<T>(g, losses, nameof(losses));
        SpanGuard.Apart<int, T>(labels, g, nameof(gradient));
        CrossEntropyUnchecked(logits, labels, scale, losses, gradient, ignoreIndex, context);
    }

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
    private static void CheckPair<T>(ReadOnlyMatrix<T> logits, Matrix<T> result, string name)
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

    private static void CheckLabels<T>(ReadOnlyMatrix<T> logits, ReadOnlySpan<int> labels, Span<T> losses, int ignoreIndex)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(logits.Rows, labels.Length);
        SpanGuard.AtLeast(logits.Rows, losses.Length);
        RowMajor.Check(logits, nameof(logits));
        SpanGuard.Disjoint(logits.Span[..RowMajor.Used(logits)], losses, nameof(losses));
        SpanGuard.Apart<int, T>(labels, losses, nameof(losses));
        _ = ClassLabels.CountKept(labels, logits.Columns, ignoreIndex);
    }

    /// <summary>The losses by checked labels, and the gradient unless that is empty.</summary>
    internal static void CrossEntropyUnchecked<T>(
        ReadOnlyMatrix<T> logits, ReadOnlySpan<int> labels, T scale, Span<T> losses, Matrix<T> gradient, int ignoreIndex, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(logits.Rows, labels.Length);
        SpanGuard.AtLeast(logits.Rows, losses.Length);
        var body = new CrossEntropyBody<T>(
            logits.Span, logits.RowStride, gradient.Span, gradient.RowStride, logits.Columns, labels, ignoreIndex, scale, losses);
        if (logits.Rows > 0)
            new SoftmaxRange<T, CrossEntropyBody<T>>(body).Run(logits.Rows, context);
    }
}
