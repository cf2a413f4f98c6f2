using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Data;

/// <summary>Small sets and what happens to them.</summary>
internal static class TestSets
{
    /// <summary>Row i of x is [i, i + 0.25, i + 0.5], its label i mod 7.</summary>
    public static Dataset<T> Counting<T>(int rows) where T : unmanaged, IFloatingPointIeee754<T> => new(
        Columns.Values<T>("x", new Shape(3), Enumerable.Range(0, 3 * rows).Select(i => T.CreateTruncating(i / 3 + 0.25 * (i % 3))).ToArray()),
        Columns.Labels("labels", Enumerable.Range(0, rows).Select(i => i % 7).ToArray(), 7));

    /// <summary>Fails unless a batch holds what its rows say, all of <paramref name="shift"/> added.</summary>
    public static void AssertHoldsItsRows(Batch<float> batch, Func<int, float>? shift = null)
    {
        for (var i = 0; i < batch.Rows; i++)
        {
            var row = batch.SourceRows[i];
            var by = shift?.Invoke(row) ?? 0;
            Assert.Equal([row + by, row + 0.25f + by, row + 0.5f + by], batch.Values(0).Slice(3 * i, 3).ToArray());
            Assert.Equal(row % 7, batch.Indices(1)[i]);
        }
    }

    /// <summary>The rows of the next batches.</summary>
    public static List<int[]> RowsOf(BatchLoader<float> loader, int batches)
    {
        var all = new List<int[]>();
        for (var i = 0; i < batches; i++)
            all.Add(loader.Next().SourceRows.ToArray());
        return all;
    }

    /// <summary>Fails where it is told to, after any wait that it is told to take.</summary>
    public sealed class Faulty(Action<Batch<float>> act) : BatchTransform<float>
    {
        public override int Prepare(ReadOnlySpan<DataColumn> columns) => 0;

        public override void Apply(Batch<float> batch, Span<float> scratch, ulong seed) => act(batch);
    }

    /// <summary>Adds to each number what seed, epoch and row say, by way of its scratch.</summary>
    public sealed class Shifting : BatchTransform<float>
    {
        public static float Of(ulong seed, int epoch, int row) => (seed + (ulong)(31 * epoch + 7 * row)) % 97;

        public override int Prepare(ReadOnlySpan<DataColumn> columns) => columns[0].Type.Shape.Size;

        public override void Apply(Batch<float> batch, Span<float> scratch, ulong seed)
        {
            Assert.Equal(3, scratch.Length);
            for (var i = 0; i < batch.Rows; i++)
            {
                scratch.Fill(Of(seed, batch.Cursor.Epoch, batch.SourceRows[i]));
                for (var j = 0; j < scratch.Length; j++)
                    batch.Values(0)[3 * i + j] += scratch[j];
            }
        }
    }
}
