using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Networks;

/// <summary>
/// A handle to one edge of a graph under construction: an input, a parameter, or the output of a layer. Expressions of nodes
/// build the graph. A node may be used several times; its gradients then add up.
/// </summary>
public readonly struct Node : IEquatable<Node>
{
    private readonly GraphBuilder? _graph;

    internal Node(GraphBuilder graph, int edge)
    {
        _graph = graph;
        Edge = edge;
    }

    /// <summary>The graph this handle belongs to.</summary>
    /// <exception cref="InvalidOperationException">The handle is the default value, which belongs to no graph.</exception>
    public GraphBuilder Graph => _graph ?? throw new InvalidOperationException("This node belongs to no graph. Take nodes from a GraphBuilder.");

    /// <summary>The name of the input, the parameter or the layer's node.</summary>
    public string Name => Graph.EdgeName(Edge);

    /// <summary>What flows along the edge.</summary>
    public EdgeType Type => Graph.EdgeType(Edge);

    internal int Edge { get; }

    /// <summary>x + y.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    public static Node operator +(Node left, Node right) => left.Apply(new BinaryGate<Add>(), right);

    /// <summary>x + a.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">a.</param>
    public static Node operator +(Node left, double right) => left.Apply(new Shift(right));

    /// <summary>a + x.</summary>
    /// <param name="left">a.</param>
    /// <param name="right">x.</param>
    public static Node operator +(double left, Node right) => right.Apply(new Shift(left));

    /// <summary>-x.</summary>
    /// <param name="node">x.</param>
    public static Node operator -(Node node) => node.Apply(new Negate());

    /// <summary>x - y.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    public static Node operator -(Node left, Node right) => left.Apply(new BinaryGate<Subtract>(), right);

    /// <summary>x - a.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">a.</param>
    public static Node operator -(Node left, double right) => left.Apply(new Shift(-right));

    /// <summary>a - x, as (-x) + a.</summary>
    /// <param name="left">a.</param>
    /// <param name="right">x.</param>
    public static Node operator -(double left, Node right) => -right + left;

    /// <summary>x * y, element by element; for the product of matrices see <see cref="MatrixProduct"/>.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    public static Node operator *(Node left, Node right) => left.Apply(new BinaryGate<Multiply>(), right);

    /// <summary>x * a.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">a.</param>
    public static Node operator *(Node left, double right) => left.Apply(new Scale(right));

    /// <summary>a * x.</summary>
    /// <param name="left">a.</param>
    /// <param name="right">x.</param>
    public static Node operator *(double left, Node right) => right.Apply(new Scale(left));

    /// <summary>a / x, as (1 / x) * a.</summary>
    /// <param name="left">a.</param>
    /// <param name="right">x.</param>
    public static Node operator /(double left, Node right) => left == 1 ? right.Reciprocal() : right.Reciprocal() * left;

    /// <summary>x / y.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    public static Node operator /(Node left, Node right) => left.Apply(new BinaryGate<Divide>(), right);

    /// <summary>x / a, as x * (1 / a).</summary>
    /// <param name="left">x.</param>
    /// <param name="right">a.</param>
    public static Node operator /(Node left, double right) => left.Apply(new Scale(1 / right));

    /// <summary>Compares two handles.</summary>
    /// <param name="left">A handle.</param>
    /// <param name="right">A handle.</param>
    public static bool operator ==(Node left, Node right) => left.Equals(right);

    /// <summary>Compares two handles.</summary>
    /// <param name="left">A handle.</param>
    /// <param name="right">A handle.</param>
    public static bool operator !=(Node left, Node right) => !left.Equals(right);

    /// <summary>x + y; the operator by name.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    /// <returns>The sum.</returns>
    public static Node Add(Node left, Node right) => left + right;

    /// <summary>x - y; the operator by name.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    /// <returns>The difference.</returns>
    public static Node Subtract(Node left, Node right) => left - right;

    /// <summary>x * y, element by element; the operator by name.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    /// <returns>The product.</returns>
    public static Node Multiply(Node left, Node right) => left * right;

    /// <summary>x / y; the operator by name.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    /// <returns>The quotient.</returns>
    public static Node Divide(Node left, Node right) => left / right;

    /// <summary>-x; the operator by name.</summary>
    /// <param name="node">x.</param>
    /// <returns>The negative.</returns>
    public static Node Negate(Node node) => -node;

    /// <summary>The larger of x and y, element by element. Where both are equal, each gets half of the gradient.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    /// <returns>The maximum.</returns>
    public static Node Maximum(Node left, Node right) => left.Apply(new BinaryGate<Maximum>(), right);

    /// <summary>The smaller of x and y, element by element. Where both are equal, each gets half of the gradient.</summary>
    /// <param name="left">x.</param>
    /// <param name="right">y; both are broadcast to one shape, as in NumPy.</param>
    /// <returns>The minimum.</returns>
    public static Node Minimum(Node left, Node right) => left.Apply(new BinaryGate<Minimum>(), right);

    /// <summary>x where a mask is not 0, else y: <see cref="Layers.Gates.Where"/>.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="x">What is taken where it is set.</param>
    /// <param name="y">What is taken elsewhere; all three are broadcast to one shape, as in NumPy.</param>
    /// <returns>The choice.</returns>
    public static Node Where(Node mask, Node x, Node y) => mask.Apply(new Where(), x, y);

    /// <summary>The matrix product A B of each row of the batch; either side may be shared.</summary>
    /// <param name="left">A: [.., m, k], or [k] as a row.</param>
    /// <param name="right">B: [.., k, n], or [k] as a column; dimensions before the last two are broadcast, as in NumPy.</param>
    /// <returns>The product.</returns>
    public static Node MatrixProduct(Node left, Node right) => left.Apply(new MatrixProduct(), right);

    /// <summary>e^x.</summary>
    /// <returns>The exponential.</returns>
    public Node Exponential() => Apply(new Exponential());

    /// <summary>1 / x.</summary>
    /// <returns>The reciprocal.</returns>
    public Node Reciprocal() => Apply(new Reciprocal());

    /// <summary>|x|^2.</summary>
    /// <returns>One number per row.</returns>
    public Node SquaredNorm() => Apply(new SquaredNorm());

    /// <summary>Gives the node a name, unique in its graph, in place of the automatic one.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The same node.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken.</exception>
    public Node Named(string name)
    {
        Graph.Rename(Edge, name);
        return this;
    }

    /// <summary>Places a layer whose first input is this node.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="others">Its other inputs.</param>
    /// <returns>The layer's first output.</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer, or belong to another graph.</exception>
    public Node Apply(Layer layer, params ReadOnlySpan<Node> others) => Graph.Apply(layer, this, others);

    /// <inheritdoc/>
    public bool Equals(Node other) => ReferenceEquals(_graph, other._graph) && Edge == other.Edge;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Node other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_graph, Edge);

    /// <summary>Name and type.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => _graph is null ? "(no node)" : $"{Name}: {Type}";
}
