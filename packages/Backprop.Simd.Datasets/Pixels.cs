using System.Numerics;

namespace Backprop.Simd.Datasets;

/// <summary>Pixels as numbers: <c>destination[i] = pixels[i] / maximum</c>, correctly rounded.</summary>
internal static class Pixels
{
    /// <summary>Converts all pixels. The tail of a longer destination stays as it is.</summary>
    public static void Scale<T>(ReadOnlySpan<byte> pixels, byte maximum, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T divisor = T.CreateTruncating(maximum);
        int done = 0;
        if (Vector<T>.IsSupported)
        {
            var divisors = new Vector<T>(divisor);
            for (; done <= pixels.Length - Vector<byte>.Count; done += Vector<byte>.Count)
            {
                Span<T> block = destination.Slice(done, Vector<byte>.Count);
                Vector.Widen(new Vector<byte>(pixels[done..]), out Vector<ushort> low, out Vector<ushort> high);
                Scale(low, divisors, block);
                Scale(high, divisors, block[Vector<ushort>.Count..]);
            }
        }

        for (; done < pixels.Length; done++)
        {
            destination[done] = T.CreateTruncating(pixels[done]) / divisor;
        }
    }

    private static void Scale<T>(Vector<ushort> pixels, Vector<T> divisors, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector.Widen(pixels, out Vector<uint> low, out Vector<uint> high);
        Scale(Vector.ConvertToSingle(Vector.AsVectorInt32(low)), divisors, destination);
        Scale(Vector.ConvertToSingle(Vector.AsVectorInt32(high)), divisors, destination[Vector<uint>.Count..]);
    }

    // Float holds a pixel exactly, so that the way to double may lead through float.
    private static void Scale<T>(Vector<float> pixels, Vector<T> divisors, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            (Vector.As<float, T>(pixels) / divisors).CopyTo(destination);
            return;
        }

        Vector.Widen(pixels, out Vector<double> low, out Vector<double> high);
        (Vector.As<double, T>(low) / divisors).CopyTo(destination);
        (Vector.As<double, T>(high) / divisors).CopyTo(destination[Vector<double>.Count..]);
    }
}
