using System.Globalization;
using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>Which numbers share an offset and a factor.</summary>
public enum NormalizationScope
{
    /// <summary>Each element of an example has its own, computed over all examples.</summary>
    Element,

    /// <summary>Each channel (the last dimension) has its own, computed over all examples and positions.</summary>
    Channel,

    /// <summary>One pair for all elements.</summary>
    Whole,
}

/// <summary>y = (x - offset) factor for a column of numbers. Immutable.</summary>
/// <remarks>
/// <para>Fit it on the training rows and put it into the graph: <c>x.Normalize(statistics)</c>, and <c>y.Denormalize(statistics)</c> where outputs
/// shall be in the units of the data. Then loaders, evaluators, predictors, checkpoints and files have it. Statistics are computed in double, in
/// the order of the rows, in one pass without cancellation (Welford, "Note on a method for calculating corrected sums of squares and products", 1962; groups
/// are joined as in Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983).</para>
/// <para>A feature is constant if its deviation or range is below 1e-30. As in scikit-learn, it gets the factor 1: it becomes 0, and other
/// values that come later are not blown up.</para>
/// </remarks>
public sealed class Normalization
{
    /// <summary>The most rows, and the most elements, read at a time while fitting. At least one row is read, however large.</summary>
    private const int MostRowsAtATime = 64, MostElementsAtATime = 1 << 20;

    private readonly double[] _offsets;
    private readonly double[] _factors;
    private readonly Lazy<RowPattern<float>> _single;
    private readonly Lazy<RowPattern<double>> _double;

    /// <summary>Makes a normalization from saved numbers.</summary>
    /// <param name="column">The name of the column.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="offsets">The numbers to subtract: one, one for each channel (the last dimension), or one for each element.</param>
    /// <param name="factors">The numbers to multiply by, as many as offsets.</param>
    /// <exception cref="ArgumentException">A length is wrong, or a number is not finite.</exception>
    public Normalization(string column, Shape shape, ReadOnlySpan<double> offsets, ReadOnlySpan<double> factors)
    {
        ArgumentException.ThrowIfNullOrEmpty(column);
        if (offsets.Length != 1 && offsets.Length != shape.Size && (shape.Rank == 0 || offsets.Length != shape[shape.Rank - 1]))
        {
            throw new ArgumentException($"'{column}' {shape} takes one offset, one for each channel, or one for each element; there are {offsets.Length}.",
                nameof(offsets));
        }

        if (factors.Length != offsets.Length)
            throw new ArgumentException($"There are {offsets.Length} offsets, but {factors.Length} factors.", nameof(factors));
        for (var i = 0; i < offsets.Length; i++)
        {
            if (!double.IsFinite(offsets[i]) || !double.IsFinite(factors[i]))
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"Offset {i} is {offsets[i]} and factor {i} is {factors[i]}; both must be finite."), nameof(offsets));
        }

        (Column, Shape) = (column, shape);
        _offsets = offsets.ToArray();
        _factors = factors.ToArray();
        _single = new(MakePattern<float>);
        _double = new(MakePattern<double>);
    }

    /// <summary>The name of the column.</summary>
    public string Column { get; }

    /// <summary>The shape of one example.</summary>
    public Shape Shape { get; }

    /// <summary>The numbers to subtract: one, one for each channel, or one for each element.</summary>
    public ReadOnlySpan<double> Offsets => _offsets;

    /// <summary>The numbers to multiply by, as many as offsets.</summary>
    public ReadOnlySpan<double> Factors => _factors;

    /// <summary>Fits a normalization that gives mean 0 and standard deviation 1 (divided by n, not n - 1) over the training rows.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="set">The set.</param>
    /// <param name="column">The name of a column of numbers.</param>
    /// <param name="scope">Which numbers share a mean and a deviation.</param>
    /// <param name="rows">The training rows; null for all.</param>
    /// <returns>offset = mean, factor = 1 / deviation.</returns>
    /// <exception cref="ArgumentException">There is no such column of numbers, there are no rows, or a number is not finite.</exception>
    public static Normalization Standardize<T>(Dataset<T> set, string column, NormalizationScope scope = NormalizationScope.Element,
        IReadOnlyList<int>? rows = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Fit(set, column, scope, rows, (statistics, i) => (statistics.Mean[i], Math.Sqrt(statistics.SquaredDeviations[i] / statistics.Count)));

    /// <summary>Fits a normalization that gives minimum 0 and maximum 1 over the training rows.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="set">The set.</param>
    /// <param name="column">The name of a column of numbers.</param>
    /// <param name="scope">Which numbers share a minimum and a maximum.</param>
    /// <param name="rows">The training rows; null for all.</param>
    /// <returns>offset = minimum, factor = 1 / (maximum - minimum).</returns>
    /// <exception cref="ArgumentException">There is no such column of numbers, there are no rows, or a number is not finite.</exception>
    public static Normalization Scale<T>(Dataset<T> set, string column, NormalizationScope scope = NormalizationScope.Element, IReadOnlyList<int>? rows = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Fit(set, column, scope, rows, (statistics, i) => (statistics.Least[i], statistics.Most[i] - statistics.Least[i]));

    /// <summary>Normalizes examples in place, for code outside a network. Allocates nothing after the first call for this type.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="values">rows x size numbers. The rest of a longer span is not changed.</param>
    /// <param name="rows">The number of examples, 0 or more.</param>
    /// <param name="compute">The threads to use; null for the caller alone.</param>
    /// <exception cref="ArgumentException">There are too few numbers, or an offset or a factor is beyond the range of
    /// <typeparamref name="T"/>.</exception>
    public void Apply<T>(Span<T> values, int rows, ComputeContext? compute = null) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var pattern = PatternOf<T>();
        values = RowsOf(values, rows);
        pattern.Apply(values, values, compute);
    }

    /// <summary>
    /// Reverses the normalization in place: x = y / factor + offset, computed in double. In a network, <c>Denormalize</c> does so.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="values">rows x size numbers. The rest of a longer span is not changed.</param>
    /// <param name="rows">The number of examples, 0 or more.</param>
    /// <exception cref="ArgumentException">There are too few numbers.</exception>
    /// <exception cref="InvalidOperationException">A factor is 0, so that the original numbers are lost.</exception>
    public void Undo<T>(Span<T> values, int rows) where T : unmanaged, IFloatingPointIeee754<T>
    {
        values = RowsOf(values, rows);
        if (Array.IndexOf(_factors, 0.0) is var zero and >= 0)
            throw new InvalidOperationException($"Factor {zero} of '{Column}' is 0, so that the original numbers are lost.");
        for (var i = 0; i < values.Length; i++)
            values[i] = T.CreateTruncating(double.CreateTruncating(values[i]) / _factors[i % _factors.Length] + _offsets[i % _offsets.Length]);
    }

    /// <summary>How many rows of a size are read at a time while fitting, so that they fit one array.</summary>
    internal static int RowsAtATime(int size) => Math.Clamp(MostElementsAtATime / size, 1, MostRowsAtATime);

    private Span<T> RowsOf<T>(Span<T> values, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return (long)rows * Shape.Size <= values.Length
            ? values[..(rows * Shape.Size)]
            : throw new ArgumentException($"{rows} rows of '{Column}' {Shape} take {(long)rows * Shape.Size} elements; there are {values.Length}.",
                nameof(values));
    }

    private static Normalization Fit<T>(Dataset<T> set, string column, NormalizationScope scope, IReadOnlyList<int>? rows,
        Func<FeatureStatistics, int, (double Offset, double Spread)> use)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(set);
        if (set[column] is not ValueColumn<T> values)
            throw new ArgumentException($"Column '{column}' holds {set[column].Type}; expected numbers.", nameof(column));
        var chosen = rows is null ? null : (int[])[.. rows];
        var count = chosen?.Length ?? set.Count;
        if (count == 0)
            throw new ArgumentException("There are no rows to fit on.", nameof(rows));
        var shape = values.Type.Shape;
        var statistics = new FeatureStatistics(shape.Size);
        var order = new int[Math.Min(count, RowsAtATime(shape.Size))];
        var block = new T[shape.Size * order.Length];
        for (var start = 0; start < count; start += order.Length)
        {
            var n = Math.Min(order.Length, count - start);
            for (var i = 0; i < n; i++)
                order[i] = chosen is null ? start + i : chosen[start + i];
            values.Read(order.AsSpan(0, n), block);
            for (var i = 0; i < n; i++)
                statistics.Add<T>(block.AsSpan(i * shape.Size, shape.Size));
        }

        var features = scope switch
        {
            NormalizationScope.Element => shape.Size,
            NormalizationScope.Channel => shape.Rank == 0 ? 1 : shape[shape.Rank - 1],
            NormalizationScope.Whole => 1,
            _ => throw new ArgumentOutOfRangeException(nameof(scope), scope, "There is no such scope."),
        };
        statistics = statistics.Joined(features);
        double[] offsets = new double[features], factors = new double[features];
        for (var i = 0; i < features; i++)
        {
            (offsets[i], var spread) = use(statistics, i);
            if (!double.IsFinite(offsets[i]) || !double.IsFinite(spread))
            {
                throw new ArgumentException($"Feature {i} of {features} of column '{column}' holds a number that is not finite or too large to square.",
                    nameof(set));
            }

            factors[i] = spread < 1e-30 ? 1 : 1 / spread;
        }

        return new Normalization(column, shape, offsets, factors);
    }

    private RowPattern<T> PatternOf<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        return typeof(T) == typeof(float) ? (RowPattern<T>)(object)_single.Value : (RowPattern<T>)(object)_double.Value;
    }

    private RowPattern<T> MakePattern<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        var pattern = new RowPattern<T>(_offsets, _factors, restores: false);
        if (pattern.BeyondRange() is not (>= 0 and var i))
            return pattern;
        var numbers = string.Create(CultureInfo.InvariantCulture, $"the offset {_offsets[i]} and the factor {_factors[i]}");
        throw new ArgumentException($"The normalization of '{Column}' has {numbers}, beyond the range of {typeof(T).Name}.", "normalization");
    }
}
