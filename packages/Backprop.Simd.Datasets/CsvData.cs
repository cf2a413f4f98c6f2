using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Datasets;

/// <summary>
/// The numbers and classes of a text file of separated values (RFC 4180, with any separator): quoted cells may hold separators,
/// doubled quotes and line ends; a quote elsewhere, or without an end, is refused; spaces around cells and a byte order
/// mark are cut; empty lines are skipped; numbers are written as in the invariant culture. Immutable.
/// </summary>
public sealed class CsvData
{
    private readonly double[] _features;
    private readonly double[] _targets;
    private readonly int[]? _labels;

    internal CsvData(string[] featureNames, string[] targetNames, double[] features, double[] targets, int[]? labels, string[] classes)
    {
        (FeatureNames, TargetNames, Classes) = (featureNames, targetNames, classes);
        (_features, _targets, _labels) = (features, targets, labels);
    }

    /// <summary>The number of rows, without the dropped ones.</summary>
    public int Count { get; internal init; }

    /// <summary>The number of dropped rows: see <see cref="CsvUnlabelled.Drop"/>.</summary>
    public int Dropped { get; internal init; }

    /// <summary>The features' names; without a header their places in the file.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>The targets' names; without a header their places in the file.</summary>
    public IReadOnlyList<string> TargetNames { get; }

    /// <summary>The texts of the classes: a label is the index of its text. Empty without a label column.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The features: <c>[Count, FeatureNames.Count]</c>, row-major.</summary>
    public ReadOnlyMemory<double> Features => _features;

    /// <summary>The targets: <c>[Count, TargetNames.Count]</c>, row-major.</summary>
    public ReadOnlyMemory<double> Targets => _targets;

    /// <summary>The labels: <c>[Count]</c>; empty without a label column.</summary>
    public ReadOnlyMemory<int> Labels => _labels;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file; its encoding is UTF-8 unless its first bytes or <see cref="CsvOptions.Encoding"/> say otherwise.</param>
    /// <param name="options">How it is read; by default all columns are features under a header.</param>
    /// <returns>Its numbers and classes.</returns>
    /// <exception cref="ArgumentException">The options name a column that does not exist, or name a column twice.</exception>
    /// <exception cref="DatasetFormatException">Bytes are not text in the encoding, a quote is misplaced, a row has more or
    /// fewer cells than the first, or a cell is not a finite number, is missing, or is not one of the classes. The message names
    /// line, column and text.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static CsvData Read(string path, CsvOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = File.OpenRead(path);
        return Read(stream, $"'{path}'", options);
    }

    /// <summary>Reads a stream from its position to its end; it stays open.</summary>
    /// <param name="stream">The bytes, from any source: a gzip stream, for example.</param>
    /// <param name="options">How they are read; by default all columns are features under a header.</param>
    /// <returns>Its numbers and classes.</returns>
    /// <exception cref="ArgumentException">The options name a column that does not exist, or name a column twice.</exception>
    /// <exception cref="DatasetFormatException">As for a file.</exception>
    public static CsvData Read(Stream stream, CsvOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Read(stream, "the stream", options);
    }

    /// <summary>Reads a text to its end; it stays open.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">How it is read; by default all columns are features under a header.</param>
    /// <returns>Its numbers and classes.</returns>
    /// <exception cref="ArgumentException">The options name a column that does not exist, or name a column twice.</exception>
    /// <exception cref="DatasetFormatException">As for a file.</exception>
    public static CsvData Read(TextReader text, CsvOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new CsvParser(text, options ?? new CsvOptions(), "the text").Read();
    }

    /// <summary>
    /// The rows as a set to train with: the features, then the targets and the labels where the file has them.
    /// </summary>
    /// <typeparam name="T">float or double: the element type of the network. For double nothing is copied.</typeparam>
    /// <param name="values">The network's input for the features.</param>
    /// <param name="targets">The network's input for the targets.</param>
    /// <param name="labels">The network's input for the labels.</param>
    /// <param name="shape">The shape of a row's features, of as many elements; <c>[FeatureNames.Count]</c> by default.</param>
    /// <returns>A set of one to three columns.</returns>
    /// <exception cref="ArgumentException">A name is empty or comes twice, or the shape has another size.</exception>
    /// <exception cref="OverflowException">A number is beyond the range of <typeparamref name="T"/>.</exception>
    public Dataset<T> ToDataset<T>(string values = "x", string targets = "targets", string labels = "labels", Shape? shape = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Shape row = shape ?? new Shape(FeatureNames.Count);
        if (row.Size != FeatureNames.Count)
        {
            throw new ArgumentException($"Expected a shape of {FeatureNames.Count} elements; got {row} of {row.Size}.", nameof(shape));
        }

        var columns = new List<DataColumn> { new ArrayColumn<T>(values, row, Count, Convert<T>(_features, FeatureNames)) };
        if (TargetNames.Count > 0)
        {
            columns.Add(new ArrayColumn<T>(targets, new Shape(TargetNames.Count), Count, Convert<T>(_targets, TargetNames)));
        }

        if (_labels is not null)
        {
            columns.Add(new LabelColumn(labels, _labels));
        }

        return new Dataset<T>([.. columns]);
    }

    private static CsvData Read(Stream stream, string source, CsvOptions? options)
    {
        options ??= new CsvOptions();
        using var text = new DecodedText(stream, options.Encoding);
        return new CsvParser(text, options, source).Read();
    }

    private static ReadOnlyMemory<T> Convert<T>(double[] values, IReadOnlyList<string> names)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (values is T[] same)
        {
            return same;
        }

        var converted = new T[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            converted[i] = T.CreateTruncating(values[i]);
            if (T.IsInfinity(converted[i]) && double.IsFinite(values[i]))
            {
                throw new OverflowException(
                    $"'{names[i % names.Count]}' of row {i / names.Count} is {values[i]:R}, beyond the range of {typeof(T).Name}.");
            }
        }

        return converted;
    }
}
