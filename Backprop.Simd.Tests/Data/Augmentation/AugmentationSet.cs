using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Data.Augmentation;

/// <summary>Images that know nothing of loaders: a set, and one call that augments some of its rows.</summary>
internal sealed class AugmentationSet<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public AugmentationSet(Shape shape, int count, int seed = 1)
    {
        var random = new Random(seed);
        Pixels = [.. Enumerable.Range(0, shape.Size * count).Select(_ => T.CreateTruncating(random.NextDouble()))];
        Others = [.. Enumerable.Range(0, count).Select(_ => T.CreateTruncating(random.NextDouble()))];
        Set = new(new Column("x", shape, count, Pixels), new Column("targets", new Shape(1), count, Others), new Labels(count));
        Length = shape.Size;
    }

    public Dataset<T> Set { get; }

    /// <summary>The images as they are.</summary>
    public T[] Pixels { get; }

    public T[] Others { get; }

    public int Length { get; }

    /// <summary>Rows of the set, augmented as one batch.</summary>
    public T[] Run(BatchTransform<T> transform, int[] rows, ulong seed = 5, int epoch = 0)
    {
        var batch = Set.CreateBatch(rows.Length);
        Set.Read(rows, batch);
        batch.Cursor = new(epoch, 0);
        var scratch = new T[transform.Prepare(Set.Columns)];
        scratch.AsSpan().Fill(T.NaN);
        transform.Apply(batch, scratch, seed);
        Assert.Equal(rows.Select(r => Others[r]), batch.Values(1).ToArray());
        Assert.Equal(rows, batch.Indices(2).ToArray());
        return batch.Values(0).ToArray();
    }

    public T[] Run(BatchTransform<T> transform, ulong seed = 5, int epoch = 0) => Run(transform, [.. Enumerable.Range(0, Set.Count)], seed, epoch);

    private sealed class Column(string name, Shape shape, int count, T[] values) : ValueColumn<T>(name, shape, count)
    {
        protected override void ReadRows(ReadOnlySpan<int> rows, Span<T> destination)
        {
            for (var i = 0; i < rows.Length; i++)
                values.AsSpan(rows[i] * Type.Shape.Size, Type.Shape.Size).CopyTo(destination[(i * Type.Shape.Size)..]);
        }
    }

    private sealed class Labels(int count) : IndexColumn("labels", Shape.Scalar, count)
    {
        protected override void ReadRows(ReadOnlySpan<int> rows, Span<int> destination) => rows.CopyTo(destination);
    }
}
