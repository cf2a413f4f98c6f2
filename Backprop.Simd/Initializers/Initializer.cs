using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>A rule for the first values of a parameter.</summary>
/// <remarks>
/// Initializers use only integer and individually rounded IEEE operations, and always draw in double. So the same seed gives the same bits on
/// every machine, and a float network starts with the rounded values of the double network.
/// </remarks>
public abstract class Initializer
{
    /// <summary>How many numbers are drawn at a time: a few cache lines of stack.</summary>
    private const int Chunk = 256;

    /// <summary>Fills a parameter.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="values">The parameter, in row-major order.</param>
    /// <param name="fanIn">The inputs that each output sums over.</param>
    /// <param name="fanOut">The outputs that each input feeds.</param>
    /// <param name="random">The random stream. Drawing advances it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A fan that the rule uses is not positive.</exception>
    public abstract void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>Fills a parameter whose shape is known: what a network calls. A rule that needs the shape overrides it; the others go by the
    /// fans alone.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="values">The parameter, in row-major order.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="fanIn">The inputs that each output sums over.</param>
    /// <param name="fanOut">The outputs that each input feeds.</param>
    /// <param name="random">The random stream. Drawing advances it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A fan that the rule uses is not positive.</exception>
    public virtual void Fill<T>(Span<T> values, ReadOnlySpan<int> shape, int fanIn, int fanOut, ref Philox random)
        where T : unmanaged, IFloatingPointIeee754<T> => Fill(values, fanIn, fanOut, ref random);

    /// <summary>Uniform values in [-limit, limit).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected static void FillUniform<T>(Span<T> values, double limit, ref Philox random)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<double> draws = stackalloc double[Chunk];
        while (values.Length > 0)
        {
            draws = draws[..Math.Min(Chunk, values.Length)];
            random.NextDoubles(draws);
            for (var i = 0; i < draws.Length; i++)
                values[i] = T.CreateTruncating((2 * draws[i] - 1) * limit);
            values = values[draws.Length..];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected static void FillNormal<T>(Span<T> values, double standardDeviation, ref Philox random)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (ref var value in values)
            value = T.CreateTruncating(random.NextNormal() * standardDeviation);
    }

    /// <summary>Normal values. Those beyond the bound, in standard deviations, are drawn again.</summary>
    private protected static void FillTruncatedNormal<T>(Span<T> values, double standardDeviation, double bound, ref Philox random)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (ref var value in values)
        {
            double draw;
            do
                draw = random.NextNormal();
            while (Math.Abs(draw) > bound);
            value = T.CreateTruncating(draw * standardDeviation);
        }
    }

    private protected static void CheckGain(double gain)
    {
        if (!(gain >= 0 && double.IsFinite(gain)))
            throw new ArgumentOutOfRangeException(nameof(gain), gain, "'gain' must be finite and not negative.");
    }

    private protected static void CheckStandardDeviation(double standardDeviation)
    {
        if (!(double.IsFinite(standardDeviation) && standardDeviation >= 0))
            throw new ArgumentOutOfRangeException(nameof(standardDeviation), standardDeviation, "The standard deviation must be finite and not negative.");
    }

    /// <summary>Throws unless a shape has as many elements as there are values.</summary>
    private protected static void CheckShape(int length, ReadOnlySpan<int> shape)
    {
        long elements = 1;
        foreach (var size in shape)
            elements = size < 0 || elements is < 0 or > int.MaxValue ? -1 : elements * size;
        if (elements != length)
        {
            throw new ArgumentException(
                $"The shape must have {length} elements, as many as there are values; it is [{string.Join(", ", shape.ToArray())}].", nameof(shape));
        }
    }

    /// <summary>The matrix that a parameter of unknown shape is taken for: [fan-in, elements / fan-in].</summary>
    private protected static int[] MatrixShape(int length, int fanIn)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        return length % fanIn == 0 ? [fanIn, length / fanIn]
            : throw new ArgumentException($"The elements must be a multiple of the fan-in, {fanIn}; there are {length}.", "values");
    }
}
