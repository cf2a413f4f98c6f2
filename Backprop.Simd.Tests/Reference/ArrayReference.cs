namespace Backprop.Simd.Tests.Reference;

/// <summary>Arrays rearranged by the index of every element, in double.</summary>
internal static class ArrayReference
{
    /// <summary>For each element of a result of some shape the element of x that it is, or -1; <paramref name="source"/> maps an index of one
    /// dimension to one of x.</summary>
    public static int[] Sources(int[] shape, int[] result, Func<int, int, int> source)
    {
        var sources = new int[BroadcastReference.Count(result)];
        for (var i = 0; i < sources.Length; i++)
        {
            var (rest, step, at) = (i, 1, 0);
            for (var d = shape.Length - 1; d >= 0; d--)
            {
                var own = source(d, rest % result[d]);
                at = own < 0 || at < 0 ? -1 : at + own * step;
                rest /= result[d];
                step *= shape[d];
            }

            sources[i] = at;
        }

        return sources;
    }

    /// <summary>NumPy's pad: one number, the edge, or a mirror that does not repeat it.</summary>
    public static int Padded(string mode, int index, int length, int before) => mode switch
    {
        "Constant" => index < before || index >= before + length ? -1 : index - before,
        "Edge" => Math.Max(0, Math.Min(length - 1, index - before)),
        _ => index < before ? before - index : index < before + length ? index - before : length - 1 - (index - before - (length - 1)),
    };

    public static double[] Take(double[] x, int[] sources, double otherwise) => [.. sources.Select(s => s < 0 ? otherwise : x[s])];

    public static double[] Scatter(double[] dy, int[] sources, int elements)
    {
        var dx = new double[elements];
        for (var i = 0; i < dy.Length; i++)
        {
            if (sources[i] >= 0)
                dx[sources[i]] += dy[i];
        }

        return dx;
    }
}
