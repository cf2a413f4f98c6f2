using System.Runtime.CompilerServices;
using Backprop.Simd.Data;

namespace Backprop.Simd.Tests.Data;

public sealed class PrefetcherTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public void Slow_threads_deliver_in_order()
    {
        var waits = new TestSets.Faulty(batch => Thread.Sleep(batch.Cursor.Batch % 3 * 3));
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(40), 1, new() { Prefetch = 4, Workers = 3, Shuffle = false, Transforms = [waits] });
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i % 40), TestSets.RowsOf(loader, 60).Select(rows => rows[0]));
    }

    [Fact]
    public void No_more_is_read_ahead_than_asked_for()
    {
        var read = 0;
        var counts = new TestSets.Faulty(_ => Interlocked.Increment(ref read));
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(40), 1, new() { Prefetch = 3, Workers = 2, Transforms = [counts] });
        Thread.Sleep(50);
        Assert.Equal(0, read); // Nothing before the first call.
        for (var i = 1; i < 20; i++)
        {
            loader.Next();
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref read) >= i, Long));
            Thread.Sleep(5);
            Assert.InRange(Volatile.Read(ref read), i, i + 3);
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(5, 3)]
    public void What_a_transform_throws_comes_out_at_its_batch_and_can_be_tried_again(int prefetch, int workers)
    {
        var broken = true;
        var fails = new TestSets.Faulty(batch =>
        {
            if (batch.Cursor == new DataCursor(1, 2) && Volatile.Read(ref broken))
                throw new InvalidTimeZoneException("row of batch 2");
        });
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(20), 4, new() { Prefetch = prefetch, Workers = workers, Transforms = [fails] });
        for (var i = 0; i < 7; i++)
            loader.Next();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("row of batch 2", Assert.Throws<InvalidTimeZoneException>(loader.Next).Message);
            Assert.Equal(new DataCursor(1, 2), loader.Cursor);
        }

        Volatile.Write(ref broken, false);
        Assert.Equal(new DataCursor(1, 2), loader.Next().Cursor);
        Assert.Equal(new DataCursor(1, 3), loader.Next().Cursor);
        Volatile.Write(ref broken, true);
        loader.Cursor = new(1, 2);
        Assert.Throws<InvalidTimeZoneException>(loader.Next);
        loader.Cursor = new(1, 3);
        TestSets.AssertHoldsItsRows(loader.Next());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Disposing_ends_threads_that_wait(int workers)
    {
        var names = new System.Collections.Concurrent.ConcurrentDictionary<Thread, bool>();
        var notes = new TestSets.Faulty(_ => names[Thread.CurrentThread] = true);
        for (var i = 0; i < 20; i++)
        {
            var loader = new BatchLoader<float>(TestSets.Counting<float>(20), 4, new() { Prefetch = 4, Workers = workers, Transforms = [notes] });
            for (var j = 0; j < i; j++)
                loader.Next();
            if (i % 2 == 0)
                Thread.Sleep(5); // Now the ring is full.
            loader.Dispose();
            loader.Dispose();
            Assert.All(names.Keys, thread => Assert.False(thread.IsAlive));
            Assert.Throws<ObjectDisposedException>(loader.Next);
        }
    }

    [Fact]
    public async Task Disposing_ends_a_call_that_waits()
    {
        using ManualResetEventSlim reads = new(), gate = new();
        var waits = new TestSets.Faulty(_ =>
        {
            reads.Set();
            gate.Wait(Long);
        });
        var loader = new BatchLoader<float>(TestSets.Counting<float>(20), 4, new() { Prefetch = 2, Transforms = [waits] });
        var next = Task.Run(() => Record.Exception(loader.Next));
        Assert.True(reads.Wait(Long));
        var disposal = Task.Run(loader.Dispose);
        Assert.IsType<ObjectDisposedException>(await next.WaitAsync(Long));
        Assert.False(disposal.IsCompleted); // The thread still reads.
        gate.Set();
        await disposal.WaitAsync(Long);
    }

    [Fact]
    public void A_loader_that_nobody_holds_is_collected_and_its_threads_end()
    {
        var threads = new System.Collections.Concurrent.ConcurrentDictionary<Thread, bool>();
        var forgotten = Forget(threads);
        Assert.True(SpinWait.SpinUntil(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !forgotten.IsAlive && threads.Keys.All(thread => !thread.IsAlive);
        }, Long));
        Assert.Equal(2, threads.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Forget(System.Collections.Concurrent.ConcurrentDictionary<Thread, bool> threads)
    {
        var loader = new BatchLoader<float>(TestSets.Counting<float>(20), 4,
            new() { Prefetch = 4, Workers = 2, Transforms = [new TestSets.Faulty(_ => threads[Thread.CurrentThread] = true)] });
        for (var i = 0; i < 9; i++)
            loader.Next();
        return new WeakReference(loader);
    }

    [Fact]
    public async Task A_call_interrupted_while_it_waits_for_the_threads_leaves_a_loader_that_goes_on()
    {
        using var open = new ManualResetEventSlim(true);
        var waits = new TestSets.Faulty(batch => _ = batch.Cursor.Batch == 1 || open.Wait(Long));
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(20), 1, new() { Prefetch = 1, Shuffle = false, Transforms = [waits] });
        loader.Next();
        open.Reset();
        loader.Next();           // The thread is inside batch 2.
        Exception? failure = null;
        var caller = new Thread(() =>
        {
            loader.Cursor = new DataCursor(0, 9);
            failure = Record.Exception(loader.Next);
        });
        caller.Start();
        Assert.True(SpinWait.SpinUntil(() => (caller.ThreadState & ThreadState.WaitSleepJoin) != 0, Long));
        caller.Interrupt();
        Assert.True(caller.Join(Long));
        Assert.IsType<ThreadInterruptedException>(failure);
        open.Set();
        loader.Cursor = new DataCursor(0, 2);
        var rows = Task.Run(() => TestSets.RowsOf(loader, 10).Select(row => row[0]).ToArray());
        Assert.Equal(Enumerable.Range(2, 10), await rows.WaitAsync(Long));
    }
}
