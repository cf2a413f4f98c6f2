using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The loss of connectionist temporal classification, and its gradient.</summary>
/// <remarks>
/// <para>A row is a sequence of logits [T, C] with a target of labels, shorter than the sequence as a rule. An alignment gives each step a
/// label or the blank; without repetitions and then without blanks it is the target. The loss of a row is -ln of the sum of the probabilities
/// of all alignments: Graves, Fernandez, Gomez, Schmidhuber, Connectionist Temporal Classification, 2006, section 4.1.</para>
/// <para>alpha and beta are logarithms, in double for either type. Threads share the rows; the bits are the same.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static class CtcKernels
{
    /// <summary>Nanoseconds per logit, and per state and step.</summary>
    private const double Cost = 0.5, StateCost = 6;

    /// <summary>losses[r] = -ln p(target of row r | logits of row r): infinity where no alignment exists.</summary>
    /// <remarks>A target of n labels, m of them equal to the label before, needs n + m steps. A row of 0 steps costs 0 with an empty target. A
    /// step whose largest logit is infinite or NaN makes the loss NaN. Steps and labels behind a row's lengths are not read. A longer
    /// <paramref name="losses"/> keeps its tail.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows x T, C]: the steps of each row, one row after the other.</param>
    /// <param name="targets">The labels, [rows, S].</param>
    /// <param name="inputLengths">The steps of each row, 0 to T.</param>
    /// <param name="targetLengths">The labels of each row, 0 to S.</param>
    /// <param name="losses">The loss of each row.</param>
    /// <param name="blank">The class that stands for no label.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">A label is no class or the blank, a length is out of range, a size does not suit the others, the logits
    /// are not row-major, or the losses overlap an input; nothing was written.</exception>
    public static void Ctc<T>(ReadOnlyMatrix<T> logits, ReadOnlySpan<int> targets, ReadOnlySpan<int> inputLengths, ReadOnlySpan<int> targetLengths,
        Span<double> losses, int blank = 0, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = Check(logits, targets, inputLengths, targetLengths, losses, blank);
        Run<T>(new(shape, logits, default, targets, inputLengths, targetLengths, losses), context);
    }

    /// <summary>
    /// Forward and backward in one: the losses of <see cref="Ctc"/>, and for each row gradient[t, k] = softmax(logits[t])[k] - the probability
    /// that step t of an alignment of the target is k (Graves et al., equation 16): the gradient of the row's loss.
    /// </summary>
    /// <remarks>The gradient is 0 behind a row's steps. It is NaN in all steps of a row whose loss is infinite or NaN.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">A row-major matrix [rows x T, C]: the steps of each row, one row after the other.</param>
    /// <param name="targets">The labels, [rows, S].</param>
    /// <param name="inputLengths">The steps of each row, 0 to T.</param>
    /// <param name="targetLengths">The labels of each row, 0 to S.</param>
    /// <param name="losses">The loss of each row.</param>
    /// <param name="gradient">The gradient, of the logits' shape, row-major.</param>
    /// <param name="blank">The class that stands for no label.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException">A label is no class or the blank, a length is out of range, a size does not suit the others, a matrix is
    /// not row-major, or operands overlap; nothing was written.</exception>
    public static void CtcWithGradient<T>(ReadOnlyMatrix<T> logits, ReadOnlySpan<int> targets, ReadOnlySpan<int> inputLengths,
        ReadOnlySpan<int> targetLengths, Span<double> losses, Matrix<T> gradient, int blank = 0, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = Check(logits, targets, inputLengths, targetLengths, losses, blank);
        RowMajor.Check<T>(gradient, nameof(gradient));
        RowMajor.SameShape(logits, (ReadOnlyMatrix<T>)gradient, nameof(gradient));
        var g = gradient.Span[..RowMajor.Used<T>(gradient)];
        SpanGuard.Disjoint<T>(logits.Span[..RowMajor.Used(logits)], g, nameof(gradient));
        SpanGuard.Apart<int, T>(targets, g, nameof(gradient));
        SpanGuard.Apart<int, T>(inputLengths, g, nameof(gradient));
        SpanGuard.Apart<int, T>(targetLengths, g, nameof(gradient));
        SpanGuard.Apart<double, T>(losses, g, nameof(gradient));
        Run<T>(new(shape with { HasGradient = true }, logits, gradient, targets, inputLengths, targetLengths, losses), context);
    }

    /// <summary>Runs on checked operands, in the widest register that the blanks of a row fill.</summary>
    internal static void Run<T>(CtcBody<T> body, ComputeContext? context, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = body.Shape;
        var range = new SimdRange<double, CtcBody<T>>(body, RegisterWidth.OfColumns<double>(shape.Labels + 1, width));
        if (context is null || shape.Rows == 0)
            range.Execute(0, shape.Rows);
        else
            context.For(shape.Rows, 1, (double)shape.Rows * shape.Steps * (Cost * shape.Classes + StateCost * (2.0 * shape.Labels + 1)), in range);
    }

    private static CtcShape Check<T>(ReadOnlyMatrix<T> logits, ReadOnlySpan<int> targets, ReadOnlySpan<int> inputLengths,
        ReadOnlySpan<int> targetLengths, Span<double> losses, int blank)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        RowMajor.Check(logits, nameof(logits));
        var (rows, classes) = (inputLengths.Length, logits.Columns);
        SpanGuard.SameLength(rows, targetLengths.Length);
        SpanGuard.AtLeast(rows, losses.Length);
        if (rows == 0 ? logits.Rows > 0 : logits.Rows % rows != 0)
            throw new ArgumentException($"'logits' must have as many steps for each of {rows} rows; it is {logits.ToString()}.", nameof(logits));
        if (rows == 0 ? targets.Length > 0 : targets.Length % rows != 0)
            throw new ArgumentException($"'targets' must hold as many labels for each of {rows} rows; it has {targets.Length}.", nameof(targets));
        if ((uint)blank >= (uint)classes)
            throw new ArgumentOutOfRangeException(nameof(blank), blank, $"The blank is a class, in [0, {classes}).");
        var used = logits.Span[..RowMajor.Used(logits)];
        SpanGuard.Apart<T, double>(used, losses, nameof(losses));
        SpanGuard.Apart<int, double>(targets, losses, nameof(losses));
        SpanGuard.Apart<int, double>(inputLengths, losses, nameof(losses));
        SpanGuard.Apart<int, double>(targetLengths, losses, nameof(losses));
        var shape = new CtcShape(rows, rows == 0 ? 0 : logits.Rows / rows, classes, rows == 0 ? 0 : targets.Length / rows, blank);
        if ((shape with { HasGradient = true }).ScratchBytes > Array.MaxLength)
        {
            throw new ArgumentException(
                $"{shape.Steps} steps with {shape.Labels} labels need more than {Array.MaxLength} bytes on a thread.", nameof(logits));
        }

        for (var row = 0; row < rows; row++)
            _ = shape.Lengths(inputLengths, targetLengths, targets, row, []);
        return shape;
    }
}

/// <summary>The sizes of a batch.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Steps">T.</param>
/// <param name="Classes">C.</param>
/// <param name="Labels">S.</param>
/// <param name="Blank">The class that stands for no label.</param>
internal readonly record struct CtcShape(int Rows, int Steps, int Classes, int Labels, int Blank)
{
    /// <summary>Steps whose softmax is computed at a time where no gradient is wanted.</summary>
    public const int Block = 16;

    /// <summary>Doubles before and behind the states, so that neighbours can be read; as many as the widest register holds.</summary>
    public const int Pad = 8;

    public bool HasGradient { get; init; }

    /// <summary>Blank states, or labels, of a step, with space before or behind.</summary>
    public long Stride => (Labels / Pad + 1L) * Pad + Pad;

    /// <summary>Steps whose alpha is kept.</summary>
    public int Kept => HasGradient ? Math.Max(1, Steps) : 2;

    /// <summary>Doubles of alpha, of eight vectors of states, of sort keys and labels, and of maxima, logarithms and probabilities.</summary>
    private long Doubles => 2 * Kept * Stride + 8 * Stride + 2L * Labels + 2L * Steps + (HasGradient ? 0 : (long)Block * Classes);

    /// <summary>The bytes that a thread needs.</summary>
    public long ScratchBytes => sizeof(double) * Doubles;

    /// <summary>The steps and labels of a row; its labels are copied, unless the copy is empty, and what is copied is checked.</summary>
    /// <exception cref="ArgumentException">A length or label is out of range.</exception>
    public (int Steps, int Labels) Lengths(
        ReadOnlySpan<int> inputLengths, ReadOnlySpan<int> targetLengths, ReadOnlySpan<int> targets, int row, Span<int> copy)
    {
        var (steps, labels) = (inputLengths[row], targetLengths[row]);
        if ((uint)steps > (uint)Steps)
            ThrowLength("Input", nameof(inputLengths), Steps, row, steps);
        if ((uint)labels > (uint)Labels)
            ThrowLength("Target", nameof(targetLengths), Labels, row, labels);
        var target = targets.Slice(row * Labels, labels);
        for (var i = 0; i < target.Length; i++)
        {
            var label = target[i];
            if ((uint)label >= (uint)Classes || label == Blank)
                ThrowLabel(row, i, label);
            if (!copy.IsEmpty)
                copy[i] = label;
        }

        return (steps, labels);
    }

    [DoesNotReturn]
    private static void ThrowLength(string kind, string name, int most, int row, int length) =>
        throw new ArgumentException($"{kind} lengths lie in [0, {most}]; row {row} has {length}.", name);

    [DoesNotReturn]
    private void ThrowLabel(int row, int position, int label) =>
        throw new ArgumentException(
            $"Labels lie in [0, {Classes}) and are not the blank {Blank}; row {row} has {label} at position {position}.", "targets");
}
