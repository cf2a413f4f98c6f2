using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <content>Learning rates of some parameters, without groups of one's own.</content>
public abstract partial class Optimizer<T>
{
    /// <summary>Multiplies the learning rate of some parameters: the short form of <see cref="SetGroups"/> for rates.</summary>
    /// <remarks>
    /// <code>optimizer.SetRate(network.Definition.Parameters.Ranges(p => p.Name.StartsWith("head.", StringComparison.Ordinal)), 0.1);</code>
    /// Ranges may be set again, and may lie across groups. A group that lies inside them takes the factor in place of its rate. A group that
    /// lies inside them in part is replaced by two groups, which keep its decay and whether it is frozen. Other groups stay.
    /// </remarks>
    /// <param name="ranges">Where the parameters lie, in ascending order and disjoint: <c>ParameterLayout.Ranges</c> of a predicate.</param>
    /// <param name="factor">The factor of the optimizer's learning rate; finite and not negative. 0 freezes the parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is negative or not finite.</exception>
    /// <exception cref="ArgumentException">The ranges are not ascending, disjoint and inside the parameters; nothing changed.</exception>
    public void SetRate(ReadOnlySpan<BlockRange> ranges, double factor)
    {
        CheckNotNegative(factor, nameof(factor));
        CheckRanges(ranges);
        var (groups, inside) = (new List<ParameterGroup>(), new List<ParameterGroup>());
        var free = ranges.ToArray();
        foreach (var group in _groups)
        {
            free = Outside(free, group.Ranges);
            var rest = Outside(group.Ranges, ranges);
            var shared = Outside(group.Ranges, rest);
            if (shared.Length == 0 || rest.Length == 0)
            {
                groups.Add(group);
                if (shared.Length > 0)
                    inside.Add(group);
                continue;
            }

            groups.Add(new ParameterGroup(group.Name, rest)
            {
                RateFactor = group.RateFactor,
                LearningRate = group.LearningRate,
                WeightDecay = group.WeightDecay,
                IsFrozen = group.IsFrozen,
            });
            groups.Add(new ParameterGroup($"{group.Name}, rate x {factor}", shared)
            {
                RateFactor = factor,
                WeightDecay = group.WeightDecay,
                IsFrozen = group.IsFrozen,
            });
        }

        if (free.Length > 0)
            groups.Add(new ParameterGroup($"rate x {factor}", free) { RateFactor = factor });
        SetGroups([.. groups]);
        foreach (var group in inside)
            (group.LearningRate, group.RateFactor) = (null, factor);
    }

    /// <summary>The parts of ranges that lie outside of others; both ascend and are disjoint.</summary>
    private static BlockRange[] Outside(ReadOnlySpan<BlockRange> ranges, ReadOnlySpan<BlockRange> others)
    {
        var parts = new List<BlockRange>();
        foreach (var range in ranges)
        {
            var start = range.Start;
            foreach (var other in others)
            {
                if (other.End <= start || other.Start >= range.End || other.Length == 0)
                    continue;
                if (other.Start > start)
                    parts.Add(new BlockRange(start, other.Start - start));
                start = other.End;
            }

            if (start < range.End)
                parts.Add(new BlockRange(start, range.End - start));
        }

        return [.. parts];
    }
}
