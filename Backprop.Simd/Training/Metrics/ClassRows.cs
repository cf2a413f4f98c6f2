using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Training;

/// <summary>A batch as predicted and actual classes, position by position. The constructor checks everything.</summary>
/// <remarks>
/// With P labels per row, a position has Width / P outputs. With dense targets, a row is one position. One output per position is the binary
/// case: class 1 if it exceeds the threshold, else class 0; the label or target is 0 or 1. Wider targets are one-hot.
/// </remarks>
internal readonly ref struct ClassRows<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _outputs, _targets;
    private readonly ReadOnlySpan<int> _labels;
    private readonly int _ignoreIndex, _width;
    private readonly double _threshold;

    /// <exception cref="ArgumentException">Outputs do not fit the labels or targets, or a label or target is out of range.</exception>
    public ClassRows(in MetricBatch<T> batch, int ignoreIndex, double threshold)
    {
        _outputs = batch.Outputs;
        _ignoreIndex = ignoreIndex;
        _threshold = threshold;
        if (batch.Labels.IsEmpty)
        {
            DenseTargets.Check(in batch);
            _targets = batch.Targets;
            _width = batch.Width;
            Positions = batch.Rows;
            CheckTargets(_targets, _width);
        }
        else
        {
            _labels = batch.Labels;
            Positions = _labels.Length;
            var perRow = Positions / batch.Rows;
            if (batch.Width == 0 || batch.Width % perRow != 0)
                throw new ArgumentException($"Outputs of width {batch.Width} cannot be divided among {perRow} labels.", nameof(batch));
            _width = batch.Width / perRow;
            ClassLabels.CountKept(_labels, Classes, ignoreIndex, perRow);
        }
    }

    /// <summary>The number of positions in all rows.</summary>
    public int Positions { get; }

    /// <summary>The number of classes; 2 in the binary case.</summary>
    public int Classes => _width == 1 ? 2 : _width;

    /// <summary>The number of outputs of a position.</summary>
    public int Width => _width;

    /// <summary>The outputs of one position.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<T> Outputs(int position) => _outputs.Slice(position * _width, _width);

    /// <summary>The actual class; -1 if the position is ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Actual(int position)
    {
        if (!_labels.IsEmpty)
        {
            // The caller may have changed it since it was checked.
            var label = _labels[position];
            if (label == _ignoreIndex)
                return -1;
            if ((uint)label >= (uint)Classes)
                ClassLabels.ThrowChanged(label, Classes);
            return label;
        }

        return _width == 1 ? T.IsZero(_targets[position]) ? 0 : 1 : _targets.Slice(position * _width, _width).IndexOf(T.One);
    }

    /// <summary>The class of the largest output, the first of equal ones; -1 if an output is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Predicted(int position)
    {
        var x = Outputs(position);
        if (_width == 1)
            return T.IsNaN(x[0]) ? -1 : double.CreateTruncating(x[0]) > _threshold ? 1 : 0;
        var best = 0;
        var hasNumbers = true;
        for (var i = 0; i < x.Length; i++)
        {
            hasNumbers &= !T.IsNaN(x[i]);
            best = x[i] > x[best] ? i : best;
        }

        return hasNumbers ? best : -1;
    }

    /// <summary>How many classes rank before a class: larger outputs, and earlier equal ones. If an output is NaN, all classes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Ahead(int position, int of)
    {
        if (_width == 1)
            return Predicted(position) switch { -1 => 2, var predicted => predicted == of ? 0 : 1 };
        var x = Outputs(position);
        var value = x[of];
        int ahead = 0, numbers = 0;
        for (var i = 0; i < of; i++)
        {
            ahead += x[i] >= value ? 1 : 0;
            numbers += T.IsNaN(x[i]) ? 0 : 1;
        }

        for (var i = of; i < x.Length; i++)
        {
            ahead += x[i] > value ? 1 : 0;
            numbers += T.IsNaN(x[i]) ? 0 : 1;
        }

        return numbers == x.Length ? ahead : x.Length;
    }

    private static void CheckTargets(ReadOnlySpan<T> targets, int width)
    {
        for (var i = 0; i < targets.Length; i += width)
        {
            int zeros = 0, ones = 0;
            foreach (var target in targets.Slice(i, width))
            {
                zeros += T.IsZero(target) ? 1 : 0;
                ones += target == T.One ? 1 : 0;
            }

            if (zeros + ones != width || (width > 1 && ones != 1))
                Throw(targets, i / width, width);
        }
    }

    [DoesNotReturn]
    private static void Throw(ReadOnlySpan<T> targets, int row, int width) => throw new ArgumentException(width == 1
        ? $"A target of one output must be 0 or 1; row {row} has {targets[row]}."
        : $"Targets of {width} outputs must be one-hot; row {row} has [{First(targets.Slice(row * width, width))}].", nameof(targets));

    private static string First(ReadOnlySpan<T> values) =>
        string.Join(", ", values[..Math.Min(values.Length, 10)].ToArray()) + (values.Length > 10 ? ", ..." : "");
}
