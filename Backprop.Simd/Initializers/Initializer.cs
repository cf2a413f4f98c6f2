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

    private protected static void CheckStandardDeviation(double standardDeviation)
    {
        if (!(double.IsFinite(standardDeviation) && standardDeviation >= 0))
            throw new ArgumentOutOfRangeException(nameof(standardDeviation), standardDeviation, "The standard deviation must be finite and not negative.");
    }
}
