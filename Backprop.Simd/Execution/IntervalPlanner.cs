namespace Backprop.Simd.Execution;

/// <summary>Places buffers into one block by first fit. Each buffer is in use for an interval of steps.</summary>
internal sealed class IntervalPlanner
{
    private const int Alignment = 16;

    private readonly List<Request> _requests = [];

    /// <summary>The free gaps at the current step, in ascending order; the last gap has no end.</summary>
    private readonly List<Gap> _gaps = [new() { End = long.MaxValue }];

    /// <summary>The elements of the block.</summary>
    public int Length { get; private set; }

    /// <summary>The number of gaps examined, for tests of how the work grows.</summary>
    public long Looks { get; private set; }

    public void Add(int key, int start, int end, long size) => _requests.Add(new()
    {
        Key = key,
        Start = start,
        End = end,
        Size = (size + Alignment - 1) / Alignment * Alignment,
    });

    /// <summary>The offset of each key. Two requests share elements only if their intervals, ends included, do not overlap.</summary>
    public Dictionary<int, int> Place()
    {
        // Order by start, then by size, the larger first, then by key.
        _requests.Sort(static (x, y) =>
            x.Start != y.Start ? x.Start.CompareTo(y.Start) : x.Size != y.Size ? y.Size.CompareTo(x.Size) : x.Key.CompareTo(y.Key));
        var ending = new List<Request>(_requests);
        ending.Sort(static (x, y) => x.End.CompareTo(y.End));
        var offsets = new Dictionary<int, int>();
        var ended = 0;
        long length = 0;
        foreach (var request in _requests)
        {
            // Requests that end before this one starts have been placed already: free their places.
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

    /// <summary>Takes the start of the first gap that is large enough.</summary>
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

    /// <summary>Frees the place of a request, and joins it with adjacent gaps.</summary>
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

        // There is always a gap after it: the last gap has no end.
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
