using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>The layers of a model of ONNX in a graph: its inputs and outputs as nodes, to go on from.</summary>
/// <remarks>Rows are features-last, as everywhere in the library: what ONNX has as [N, C, H, W] has the rows [H, W, C], where a convolution or pooling
/// made it; <see cref="DimensionsOf"/> tells.</remarks>
public sealed class OnnxGraph
{
    private readonly Dictionary<string, ImportValue> _values;
    private readonly IReadOnlyDictionary<string, ImportValue> _inputs;
    private readonly List<ImportedNumbers> _numbers;

    internal OnnxGraph(IReadOnlyList<string> outputs, IReadOnlyDictionary<string, ImportValue> values, IReadOnlyDictionary<string, ImportValue> inputs,
        List<ImportedNumbers> numbers, HashSet<string> images)
    {
        (OutputNames, _inputs, _numbers) = (outputs, inputs, numbers);
        var ordered = new Dictionary<string, ImportValue>(values);
        foreach (var name in outputs)
        {
            if (ordered.TryGetValue(name, out var value) && value is NodeValue node)
                ordered[name] = images.Contains(name) && IsChannelsLast(node) || node.Axes.Any(a => a.Length > 1 && a.Contains(0)) ? node : Views.InOrder(node);
        }

        _values = ordered;
    }

    /// <summary>The names of the inputs.</summary>
    public IEnumerable<string> InputNames => _inputs.Keys;

    /// <summary>The names of the outputs that were asked for.</summary>
    public IReadOnlyList<string> OutputNames { get; }

    /// <summary>The node of an input, an output, or anything that the model computes.</summary>
    /// <param name="name">The name in the model.</param>
    /// <exception cref="ArgumentException">The model has no such name, or its numbers are known without inputs.</exception>
    public Node this[string name] => ValueOf(name).Node;

    /// <summary>For each dimension that ONNX counts, the dimensions of the node that it is made of, in their order: 0 is the batch, 1 the first dimension
    /// of a row. An image [N, C, H, W] has ((0), (3), (1), (2)); a dimension of size 1 may have none.</summary>
    /// <param name="name">The name in the model.</param>
    /// <returns>The dimensions.</returns>
    /// <exception cref="ArgumentException">The model has no such name, or its numbers are known without inputs.</exception>
    public IReadOnlyList<IReadOnlyList<int>> DimensionsOf(string name) => ValueOf(name).Axes;

    /// <summary>Gives a network the numbers of the model. Its other parameters keep theirs.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">A network of the graph; nothing may use it meanwhile.</param>
    /// <exception cref="ArgumentException">The network lacks a parameter of the model, or has one of another size: it is of another graph.</exception>
    public void CopyTo<T>(Network<T> network)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        var definition = network.Definition;
        var targets = _numbers.ConvertAll(n => n.Part is null ? n.Node.Name : $"{n.Node.Name}.{n.Part}");
        for (var i = 0; i < targets.Count; i++)
        {
            if ((definition.Parameters.TryFind(targets[i], out var info) || definition.State.TryFind(targets[i], out info))
                && info.Shape.Size == _numbers[i].Numbers.Length)
                continue;

            // A parameter that no output needs is not in the network.
            if (definition.ComputedNames.Contains(_numbers[i].Node.Name))
                throw new ArgumentException($"The network has no '{targets[i]}' of {_numbers[i].Numbers.Length} numbers: it is of another graph.",
                    nameof(network));
            targets[i] = "";
        }

        for (var i = 0; i < targets.Count; i++)
        {
            if (targets[i].Length == 0)
                continue;
            var isState = !definition.Parameters.TryFind(targets[i], out _);
            var target = isState ? network.StateOf(targets[i]) : network.ParameterOf(targets[i]);
            for (var k = 0; k < target.Length; k++)
                target[k] = T.CreateSaturating(_numbers[i].Numbers[k]);
            if (_numbers[i].IsFrozen)
                network.Freeze(targets[i]);
        }
    }

    /// <summary>Makes a name an output of the graph, with that name where it is free.</summary>
    internal void AddOutput(string name, string prefix)
    {
        // What is an input, or an output already, is one more node, so that each output has its name.
        var node = ValueOf(name).Node;
        if (_inputs.Values.OfType<NodeValue>().Any(i => i.Node == node) || OutputNames.TakeWhile(n => n != name).Any(n => ValueOf(n).Node == node))
            _values[name] = ValueOf(name).With(node *= 1);
        TryName(node, prefix + name);
        node.Graph.Output(node);
    }

    private static void TryName(Node node, string name)
    {
        try
        {
            node.Named(name);
        }
        catch (ArgumentException)
        {
            // Empty, or another node has it: a layer, or a parameter of the model.
        }
    }

    private NodeValue ValueOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _values.GetValueOrDefault(name) switch
        {
            NodeValue value => value,
            null => throw new ArgumentException($"The model has no '{name}', or nothing that was asked for needs it.", nameof(name)),
            _ => throw new ArgumentException($"'{name}' does not depend on the inputs: its numbers are known.", nameof(name)),
        };
    }

    /// <summary>Whether the dimensions lie in their order, but for dimension 1, which is last.</summary>
    private static bool IsChannelsLast(NodeValue value)
    {
        int[] order = [.. value.Axes.SelectMany(a => a)];
        return value.Rank > 2 && value.Axes.All(a => a.Length < 2) && value.Axes[1] is [var channels]
            && order.Where(p => p != channels).Append(channels).SequenceEqual(order.Order());
    }
}
