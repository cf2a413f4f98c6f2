using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The sizes of a convolution: images [height, width, channels], filters [kh, kw, channels / groups, filters], outputs
/// [output height, output width, filters]. Channels are the last dimension.
/// </summary>
public readonly struct ConvolutionShape : IEquatable<ConvolutionShape>
{
    /// <summary>Checks and keeps the sizes.</summary>
    /// <param name="height">The height of an image.</param>
    /// <param name="width">Its width.</param>
    /// <param name="channels">Its channels, a multiple of <paramref name="groups"/>.</param>
    /// <param name="filters">The channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The size of a filter.</param>
    /// <param name="stride">From one position of the filter to the next; 1 by default.</param>
    /// <param name="padding">Zeros around the image; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">Filters of a group see the channels of that group; 1 by default. With as many groups as channels it
    /// is a depthwise convolution.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, channels or filters are no multiple of the
    /// groups, the filter is larger than the padded image, or an array would hold more than 2^31 - 1 elements.</exception>
    // More than eight parameters: each is a number of the shape, the last five with a default.
    public ConvolutionShape(int height, int width, int channels, int filters, Extent kernel, Extent? stride = null,
        Padding padding = default, Extent? dilation = null, int groups = 1)
    {
        (Height, Width, Channels, Filters, Kernel, Padding, Groups) = (height, width, channels, filters, kernel, padding, groups);
        Stride = stride ?? 1;
        Dilation = dilation ?? 1;
        if (height < 1 || width < 1 || channels < 1)
            Throw($"an image has at least one cell and channel; it is [{height}, {width}, {channels}]", nameof(height));
        if (filters < 1)
            Throw($"there is at least one filter; got {filters}", nameof(filters));
        if (kernel.Height < 1 || kernel.Width < 1)
            Throw($"a filter has at least one cell; it is {kernel}", nameof(kernel));
        if (Stride.Height < 1 || Stride.Width < 1)
            Throw($"strides are 1 or more; got {Stride}", nameof(stride));
        if (Dilation.Height < 1 || Dilation.Width < 1)
            Throw($"dilations are 1 or more; got {Dilation}", nameof(dilation));
        if (padding is not { Top: >= 0, Left: >= 0, Bottom: >= 0, Right: >= 0 })
            Throw($"padding is 0 or more; got {padding}", nameof(padding));
        if (groups < 1 || channels % groups != 0 || filters % groups != 0)
            Throw($"channels and filters are multiples of the groups; they are {channels} and {filters} for {groups} groups", nameof(groups));
        var (reachY, reachX) = ((long)(kernel.Height - 1) * Dilation.Height + 1, (long)(kernel.Width - 1) * Dilation.Width + 1);
        var (paddedHeight, paddedWidth) = ((long)height + padding.Top + padding.Bottom, (long)width + padding.Left + padding.Right);
        if (reachY > paddedHeight || reachX > paddedWidth)
        {
            Throw($"the filter must fit the padded image; it reaches over {reachY} x {reachX} cells, "
                + $"the image [{height}, {width}, {channels}] has {paddedHeight} x {paddedWidth}", nameof(kernel));
        }


        OutputHeight = (int)((paddedHeight - reachY) / Stride.Height) + 1;
        OutputWidth = (int)((paddedWidth - reachX) / Stride.Width) + 1;
        CheckSize((Int128)paddedHeight * paddedWidth * channels);
        CheckSize((Int128)OutputHeight * OutputWidth * filters);
        CheckSize((Int128)kernel.Height * kernel.Width * (channels / groups) * filters);
    }

    /// <summary>The height of an image.</summary>
    public int Height { get; }

    /// <summary>The width of an image.</summary>
    public int Width { get; }

    /// <summary>The channels of an image.</summary>
    public int Channels { get; }

    /// <summary>The channels of an output.</summary>
    public int Filters { get; }

    /// <summary>The size of a filter.</summary>
    public Extent Kernel { get; }

    /// <summary>From one position of the filter to the next.</summary>
    public Extent Stride { get; }

    /// <summary>Zeros around the image.</summary>
    public Padding Padding { get; }

    /// <summary>From one cell of the filter to the next.</summary>
    public Extent Dilation { get; }

    /// <summary>The number of groups.</summary>
    public int Groups { get; }

    /// <summary>The height of an output.</summary>
    public int OutputHeight { get; }

    /// <summary>The width of an output.</summary>
    public int OutputWidth { get; }

    /// <summary>The elements of an image.</summary>
    public int InputSize => Height * Width * Channels;

    /// <summary>The elements of an output.</summary>
    public int OutputSize => OutputHeight * OutputWidth * Filters;

    /// <summary>The elements of all filters.</summary>
    public int WeightSize => Groups == 0 ? 0 : Kernel.Height * Kernel.Width * (Channels / Groups) * Filters;

    /// <summary>Multiplications and additions for one image.</summary>
    public double Operations => 2.0 * OutputHeight * OutputWidth * WeightSize;

    internal int GroupChannels => Channels / Groups;

    internal int GroupFilters => Filters / Groups;

    internal int PaddedHeight => Height + Padding.Top + Padding.Bottom;

    internal int PaddedWidth => Width + Padding.Left + Padding.Right;

    /// <summary>One filter per channel, each of its own.</summary>
    internal bool IsDepthwise => Groups > 1 && GroupChannels == 1 && GroupFilters == 1;

    /// <summary>A product at each pixel.</summary>
    internal bool IsPointwise => Groups == 1 && Kernel == 1 && Stride == 1 && Padding.IsNone;

    /// <summary>The cells of a row of the filter lie side by side in the image, channels and all.</summary>
    internal bool HasRuns => Groups == 1 && Dilation.Width == 1;

    /// <summary>Compares two shapes.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">A shape.</param>
    public static bool operator ==(ConvolutionShape left, ConvolutionShape right) => left.Equals(right);

    /// <summary>Compares two shapes.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">A shape.</param>
    public static bool operator !=(ConvolutionShape left, ConvolutionShape right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(ConvolutionShape other) =>
        (Height, Width, Channels, Filters) == (other.Height, other.Width, other.Channels, other.Filters)
        && (Kernel, Stride, Padding, Dilation, Groups) == (other.Kernel, other.Stride, other.Padding, other.Dilation, other.Groups);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ConvolutionShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Height, Width, Channels, Filters, Kernel, Stride, Padding, HashCode.Combine(Dilation, Groups));

    private static void CheckSize(Int128 elements)
    {
        if (elements > int.MaxValue)
            Throw($"images, outputs and filters hold at most 2^31 - 1 elements; one would hold {elements}", nameof(Height));
    }

    [DoesNotReturn]
    private static void Throw(string message, string name) => throw new ArgumentException($"In a convolution {message}.", name);
}
