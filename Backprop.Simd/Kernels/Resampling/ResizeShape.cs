using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Kernels;

/// <summary>How <see cref="Resize"/> reads an image between its cells.</summary>
public enum ResizeMode
{
    /// <summary>The cell floor(o / scale): PyTorch's and Keras's <c>nearest</c>.</summary>
    Nearest,

    /// <summary>The cell whose centre is nearest, floor((o + 1/2) / scale): PyTorch's <c>nearest-exact</c>.</summary>
    NearestExact,

    /// <summary>The mean of two cells along each dimension, weighted by nearness.</summary>
    Bilinear,
}

/// <summary>Real factors by which height and width grow, or shrink.</summary>
/// <param name="Height">The factor of the height.</param>
/// <param name="Width">The factor of the width.</param>
public readonly record struct ResizeScale(double Height, double Width)
{
    /// <summary>The same factor for both.</summary>
    /// <param name="factor">The factor.</param>
    public static implicit operator ResizeScale(double factor) => new(factor, factor);

    /// <summary>The same factor for both.</summary>
    /// <param name="factor">The factor.</param>
    /// <returns>The scale.</returns>
    public static ResizeScale FromDouble(double factor) => factor;
}

/// <summary>The sizes of a <see cref="Resize"/>: images [height, width, channels] to [H', W', channels].</summary>
public readonly struct ResizeShape : IEquatable<ResizeShape>
{
    /// <summary>Checks and keeps the sizes.</summary>
    /// <param name="height">The height of an image.</param>
    /// <param name="width">Its width.</param>
    /// <param name="channels">Its channels, and those of the output.</param>
    /// <param name="outputs">Height and width of the output.</param>
    /// <param name="mode">How the image is read.</param>
    /// <param name="alignCorners">True to put the centres of the corner cells of both images over each other, in the bilinear mode only;
    /// false to put the corners of the images over each other.</param>
    /// <param name="scale">What places are divided by; outputs over inputs if null.</param>
    /// <exception cref="ArgumentException">A size is below 1, an image would hold more than 2^31 - 1 elements, a scale is not positive and
    /// finite, the mode is none, or corners are aligned in a mode of nearest cells.</exception>
    public ResizeShape(int height, int width, int channels, Extent outputs, ResizeMode mode = ResizeMode.Nearest, bool alignCorners = false,
        ResizeScale? scale = null)
    {
        if (height < 1 || width < 1 || channels < 1 || (Int128)height * width * channels > int.MaxValue)
            Throw($"an image has 1 to 2^31 - 1 elements; it is [{height}, {width}, {channels}]", nameof(height));
        if (outputs.Height < 1 || outputs.Width < 1 || (Int128)outputs.Height * outputs.Width * channels > int.MaxValue)
            Throw($"an output has 1 to 2^31 - 1 elements; it would be [{outputs.Height}, {outputs.Width}, {channels}]", nameof(outputs));
        CheckMode(mode, alignCorners);
        if (scale is { } factors)
            CheckScale(factors);
        (Height, Width, Channels, Outputs, Mode, AlignCorners, Scale) = (height, width, channels, outputs, mode, alignCorners, scale);
    }

    /// <summary>The height of an image.</summary>
    public int Height { get; }

    /// <summary>The width of an image.</summary>
    public int Width { get; }

    /// <summary>The channels.</summary>
    public int Channels { get; }

    /// <summary>Height and width of the output.</summary>
    public Extent Outputs { get; }

    /// <summary>How the image is read.</summary>
    public ResizeMode Mode { get; }

    /// <summary>Whether the centres of the corner cells lie over each other.</summary>
    public bool AlignCorners { get; }

    /// <summary>What places are divided by; outputs over inputs if null.</summary>
    public ResizeScale? Scale { get; }

    /// <summary>The elements of an image.</summary>
    public int InputSize => Height * Width * Channels;

    /// <summary>The elements of an output.</summary>
    public int OutputSize => Outputs.Height * Outputs.Width * Channels;

    internal ResizeAxis Rows => new(Height, Outputs.Height, Mode, AlignCorners, Scale?.Height ?? 0);

    internal ResizeAxis Columns => new(Width, Outputs.Width, Mode, AlignCorners, Scale?.Width ?? 0);

    /// <summary>The outputs of a scale: floor(size scale) along each dimension.</summary>
    /// <param name="height">The height of an image.</param>
    /// <param name="width">Its width.</param>
    /// <param name="scale">The factors.</param>
    /// <returns>Height and width of the output.</returns>
    /// <exception cref="ArgumentException">A scale is not positive and finite, or an output would have no cell, or more than 2^31 - 1.</exception>
    public static Extent OutputsOf(int height, int width, ResizeScale scale)
    {
        CheckScale(scale);
        double rows = Math.Floor(height * scale.Height), columns = Math.Floor(width * scale.Width);
        if (!(rows is >= 1 and <= int.MaxValue && columns is >= 1 and <= int.MaxValue))
        {
            Throw($"an output has 1 to 2^31 - 1 cells; scaled by {scale.Height} and {scale.Width}, {height} x {width} would be {rows} x {columns}",
                nameof(scale));
        }

        return new((int)rows, (int)columns);
    }

    /// <summary>Compares two shapes.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">A shape.</param>
    public static bool operator ==(ResizeShape left, ResizeShape right) => left.Equals(right);

    /// <summary>Compares two shapes.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">A shape.</param>
    public static bool operator !=(ResizeShape left, ResizeShape right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(ResizeShape other) => (Height, Width, Channels, Outputs) == (other.Height, other.Width, other.Channels, other.Outputs)
        && (Mode, AlignCorners, Scale) == (other.Mode, other.AlignCorners, other.Scale);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ResizeShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Height, Width, Channels, Outputs, Mode, AlignCorners, Scale);

    internal static void CheckMode(ResizeMode mode, bool alignCorners)
    {
        if (mode is < ResizeMode.Nearest or > ResizeMode.Bilinear)
            throw new ArgumentOutOfRangeException(nameof(mode), mode, $"'{nameof(mode)}' must be one of {nameof(ResizeMode)}.");
        if (alignCorners && mode != ResizeMode.Bilinear)
            Throw($"corners can be aligned in the mode {ResizeMode.Bilinear} only; it is {mode}", nameof(alignCorners));
    }

    internal static void CheckScale(ResizeScale scale)
    {
        if (!(scale is { Height: > 0, Width: > 0 } && double.IsFinite(scale.Height) && double.IsFinite(scale.Width)))
            Throw($"scales are positive and finite; they are {scale.Height} and {scale.Width}", nameof(scale));
    }

    [DoesNotReturn]
    private static void Throw(string message, string name) => throw new ArgumentException($"In a resize {message}.", name);
}

/// <summary>Where outputs along one dimension read: two neighbouring cells, and the weight of the second.</summary>
/// <param name="size">The cells of the image.</param>
/// <param name="outputs">The cells of the output.</param>
/// <param name="mode">How the image is read.</param>
/// <param name="alignCorners">Whether the centres of the corner cells lie over each other.</param>
/// <param name="scale">What places are divided by; 0 for outputs over inputs.</param>
internal readonly struct ResizeAxis(int size, int outputs, ResizeMode mode, bool alignCorners, double scale)
{
    public int Size => size;

    public int Outputs => outputs;

    /// <summary>The cells of an output. Both are non-decreasing in the output.</summary>
    public (int First, int Second, double Weight) Tap(int output)
    {
        if (mode != ResizeMode.Bilinear)
        {
            // Twice the place: an integer, or a half of one in the exact mode.
            var twice = mode == ResizeMode.Nearest ? 2L * output : 2L * output + 1;
            var cell = (int)Math.Min(scale > 0 ? twice / 2.0 / scale : twice * size / (2L * outputs), size - 1);
            return (cell, cell, 0);
        }

        var place = alignCorners ? outputs > 1 ? output * (size - 1.0) / (outputs - 1) : 0
            : Math.Max(0, (scale > 0 ? (output + 0.5) / scale : (output + 0.5) * size / outputs) - 0.5);
        var first = (int)Math.Min(place, size - 1);
        return (first, Math.Min(first + 1, size - 1), Math.Min(place - first, 1));
    }
}
