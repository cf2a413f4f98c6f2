using Backprop.Simd.Data;
using CsCheck;

namespace Backprop.Simd.Tests.Data;

public sealed class RowOrderTests
{
    [Fact]
    public void Every_epoch_is_a_permutation_that_seed_and_epoch_fix() =>
        Gen.Select(Gen.Int[0, 300], Gen.ULong, Gen.Int[0, int.MaxValue]).Sample((count, seed, epoch) =>
        {
            int[] order = new int[count], again = new int[count];
            RowOrder.Fill(seed, epoch, order);
            RowOrder.Fill(seed, epoch, again);
            Assert.Equal(order, again);
            Assert.Equal(Enumerable.Range(0, count), order.Order());
        }, iter: 300);

    [Fact]
    public void Epochs_and_seeds_have_orders_of_their_own()
    {
        var orders = new HashSet<string>();
        var order = new int[20];
        foreach (var seed in (ulong[])[0, 1, 1UL << 32, ulong.MaxValue])
        {
            for (var epoch = 0; epoch < 50; epoch++)
            {
                RowOrder.Fill(seed, epoch, order);
                Assert.True(orders.Add(string.Join(' ', order)));
            }
        }
    }

    [Fact]
    public void The_order_stays_what_it_was()
    {
        var order = new int[10];
        RowOrder.Fill(42, 3, order);
        Assert.Equal(Known, string.Join(' ', order));
    }

    [Fact]
    public void All_orders_of_four_rows_are_as_likely()
    {
        // 24 orders, 48,000 epochs: chi squared with 23 degrees of freedom is below 50 but once in a thousand seeds.
        const int Epochs = 48_000;
        var counts = new Dictionary<string, int>();
        var order = new int[4];
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            RowOrder.Fill(5, epoch, order);
            var key = string.Join(' ', order);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        Assert.Equal(24, counts.Count);
        Assert.InRange(counts.Values.Sum(n => Math.Pow(n - Epochs / 24.0, 2) / (Epochs / 24.0)), 5, 50);
    }

    [Fact]
    public void A_shuffle_keeps_the_rows_it_is_given()
    {
        int[] rows = [5, 5, 9, 2, 700];
        RowOrder.Shuffle(1, 0, rows);
        Assert.Equal([2, 5, 5, 9, 700], rows.Order());
        Assert.Throws<ArgumentOutOfRangeException>(() => RowOrder.Shuffle(1, -1, rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowOrder.Fill(1, -1, rows));
    }

    // Computed in Python, from Random123's Philox and Lemire's paper.
    private const string Known = "6 9 2 3 4 7 5 0 1 8";
}
