using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Filters [.., channels, filters] of a convolution with a 1 in the middle and zeros elsewhere: filter c of each group passes on
/// the group's channel c, as far as there are both. It draws no random numbers.</summary>
/// <remarks>
/// As PyTorch's dirac_; the middle of a kernel of k cells is cell k / 2. The groups follow from the fans: one of the fans is the kernel's
/// cells times the channels, and the other is the cells times the filters of a group. Without a shape the kernel has one cell, [fan-in,
/// elements / fan-in].
/// </remarks>
public sealed class DiracInitializer : Initializer
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The number of elements is not a multiple of the fan-in, or the fans have no whole number of
    /// groups.</exception>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) =>
        Fill(values, MatrixShape(values.Length, fanIn), fanIn, fanOut, ref random);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The shape is not that of filters, does not have as many elements as there are values, or the fans
    /// have no whole number of groups.</exception>
    public override void Fill<T>(Span<T> values, ReadOnlySpan<int> shape, int fanIn, int fanOut, ref Philox random)
    {
        CheckShape(values.Length, shape);
        if (shape.Length < 2)
            throw new ArgumentException($"Filters need a shape [.., channels, filters] of rank 2 or more; the rank is {shape.Length}.", nameof(shape));
        values.Clear();
        if (values.Length == 0)
            return;
        var (channels, filters) = (shape[^2], shape[^1]);
        int cells = 1, middle = 0;
        foreach (var size in shape[..^2])
            (cells, middle) = (cells * size, middle * size + size / 2);
        var groupFilters = GroupFilters(cells, channels, filters, fanIn, fanOut);
        var start = middle * channels * filters;
        for (var group = 0; group < filters; group += groupFilters)
        {
            for (var c = 0; c < Math.Min(channels, groupFilters); c++)
                values[start + c * filters + group + c] = T.One;
        }
    }

    /// <summary>The filters of a group. A transposed convolution has its fans the other way round.</summary>
    private static int GroupFilters(int cells, int channels, int filters, int fanIn, int fanOut)
    {
        var other = fanIn == cells * channels ? fanOut : fanIn;
        if ((fanIn != cells * channels && fanOut != cells * channels) || other < 1 || other % cells != 0 || filters % (other / cells) != 0)
        {
            throw new ArgumentException(
                $"The fans {fanIn} and {fanOut} are not those of {filters} filters of {cells} cells and {channels} channels.", nameof(fanOut));
        }

        return other / cells;
    }
}
