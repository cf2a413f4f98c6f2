using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

/// <summary>Counts how often each item ran, and remembers on which thread each range ran.</summary>
internal sealed class RangeRecorder(int count)
{
    private readonly int[] _hits = new int[count];

    private readonly Lock _gate = new();

    public List<(int Start, int Limit, Thread Thread)> Ranges { get; } = [];

    public Body AsBody => new(this);

    public void AssertEachItemOnce(string what)
    {
        for (var i = 0; i < count; i++)
            Assert.True(_hits[i] == 1, $"{what}: item {i} of {count} ran {_hits[i]} times.");
    }

    public void AssertInline(string what)
    {
        AssertEachItemOnce(what);
        Assert.All(Ranges, range => Assert.True(range.Thread == Thread.CurrentThread, $"{what}: items {range.Start} to {range.Limit} ran on another thread."));
    }

    private void Record(int start, int limit)
    {
        for (var i = start; i < limit; i++)
            Interlocked.Increment(ref _hits[i]);
        lock (_gate)
            Ranges.Add((start, limit, Thread.CurrentThread));
    }

    public readonly struct Body(RangeRecorder recorder) : IRangeBody
    {
        public void Execute(int start, int limit) => recorder.Record(start, limit);
    }
}

/// <summary>A body from a delegate, for tests.</summary>
internal readonly struct DelegateBody(Action<int, int> action) : IRangeBody
{
    public void Execute(int start, int limit) => action(start, limit);
}
