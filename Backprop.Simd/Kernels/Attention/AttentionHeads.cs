using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>What both forms of attention know.</summary>
internal static class AttentionCost
{
    /// <summary>Queries at a time in a causal layer: what no query of a block sees is left out.</summary>
    public const int CausalBlock = 64;

    /// <summary>Nanoseconds of all heads: for each probability a multiply-add per column in each of <paramref name="products"/>, and the softmax.</summary>
    public static double Of(AttentionSizes sizes, int products) =>
        (double)sizes.Rows * sizes.Heads * sizes.Steps * sizes.Length * (1 + products * sizes.Width * 0.02);

    /// <summary>1 over the root of the columns of a head.</summary>
    public static T Scale<T>(AttentionSizes sizes) where T : unmanaged, IFloatingPointIeee754<T> => T.One / T.Sqrt(T.CreateChecked(sizes.Width));
}

/// <summary>P = softmax(Q K^T scale + bias), C = P V, for each row and head; P is kept. P is dropped out into its place in
/// <paramref name="dropped"/> where dropout asks for it, and copied to <paramref name="weights"/> where they are an output.</summary>
internal readonly ref struct AttentionForward<T>(AttentionParts<T> parts, AttentionParts<T> dropped, AttentionRules<T> rules, Span<T> weights) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionParts<T> _parts = parts, _dropped = dropped;
    private readonly AttentionRules<T> _rules = rules;
    private readonly Span<T> _weights = weights;

    public void Run(ComputeContext compute)
    {
        var sizes = _rules.Sizes;
        compute.For(sizes.Rows * sizes.Heads, 1, AttentionCost.Of(sizes, 2), in this);
    }

    public void Execute(int start, int limit)
    {
        var sizes = _rules.Sizes;
        var scale = AttentionCost.Scale<T>(sizes);
        var (steps, causal) = (sizes.Steps, _rules.IsCausal);
        for (var item = start; item < limit; item++)
        {
            var keysSeen = _rules.KeysOf(item);
            Matrix<T> q = _parts.OfQueries(_parts.Queries, item), c = _parts.OfQueries(_parts.Context, item);
            Matrix<T> k = _parts.OfKeys(_parts.Keys, item / sizes.Group), v = _parts.OfKeys(_parts.Values, item / sizes.Group);
            var p = _parts.ScoresOf(item);
            var block = causal ? AttentionCost.CausalBlock : steps;
            for (var t = 0; t < steps; t += block)
            {
                var count = Math.Min(block, steps - t);
                var seen = causal ? Math.Min(keysSeen, t + count) : keysSeen;
                var scores = p.SliceRows(t, count).SliceColumns(0, seen);
                Gemm.Multiply(scale, q.SliceRows(t, count), k.SliceRows(0, seen).AsReadOnly().Transposed, T.Zero, scores);
                _rules.Apply(scores, item, t, 0);
                PrefixSoftmax.Forward(scores, causal ? t + 1 : seen, _rules.HasMasks);
                if (_rules.Drops)
                {
                    var kept = _dropped.ScoresOf(item).SliceRows(t, count).SliceColumns(0, seen);
                    _rules.Drop(scores, kept, item, t, 0);
                    scores = kept;
                }

                Gemm.Multiply(scores, v.SliceRows(0, seen), c.SliceRows(t, count));
                CopyWeights(scores, item, t);
            }
        }
    }

    /// <summary>Copies the probabilities to the output, zeros behind them.</summary>
    private void CopyWeights(Matrix<T> probabilities, int item, int t)
    {
        var sizes = _rules.Sizes;
        for (var i = 0; i < probabilities.Rows && !_weights.IsEmpty; i++)
        {
            var row = _weights.Slice((item * sizes.Steps + t + i) * sizes.Length, sizes.Length);
            if (probabilities.Columns > 0)
                probabilities.Span.Slice(i * probabilities.RowStride, probabilities.Columns).CopyTo(row);
            row[probabilities.Columns..].Clear();
        }
    }
}

/// <summary>
/// dV = P^T dC, dP = dC V^T, dS = P (dP - sum of P dP), dQ = dS K scale, dK = dS^T Q scale, for each row and head of keys. With dropout,
/// dV takes the dropped P, and dP is dropped likewise. Where the gradient by the bias is wanted, dS is kept whole.
/// </summary>
internal readonly ref struct AttentionBackward<T>(
    AttentionParts<T> parts, AttentionParts<T> gradients, AttentionRules<T> rules, ReadOnlySpan<T> dWeights, bool keepsScores) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionParts<T> _parts = parts, _gradients = gradients;
    private readonly AttentionRules<T> _rules = rules;
    private readonly ReadOnlySpan<T> _dWeights = dWeights;

    public void Run(ComputeContext compute)
    {
        var sizes = _rules.Sizes;
        compute.For(sizes.Rows * sizes.KeyHeads, 1, AttentionCost.Of(sizes, 4), in this);
    }

    public void Execute(int start, int limit)
    {
        for (var item = start; item < limit; item++)
        {
            Matrix<T> dk = _parts.OfKeys(_gradients.Keys, item), dv = _parts.OfKeys(_gradients.Values, item);
            Clear(dk);
            Clear(dv);
            for (var i = 0; i < _rules.Sizes.Group; i++)
                Head(item * _rules.Sizes.Group + i, dk, dv);
        }
    }

    internal static void Clear(Matrix<T> matrix)
    {
        for (var i = 0; i < matrix.Rows && matrix.Columns > 0; i++)
            matrix.Span.Slice(i * matrix.RowStride, matrix.Columns).Clear();
    }

    private void Head(int item, Matrix<T> dk, Matrix<T> dv)
    {
        var sizes = _rules.Sizes;
        var scale = AttentionCost.Scale<T>(sizes);
        var (steps, causal, keysSeen) = (sizes.Steps, _rules.IsCausal, _rules.KeysOf(item));
        Matrix<T> q = _parts.OfQueries(_parts.Queries, item), dq = _parts.OfQueries(_gradients.Queries, item), dc = _parts.OfQueries(_gradients.Context, item);
        Matrix<T> k = _parts.OfKeys(_parts.Keys, item / sizes.Group), v = _parts.OfKeys(_parts.Values, item / sizes.Group);
        Matrix<T> p = _parts.ScoresOf(item), ds = _gradients.ScoresOf(item);
        var block = causal ? AttentionCost.CausalBlock : steps;
        for (var t = 0; t < steps; t += block)
        {
            var count = Math.Min(block, steps - t);
            var seen = causal ? Math.Min(keysSeen, t + count) : keysSeen;
            Matrix<T> probabilities = p.SliceRows(t, count).SliceColumns(0, seen), scores = ds.SliceRows(t, count).SliceColumns(0, seen);
            var dcBlock = dc.SliceRows(t, count);
            if (_rules.Drops)
                _rules.Drop(probabilities, scores, item, t, 0);
            Gemm.MultiplyAdd((_rules.Drops ? scores : probabilities).AsReadOnly().Transposed, dcBlock, dv.SliceRows(0, seen));
            Gemm.Multiply(dcBlock, v.SliceRows(0, seen).AsReadOnly().Transposed, scores);
            AddWeights(scores, item, t);
            if (_rules.Drops)
                _rules.Drop(scores, scores, item, t, 0);
            PrefixSoftmax.Backward(probabilities, scores, causal ? t + 1 : seen, keepsScores ? T.One : scale);
            if (keepsScores)
            {
                Gemm.Multiply(scale, scores, k.SliceRows(0, seen), T.Zero, dq.SliceRows(t, count));
                Gemm.Multiply(scale, scores.AsReadOnly().Transposed, q.SliceRows(t, count), T.One, dk.SliceRows(0, seen));
                if (seen < sizes.Length)
                    Clear(ds.SliceRows(t, count).SliceColumns(seen, sizes.Length - seen));
                continue;
            }

            Gemm.Multiply(scores, k.SliceRows(0, seen), dq.SliceRows(t, count));
            Gemm.MultiplyAdd(scores.AsReadOnly().Transposed, q.SliceRows(t, count), dk.SliceRows(0, seen));
        }
    }

    /// <summary>Adds the gradient of the probabilities as an output.</summary>
    private void AddWeights(Matrix<T> gradients, int item, int t)
    {
        var sizes = _rules.Sizes;
        for (var i = 0; i < gradients.Rows && gradients.Columns > 0 && !_dWeights.IsEmpty; i++)
        {
            var row = gradients.Span.Slice(i * gradients.RowStride, gradients.Columns);
            Elementwise.Add(row, _dWeights.Slice((item * sizes.Steps + t + i) * sizes.Length, row.Length), row);
        }
    }
}
