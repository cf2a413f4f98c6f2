using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The cross-entropy of the softmax of logits with a label for each row, and its gradient.</summary>
/// <remarks>
/// <para>Each row is computed by itself, in a form that depends on the number of columns alone; threads share the rows. The
/// gradient may be the logits' own matrix, or share no element with it.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static class CrossEntropyKernels
{
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
        SoftmaxKernels.CheckPair(logits, gradient, nameof(gradient));
        var g = gradient.Span[..RowMajor.Used<T>(gradient)];
        SpanGuard.Disjoint<T>(g, losses, nameof(losses));
        SpanGuard.Apart<int, T>(labels, g, nameof(gradient));
        CrossEntropyUnchecked(logits, labels, scale, losses, gradient, ignoreIndex, context);
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
