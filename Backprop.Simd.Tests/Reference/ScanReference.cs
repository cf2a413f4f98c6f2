namespace Backprop.Simd.Tests.Reference;

/// <summary>Prefix sums and sorting along a dimension, each lane on its own, in double.</summary>
internal static class ScanReference
{
    public static double[] Sums(double[] x, int[] shape, int axis, bool exclusive, bool reverse)
    {
        var y = new double[x.Length];
        foreach (var lane in Lanes(shape, axis))
        {
            var sum = 0.0;
            foreach (var i in reverse ? Enumerable.Reverse(lane) : lane)
            {
                y[i] = exclusive ? sum : sum + x[i];
                sum += x[i];
            }
        }

        return y;
    }

    /// <summary>For each place of the result the element and its index in the dimension.</summary>
    public static (int Source, int Place)[] Ranked(double[] x, int[] shape, int axis, int count, bool largest)
    {
        int[] result = [.. shape.Select((n, d) => d == axis ? count : n)];
        var ranked = new (int, int)[BroadcastReference.Count(result)];
        foreach (var (lane, to) in Lanes(shape, axis).Zip(Lanes(result, axis)))
        {
            // Ordinary comparison, but NaN above all; OrderBy is stable.
            var numbered = lane.Select((source, place) => (source, place));
            var byValue = Comparer<double>.Create((a, b) => double.IsNaN(a) || double.IsNaN(b) ? double.IsNaN(a).CompareTo(double.IsNaN(b))
                : a < b ? -1 : a > b ? 1 : 0);
            var sorted = (largest ? numbered.OrderByDescending(p => x[p.source], byValue) : numbered.OrderBy(p => x[p.source], byValue)).ToArray();
            for (var k = 0; k < count; k++)
                ranked[to[k]] = sorted[k];
        }

        return ranked;
    }

    private static IEnumerable<int[]> Lanes(int[] shape, int axis)
    {
        var inner = shape[(axis + 1)..].Aggregate(1, (a, b) => a * b);
        return Enumerable.Range(0, BroadcastReference.Count(shape)).GroupBy(i => (i / inner / shape[axis], i % inner)).Select(g => g.ToArray());
    }
}
