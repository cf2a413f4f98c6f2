using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Execution;

/// <summary>What an executor runs at one choice of the free sizes: the graph with these sizes, its plan, and its places in memory.</summary>
internal sealed class SizedPlan<T>(int[] sizes, ExecutionPlan plan, Buffers<T> buffers, ComputeContext compute)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly int[] Sizes = sizes;

    public readonly ExecutionPlan Plan = plan;

    public readonly Buffers<T> Buffers = buffers;

    public readonly ThreadChoice Choice = new(compute);

    /// <summary>The gradients that no layer writes.</summary>
    public readonly int[] ZeroedEdges = UnwrittenGradients.Edges(plan);

    public readonly BlockRange[] Unwritten = plan.Options.ParameterGradients ? UnwrittenGradients.Ranges(plan) : [];

    /// <summary>When it was last chosen, counted in choices.</summary>
    public long Chosen;
}
