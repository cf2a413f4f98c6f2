using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Training;

/// <summary>Finds where infinity or NaN first appears, by repeating the step in a workspace that keeps all values.</summary>
internal static class NonFiniteSearch
{
    /// <summary>The place and a description; the place is empty if nothing was found.</summary>
    public static (string Node, string Text) Find<T>(Network<T> network, BatchBinding<T> binding, Batch<T> batch, long stepNumber)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var definition = network.Definition;
        var workspace = network.CreateWorkspace(batch.Rows, new WorkspaceOptions { Retain = Retain.All, KeepGradients = true });
        workspace.StepNumber = stepNumber;
        binding.Bind(workspace, batch);
        for (var c = 0; c < batch.Columns.Length; c++)
        {
            var column = batch.Columns[c];
            if (column.Type.Kind != EdgeKind.Values || IndexOf(batch.Values(c)) is not (>= 0 and var at))
                continue;
            var (row, element) = Math.DivRem(at, column.Type.Shape.Size);
            return (column.Name, $"the input '{column.Name}' holds {batch.Values(c)[at]} at element {element} of row {row} of the batch "
                + $"(row {batch.SourceRows[row]} of the set)");
        }

        foreach (var entry in definition.Parameters.Entries)
        {
            if (IndexOf<T>(network.ParameterOf(entry.Name)) is >= 0 and var at)
                return (entry.Name, $"the parameter '{entry.Name}' holds {network.ParameterOf(entry.Name)[at]} at element {at}");
        }

        foreach (var entry in definition.State.Entries)
        {
            if (IndexOf<T>(network.StateOf(entry.Name)) is >= 0 and var at)
                return (entry.Name, $"the state '{entry.Name}' holds {network.StateOf(entry.Name)[at]} at element {at}");
        }

        network.Forward(workspace);
        for (var n = 0; n < definition.Graph.Nodes.Length; n++)
        {
            var node = definition.Graph.Nodes[n];
            foreach (var edge in node.Outputs)
            {
                var name = definition.Graph.Edges[edge].Name;
                if (definition.Graph.Edges[edge].Type.Kind == EdgeKind.Indices || IndexOf(workspace.ValueOf(name)) is not (>= 0 and var at))
                    continue;
                return (name, $"the output of '{name}' ({node.Layer.Kind}) holds {workspace.ValueOf(name)[at]} at element {at}; its inputs are finite");
            }

            for (var i = 0; i < node.States.Length; i++)
            {
                var state = node.Name + "." + node.Declaration.States[i].Name;
                var proposed = workspace.Executor.ProposedStateOf(node.States[i].Range);
                if (IndexOf(proposed) is >= 0 and var at)
                    return (state, $"the new state '{state}' holds {proposed[at]} at element {at}");
            }
        }

        // Losses are summed in double: a sum may be finite in double, but not in T.
        network.Backward(workspace);
        for (var n = definition.Graph.Nodes.Length - 1; n >= 0; n--)
        {
            foreach (var edge in definition.Graph.Nodes[n].Outputs)
            {
                var name = definition.Graph.Edges[edge].Name;
                var gradient = workspace.GradientOrEmpty(edge);
                if (IndexOf(gradient) is >= 0 and var at)
                    return (name, $"the gradient by the output of '{name}' ({definition.Graph.Nodes[n].Layer.Kind}) holds {gradient[at]} at element {at}");
            }

            foreach (var declared in definition.Graph.Nodes[n] is { SharesWith: < 0 } own ? own.Declaration.Parameters : [])
            {
                var parameter = definition.Graph.Nodes[n].Name + "." + declared.Name;
                var gradient = workspace.ParameterGradientOf(parameter);
                if (IndexOf<T>(gradient) is >= 0 and var at)
                    return (parameter, $"the gradient by '{parameter}' holds {gradient[at]} at element {at}");
            }
        }

        return ("", "the sum of the losses or gradients is not finite, though each of them is");
    }

    private static int IndexOf<T>(ReadOnlySpan<T> values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!T.IsFinite(values[i]))
                return i;
        }

        return -1;
    }
}
