using Backprop.Simd.Data;
using CsCheck;

namespace Backprop.Simd.Tests.Data;

public sealed class DataSplitTests
{
    private static readonly Gen<double[]> Fractions = Gen.Int[0, 20].Array[1, 5].Where(parts => parts.Sum() > 0)
        .Select(parts => parts.Select(part => part / (double)parts.Sum()).ToArray());

    [Fact]
    public void A_random_split_is_disjoint_complete_and_of_the_sizes_asked_for() =>
        Gen.Select(Gen.Int[0, 500], Gen.ULong, Fractions).Sample((count, seed, fractions) =>
        {
            var parts = DataSplit.Random(count, seed, fractions);
            AssertPartition(parts, count);
            for (var i = 0; i < fractions.Length; i++)
                Assert.InRange(parts[i].Length, Math.Floor(count * fractions[i] - 1e-9), Math.Ceiling(count * fractions[i] + 1e-9));
            Assert.Equal(parts, DataSplit.Random(count, seed, fractions));

            var counts = parts.Select(part => part.Length).ToArray();
            Assert.Equal(parts, DataSplit.Random(count, seed, counts));
        }, iter: 200);

    [Fact]
    public void A_stratified_split_gives_each_class_its_share() =>
        Gen.Select(Gen.Int[-3, 6].Array[0, 400], Gen.ULong, Fractions).Sample((labels, seed, fractions) =>
        {
            var parts = DataSplit.Stratified(labels, seed, fractions);
            AssertPartition(parts, labels.Length);
            foreach (var group in labels.GroupBy(label => label))
            {
                for (var i = 0; i < fractions.Length; i++)
                {
                    var share = parts[i].Count(row => labels[row] == group.Key);
                    Assert.InRange(share, Math.Floor(group.Count() * fractions[i] - 1e-9), Math.Ceiling(group.Count() * fractions[i] + 1e-9));
                }
            }

            Assert.Equal(parts, DataSplit.Stratified(labels, seed, fractions));
        }, iter: 200);

    [Fact]
    public void What_rounding_takes_from_a_class_the_next_makes_up_for()
    {
        // 5 rows of each of 100 classes: a tenth is half a row of each, 50 rows together.
        var labels = Enumerable.Range(0, 500).Select(i => i % 100).ToArray();
        Assert.Equal([400, 50, 50], DataSplit.Stratified(labels, 1, 0.8, 0.1, 0.1).Select(part => part.Length));
        Assert.Equal([450, 50], DataSplit.Stratified(labels, 1, 0.9, 0.1).Select(part => part.Length));
    }

    [Fact]
    public void Seeds_differ_and_rows_are_as_likely()
    {
        var labels = Enumerable.Range(0, 40).Select(i => i % 2).ToArray();
        var chosen = new int[40];
        for (var seed = 0UL; seed < 2000; seed++)
        {
            foreach (var row in DataSplit.Stratified(labels, seed, 0.75, 0.25)[1])
                chosen[row]++;
        }

        Assert.All(chosen, count => Assert.InRange(count, 400, 600)); // 500 expected, five deviations of 19.
        Assert.NotEqual(DataSplit.Random(50, 1, 0.5, 0.5)[0], DataSplit.Random(50, 2, 0.5, 0.5)[0]);
    }

    [Fact]
    public void Fractions_and_sizes_that_do_not_add_up_are_refused()
    {
        Assert.Contains("add up to 0.9", Assert.Throws<ArgumentException>(() => DataSplit.Random(10, 1, 0.5, 0.4)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => DataSplit.Random(10, 1, 1.5, -0.5));
        Assert.Throws<ArgumentException>(() => DataSplit.Random(10, 1, double.NaN, 1));
        Assert.Throws<ArgumentException>(() => DataSplit.Random(10, 1, Array.Empty<double>()));
        Assert.Throws<ArgumentOutOfRangeException>(() => DataSplit.Random(-1, 1, 1.0));
        Assert.Contains("hold 9 rows", Assert.Throws<ArgumentException>(() => DataSplit.Random(10, 1, 5, 4)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => DataSplit.Random(10, 1, 11, -1));
        Assert.Throws<ArgumentException>(() => DataSplit.Stratified([1, 2], 1, 0.5));
    }

    [Theory]
    [InlineData(10, 2)]
    [InlineData(103, 5)]
    [InlineData(7, 7)]
    public void Each_row_is_held_out_in_one_fold_and_trained_on_in_the_others(int count, int folds)
    {
        var labels = Enumerable.Range(0, count).Select(i => i % 3).ToArray();
        foreach (var all in new[] { DataSplit.Folds(count, 1, folds), DataSplit.StratifiedFolds(labels, 1, folds),
            DataSplit.StratifiedFolds([.. labels.Select(l => (byte)l)], 1, folds) })
        {
            Assert.Equal(folds, all.Count);
            AssertPartition([.. all.Select(fold => fold.Validation)], count);
            foreach (var (training, validation) in all)
            {
                AssertPartition([training, validation], count);
                Assert.InRange(validation.Length, count / folds, (count + folds - 1) / folds);
            }
        }

        foreach (var (_, validation) in DataSplit.StratifiedFolds(labels, 1, folds))
        {
            for (var label = 0; label < 3; label++)
            {
                var share = labels.Count(l => l == label) / (double)folds;
                Assert.InRange(validation.Count(row => labels[row] == label), Math.Floor(share), Math.Ceiling(share));
            }
        }

        Assert.NotEqual(DataSplit.Folds(100, 1, 5)[0].Validation, DataSplit.Folds(100, 2, 5)[0].Validation);
    }

    [Fact]
    public void One_fold_or_more_than_rows_are_refused()
    {
        Assert.Contains("10 rows can be split into 2 to 10 folds", Assert.Throws<ArgumentOutOfRangeException>(() => DataSplit.Folds(10, 1, 1)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => DataSplit.Folds(10, 1, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => DataSplit.StratifiedFolds([1, 2, 3], 1, 4));
    }

    private static void AssertPartition(IReadOnlyList<int[]> parts, int count)
    {
        Assert.Equal(Enumerable.Range(0, count), parts.SelectMany(part => part).Order());
        Assert.All(parts, part => Assert.Equal(part.Order(), part));
    }
}
