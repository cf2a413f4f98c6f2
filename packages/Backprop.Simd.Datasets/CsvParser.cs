using System.Globalization;
using nietras.SeparatedValues;

namespace Backprop.Simd.Datasets;

/// <summary>Reads a text of separated values into arrays. Sep finds the cells.</summary>
internal sealed class CsvParser(TextReader text, CsvOptions options, string source)
{
    private readonly HashSet<string> _missing = new(options.MissingTexts, StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> _classes = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private readonly NumberTable _features = new();
    private readonly NumberTable _targets = new();
    private readonly List<int> _labels = [];

    // If the text for a missing number is a number itself, such as -999, it is looked for first.
    private readonly bool _missingFirst = options.MissingTexts.Any(t => IsNumber(t, out _));

    private string[] _names = [];
    private int _label = -1;
    private int _line;
    private int _count;
    private int _dropped;

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

        using var cells = new CsvText(text, options.Separator, source);
        try
        {
            ReadRows(cells);
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException)
        {
            throw new DatasetFormatException(cells.OpenQuote ?? $"{source}: {error.Message}", error);
        }

        int[]? labels = _label < 0 ? null : [.. _labels];
        string[] classes = _label < 0 ? [] : options.SortClasses && options.Classes is null ? Sort(labels!) : [.. _texts];
        return new CsvData(_features.Names(_names), _targets.Names(_names), _features.ToArray(), _targets.ToArray(), labels, classes)
        {
            Count = _count,
            Dropped = _dropped,
        };
    }

    private const string MissingTarget = "is missing; the option Unlabelled says what becomes of such rows";

    private static bool IsNumber(ReadOnlySpan<char> cell, out double value) =>

        // Sep's own parser reads "1,5" as 15. The runtime's parser ignores zero characters behind a number.
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value) && !cell.Contains('\0');

    // Sep's own trimming also cuts spaces inside quotes if there are doubled quotes.
    private static ReadOnlySpan<char> Cell(SepReader.Row row, int column)
    {
        ReadOnlySpan<char> cell = row[column].Span.Trim(' ');
        if (cell is not ['"', .. var inside, '"'])
        {
            return cell;
        }

        return inside.Contains('"') ? inside.ToString().Replace("\"\"", "\"", StringComparison.Ordinal) : inside;
    }

    private void ReadRows(CsvText cells)
    {
        // The header is read as a row: it may then hold a name twice if nobody asks for that column. Sep counts the first row's line
        // differently.
        using SepReader reader = new SepReaderOptions(new Sep(cells.Separator))
        {
            HasHeader = false,
            DisableColCountCheck = true,
        }.From(cells, leaveOpen: true);

        int next = 1;
        bool isFirst = true;
        foreach (SepReader.Row row in reader)
        {
            (_line, next) = (next, row.LineNumberToExcl);
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
                    _names[i] = Cell(row, i).ToString();
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
            throw new DatasetFormatException($"Line {_line} of {source} has {row.ColCount} cells; expected {_names.Length}.");
        }

        if (options.Unlabelled == CsvUnlabelled.Drop && IsUnlabelled(row))
        {
            _dropped++;
            return;
        }

        foreach (int column in _features.Columns)
        {
            _features.Add(
                Number(row, column) ?? options.MissingValue ?? throw Refused(row, column, "is missing, and there is no MissingValue to stand for it"));
        }

        foreach (int column in _targets.Columns)
        {
            _targets.Add(Number(row, column) ?? throw Refused(row, column, MissingTarget));
        }

        if (_label >= 0)
        {
            _labels.Add(Class(row));
        }

        _count++;
    }

    private bool IsUnlabelled(SepReader.Row row)
    {
        foreach (int column in _targets.Columns)
        {
            if (Number(row, column) is null)
            {
                return true;
            }
        }

        return _label >= 0 && Cell(row, _label).IsEmpty && !_classes.ContainsKey("");
    }

    // Null where it is missing.
    private double? Number(SepReader.Row row, int column)
    {
        ReadOnlySpan<char> cell = Cell(row, column);
        if (!_missingFirst && IsNumber(cell, out double value))
        {
            return value;
        }

        if (_missing.GetAlternateLookup<ReadOnlySpan<char>>().Contains(cell))
        {
            return null;
        }

        return IsNumber(cell, out value) ? value : throw Refused(row, column, "is no finite number");
    }

    private int Class(SepReader.Row row)
    {
        ReadOnlySpan<char> cell = Cell(row, _label);
        if (_classes.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(cell, out int known))
        {
            return known;
        }

        if (cell.IsEmpty && options.Unlabelled != CsvUnlabelled.EmptyClass)
        {
            throw Refused(row, _label, MissingTarget);
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
        new($"Line {_line} of {source}, column '{_names[column]}': '{Cell(row, column)}' {why}.");

    // Finds the columns of features, label and targets.
    private void Choose()
    {
        var taken = new HashSet<int>();
        int Take(CsvColumn? column)
        {
            int index = Find(column ?? throw new ArgumentException("A column is null.", nameof(options)));
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
