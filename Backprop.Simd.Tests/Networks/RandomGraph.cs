using Backprop.Simd.Activations;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Networks;

/// <summary>
/// A random acyclic graph from a list of choices: smooth gates and affine layers over vectors of one size, any node usable
/// again, any node possibly an output, tied parameters, a layer with two outputs, perhaps a loss.
/// </summary>
internal static class RandomGraph
{
    public const int Size = 3;
    public const int Rows = 2;

    /// <summary>Choices below this are smooth, those from it on not everywhere.</summary>
    public const int SmoothKinds = 19;

    public const int Kinds = 20;

    /// <summary>Builds the graph; each choice places one layer.</summary>
    public static NetworkDefinition Build(IReadOnlyList<(int Kind, int First, int Second, bool Output)> choices, bool loss)
    {
        var graph = new GraphBuilder();
        var (x, matrix) = (graph.Input("x", Size), graph.Parameter("tied", new Shape(Size, Size)));
        var nodes = new List<Node> { x, graph.Input("y", Size), Node.MatrixProduct(x, matrix) };
        var last = nodes[0];
        foreach (var (kind, first, second, output) in choices)
        {
            // Mostly the latest nodes, so that chains and not only bushes appear.
            var (a, b) = (nodes[^(1 + first % Math.Min(nodes.Count, 4))], nodes[second % nodes.Count]);
            last = kind switch
            {
                0 => a + b,
                1 => a * b,
                2 => a.Affine(Size),
                3 => a.Tanh(),
                4 => a.Sigmoid(),
                5 => -a,
                6 => a * 0.75,
                7 => a + 0.25,
                8 => (a * 0.5).Exponential(),
                9 => Node.MatrixProduct(a, matrix),
                10 => a.Activation(new LeakyRelu(1)), // Smooth at slope 1; runs in place.
                11 => a.Apply(new CachedSquare()),
                12 => Fork(graph, nodes, a),
                13 => a.Reshape(Size, 1).Flatten(),
                14 => a.Concatenate(b).Slice(0, first % (Size + 1), Size),
                15 => a.Concatenate(b).Slice(0, first % Size, 2).Affine(Size),
                16 => a.Softmax(),
                17 => a.Gelu(),
                18 => a.LayerNormalization(),
                _ => Pooled(a, first % 2 == 0, second % 2 == 0),
            };
            nodes.Add(last);
            if (output)
                graph.Output(last);
        }

        if (loss)
            graph.Loss(last.Apply(new MeanSquaredError(), graph.Input("t", Size)), 0.5);
        else
            graph.Output(last);
        return graph.Build();
    }

    /// <summary>A convolution that is fused with the pooling behind it, or has a second consumer and is not.</summary>
    private static Node Pooled(Node node, bool relu, bool alone)
    {
        var y = node.Affine(16).Reshape(4, 4, 1).Convolution2D(Size, 3, padding: 1);
        var pooled = (relu ? y.Relu() : y).MaxPooling2D(4).Reshape(Size);
        return alone ? pooled : pooled + y.GlobalAveragePooling2D();
    }

    private static Node Fork(GraphBuilder graph, List<Node> nodes, Node node)
    {
        var outputs = graph.ApplyAll(new Fork(), node);
        nodes.Add(outputs[1]);
        return outputs[0] * 0.5;
    }
}
