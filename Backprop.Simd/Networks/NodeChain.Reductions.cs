using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Networks;

/// <content>Sums, means, extremes, norms and variances over dimensions of a row.</content>
public static partial class NodeChain
{
    /// <summary>The sum along some dimensions of each row: <see cref="Layers.Gates.Sum"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node Sum(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Sum(false, axes));

    /// <summary>The sum along some dimensions of each row: <see cref="Layers.Gates.Sum"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Sum(this Node node, bool keepDimensions, params ReadOnlySpan<int> axes) => node.Apply(new Sum(keepDimensions, axes));

    /// <summary>The mean along some dimensions of each row: <see cref="Layers.Gates.Mean"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node Mean(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Mean(false, axes));

    /// <summary>The mean along some dimensions of each row: <see cref="Layers.Gates.Mean"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Mean(this Node node, bool keepDimensions, params ReadOnlySpan<int> axes) => node.Apply(new Mean(keepDimensions, axes));

    /// <summary>The largest number along some dimensions of each row: <see cref="Layers.Gates.Max"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node Max(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Max(false, axes));

    /// <summary>The largest number along some dimensions of each row: <see cref="Layers.Gates.Max"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Max(this Node node, bool keepDimensions, params ReadOnlySpan<int> axes) => node.Apply(new Max(keepDimensions, axes));

    /// <summary>The smallest number along some dimensions of each row: <see cref="Layers.Gates.Min"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node Min(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Min(false, axes));

    /// <summary>The smallest number along some dimensions of each row: <see cref="Layers.Gates.Min"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Min(this Node node, bool keepDimensions, params ReadOnlySpan<int> axes) => node.Apply(new Min(keepDimensions, axes));

    /// <summary>ln(sum of e^x) along some dimensions of each row: <see cref="Layers.Gates.LogSumExp"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node LogSumExp(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new LogSumExp(false, axes));

    /// <summary>ln(sum of e^x) along some dimensions of each row: <see cref="Layers.Gates.LogSumExp"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node LogSumExp(this Node node, bool keepDimensions, params ReadOnlySpan<int> axes) => node.Apply(new LogSumExp(keepDimensions, axes));

    /// <summary>The Euclidean norm along some dimensions of each row: <see cref="Layers.Gates.Norm"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node Norm(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Norm(false, axes));

    /// <summary>The Euclidean norm along some dimensions of each row: <see cref="Layers.Gates.Norm"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Norm(this Node node, bool keepDimensions, params ReadOnlySpan<int> axes) => node.Apply(new Norm(keepDimensions, axes));

    /// <summary>The variance along some dimensions of each row, divided by n - 1: <see cref="Layers.Gates.Variance"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y, without the reduced dimensions.</returns>
    public static Node Variance(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Variance(1, false, axes));

    /// <summary>The variance along some dimensions of each row: <see cref="Layers.Gates.Variance"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="correction">1 to divide by n - 1, 0 to divide by n.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions to reduce; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Variance(this Node node, double correction, bool keepDimensions, params ReadOnlySpan<int> axes) =>
        node.Apply(new Variance(correction, keepDimensions, axes));

    /// <summary>The index of the largest number along a dimension of each row, without a gradient: <see cref="Layers.Gates.ArgMax"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <param name="keepDimensions">True to keep the dimension with size 1.</param>
    /// <returns>The indices, as numbers.</returns>
    public static Node ArgMax(this Node node, int axis = -1, bool keepDimensions = false) => node.Apply(new ArgMax(axis, keepDimensions));
}
