using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <summary>Which inputs of attention are what: sequences first, then what is added to the scores, a mask, and lengths.</summary>
internal readonly record struct AttentionRoles(OnnxEdge Keys, OnnxEdge Values, OnnxEdge? Bias, OnnxEdge? Mask, OnnxEdge? Lengths)
{
    public static AttentionRoles Of(IReadOnlyList<OnnxEdge> inputs)
    {
        List<OnnxEdge> sequences = [];
        OnnxEdge? bias = null, mask = null, lengths = null;
        foreach (var input in inputs)
        {
            if (input.Type.Kind == EdgeKind.Indices)
                (mask, lengths) = input.Rank > 0 ? (input, lengths) : (mask, input);
            else if (input is { Type.Kind: EdgeKind.Values, Rank: < 3 })
                sequences.Add(input);
            else
                bias = input;
        }

        return new(sequences[Math.Min(1, sequences.Count - 1)], sequences[^1], bias, mask, lengths);
    }
}

/// <summary>
/// The heads of attention in operators of ONNX: [batch, T, heads, d] in parts, [batch, heads, T, d] in products. With grouped queries the heads
/// are two dimensions, [groups, heads of a group], so that the keys and values of a group are broadcast to its heads.
/// </summary>
internal sealed class AttentionHeads(OnnxLayerWriter writer, int heads, int groups, int size)
{
    private readonly OnnxWriter _graph = writer.Graph;

    /// <summary>The columns of a head.</summary>
    public int Size => size;

    private bool IsGrouped => heads != groups;

    private int Of => heads / groups;

    /// <summary>[batch, T, heads d] as [batch, T, heads, d].</summary>
    public string Split(string x, int count) => _graph.Reshaped(x, 0, 0, count, size);

    /// <summary>A mask [batch, (T,) S] as the scores have their dimensions.</summary>
    public string Spread(string mask, int rank) => _graph.Unsqueezed(mask, [.. Enumerable.Range(1, (IsGrouped ? 4 : 3) - rank)]);

    /// <summary>What is added to the scores: [h, T, S] for each row or for all, where h and T may be 1.</summary>
    public string Bias(OnnxEdge bias)
    {
        var x = bias.Last;
        if (!IsGrouped || bias.Rank < 3)
            return x;
        var rows = bias.Type.IsShared ? 0 : 1;
        if (bias.Shape[0] == 1)
            return _graph.Unsqueezed(x, rows);
        OnnxSize[] sizes = [groups, Of, writer.SizeOf(bias, 1), writer.SizeOf(bias, 2)];
        return _graph.Reshaped(x, rows == 0 ? sizes : [0, .. sizes]);
    }

    /// <summary>softmax(Q K^T / sqrt(d) + bias), where a query that sees no key has the weights 0.</summary>
    public string Weights(string queries, string keys, IReadOnlyList<string> visible, string? bias, bool mayBeDead)
    {
        var q = writer.Mul(InHeads(queries), writer.Number(1 / Math.Sqrt(size)));
        var k = IsGrouped ? _graph.Unsqueezed(_graph.Transposed(keys, 0, 2, 3, 1), 2) : _graph.Transposed(keys, 0, 2, 3, 1);
        var scores = writer.Do("MatMul", q, k);
        if (bias is not null)
            scores = writer.Add(scores, bias);
        if (visible.Count > 0)
            scores = writer.Do("Where", visible.Aggregate((a, b) => writer.Do("And", a, b)), scores, writer.Number(double.NegativeInfinity));
        if (!mayBeDead)
            return Softmax(scores);
        var axis = IsGrouped ? 4 : 3;
        var isDead = writer.Do("Equal", _graph.Reduce("ReduceMax", scores, [axis], true), writer.Number(double.NegativeInfinity));
        return writer.Do("Where", isDead, writer.Number(0), Softmax(writer.Do("Where", isDead, writer.Number(0), scores)));
    }

    /// <summary>The weights times the values, with the heads side by side again: [batch, T, heads d].</summary>
    public string Meet(string weights, string values)
    {
        var v = _graph.Transposed(values, 0, 2, 1, 3);
        var y = writer.Do("MatMul", weights, IsGrouped ? _graph.Unsqueezed(v, 2) : v);
        return _graph.Reshaped(IsGrouped ? _graph.Transposed(y, 0, 3, 1, 2, 4) : _graph.Transposed(y, 0, 2, 1, 3), 0, 0, heads * size);
    }

    /// <summary>The weights with all heads in one dimension.</summary>
    public string AllHeads(string weights) => IsGrouped ? _graph.Reshaped(weights, 0, heads, _graph.SizesOf(weights, 3)) : weights;

    private string InHeads(string queries)
    {
        if (!IsGrouped)
            return _graph.Transposed(queries, 0, 2, 1, 3);
        return _graph.Transposed(_graph.Reshaped(queries, 0, 0, groups, Of, size), 0, 2, 3, 1, 4);
    }

    private string Softmax(string scores) => _graph.Node("Softmax", [scores], OnnxAttributes.Whole("axis", -1));
}
