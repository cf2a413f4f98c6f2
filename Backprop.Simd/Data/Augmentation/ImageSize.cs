using Backprop.Simd.Layers;

namespace Backprop.Simd.Data;

/// <summary>The size of an image in a column: [height, width, channels], row-major.</summary>
/// <param name="Height">The lines, 1 or more.</param>
/// <param name="Width">The pixels of a line, 1 or more.</param>
/// <param name="Channels">The numbers of a pixel, 1 or more.</param>
public readonly record struct ImageSize(int Height, int Width, int Channels = 1)
{
    /// <summary>The numbers of an image.</summary>
    public long Elements => (long)Height * Width * Channels;

    /// <summary>The size as messages write it: <c>[28, 28, 1]</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"[{Height}, {Width}, {Channels}]";

    internal static ImageSize? Of(Shape shape) => shape.Rank switch
    {
        2 => new(shape[0], shape[1]),
        3 => new(shape[0], shape[1], shape[2]),
        _ => null,
    };
}
