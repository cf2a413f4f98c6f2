using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Inference;

/// <summary>
/// Draws a class from logits: from the softmax of the logits over a temperature, among the k largest, and among the largest whose probabilities
/// come to p. The draws follow from the seed alone.
/// </summary>
/// <remarks>
/// The k largest are taken first, p counts among them. Of equal logits the one with the smaller index is the larger. With a temperature of 0, or
/// k = 1, the largest is taken, and no random number is used. Probabilities are computed in double. A sampler is for one thread at a time. Fan,
/// Lewis and Dauphin, "Hierarchical neural story generation", ACL 2018 (top k); Holtzman et al., "The curious case of neural text degeneration",
/// ICLR 2020 (top p).
/// </remarks>
public sealed class Sampler
{
    private Philox _random;
    private double[] _probabilities = [];
    private int[] _order = [];
    private Comparison<int>? _comparison;

    /// <summary>Makes a sampler.</summary>
    /// <param name="seed">The seed of the draws.</param>
    /// <param name="temperature">What logits are divided by: 0 or more. Below 1 the large ones win more often.</param>
    /// <param name="topK">The number of largest logits to choose from; 0 for all.</param>
    /// <param name="topP">The probability that the chosen ones come to at least, above 0 and at most 1; 1 for all.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public Sampler(ulong seed = 0, double temperature = 1, int topK = 0, double topP = 1)
    {
        if (!(temperature >= 0 && double.IsFinite(temperature)))
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, $"'{nameof(temperature)}' must be 0 or more, and finite.");
        ArgumentOutOfRangeException.ThrowIfNegative(topK);
        if (!(topP is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(topP), topP, $"'{nameof(topP)}' must be above 0 and at most 1.");
        (Temperature, TopK, TopP) = (temperature, topK, topP);
        _random = new(seed, 0x7361_6D70);
    }

    /// <summary>What logits are divided by.</summary>
    public double Temperature { get; }

    /// <summary>The number of largest logits to choose from; 0 for all.</summary>
    public int TopK { get; }

    /// <summary>The probability that the chosen ones come to at least.</summary>
    public double TopP { get; }

    /// <summary>Draws a class. Nothing is allocated once the largest number of classes was seen.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="logits">One logit for each class; -infinity for a class that is never drawn.</param>
    /// <returns>The index of a logit.</returns>
    /// <exception cref="ArgumentException">There are no logits, one is NaN or +infinity, or all are -infinity.</exception>
    public int Next<T>(ReadOnlySpan<T> logits) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var largest = Largest(logits);
        if (Temperature == 0 || TopK == 1)
            return largest;
        if (_order.Length < logits.Length)
            (_probabilities, _order) = (new double[logits.Length], new int[logits.Length]);
        Span<double> keys = _probabilities.AsSpan(0, logits.Length);
        Span<int> order = _order.AsSpan(0, logits.Length);
        var maximum = double.CreateTruncating(logits[largest]);
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
            keys[i] = Math.Exp((double.CreateTruncating(logits[i]) - maximum) / Temperature);
        }

        var count = TopK == 0 ? order.Length : Math.Min(TopK, order.Length);
        if (count < order.Length || TopP < 1)
            order.Sort(_comparison ??= Compare);
        var total = 0.0;
        for (var i = 0; i < count; i++)
            total += keys[order[i]];
        if (TopP < 1)
            (count, total) = Nucleus(keys, order, count, TopP * total);
        return Draw(keys, order[..count], _random.NextDouble() * total);
    }

    /// <summary>The larger first; of equal ones the smaller index.</summary>
    private int Compare(int x, int y) =>
        _probabilities[x] > _probabilities[y] ? -1 : _probabilities[x] < _probabilities[y] ? 1 : x.CompareTo(y);

    /// <summary>How many of the largest come to some probability, and to how much.</summary>
    private static (int Count, double Total) Nucleus(ReadOnlySpan<double> keys, ReadOnlySpan<int> order, int most, double enough)
    {
        var (count, total) = (0, 0.0);
        while (count < most && (count == 0 || total < enough))
            total += keys[order[count++]];
        return (count, total);
    }

    private static int Draw(ReadOnlySpan<double> keys, ReadOnlySpan<int> order, double at)
    {
        var last = order[0];
        foreach (var i in order)
        {
            if (keys[i] == 0)
                continue;
            last = i;
            at -= keys[i];
            if (at < 0)
                break;
        }

        return last;
    }

    /// <summary>The first of the largest.</summary>
    private static int Largest<T>(ReadOnlySpan<T> logits) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (logits.IsEmpty)
            throw new ArgumentException("The logits are empty; a draw needs one at least.", nameof(logits));
        var largest = 0;
        for (var i = 0; i < logits.Length; i++)
        {
            if (T.IsNaN(logits[i]) || T.IsPositiveInfinity(logits[i]))
                throw new ArgumentException($"Logits must be numbers below infinity; logit {i} is {logits[i]}.", nameof(logits));
            if (logits[i] > logits[largest])
                largest = i;
        }

        return T.IsNegativeInfinity(logits[largest]) ? throw new ArgumentException("All logits are -infinity.", nameof(logits)) : largest;
    }
}
