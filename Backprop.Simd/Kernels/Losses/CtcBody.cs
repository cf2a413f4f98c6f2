using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>The losses of rows, and the gradient where it is wanted.</summary>
internal readonly unsafe ref struct CtcBody<T>(CtcShape shape, ReadOnlyMatrix<T> logits, Matrix<T> gradient, ReadOnlySpan<int> targets,
    ReadOnlySpan<int> inputLengths, ReadOnlySpan<int> targetLengths, Span<double> losses) : ISimdRangeBody<double>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlyMatrix<T> _logits = logits;
    private readonly Matrix<T> _gradient = gradient;
    private readonly ReadOnlySpan<int> _targets = targets, _inputLengths = inputLengths, _targetLengths = targetLengths;
    private readonly Span<double> _losses = losses;

    public CtcShape Shape { get; } = shape;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, double>
    {
        var scratch = KernelScratch.Get<double>((int)(Shape.ScratchBytes / sizeof(double)));
        fixed (double* states = scratch)
        {
            var count = (int)((2 * Shape.Kept + 8) * Shape.Stride);
            var rest = scratch[count..];
            var keys = MemoryMarshal.Cast<double, ulong>(rest[..Shape.Labels]);
            var labels = MemoryMarshal.Cast<double, int>(rest.Slice(Shape.Labels, Shape.Labels));
            var numbers = MemoryMarshal.Cast<double, T>(rest[(2 * Shape.Labels)..]);
            for (var row = start; row < limit; row++)
            {
                var (steps, length) = Shape.Lengths(_inputLengths, _targetLengths, _targets, row, labels);
                var lattice = new CtcLattice<TVector>(states, Shape, length);
                _losses[row] = Row(in lattice, row, steps, labels[..length], keys[..length], numbers);
            }
        }
    }

    private double Row<TVector>(in CtcLattice<TVector> lattice, int row, int steps, ReadOnlySpan<int> labels, Span<ulong> keys, Span<T> numbers)
        where TVector : unmanaged, ISimdVector<TVector, double>
    {
        if (Shape.HasGradient && steps < Shape.Steps)
            Fill(row, steps, Shape.Steps - steps, T.Zero);
        if (steps == 0)
            return labels.IsEmpty ? 0 : double.PositiveInfinity;
        Span<T> maxima = numbers[..steps], logSums = numbers.Slice(Shape.Steps, steps);
        var loss = double.NaN;
        if (Softmax(row, steps, maxima, logSums, numbers[(2 * Shape.Steps)..]))
        {
            lattice.Begin(labels);
            for (var t = 0; t < steps; t++)
            {
                var blank = Emissions(in lattice, row * Shape.Steps + t, maxima[t], logSums[t], labels);
                lattice.Forward(t, blank);
            }

            loss = 0 - lattice.LogLikelihood(steps - 1);
        }

        if (!Shape.HasGradient)
            return loss;
        if (double.IsFinite(loss))
            Gradient(in lattice, row * Shape.Steps, loss, new(maxima, logSums), labels, keys);
        else
            Fill(row, 0, steps, T.NaN);
        return loss;
    }

    /// <summary>Maxima and logarithms of sums, and probabilities in the place of the gradient.</summary>
    /// <returns>Whether all maxima are finite.</returns>
    private bool Softmax(int row, int steps, Span<T> maxima, Span<T> logSums, Span<T> probabilities)
    {
        var (first, classes) = (row * Shape.Steps, Shape.Classes);
        var block = Shape.HasGradient ? steps : CtcShape.Block;
        for (var t = 0; t < steps; t += block)
        {
            var count = Math.Min(block, steps - t);
            var to = Shape.HasGradient ? _gradient.SliceRows(first + t, count) : new Matrix<T>(probabilities, count, classes);
            SoftmaxKernels.SoftmaxWithLogSumExp(_logits.SliceRows(first + t, count), to, maxima[t..], logSums[t..]);
        }

        foreach (var maximum in maxima)
        {
            if (!T.IsFinite(maximum))
                return false;
        }

        return true;
    }

    /// <summary>Writes the logarithms of the probabilities of the labels in a step.</summary>
    /// <returns>That of the blank.</returns>
    private double Emissions<TVector>(in CtcLattice<TVector> lattice, int step, T maximum, T logSum, ReadOnlySpan<int> labels)
        where TVector : unmanaged, ISimdVector<TVector, double>
    {
        var x = _logits.Span.Slice(step * _logits.RowStride, Shape.Classes);
        var (max, log) = (double.CreateTruncating(maximum), double.CreateTruncating(logSum));
        var to = new Span<double>(lattice.Emissions, labels.Length);
        for (var i = 0; i < labels.Length; i++)
            to[i] = double.CreateTruncating(x[labels[i]]) - max - log;
        return double.CreateTruncating(x[Shape.Blank]) - max - log;
    }

    /// <summary>Subtracts from the probabilities, last step first, how probable each class is in alignments of the target.</summary>
    private void Gradient<TVector>(in CtcLattice<TVector> lattice, int first, double loss, SoftmaxSums sums, ReadOnlySpan<int> labels, Span<ulong> keys)
        where TVector : unmanaged, ISimdVector<TVector, double>
    {
        // Positions of equal labels side by side.
        for (var i = 0; i < keys.Length; i++)
            keys[i] = (ulong)(uint)labels[i] << 32 | (uint)i;
        KeySort.Ascending(keys);
        lattice.End();
        for (var t = sums.Maxima.Length - 1; t >= 0; t--)
        {
            var gradient = _gradient.Span.Slice((first + t) * _gradient.RowStride, Shape.Classes);
            lattice.BlankPosteriors(t, loss);
            gradient[Shape.Blank] -= T.CreateTruncating(Reductions.Sum(new ReadOnlySpan<double>(lattice.Posteriors, labels.Length + 1)));
            lattice.LabelPosteriors(t, loss);
            Subtract(new ReadOnlySpan<double>(lattice.Posteriors, labels.Length), labels, keys, gradient);
            if (t > 0)
                lattice.Backward(Emissions(in lattice, first + t, sums.Maxima[t], sums.LogSums[t], labels));
        }
    }

    private static void Subtract(ReadOnlySpan<double> posteriors, ReadOnlySpan<int> labels, ReadOnlySpan<ulong> keys, Span<T> gradient)
    {
        Unsafe.SkipInit(out PairwiseSum sum);
        for (var i = 0; i < keys.Length;)
        {
            var label = labels[(int)(uint)keys[i]];
            sum.Clear();
            for (; i < keys.Length && (uint)(keys[i] >> 32) == (uint)label; i++)
                sum.Add(posteriors[(int)(uint)keys[i]]);
            gradient[label] -= T.CreateTruncating(sum.Total);
        }
    }

    private void Fill(int row, int start, int count, T value)
    {
        for (var t = row * Shape.Steps + start; count > 0; t++, count--)
            _gradient.Span.Slice(t * _gradient.RowStride, Shape.Classes).Fill(value);
    }

    /// <summary>Maxima and logarithms of sums of the steps of a row.</summary>
    private readonly ref struct SoftmaxSums(ReadOnlySpan<T> maxima, ReadOnlySpan<T> logSums)
    {
        public readonly ReadOnlySpan<T> Maxima = maxima, LogSums = logSums;
    }
}
