using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Softmax over the rows of a matrix of logits, with what a cross-entropy loss needs beside it.</summary>
/// <remarks>
/// <para>The maximum of a row is subtracted first. A row of all -infinity, one with +infinity and one with NaN give NaN
/// probabilities. Rows of any length of at least 1.</para>
/// <para>Each row is computed by itself, in a form that depends on the number of columns alone; threads share the rows. The
/// probabilities may be the logits' own matrix, or share no element with it.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static class SoftmaxCrossEntropyKernels
{
    /// <summary>Nanoseconds per logit: an exp, a division and a maximum.</summary>
    private const double Cost = 1;

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

    private static void Run<T>(ReadOnlyMatrix<T> logits, Matrix<T> probabilities, Span<T> maximum, Span<T> logSum, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        RowMajor.SameShape(logits, probabilities, nameof(probabilities));
        if (logits.Columns == 0)
            throw new ArgumentException($"'{nameof(logits)}' must have at least 1 column; it is {logits.ToString()}.", nameof(logits));
        RowMajor.Check(logits, nameof(logits));
        RowMajor.Check<T>(probabilities, nameof(probabilities));
        var x = logits.Span[..RowMajor.Used(logits)];
        var p = probabilities.Span[..RowMajor.Used<T>(probabilities)];
        if (logits.RowStride == probabilities.RowStride || logits.Rows <= 1)
            SpanGuard.SameStartOrDisjoint(x, p, nameof(probabilities));
        else
            SpanGuard.Disjoint(x, p, nameof(probabilities));
        SpanGuard.Disjoint(x, maximum, nameof(maximum));
        SpanGuard.Disjoint(x, logSum, nameof(logSum));
        SpanGuard.Disjoint<T>(p, maximum, nameof(maximum));
        SpanGuard.Disjoint<T>(p, logSum, nameof(logSum));
        if (logits.Rows == 0)
            return;
        var body = new SoftmaxBody<T>(x, logits.RowStride, p, probabilities.RowStride, logits.Columns, maximum, logSum);
        if (context is null)
            body.Execute(0, logits.Rows);
        else
            context.For(logits.Rows, RowMajor.Granularity(4 * logits.Columns), Cost * logits.Rows * logits.Columns, in body);
    }

    private readonly unsafe ref struct SoftmaxBody<T>(
        ReadOnlySpan<T> logits, nint logitStride, Span<T> probabilities, nint probabilityStride, int classes, Span<T> maximum, Span<T> logSum) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _logits = logits;
        private readonly Span<T> _probabilities = probabilities, _maximum = maximum, _logSum = logSum;

        public void Execute(int start, int limit)
        {
            fixed (T* x = _logits, p = _probabilities)
            {
                for (var row = start; row < limit; row++)
                {
                    var sum = SoftmaxLoops.Row(x + row * logitStride, p + row * probabilityStride, classes, out var largest);
                    if (_maximum.IsEmpty)
                        continue;
                    _maximum[row] = largest;
                    _logSum[row] = T.IsInfinity(largest) ? T.Zero : T.CreateTruncating(Math.Log(sum));
                }
            }
        }
    }
}
