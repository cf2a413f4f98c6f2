using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <summary>Where values and gradients lie in their two blocks. Buffers that are never in use at the same time share elements.</summary>
internal sealed class MemoryPlan
{
    private const int Forever = int.MaxValue;

    private readonly ExecutionPlan _plan;
    private readonly int _capacity;

    public MemoryPlan(ExecutionPlan plan, int capacity)
    {
        (_plan, _capacity) = (plan, capacity);
        (Values, ValueLength) = Place(ValueLives());
        (Gradients, GradientLength) = plan.Options.Training ? Place(GradientLives()) : ([], 0);
    }

    /// <summary>For each root edge the offsets of its value and its gradient.</summary>
    public Dictionary<int, int> Values { get; }

    public Dictionary<int, int> Gradients { get; }

    public int ValueLength { get; }

    public int GradientLength { get; }

    /// <summary>Whether a node that runs computes an edge, and stores it.</summary>
    public bool IsComputed(int edge) =>
        !_plan.Edges[edge].IsInside && _plan.Graph.Edges[edge].Producer is >= 0 and var n && _plan.Nodes[n].RunsForward;

    /// <summary>Whether an edge has a gradient outside the parameters' block.</summary>
    public bool HasGradient(int edge)
    {
        var (info, planned) = (_plan.Graph.Edges[edge], _plan.Edges[edge]);
        return info.Role != EdgeRole.Parameter && !planned.IsInside
            && (planned.HasFlow || info.Producer >= 0 && _plan.Nodes[info.Producer].RunsBackward || planned.NeedsGradient && planned.Readable);
    }

    /// <summary>The elements of an edge for a whole batch.</summary>
    public int Elements(int edge)
    {
        var info = _plan.Graph.Edges[edge];
        return Fitting(info.Name, info.Type.Kind == EdgeKind.Shared ? info.Type.Shape.Size : (long)_capacity * info.Type.Shape.Size);
    }

    /// <summary>A size as an integer. Throws if it is too large for one buffer.</summary>
    public int Fitting(string name, long elements) => elements <= Array.MaxLength - 64
        ? (int)elements
        : throw new ArgumentOutOfRangeException("rows", _capacity,
            $"'{name}' would need {elements} elements in one buffer; a buffer holds at most 2^31. Use fewer rows.");

    /// <summary>In training every value is kept for backward. In inference a value lives from its producer to its last reader.</summary>
    private Life?[] ValueLives()
    {
        var lives = new Life?[_plan.Edges.Length];
        for (var e = 0; e < lives.Length; e++)
        {
            var edge = _plan.Edges[e];
            if (!IsComputed(e) || _plan.Graph.Edges[edge.ValueRoot].Role != EdgeRole.Computed)
                continue;
            var end = _plan.Options.Training || edge.Readable ? Forever : edge.Producer;
            foreach (var consumer in _plan.Graph.Consumers[e])
            {
                if (_plan.Nodes[consumer].RunsForward)
                    end = Math.Max(end, consumer);
            }

            (lives[edge.ValueRoot] ??= new Life()).Include(edge.Producer, end);
        }

        return lives;
    }

    /// <summary>A gradient lives from the first of its consumers, in backward order, to its producer's backward pass.</summary>
    private Life?[] GradientLives()
    {
        var last = _plan.Nodes.Length;
        var lives = new Life?[_plan.Edges.Length];
        for (var e = 0; e < lives.Length; e++)
        {
            if (!HasGradient(e))
                continue;
            var edge = _plan.Edges[e];
            var end = _plan.Graph.Edges[e].Producer < 0 || edge.Readable ? Forever : last - edge.Producer;
            var start = 0;
            foreach (var consumer in _plan.Graph.Consumers[e])
            {
                // The last consumer that runs backward writes first.
                if (_plan.Nodes[consumer].RunsBackward && !edge.Seeded)
                    start = last - consumer;
            }

            (lives[edge.GradientRoot] ??= new Life()).Include(start, end);
        }

        return lives;
    }

    private (Dictionary<int, int> Offsets, int Length) Place(Life?[] lives)
    {
        var planner = new IntervalPlanner();
        for (var e = 0; e < lives.Length; e++)
        {
            if (lives[e] is { } life)
                planner.Add(e, life.Start, life.End, Elements(e));
        }

        var offsets = planner.Place();
        return (offsets, planner.Length);
    }

    /// <summary>The steps through which a buffer is in use, ends included.</summary>
    private sealed class Life
    {
        public int Start = Forever, End;

        public void Include(int start, int end) => (Start, End) = (Math.Min(Start, start), Math.Max(End, end));
    }
}
