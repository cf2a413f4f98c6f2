namespace Backprop.Simd.Tests.Reference;

/// <summary>Broadcasting and reductions over axes by the index of every element, in double.</summary>
internal static class BroadcastReference
{
    /// <summary>The shape of both, by the rule.</summary>
    public static int[] Shape(int[] x, int[] y)
    {
        var rank = Math.Max(x.Length, y.Length);
        return [.. Enumerable.Range(0, rank).Select(d => Math.Max(Size(x, d, rank), Size(y, d, rank)))];
    }

    /// <summary>The element of an operand that an element of the result comes from.</summary>
    public static int Source(int[] operand, int[] result, int index)
    {
        var at = 0;
        var stride = 1;
        for (var i = 1; i <= result.Length; i++)
        {
            var digit = index % result[^i];
            index /= result[^i];
            if (i > operand.Length)
                continue;
            at += operand[^i] == 1 ? 0 : digit * stride;
            stride *= operand[^i];
        }

        return at;
    }

    public static int Count(int[] shape) => shape.Aggregate(1, (a, b) => a * b);

    public static double[] Map(double[] x, int[] xShape, double[] y, int[] yShape, Func<double, double, double> f)
    {
        var shape = Shape(xShape, yShape);
        return [.. Enumerable.Range(0, Count(shape)).Select(i => f(x[Source(xShape, shape, i)], y[Source(yShape, shape, i)]))];
    }

    /// <summary>Each element of a shape with the terms that lie over it, in order.</summary>
    public static double[][] Groups(double[] terms, int[] shape, int[] operand)
    {
        var groups = Enumerable.Range(0, Count(operand)).Select(_ => new List<double>()).ToArray();
        for (var i = 0; i < terms.Length; i++)
            groups[Source(operand, shape, i)].Add(terms[i]);
        return [.. groups.Select(g => g.ToArray())];
    }

    private static int Size(int[] shape, int dimension, int rank) =>
        dimension < rank - shape.Length ? 1 : shape[dimension - (rank - shape.Length)];
}
