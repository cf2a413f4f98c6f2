using System.Globalization;
using System.Numerics;
using System.Text;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Training;

/// <summary>Counts how often each class was predicted for each actual class; accuracy, precision, recall and F1 follow from the counts.</summary>
/// <remarks>
/// <para>Let n[a, p] be the number of positions of class a for which p was predicted. Then precision of c = n[c, c] / sum_a n[a, c], recall of
/// c = n[c, c] / support of c, and F1 of c = 2 n[c, c] / (support + predicted). Labels, targets and predictions are defined as for
/// <see cref="AccuracyMetric{T}"/>; the binary case has two classes.</para>
/// <para>As in scikit-learn, 0 / 0 is 0 for a class that occurs. A class that neither occurs nor is predicted has the value NaN and does not
/// count in macro averages. A position with NaN among its outputs has no prediction (<see cref="Unpredicted"/>): it counts in the support
/// and is wrong.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class ConfusionMatrix<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int LargestClasses = 32768;

    private readonly int _ignoreIndex;
    private readonly double _threshold;
    private readonly long[] _counts, _unpredicted;

    /// <summary>Makes the metric.</summary>
    /// <param name="classes">The number of classes, 2 to 32768.</param>
    /// <param name="ignoreIndex">The label of positions to leave out.</param>
    /// <param name="threshold">In the binary case, class 1 is predicted above it: 0 for logits, 0.5 for probabilities.</param>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of labels or targets; null for the first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="classes"/> is below 2 or above 32768.</exception>
    /// <exception cref="ArgumentException"><paramref name="threshold"/> is NaN.</exception>
    public ConfusionMatrix(int classes, int ignoreIndex = -100, double threshold = 0, string name = "accuracy", string? output = null, string? target = null)
        : base(name, output, target)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, LargestClasses);
        Classes = classes;
        _ignoreIndex = ignoreIndex;
        _threshold = double.IsNaN(threshold) ? throw new ArgumentException("The threshold must not be NaN.", nameof(threshold)) : threshold;
        SpanGuard.ArrayLength((long)classes * classes, nameof(classes));
        _counts = new long[classes * classes];
        _unpredicted = new long[classes];
    }

    /// <summary>The number of classes.</summary>
    public int Classes { get; }

    /// <summary>The number of positions of one class for which another, or the same, class was predicted.</summary>
    /// <param name="actual">The actual class.</param>
    /// <param name="predicted">The predicted class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long this[int actual, int predicted]
    {
        get
        {
            CheckClass(actual, nameof(actual));
            CheckClass(predicted, nameof(predicted));
            return _counts[actual * Classes + predicted];
        }
    }

    /// <summary>The number of all positions, including those without a prediction.</summary>
    public long Count => _counts.Sum() + _unpredicted.Sum();

    /// <summary>The accuracy: the share of positions on the diagonal.</summary>
    public override double Value => Count == 0 ? double.NaN : (double)Diagonal / Count;

    /// <summary>The mean precision of the classes that occur or are predicted.</summary>
    public double MacroPrecision => Macro(Precision);

    /// <summary>The mean recall of the classes that occur or are predicted.</summary>
    public double MacroRecall => Macro(Recall);

    /// <summary>The mean F1 of the classes that occur or are predicted.</summary>
    public double MacroF1 => Macro(F1);

    /// <summary>The share of predictions that are right.</summary>
    public double MicroPrecision => Count == 0 ? double.NaN : Ratio(Diagonal, _counts.Sum());

    /// <summary>The share of positions whose prediction is right: the accuracy.</summary>
    public double MicroRecall => Value;

    /// <summary>2 x right / (positions + predictions).</summary>
    public double MicroF1 => Count == 0 ? double.NaN : Ratio(2 * Diagonal, Count + _counts.Sum());

    private long Diagonal
    {
        get
        {
            var sum = 0L;
            for (var i = 0; i < Classes; i++)
                sum += _counts[i * Classes + i];
            return sum;
        }
    }

    /// <summary>The number of positions of a class.</summary>
    /// <param name="ofClass">The class.</param>
    /// <returns>The number, including positions without a prediction.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long Support(int ofClass)
    {
        CheckClass(ofClass, nameof(ofClass));
        var sum = _unpredicted[ofClass];
        for (var i = 0; i < Classes; i++)
            sum += _counts[ofClass * Classes + i];
        return sum;
    }

    /// <summary>The number of positions for which a class was predicted.</summary>
    /// <param name="ofClass">The class.</param>
    /// <returns>The number.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long Predicted(int ofClass)
    {
        CheckClass(ofClass, nameof(ofClass));
        var sum = 0L;
        for (var i = 0; i < Classes; i++)
            sum += _counts[i * Classes + ofClass];
        return sum;
    }

    /// <summary>The number of positions of a class without a prediction, because an output was NaN.</summary>
    /// <param name="ofClass">The class.</param>
    /// <returns>The number.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long Unpredicted(int ofClass)
    {
        CheckClass(ofClass, nameof(ofClass));
        return _unpredicted[ofClass];
    }

    /// <summary>The share of a class among the positions for which it was predicted.</summary>
    /// <param name="ofClass">The class.</param>
    /// <returns>The precision; NaN for a class that neither occurs nor is predicted.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Precision(int ofClass) => TakesPart(ofClass) ? Ratio(this[ofClass, ofClass], Predicted(ofClass)) : double.NaN;

    /// <summary>The share of a class's positions for which it was predicted.</summary>
    /// <param name="ofClass">The class.</param>
    /// <returns>The recall; NaN for a class that neither occurs nor is predicted.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Recall(int ofClass) => TakesPart(ofClass) ? Ratio(this[ofClass, ofClass], Support(ofClass)) : double.NaN;

    /// <summary>The harmonic mean of precision and recall.</summary>
    /// <param name="ofClass">The class.</param>
    /// <returns>F1; NaN for a class that neither occurs nor is predicted.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double F1(int ofClass) => TakesPart(ofClass) ? Ratio(2 * this[ofClass, ofClass], Support(ofClass) + Predicted(ofClass)) : double.NaN;

    /// <inheritdoc/>
    public override void Reset()
    {
        Array.Clear(_counts);
        Array.Clear(_unpredicted);
    }

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch)
    {
        var rows = new ClassRows<T>(in batch, _ignoreIndex, _threshold);
        if (rows.Classes != Classes)
            throw new ArgumentException($"The matrix has {Classes} classes, the outputs {rows.Classes}.", nameof(batch));
        for (var i = 0; i < rows.Positions; i++)
        {
            var actual = rows.Actual(i);
            if (actual < 0)
                continue;
            var predicted = rows.Predicted(i);
            if (predicted < 0)
                _unpredicted[actual]++;
            else
                _counts[actual * Classes + predicted]++;
        }
    }

    /// <summary>The counts as a table: one line per actual class, one column per predicted class.</summary>
    /// <returns>The text, in the invariant culture.</returns>
    public override string ToString()
    {
        var nan = _unpredicted.Any(n => n != 0);
        var columns = Enumerable.Range(0, Classes).Select(i => i.ToString(CultureInfo.InvariantCulture)).Concat(nan ? ["NaN"] : []).ToArray();
        var width = Math.Max(3, _counts.Concat(_unpredicted).Max().ToString(CultureInfo.InvariantCulture).Length);
        var first = Math.Max("actual".Length, columns[Classes - 1].Length);
        var text = new StringBuilder().Append("actual".PadLeft(first));
        foreach (var column in columns)
            text.Append(' ').Append(column.PadLeft(width));
        for (var actual = 0; actual < Classes; actual++)
        {
            text.Append('\n').Append(columns[actual].PadLeft(first));
            for (var predicted = 0; predicted < columns.Length; predicted++)
            {
                var count = predicted < Classes ? this[actual, predicted] : _unpredicted[actual];
                text.Append(' ').Append(count.ToString(CultureInfo.InvariantCulture).PadLeft(width));
            }
        }

        return text.ToString();
    }

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private bool TakesPart(int ofClass) => Support(ofClass) != 0 || Predicted(ofClass) != 0;

    private double Macro(Func<int, double> figure)
    {
        var (sum, classes) = (0.0, 0);
        for (var i = 0; i < Classes; i++)
        {
            if (!TakesPart(i))
                continue;
            sum += figure(i);
            classes++;
        }

        return sum / classes;
    }

    private void CheckClass(int value, string name)
    {
        if ((uint)value >= (uint)Classes)
            throw new ArgumentOutOfRangeException(name, value, $"There are {Classes} classes.");
    }
}
