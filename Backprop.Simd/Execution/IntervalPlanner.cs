namespace Backprop.Simd.Execution;

/// <summary>Places buffers that live for an interval of steps into one block, first fit.</summary>
internal sealed class IntervalPlanner
{
    private const int Alignment = 16;

    private readonly List<Request> _requests = [];

    /// <summary>What is free at the step that placing has come to, in order of place; the last gap has no end.</summary>
    private readonly List<Gap> _gaps = [new() { End = long.MaxValue }];

    /// <summary>The elements of the block.</summary>
    public int Length { get; private set; }

    /// <summary>The gaps that were looked at, for tests of how the work grows.</summary>
    public long Looks { get; private set; }

    public void Add(int key, int start, int end, long size) => _requests.Add(new()
    {
        Key = key,
        Start = start,
        End = end,
        Size = (size + Alignment - 1) / Alignment * Alignment,
    });

    /// <summary>The offset of each key. Two requests share elements only if their intervals, ends included, are apart.</summary>
    public Dictionary<int, int> Place()
    {
        // The earlier and, of those that start together, the larger comes first; of equal ones the key decides.
        _requests.Sort(static (x, y) =>
            x.Start != y.Start ? x.Start.CompareTo(y.Start) : x.Size != y.Size ? y.Size.CompareTo(x.Size) : x.Key.CompareTo(y.Key));
        var ending = new List<Request>(_requests);
        ending.Sort(static (x, y) => x.End.CompareTo(y.End));
        var offsets = new Dictionary<int, int>();
        var ended = 0;
        long length = 0;
        foreach (var request in _requests)
        {
            // What ends before this one starts was placed before it.
            for (; ending[ended].End < request.Start; ended++)
                Free(ending[ended]);
            request.Offset = Take(request.Size);
            var end = request.Offset + request.Size;
            if (end > Array.MaxLength - Alignment)
                throw new ArgumentOutOfRangeException(
                    "rows", $"The buffers of this workspace would hold {end} elements; a block holds at most 2^31. Use fewer rows.");
            offsets[request.Key] = (int)request.Offset;
            length = Math.Max(length, end);
        }

        Length = (int)length;
        return offsets;
    }

    /// <summary>Takes the beginning of the first gap that is large enough.</summary>
    private long Take(long size)
    {
        var at = 0;
        while (_gaps[at].End - _gaps[at].Start < size)
            at++;
        Looks += at + 1;
        var start = _gaps[at].Start;
        _gaps[at].Start += size;
        if (_gaps[at].Start == _gaps[at].End)
            _gaps.RemoveAt(at);
        return start;
    }

    /// <summary>Makes the place of a request a gap, one with the gaps that it touches.</summary>
    private void Free(Request request)
    {
        var (low, high) = (0, _gaps.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_gaps[middle].Start < request.Offset)
                low = middle + 1;
            else
                high = middle;
        }

        // There is a gap behind: the last one.
        var (before, behind, end) = (low > 0 ? _gaps[low - 1] : null, _gaps[low], request.Offset + request.Size);
        if (behind.Start == end)
            behind.Start = request.Offset;
        else
            _gaps.Insert(low, behind = new() { Start = request.Offset, End = end });
        if (before?.End != behind.Start)
            return;
        behind.Start = before.Start;
        _gaps.RemoveAt(low - 1);
    }

    private sealed class Request
    {
        public int Key, Start, End;
        public long Size, Offset;
    }

    private sealed class Gap
    {
        public long Start, End;
    }
}
