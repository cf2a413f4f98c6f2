namespace Backprop.Simd.Tests.Reference;

/// <summary>Rows of a table by the definition, in double.</summary>
internal static class EmbeddingReference
{
    public static double[] Forward(double[] table, int[] indices, int size) => [.. indices.SelectMany(i => table[(i * size)..((i + 1) * size)])];

    /// <summary>The sum of dy over the occurrences of each index.</summary>
    public static double[] Gradient(double[] dy, int[] indices, int count, int size, int? paddingIndex = null)
    {
        var gradient = new double[count * size];
        for (var e = 0; e < dy.Length; e++)
        {
            if (indices[e / size] != paddingIndex)
                gradient[indices[e / size] * size + e % size] += dy[e];
        }

        return gradient;
    }
}
