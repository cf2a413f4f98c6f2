using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Sums, means and maxima of bags of rows by the definition, in double.</summary>
internal static class BagReference
{
    /// <summary>The bag of some indices.</summary>
    public static double[] Forward(double[] table, int size, int[] indices, double[]? weights, BagMode mode, int padding)
    {
        int[] places = [.. Enumerable.Range(0, indices.Length).Where(i => indices[i] != padding)];
        return [.. Enumerable.Range(0, size).Select(d =>
        {
            double[] column = [.. places.Select(i => (weights?[i] ?? 1) * table[indices[i] * size + d])];
            return column.Length == 0 ? 0 : mode switch { BagMode.Sum => column.Sum(), BagMode.Mean => column.Average(), _ => column.Max() };
        })];
    }

    /// <summary>dTable += the gradient of the bag, and the gradient by the weights.</summary>
    public static double[] Backward(double[] table, int size, int[] indices, double[]? weights, BagMode mode, int padding, double[] dy, double[] dTable)
    {
        int[] places = [.. Enumerable.Range(0, indices.Length).Where(i => indices[i] != padding)];
        var dWeights = new double[indices.Length];
        for (var d = 0; d < size && places.Length > 0; d++)
        {
            var winner = places.MaxBy(i => table[indices[i] * size + d]);
            foreach (var i in mode == BagMode.Max ? [winner] : places)
            {
                dTable[indices[i] * size + d] += dy[d] * (mode == BagMode.Mean ? 1.0 / places.Length : weights?[i] ?? 1);
                dWeights[i] += dy[d] * table[indices[i] * size + d];
            }
        }

        return dWeights;
    }
}
