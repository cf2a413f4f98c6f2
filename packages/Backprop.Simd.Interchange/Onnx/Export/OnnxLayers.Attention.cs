using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Attention, in its parts.</content>
internal static partial class OnnxLayers
{
    private static void AddAttention()
    {
        RegisterAll<MultiHeadAttention>((w, l) => Attended(w, l));
        RegisterAll<AttentionStep>((w, l) => AttendedStep(w, l));
        Register<RotaryPositions>((w, l) => Turned(w, l));
        Register<SinusoidalPositions>((w, l) => Sinusoids(w, l));
        Register<LearnedPositions>((w, _) => Learned(w));
    }

    /// <summary>x W + b of two parameters.</summary>
    private static string Projected(OnnxLayerWriter w, string x, int weight, int? bias = null) =>
        w.Add(w.Do("MatMul", x, w.Parameter(weight)), w.Parameter(bias ?? weight + 1));

    private static OnnxEdge[] Attended(OnnxLayerWriter w, MultiHeadAttention l)
    {
        var inputs = AttentionRoles.Of(w.Inputs);
        OnnxEdge queries = w.Input, keys = inputs.Keys, values = inputs.Values;
        var heads = new AttentionHeads(w, l.Heads, l.KeyValueHeads, queries.Fixed(-1, "its heads") / l.Heads);
        var q = Projected(w, queries.Last, 0);
        var k = l.IsProjected ? keys.Last : Projected(w, keys.Last, 2);
        var v = l.IsProjected ? values.Last : Projected(w, values.Last, 4);
        var (qs, ks) = (heads.Split(q, l.Heads), heads.Split(k, l.KeyValueHeads));
        if (l.Rotary is { } rotary)
        {
            qs = Turned(w, qs, heads.Size, rotary.IsInterleaved, AnglesOf(w, queries, heads.Size, rotary.Root, null));
            ks = Turned(w, ks, heads.Size, rotary.IsInterleaved, AnglesOf(w, keys, heads.Size, rotary.Root, null));
        }

        List<string> visible = [];
        if (l.IsCausal)
            visible.Add(Causal(w, queries, keys));
        if (inputs.Mask is { } mask)
            visible.Add(heads.Spread(w.Do("Not", w.Do("Equal", mask.Last, w.Graph.Whole(OnnxType.Int32, [0]))), mask.Rank));
        if (inputs.Lengths is { } lengths)
            visible.Add(heads.Spread(BeforeEnd(w, lengths, keys), 1));
        var bias = inputs.Bias is { } added ? heads.Bias(added) : null;
        var mayBeDead = inputs.Mask is not null || inputs.Lengths is not null || bias is not null;
        var weights = heads.Weights(qs, ks, visible, bias, mayBeDead);
        var parameter = l.IsProjected ? 2 : 6;
        var y = w.Last(Projected(w, heads.Meet(weights, heads.Split(v, l.KeyValueHeads)), parameter));
        return l.HasWeights ? [y, w.Last(heads.AllHeads(weights), 1)] : [y];
    }

    /// <summary>The key of this position comes before the earlier ones, which makes no difference; it is seen always.</summary>
    private static OnnxEdge[] AttendedStep(OnnxLayerWriter w, AttentionStep l)
    {
        var counts = w.Inputs[3];
        var heads = new AttentionHeads(w, l.Heads, l.KeyValueHeads, w.Input.Shape.Last / l.Heads);
        var (q, k, v) = (Projected(w, w.Input.Last, 0), Projected(w, w.Input.Last, 2), Projected(w, w.Input.Last, 4));
        var qs = heads.Split(q, l.Heads);
        if (l.Rotary is { } rotary)
        {
            var angles = AnglesOf(w, w.Input, heads.Size, rotary.Root, counts);
            qs = Turned(w, qs, heads.Size, rotary.IsInterleaved, angles);
            var turned = Turned(w, heads.Split(k, l.KeyValueHeads), heads.Size, rotary.IsInterleaved, angles);
            k = w.Graph.Reshaped(turned, 0, 1, l.KeyValueHeads * heads.Size);
        }

        var before = w.Inputs[1].Fixed(0, "the places of earlier positions");
        var places = w.Graph.Whole(OnnxType.Int32, [.. Enumerable.Range(-1, before + 1)], 1, before + 1);
        var visible = heads.Spread(w.Do("Less", places, w.Graph.Unsqueezed(counts.Last, 1)), 1);
        var ks = heads.Split(w.Concat(1, k, w.Inputs[1].Last), l.KeyValueHeads);
        var vs = heads.Split(w.Concat(1, v, w.Inputs[2].Last), l.KeyValueHeads);
        var weights = heads.Weights(qs, ks, [visible], null, false);
        return [w.Last(Projected(w, heads.Meet(weights, vs), 6)), w.Last(k, 1), w.Last(v, 2)];
    }

    /// <summary>Query t sees keys 0 to t: [T, S].</summary>
    private static string Causal(OnnxLayerWriter w, OnnxEdge queries, OnnxEdge keys) =>
        w.Do("LessOrEqual", StepsOf(w, keys), w.Graph.Transposed(StepsOf(w, queries), 1, 0));

    private static OnnxEdge Turned(OnnxLayerWriter w, RotaryPositions l)
    {
        var size = w.Input.Fixed(-1, "its heads") / l.Heads;
        var heads = new AttentionHeads(w, l.Heads, l.Heads, size);
        var angles = AnglesOf(w, w.Input, size, l.Root, w.Inputs.Count > 1 ? w.Inputs[1] : null);
        return w.Last(w.Graph.Reshaped(Turned(w, heads.Split(w.Input.Last, l.Heads), size, l.IsInterleaved, angles), 0, 0, l.Heads * size));
    }

    /// <summary>Turns [batch, T, heads, d] by cosines and sines that broadcast to [batch, T, heads, d / 2].</summary>
    private static string Turned(OnnxLayerWriter w, string x, int size, bool interleaved, (string Cosine, string Sine) angles)
    {
        var half = size / 2;
        if (!interleaved)
        {
            var parts = w.Split(x, 3, half, half);
            var (a, b) = Pair(parts[0], parts[1]);
            return w.Concat(3, a, b);
        }

        // [.., d / 2, 2]: the columns of a pair are neighbours.
        var pairs = w.Graph.Reshaped(x, w.Graph.SizesOf(x, 0, 3), half, 2);
        var columns = w.Split(pairs, 4, 1, 1);
        var (first, second) = Pair(w.Graph.Squeezed(columns[0], 4), w.Graph.Squeezed(columns[1], 4));
        return w.Graph.Reshaped(w.Concat(4, w.Graph.Unsqueezed(first, 4), w.Graph.Unsqueezed(second, 4)), w.Graph.SizesOf(x, 0));

        (string, string) Pair(string a, string b) => (w.Sub(w.Mul(a, angles.Cosine), w.Mul(b, angles.Sine)),
            w.Add(w.Mul(a, angles.Sine), w.Mul(b, angles.Cosine)));
    }

    /// <summary>Cosines and sines of the positions of a sequence, [T, 1, pairs], or [batch, T, 1, pairs] if rows begin at positions of their own. As in
    /// the library, the angles are doubles: late positions in float would be wrong in the fourth digit.</summary>
    private static (string Cosine, string Sine) AnglesOf(OnnxLayerWriter w, OnnxEdge sequence, int columns, double root, OnnxEdge? first)
    {
        var (steps, pairs) = (sequence.Shape[0], (columns + 1) / 2);
        double[] frequencies = [.. Enumerable.Range(0, pairs).Select(i => Math.Pow(root, -2.0 * i / columns))];
        if (first is null)
        {
            double[] all = [.. Enumerable.Range(0, steps).SelectMany(t => frequencies.Select(f => t * f))];
            return (Table(Math.Cos), Table(Math.Sin));

            string Table(Func<double, double> function) => w.CutTo(w.Graph.Constant([.. all.Select(function)], steps, 1, pairs), 0, sequence, 0);
        }

        var range = w.CutTo(w.Graph.Constant(OnnxType.Double, [.. Enumerable.Range(0, steps).Select(t => (double)t)], 1, steps), 1, sequence, 0);
        var positions = w.Add(range, w.Graph.Unsqueezed(w.Graph.Cast(first.Last, OnnxType.Double), 1));
        var angles = w.Mul(w.Graph.Unsqueezed(positions, 2, 3), w.Graph.Constant(OnnxType.Double, frequencies, pairs));
        var turned = w.Add(angles, w.Graph.Constant(OnnxType.Double, [Math.PI / 2]));
        return (w.Graph.Cast(w.Do("Sin", turned), w.Graph.Numbers), w.Graph.Cast(w.Do("Sin", angles), w.Graph.Numbers));
    }

    private static OnnxEdge Sinusoids(OnnxLayerWriter w, SinusoidalPositions l)
    {
        var columns = w.Input.Fixed(-1, "its table");
        var steps = w.Input.Shape[0];
        if (w.Inputs.Count == 1)
        {
            double[] table = [.. Enumerable.Range(0, steps).SelectMany(t => Enumerable.Range(0, columns).Select(c =>
            {
                var angle = t * Math.Pow(l.Root, -2.0 * (c / 2) / columns);
                return c % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle);
            }))];
            return w.Last(w.Add(w.Input.Last, w.CutTo(w.Graph.Constant(table, steps, columns), 0, w.Input, 0)));
        }

        // [batch, T, 1, pairs] twice becomes [batch, T, pairs, 2]: the sine and the cosine of a pair side by side.
        var (cosine, sine) = AnglesOf(w, w.Input, columns, l.Root, w.Inputs[1]);
        var both = w.Graph.Transposed(w.Concat(2, sine, cosine), 0, 1, 3, 2);
        var flat = w.Graph.Reshaped(both, 0, 0, (columns + 1) / 2 * 2);
        return w.Last(w.Add(w.Input.Last, columns % 2 == 0 ? flat : w.Graph.Slice(flat, 2, 0, columns)));
    }

    private static OnnxEdge Learned(OnnxLayerWriter w)
    {
        if (w.Inputs.Count == 1)
            return w.Last(w.Add(w.Input.Last, w.Graph.Slice(w.Parameter(0), 0, 0, w.SizeOf(w.Input, 0))));
        var places = w.Add(StepsOf(w, w.Input), w.Graph.Unsqueezed(w.Inputs[1].Last, 1));
        return w.Last(w.Add(w.Input.Last, w.Do("Gather", w.Parameter(0), places)));
    }
}
