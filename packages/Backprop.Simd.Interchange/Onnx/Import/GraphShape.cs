namespace Backprop.Simd.Interchange;

/// <summary>Who makes and who takes each name of a graph, kept up to date while parts of the graph are replaced.</summary>
internal sealed class GraphShape
{
    private static readonly Dictionary<int, int> _none = [];

    private readonly OnnxNode?[] _nodes;
    private readonly Dictionary<string, int> _producers = [];
    private readonly Dictionary<string, Dictionary<int, int>> _consumers = [];
    private readonly HashSet<string> _outputs;
    private readonly Func<string, Folded?> _constants;

    /// <summary>Takes the nodes of a graph.</summary>
    /// <param name="nodes">The nodes, in order.</param>
    /// <param name="outputs">The names that others read.</param>
    /// <param name="constants">The numbers of a name that is known.</param>
    public GraphShape(IReadOnlyList<OnnxNode> nodes, IEnumerable<string> outputs, Func<string, Folded?> constants)
    {
        (_nodes, _outputs, _constants) = ([.. nodes], [.. outputs], constants);
        for (var i = 0; i < _nodes.Length; i++)
            Add(i, _nodes[i]!);
    }

    public int Count => _nodes.Length;

    /// <summary>The nodes that are left.</summary>
    public IEnumerable<OnnxNode> Nodes => _nodes.OfType<OnnxNode>();

    public OnnxNode? At(int index) => _nodes[index];

    /// <summary>The node that makes a name, if it is this operator and only one node reads the name.</summary>
    public OnnxNode? Made(string name, string kind, int uses = 1) => _producers.TryGetValue(name, out var at) && _nodes[at] is { } node
        && node.Domain.Length == 0
        && node.Operator == kind && node.Outputs.Count == 1 && !_outputs.Contains(name) && Readers(name) is var readers && readers.Count <= uses
            && readers.Values.Sum() == uses ? node : null;

    /// <summary>The only node that reads a name, if it is this operator.</summary>
    public OnnxNode? Next(string name, string kind) => !_outputs.Contains(name) && Readers(name) is { Count: 1 } readers
        && readers.First() is { Value: 1, Key: var at }
        && _nodes[at] is { Domain.Length: 0 } node && node.Operator == kind ? node : null;

    /// <summary>The numbers of a name that is known.</summary>
    public Folded? Constant(string name) => name.Length == 0 ? null : _constants(name);

    /// <summary>The one number of a name that is known.</summary>
    public double? Scalar(string name) => Constant(name) is { Values: [var number], Powers: null } ? number : null;

    /// <summary>Both inputs of a node as (first, second) and, since they commute, as (second, first).</summary>
    public static IEnumerable<(string First, string Second)> Pairs(OnnxNode? node) => node is { Inputs: [var a, var b] } ? [(a, b), (b, a)] : [];

    /// <summary>The other input of a node that has one number as an input, in any order.</summary>
    public string? WithScalar(OnnxNode? node, double number)
    {
        foreach (var (other, scalar) in Pairs(node))
        {
            if (Scalar(scalar) is { } value && IsAbout(value, number))
                return other;
        }

        return null;
    }

    /// <summary>Whether two numbers are the same in floats.</summary>
    public static bool IsAbout(double a, double b) => Math.Abs(a - b) <= 1e-6 * Math.Abs(b);

    /// <summary>Puts one node in the place of several: at that of the last.</summary>
    /// <returns>That place.</returns>
    public int Replace(OnnxNode by, params ReadOnlySpan<OnnxNode> nodes)
    {
        var last = -1;
        foreach (var node in nodes)
        {
            var at = _producers[node.Outputs[0]];
            last = Math.Max(last, at);
            Remove(at);
        }

        _nodes[last] = by;
        Add(last, by);
        return last;
    }

    /// <summary>The places of the nodes that read a name, with how often they do.</summary>
    private Dictionary<int, int> Readers(string name) => _consumers.GetValueOrDefault(name, _none);

    private void Add(int at, OnnxNode node)
    {
        foreach (var output in node.Outputs)
            _producers[output] = at;
        foreach (var input in node.Inputs)
        {
            if (!_consumers.TryGetValue(input, out var readers))
                _consumers[input] = readers = [];
            readers[at] = readers.GetValueOrDefault(at) + 1;
        }
    }

    private void Remove(int at)
    {
        foreach (var output in _nodes[at]!.Outputs)
            _producers.Remove(output);
        foreach (var input in _nodes[at]!.Inputs)
            _consumers[input].Remove(at);
        _nodes[at] = null;
    }
}
