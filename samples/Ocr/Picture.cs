using StbImageSharp;

namespace Backprop.Simd.Samples;

/// <summary>A picture: rows of pixels, blue, green and red from 0 to 255, the order in which the models were trained.</summary>
internal sealed record Picture(int Width, int Height, float[] Pixels)
{
    private const int Channels = 3;

    /// <summary>Decodes a PNG, JPEG, BMP or GIF. What is transparent lies on white.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such picture.</exception>
    public static Picture Decode(byte[] file)
    {
        ImageResult image;
        try
        {
            image = ImageResult.FromMemory(file, ColorComponents.RedGreenBlueAlpha);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The decoder throws whatever its arrays do.
            throw new InvalidDataException("it is no picture that can be decoded", e);
        }

        var pixels = new float[image.Width * image.Height * Channels];
        for (var p = 0; p < image.Width * image.Height; p++)
        {
            var (opaque, from) = (image.Data[4 * p + 3] / 255f, 4 * p);
            for (var c = 0; c < Channels; c++)
                pixels[Channels * p + c] = image.Data[from + Channels - 1 - c] * opaque + 255 * (1 - opaque);
        }

        return new(image.Width, image.Height, pixels);
    }

    /// <summary>The picture upside down: turned by half a turn.</summary>
    public Picture Turned()
    {
        var turned = new float[Pixels.Length];
        var count = Width * Height;
        for (var p = 0; p < count; p++)
            Pixels.AsSpan(Channels * p, Channels).CopyTo(turned.AsSpan(Channels * (count - 1 - p)));
        return this with { Pixels = turned };
    }
}
