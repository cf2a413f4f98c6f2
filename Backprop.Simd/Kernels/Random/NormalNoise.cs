using System.Numerics;
using System.Numerics.Tensors;

namespace Backprop.Simd.Kernels;

/// <summary>y[i] += s n[i], for n from the standard normal distribution, by the method of Box and Muller (Ann. Math. Stat. 29, 1958).</summary>
/// <remarks>With u in (0, 1] and v in [-1, 1): n = sqrt(-2 ln u) cos(pi v), and sin for another. u and v are a word each, so no n is larger than 6.8.</remarks>
internal static unsafe class NormalNoise
{
    /// <summary>Pairs between two looks at the generator.</summary>
    private const int Chunk = 128;

    /// <summary>The elements of scratch.</summary>
    public const int Scratch = 5 * Chunk;

    /// <summary>Adds noise.</summary>
    /// <param name="stream">The random words, from block 2^32 on.</param>
    /// <param name="deviation">s.</param>
    /// <param name="y">The numbers that get the noise.</param>
    /// <param name="scratch">Room for <see cref="Scratch"/>.</param>
    /// <param name="first">The blocks that the elements before have taken.</param>
    public static void Add<T>(WordStream stream, double deviation, Span<T> y, Span<T> scratch, ulong first = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> radius = scratch[..Chunk], angle = scratch[Chunk..(2 * Chunk)], normal = scratch[(2 * Chunk)..(3 * Chunk)];
        fixed (T* buffer = scratch[(3 * Chunk)..])
        {
            var words = (uint*)buffer;
            for (var block = (1UL << 32) + first; !y.IsEmpty; block += 2 * Chunk / 4)
            {
                PhiloxBlocks.Fill(block, stream.CounterHigh, stream.Key, words, 2 * Chunk / 4);
                for (var i = 0; i < Chunk; i++)
                {
                    radius[i] = T.CreateTruncating((words[i] + 0.5) * (1.0 / (1L << 32)));
                    angle[i] = T.CreateTruncating((int)words[Chunk + i] * (1.0 / (1L << 31)));
                }

                TensorPrimitives.Log(radius, radius);
                TensorPrimitives.Multiply(radius, T.CreateTruncating(-2), radius);
                TensorPrimitives.Sqrt(radius, radius);
                TensorPrimitives.Multiply(radius, T.CreateTruncating(deviation), radius);
                TensorPrimitives.CosPi(angle, normal);
                AddProducts(radius, normal, ref y);
                TensorPrimitives.SinPi(angle, normal);
                AddProducts(radius, normal, ref y);
            }
        }
    }

    private static void AddProducts<T>(ReadOnlySpan<T> radius, ReadOnlySpan<T> normal, ref Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var n = Math.Min(Chunk, y.Length);
        TensorPrimitives.MultiplyAddEstimate(radius[..n], normal[..n], y[..n], y[..n]);
        y = y[n..];
    }
}
