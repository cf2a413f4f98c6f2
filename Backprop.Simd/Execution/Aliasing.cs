using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <summary>Decides which values and gradients share the memory of others.</summary>
internal static class Aliasing
{
    public static void Find(ExecutionPlan plan)
    {
        var readers = new int[plan.Edges.Length];
        for (var n = 0; n < plan.Nodes.Length; n++)
        {
            foreach (var e in plan.Nodes[n].RunsForward ? plan.Graph.Nodes[n].Inputs : [])
                readers[e]++;
        }

        for (var n = 0; n < plan.Nodes.Length; n++)
        {
            var node = plan.Nodes[n];
            if (!node.RunsForward || node.FusedInto >= 0)
                continue;
            var traits = node.Declaration.Traits;
            if ((traits & LayerTraits.View) != 0)
                ShareView(plan, n);
            else if ((traits & LayerTraits.InPlace) != 0 && readers[plan.Graph.Nodes[n].Inputs[0]] == 1)
                ShareInPlace(plan, n);
        }
    }

    /// <summary>A view of whole rows shares its input's memory. A view of a part of each row, or of rows with gaps between them, does if all
    /// its readers can take it.</summary>
    private static void ShareView(ExecutionPlan plan, int n)
    {
        var (node, input, output) = Ends(plan, n);
        var isWhole = TypeOf(plan, input).Shape.Size == TypeOf(plan, output).Shape.Size;
        var value = plan.Edges[output];
        var hasGaps = !isWhole || plan.Edges[input].HasGaps;
        if (hasGaps && !IsReadInPlace(plan, output))
            return;
        node.IsView = true;
        value.HasGaps = hasGaps;
        value.ValueRoot = plan.Edges[input].ValueRoot;
        if (hasGaps || plan.Graph.Edges[value.ValueRoot].Role != EdgeRole.Computed)
            (value.ViewOf, value.ViewStart) = (input, node.Declaration.ViewStart);
        node.IsGradientView = isWhole && IsGradientOfView(plan, n);
        if (node.IsGradientView)
            value.GradientRoot = plan.Edges[input].GradientRoot;
    }

    /// <summary>Whether all consumers take rows with gaps between them, and the caller does not read the value.</summary>
    private static bool IsReadInPlace(ExecutionPlan plan, int output)
    {
        if (plan.Edges[output].Readable || TypeOf(plan, output).Kind != EdgeKind.Values)
            return false;
        foreach (var consumer in plan.Graph.Consumers[output])
        {
            if ((plan.Graph.Nodes[consumer].Declaration.Traits & LayerTraits.StridedRows) == 0)
                return false;
        }

        return true;
    }

    /// <summary>
    /// A view shares its gradient with its input if nobody else adds to the input's gradient: no other consumer and not the caller. The
    /// gradient of a parameter lies in another block and may be accumulated. The caller must not read a gradient that a layer overwrites.
    /// </summary>
    private static bool IsGradientOfView(ExecutionPlan plan, int n)
    {
        var (node, input, output) = Ends(plan, n);
        return node.RunsBackward && node.NeedsInputGradient[0] && !plan.Edges[input].Seeded && plan.Graph.Edges[input].Role != EdgeRole.Parameter
            && plan.Edges[output].HasFlow && plan.Graph.Consumers[input].Count == 1
            && (!plan.Edges[output].Readable || plan.Edges[input].GradientRoot == input);
    }

    /// <summary>
    /// A layer may overwrite its input if nobody else reads it: no other consumer, not the caller, and in training not the backward pass
    /// of the producer.
    /// </summary>
    private static void ShareInPlace(ExecutionPlan plan, int n)
    {
        var (node, input, output) = Ends(plan, n);
        var value = plan.Edges[input];
        if (plan.Graph.Edges[input].Role != EdgeRole.Computed || value.Readable || TypeOf(plan, input) != TypeOf(plan, output))
            return;
        var producer = plan.Nodes[value.Producer];
        if (ViewsItsInput(plan, input) || plan.Options.Training && (producer.Declaration.Traits & LayerTraits.ReadsOutput) != 0)
            return;
        plan.Edges[output].ValueRoot = value.ValueRoot;
        if (IsGradientShared(plan, n))
            plan.Edges[output].GradientRoot = value.GradientRoot;
    }

    private static bool ViewsItsInput(ExecutionPlan plan, int edge) => plan.Nodes[plan.Graph.Edges[edge].Producer].IsView;

    /// <summary>If values share memory, gradients do too, unless the caller reads the output's gradient or a second input needs it.</summary>
    private static bool IsGradientShared(ExecutionPlan plan, int n)
    {
        var (node, _, output) = Ends(plan, n);
        return node.RunsBackward && node.NeedsInputGradient.Length == 1 && node.NeedsInputGradient[0] && !node.AddsInputGradient[0]
            && !plan.Edges[output].Readable && !plan.Edges[output].Seeded;
    }

    private static (NodePlan Node, int Input, int Output) Ends(ExecutionPlan plan, int n) =>
        (plan.Nodes[n], plan.Graph.Nodes[n].Inputs[0], plan.Nodes[n].Outputs[0]);

    private static EdgeType TypeOf(ExecutionPlan plan, int edge) => plan.Graph.Edges[edge].Type;
}
