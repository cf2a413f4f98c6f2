using System.Diagnostics.CodeAnalysis;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <summary>Parameters that are frozen or have their own learning rate or weight decay, for <see cref="Optimizer{T}.SetGroups"/>.</summary>
/// <remarks>Settings that a group leaves out are the optimizer's. The settings may change between steps, by a schedule for each group for example.</remarks>
public sealed class ParameterGroup
{
    private readonly BlockRange[] _ranges;

    /// <summary>Names a group.</summary>
    /// <param name="name">A name, for the reader.</param>
    /// <param name="ranges">Where its parameters lie, in ascending order and disjoint.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty, or the ranges are not ascending and disjoint.</exception>
    public ParameterGroup(string name, ReadOnlySpan<BlockRange> ranges)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var end = 0;
        foreach (var range in ranges)
        {
            if (range.Start < end || range.Length < 0 || range.Start > int.MaxValue - range.Length)
            {
                throw new ArgumentException(
                    $"The ranges of group '{name}' must be ascending and disjoint; found start {range.Start}, length {range.Length}"
                    + $" where the range before ends at {end}.",
                    nameof(ranges));
            }

            end = range.End;
        }

        Name = name;
        _ranges = ranges.ToArray();
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>Where its parameters lie.</summary>
    public ReadOnlySpan<BlockRange> Ranges => _ranges;

    /// <summary>The factor of the optimizer's learning rate; 1 by default. A factor of 0 freezes the group.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double RateFactor
    {
        get;
        set => field = Checked(value, nameof(RateFactor));
    } = 1;

    /// <summary>The group's own learning rate, which the factor does not change; null for the optimizer's. A rate of 0 freezes the group.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double? LearningRate
    {
        get;
        set => field = Checked(value, nameof(LearningRate));
    }

    /// <summary>The group's own weight decay; null for the optimizer's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double? WeightDecay
    {
        get;
        set => field = Checked(value, nameof(WeightDecay));
    }

    /// <summary>Whether the group is frozen: its parameters and their state do not change.</summary>
    /// <remarks>Their gradients are still computed; after a network's <c>Freeze</c> they are not.</remarks>
    public bool IsFrozen { get; set; }

    /// <summary>Whether the parameters of the group do not change.</summary>
    internal bool Rests => IsFrozen || (LearningRate ?? RateFactor) == 0;

    [return: NotNullIfNotNull(nameof(value))]
    private static double? Checked(double? value, string name) => value is not { } number ? null : Checked(number, name);

    private static double Checked(double value, string name) =>
        value >= 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite and not negative.");
}
