using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Execution;

/// <content>Sizes that are free until run time: a plan for each choice, all in the same memory.</content>
internal sealed partial class Executor<T>
{
    /// <summary>The plans that are kept. Of more choices of sizes, the plan that has not been used for longest is made again when it is needed.</summary>
    private const int MostPlans = 256;

    private readonly List<SizedPlan<T>> _plans = [];
    private long _choices;

    /// <summary>The current free sizes, in the order of the graph.</summary>
    public ReadOnlySpan<int> Sizes => _now.Sizes;

    /// <summary>Chooses the free sizes. Other sizes than the current ones discard the last forward pass and end all bindings of inputs.</summary>
    public void SetSizes(ReadOnlySpan<int> sizes)
    {
        if (_isRunning)
            throw IsRunning();
        if (sizes.SequenceEqual(_now.Sizes))
            return;
        var next = Find(sizes) ?? Add(sizes.ToArray());
        next.Chosen = ++_choices;
        Unbind();
        Use(next);
        Unbind();
        _phase = Phase.Empty;
    }

    /// <summary>Chooses the sizes of a new workspace, the largest, and ends the bindings of all inputs.</summary>
    public void Restore()
    {
        SetSizes(_plans[0].Sizes);
        Unbind();
    }

    /// <summary>Ends the bindings of all inputs.</summary>
    private void Unbind()
    {
        foreach (var edge in Edges)
        {
            edge.IsBound = false;
            (edge.Bound, edge.BoundIndices) = (default, default);
        }
    }

    private SizedPlan<T>? Find(ReadOnlySpan<int> sizes)
    {
        foreach (var plan in _plans)
        {
            if (sizes.SequenceEqual(plan.Sizes))
                return plan;
        }

        return null;
    }

    private SizedPlan<T> Add(int[] sizes)
    {
        var made = Make(_network.Graph.At(sizes), sizes, _plans[0].Buffers);
        made.Buffers.ReserveKernelScratch(Compute);
        if (_plans.Count == MostPlans)
        {
            // The first plan, of the largest sizes, stays.
            var oldest = 1;
            for (var i = 2; i < _plans.Count; i++)
                oldest = _plans[i].Chosen < _plans[oldest].Chosen ? i : oldest;
            _plans.RemoveAt(oldest);
        }

        _plans.Add(made);
        return made;
    }

    private SizedPlan<T> Make(Graph graph, int[] sizes, Buffers<T>? largest)
    {
        var plan = new ExecutionPlan(graph, _options);
        return new(sizes, plan, new Buffers<T>(plan, Capacity, _network.Parameters, _network.State, largest), Compute);
    }

    [MemberNotNull(nameof(_now), nameof(_plan), nameof(_graph), nameof(_buffers), nameof(_choice), nameof(_zeroedEdges), nameof(_unwritten))]
    private void Use(SizedPlan<T> plan)
    {
        (_now, _plan, _graph, _buffers) = (plan, plan.Plan, plan.Plan.Graph, plan.Buffers);
        (_choice, _zeroedEdges, _unwritten) = (plan.Choice, plan.ZeroedEdges, plan.Unwritten);
    }
}
