using System.Globalization;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>Splits the rows of a set into parts, such as training, validation and test.</summary>
/// <remarks>
/// Each row belongs to exactly one part, and the rows of a part ascend. A split depends only on its arguments and is the same on every
/// machine. Pass the parts to <see cref="Dataset{T}.Select"/> or <see cref="LoaderOptions{T}.Rows"/>.
/// </remarks>
public static class DataSplit
{
    /// <summary>Streams of splits: "spli".</summary>
    private const ulong Stream = 0x73706C69UL << 32;

    /// <summary>Splits by fractions. Each part has its exact fraction of the rows, within one row.</summary>
    /// <param name="count">The rows of the set, 0 or more.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="fractions">The fraction of each part, 0 or more. Their sum is 1.</param>
    /// <returns>The rows of each part.</returns>
    /// <exception cref="ArgumentException">A fraction is negative or not finite, or their sum differs from 1 by more than 1e-9.</exception>
    public static IReadOnlyList<int[]> Random(int count, ulong seed, params ReadOnlySpan<double> fractions)
    {
        var order = Shuffled(count, seed);
        var shares = new Shares(fractions);
        return Sorted(Cut(order, shares.Of(count)));
    }

    /// <summary>Splits into parts of given sizes.</summary>
    /// <param name="count">The rows of the set, 0 or more.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="counts">The rows of each part, 0 or more. Their sum is <paramref name="count"/>.</param>
    /// <returns>The rows of each part.</returns>
    /// <exception cref="ArgumentException">A size is negative, or the sizes do not add up to <paramref name="count"/>.</exception>
    public static IReadOnlyList<int[]> Random(int count, ulong seed, params ReadOnlySpan<int> counts)
    {
        var order = Shuffled(count, seed);
        long sum = 0;
        foreach (var part in counts)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(part, nameof(counts));
            sum += part;
        }

        return sum == count
            ? Sorted(Cut(order, counts))
            : throw new ArgumentException($"The parts hold {sum} rows together; expected {count}.", nameof(counts));
    }

    /// <summary>Splits labels that are bytes by fractions, so that each part has its share of every class. See the other overload.</summary>
    /// <param name="labels">The class of each row.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="fractions">The fraction of each part, 0 or more. Their sum is 1.</param>
    /// <returns>The rows of each part: the same rows as for the same labels as integers.</returns>
    /// <exception cref="ArgumentException">A fraction is negative or not finite, or their sum differs from 1 by more than 1e-9.</exception>
    public static IReadOnlyList<int[]> Stratified(ReadOnlySpan<byte> labels, ulong seed, params ReadOnlySpan<double> fractions)
    {
        var integers = new int[labels.Length];
        for (var i = 0; i < integers.Length; i++)
            integers[i] = labels[i];
        return Stratified(integers, seed, fractions);
    }

    /// <summary>
    /// Splits by fractions, so that each part has its share of every class. From the n rows of a class, a part of fraction f gets n f rows,
    /// rounded down or up. A part that rounding costs a row in one class is compensated in a later class.
    /// </summary>
    /// <param name="labels">The class of each row: any integers.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="fractions">The fraction of each part, 0 or more. Their sum is 1.</param>
    /// <returns>The rows of each part.</returns>
    /// <exception cref="ArgumentException">A fraction is negative or not finite, or their sum differs from 1 by more than 1e-9.</exception>
    public static IReadOnlyList<int[]> Stratified(ReadOnlySpan<int> labels, ulong seed, params ReadOnlySpan<double> fractions)
    {
        // By label, then by row.
        var keys = new long[labels.Length];
        for (var row = 0; row < keys.Length; row++)
            keys[row] = (long)labels[row] << 32 | (uint)row;
        Array.Sort(keys);
        var shares = new Shares(fractions);
        var parts = new List<int>[fractions.Length];
        for (var part = 0; part < parts.Length; part++)
            parts[part] = [];
        for (int start = 0, end; start < keys.Length; start = end)
        {
            var label = (int)(keys[start] >> 32);
            for (end = start; end < keys.Length && keys[end] >> 32 == label; end++)
            {
            }

            var rows = new int[end - start];
            for (var i = 0; i < rows.Length; i++)
                rows[i] = (int)keys[start + i];
            var random = new Philox(seed, Stream | (uint)label);
            RowOrder.Shuffle(rows, ref random);
            var cut = Cut(rows, shares.Of(rows.Length));
            for (var part = 0; part < parts.Length; part++)
                parts[part].AddRange(cut[part]);
        }

        return Sorted([.. parts.Select(part => part.ToArray())]);
    }

    /// <summary>Folds for cross-validation. Each row is held out in one fold and trained on in all others.</summary>
    /// <param name="count">The rows of the set.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="folds">The number of folds, 2 to <paramref name="count"/>. The numbers of rows held out differ by at most one.</param>
    /// <returns>For each fold the rows to train on and the rows held out, both ascending.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="folds"/> is outside that range.</exception>
    public static IReadOnlyList<(int[] Training, int[] Validation)> Folds(int count, ulong seed, int folds) =>
        Others(Random(count, seed, Equal(folds, count)), count);

    /// <summary>Folds for cross-validation with a share of every class in each fold, for labels that are bytes. See the other overload.</summary>
    /// <param name="labels">The class of each row.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="folds">The number of folds, 2 to the number of rows.</param>
    /// <returns>For each fold the rows to train on and the rows held out: the same as for the same labels as integers.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="folds"/> is outside that range.</exception>
    public static IReadOnlyList<(int[] Training, int[] Validation)> StratifiedFolds(ReadOnlySpan<byte> labels, ulong seed, int folds) =>
        Others(Stratified(labels, seed, Equal(folds, labels.Length)), labels.Length);

    /// <summary>
    /// Folds for cross-validation with a share of every class in each fold, as in
    /// <see cref="Stratified(ReadOnlySpan{int}, ulong, ReadOnlySpan{double})"/>.
    /// </summary>
    /// <param name="labels">The class of each row: any integers.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="folds">The number of folds, 2 to the number of rows.</param>
    /// <returns>For each fold the rows to train on and the rows held out, both ascending.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="folds"/> is outside that range.</exception>
    public static IReadOnlyList<(int[] Training, int[] Validation)> StratifiedFolds(ReadOnlySpan<int> labels, ulong seed, int folds) =>
        Others(Stratified(labels, seed, Equal(folds, labels.Length)), labels.Length);

    private static double[] Equal(int folds, int count)
    {
        if (folds < 2 || folds > count)
            throw new ArgumentOutOfRangeException(nameof(folds), folds, $"{count} rows can be split into 2 to {count} folds.");
        SpanGuard.ArrayLength(folds);
        var fractions = new double[folds];
        Array.Fill(fractions, 1.0 / folds);
        return fractions;
    }

    /// <summary>For each part, the rows of all other parts and its own.</summary>
    private static (int[] Training, int[] Validation)[] Others(IReadOnlyList<int[]> parts, int count)
    {
        var partOf = new int[count];
        for (var part = 0; part < parts.Count; part++)
        {
            foreach (var row in parts[part])
                partOf[row] = part;
        }

        return [.. parts.Select((rows, part) => (Enumerable.Range(0, count).Where(row => partOf[row] != part).ToArray(), rows))];
    }

    private static int[] Shuffled(int count, ulong seed)
    {
        SpanGuard.ArrayLength(count);
        var order = new int[count];
        RowOrder.Identity(order);
        var random = new Philox(seed, Stream);
        RowOrder.Shuffle(order, ref random);
        return order;
    }

    private static int[][] Cut(ReadOnlySpan<int> rows, ReadOnlySpan<int> sizes)
    {
        var parts = new int[sizes.Length][];
        for (var part = 0; part < parts.Length; part++)
        {
            parts[part] = rows[..sizes[part]].ToArray();
            rows = rows[sizes[part]..];
        }

        return parts;
    }

    private static int[][] Sorted(int[][] parts)
    {
        foreach (var part in parts)
            Array.Sort(part);
        return parts;
    }

    /// <summary>Divides one class after the other into whole shares.</summary>
    private sealed class Shares
    {
        private readonly double[] _fractions;
        private readonly double[] _owed; // How many rows each part lacks, over all classes so far.

        public Shares(ReadOnlySpan<double> fractions)
        {
            double sum = 0;
            foreach (var fraction in fractions)
            {
                if (!(fraction >= 0) || double.IsInfinity(fraction))
                    throw new ArgumentException($"Fractions must be 0 or more; got {fraction.ToString(CultureInfo.InvariantCulture)}.", nameof(fractions));
                sum += fraction;
            }

            if (!(Math.Abs(sum - 1) <= 1e-9))
                throw new ArgumentException($"The fractions add up to {sum.ToString(CultureInfo.InvariantCulture)}; expected 1.", nameof(fractions));
            _fractions = fractions.ToArray();
            for (var part = 0; part < _fractions.Length; part++)
                _fractions[part] /= sum;
            _owed = new double[_fractions.Length];
        }

        /// <summary>Rounds each part's share down, and gives the remaining rows, one each, to the parts that lack most.</summary>
        public int[] Of(int count)
        {
            var shares = new int[_fractions.Length];
            var open = new bool[_fractions.Length];
            var left = count;
            for (var part = 0; part < shares.Length; part++)
            {
                var exact = count * _fractions[part];
                var nearest = Math.Round(exact);
                var whole = Math.Abs(exact - nearest) < 1e-9;
                shares[part] = (int)Math.Min(whole ? nearest : Math.Floor(exact), left);
                open[part] = !whole;
                left -= shares[part];
                _owed[part] += exact - shares[part];
            }

            for (; left > 0; left--)
            {
                var most = -1;
                for (var part = 0; part < shares.Length; part++)
                {
                    if (open[part] && (most < 0 || _owed[part] > _owed[most]))
                        most = part;
                }

                if (most < 0)
                    most = Array.IndexOf(_fractions, _fractions.Max()); // Only rounding errors left a row over.
                shares[most]++;
                _owed[most]--;
                open[most] = false;
            }

            return shares;
        }
    }
}
