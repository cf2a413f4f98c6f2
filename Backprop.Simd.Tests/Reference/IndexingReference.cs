namespace Backprop.Simd.Tests.Reference;

/// <summary>Gathers and their sums by four nested loops, in double. x is [groups, outer, length, inner].</summary>
internal static class IndexingReference
{
    /// <summary>For each element of the result the element of x that it is.</summary>
    public static int[] Sources(int[] x, int[] indices, int count, bool isByElement)
    {
        int outers = x[1], length = x[2], inners = x[3], perRow = isByElement ? outers * count * inners : count;
        var sources = new List<int>();
        for (var row = 0; row < indices.Length / perRow; row++)
        {
            for (var outer = 0; outer < outers; outer++)
            {
                for (var k = 0; k < count; k++)
                {
                    for (var inner = 0; inner < inners; inner++)
                    {
                        var index = isByElement ? indices[((row * outers + outer) * count + k) * inners + inner] : indices[row * count + k];
                        var group = x[0] == 1 ? 0 : row;
                        sources.Add(((group * outers + outer) * length + index) * inners + inner);
                    }
                }
            }
        }

        return [.. sources];
    }
}
