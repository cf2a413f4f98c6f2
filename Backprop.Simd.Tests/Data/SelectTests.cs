using Backprop.Simd.Data;

namespace Backprop.Simd.Tests.Data;

public sealed class SelectTests
{
    [Fact]
    public void A_view_has_the_rows_chosen_and_a_view_of_it_too()
    {
        int[] rows = [.. Enumerable.Range(0, 1000).Select(i => i * 7 % 1500)];
        var view = TestSets.Counting<float>(1500).Select(rows);
        Assert.Equal(1000, view.Count);
        Check(view, i => rows[i], [.. Enumerable.Range(0, 700).Select(i => i * 3 % 1000)]);
        Check(view.Select(999, 5, 5), i => rows[i == 0 ? 999 : 5], [2, 0, 1, 1]);
    }

    [Fact]
    public void Rows_that_are_not_there_are_refused()
    {
        var set = TestSets.Counting<float>(5);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Select(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Select(0, -1));
        var view = set.Select(4, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => view.Read([2], view.CreateBatch(1)));
        Assert.Equal(0, set.Select().Count);
        int[] rows = [1];
        view = set.Select(rows);
        rows[0] = 2;
        Check(view, _ => 1, [0]);
    }

    private static void Check(Dataset<float> view, Func<int, int> source, int[] rows)
    {
        var batch = view.CreateBatch(rows.Length);
        view.Read(rows, batch);
        for (var i = 0; i < rows.Length; i++)
        {
            float row = source(rows[i]);
            Assert.Equal([row, row + 0.25f, row + 0.5f], batch.Values(0).Slice(3 * i, 3).ToArray());
            Assert.Equal(source(rows[i]) % 7, batch.Indices(1)[i]);
        }

        Assert.Equal(rows, batch.SourceRows.ToArray());
    }
}
