using System.Globalization;
using nietras.SeparatedValues;

namespace Backprop.Simd.Datasets;

/// <summary>Reads a text of separated values, whose cells Sep finds, into arrays.</summary>
internal sealed class CsvParser(TextReader text, CsvOptions options, string source)
{
    private readonly HashSet<string> _missing = new(options.MissingTexts, StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> _classes = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private readonly NumberTable _features = new();
    private readonly NumberTable _targets = new();
    private readonly List<int> _labels = [];

    private string[] _names = [];
    private int _label = -1;
    private int _count;

    public CsvData Read()
    {
        foreach (string text in options.Classes ?? [])
        {
            if (!_classes.TryAdd(text, _texts.Count))
            {
                throw new ArgumentException($"The class '{text}' comes twice.", nameof(options));
            }

            _texts.Add(text);
        }

        try
        {
            ReadRows();
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException)
        {
            throw new DatasetFormatException($"{source}: {error.Message}", error);
        }

        int[]? labels = _label < 0 ? null : [.. _labels];
        string[] classes = _label < 0 ? [] : options.SortClasses && options.Classes is null ? Sort(labels!) : [.. _texts];
        return new CsvData(
            _features.Names(_names), _targets.Names(_names), _count, _features.ToArray(), _targets.ToArray(), labels, classes);
    }

    private void ReadRows()
    {
        // The header is taken as a row, so that it may have a name twice where that column is not asked for.
        using SepReader reader = new SepReaderOptions(options.Separator is { } separator ? new Sep(separator) : null)
        {
            HasHeader = false,
            DisableColCountCheck = true,
            Unescape = true,
            Trim = SepTrim.Outer,
            CultureInfo = CultureInfo.InvariantCulture,
        }.From(text, leaveOpen: true);

        bool isFirst = true;
        foreach (SepReader.Row row in reader)
        {
            if (row.ColCount == 1 && row.Span.IsWhiteSpace() && (_names.Length != 1 || row.Span.IsEmpty))
            {
                continue;
            }

            if (isFirst)
            {
                isFirst = false;
                _names = [.. Enumerable.Range(0, row.ColCount).Select(i => i.ToString(CultureInfo.InvariantCulture))];
                for (int i = 0; options.HasHeader && i < _names.Length; i++)
                {
                    _names[i] = row[i].ToString();
                }

                Choose();
                if (options.HasHeader)
                {
                    continue;
                }
            }

            ReadRow(row);
        }

        if (isFirst)
        {
            throw new DatasetFormatException($"{source} is empty.");
        }
    }

    private void ReadRow(SepReader.Row row)
    {
        if (row.ColCount != _names.Length)
        {
            throw new DatasetFormatException($"Line {row.LineNumberFrom} of {source} has {row.ColCount} cells; expected {_names.Length}.");
        }

        foreach (int column in _features.Columns)
        {
            _features.Add(Number(row, column));
        }

        foreach (int column in _targets.Columns)
        {
            _targets.Add(Number(row, column));
        }

        if (_label >= 0)
        {
            _labels.Add(Class(row));
        }

        _count++;
    }

    private double Number(SepReader.Row row, int column)
    {
        SepReader.Col cell = row[column];

        // Not Sep's own parser, which takes "1,5" for 15.
        if (double.TryParse(cell.Span, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value))
        {
            return value;
        }

        if (!_missing.GetAlternateLookup<ReadOnlySpan<char>>().Contains(cell.Span))
        {
            throw Refused(row, column, "is no finite number");
        }

        return options.MissingValue ?? throw Refused(row, column, "is missing");
    }

    private int Class(SepReader.Row row)
    {
        ReadOnlySpan<char> cell = row[_label].Span;
        if (_classes.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(cell, out int known))
        {
            return known;
        }

        if (cell.IsEmpty)
        {
            throw Refused(row, _label, "is missing");
        }

        if (options.Classes is not null)
        {
            throw Refused(row, _label, "is none of the classes");
        }

        string text = cell.ToString();
        _classes.Add(text, _texts.Count);
        _texts.Add(text);
        return _texts.Count - 1;
    }

    private DatasetFormatException Refused(SepReader.Row row, int column, string why) =>
        new($"Line {row.LineNumberFrom} of {source}, column '{_names[column]}': '{row[column].ToString()}' {why}.");

    // Which columns are what.
    private void Choose()
    {
        var taken = new HashSet<int>();
        int Take(CsvColumn column)
        {
            int index = Find(column);
            return taken.Add(index) ? index : throw new ArgumentException($"Column {column} is chosen twice.", nameof(options));
        }

        _label = options.Label is { } label ? Take(label) : -1;
        _targets.Columns = [.. options.Targets.Select(Take)];
        _features.Columns = options.Features is { } features
            ? [.. features.Select(Take)]
            : [.. Enumerable.Range(0, _names.Length).Where(i => !taken.Contains(i))];
        if (_features.Columns.Length == 0)
        {
            throw new ArgumentException($"{source} has no column left for features.", nameof(options));
        }
    }

    private int Find(CsvColumn column)
    {
        if (column.Name is null)
        {
            return column.Index < _names.Length ? column.Index
                : throw new ArgumentException($"{source} has the columns 0 to {_names.Length - 1}; got {column}.", nameof(options));
        }

        int first = options.HasHeader ? Array.IndexOf(_names, column.Name) : -1;
        if (first < 0)
        {
            string there = options.HasHeader ? $"the columns {string.Join(", ", _names.Select(n => $"'{n}'"))}" : "no header";
            throw new ArgumentException($"{source} has {there}; got {column}.", nameof(options));
        }

        return Array.LastIndexOf(_names, column.Name) == first ? first
            : throw new ArgumentException($"{source} has several columns {column}: choose by place.", nameof(options));
    }

    private string[] Sort(int[] labels)
    {
        string[] sorted = [.. _texts.Order(StringComparer.Ordinal)];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = Array.BinarySearch(sorted, _texts[labels[i]], StringComparer.Ordinal);
        }

        return sorted;
    }

    /// <summary>The numbers of some columns, row after row.</summary>
    private sealed class NumberTable
    {
        private readonly List<double> _numbers = [];

        public int[] Columns { get; set; } = [];

        public void Add(double number) => _numbers.Add(number);

        public double[] ToArray() => [.. _numbers];

        public string[] Names(string[] all) => [.. Columns.Select(c => all[c])];
    }
}
