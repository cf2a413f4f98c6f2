using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>A matrix with one value on its main diagonal and zeros elsewhere, square or not: it passes on what it is given. It draws no
/// random numbers.</summary>
/// <remarks>
/// As PyTorch's eye_. Le, Jaitly and Hinton, "A simple way to initialize recurrent networks of rectified linear units", 2015, section 2.
/// Without a shape the matrix is [fan-in, elements / fan-in].
/// </remarks>
public sealed class IdentityInitializer : Initializer
{
    /// <summary>Creates the rule.</summary>
    /// <param name="gain">The value on the diagonal, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is negative or not finite.</exception>
    public IdentityInitializer(double gain = 1)
    {
        CheckGain(gain);
        Gain = gain;
    }

    /// <summary>The value on the diagonal.</summary>
    public double Gain { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The number of elements is not a multiple of the fan-in.</exception>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) =>
        Fill(values, MatrixShape(values.Length, fanIn), fanIn, fanOut, ref random);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The shape is not that of a matrix, or does not have as many elements as there are values.</exception>
    public override void Fill<T>(Span<T> values, ReadOnlySpan<int> shape, int fanIn, int fanOut, ref Philox random)
    {
        CheckShape(values.Length, shape);
        if (shape.Length != 2)
            throw new ArgumentException($"An identity needs a matrix, a shape of rank 2; the rank is {shape.Length}.", nameof(shape));
        var (rows, columns) = (shape[0], shape[1]);
        values.Clear();
        for (var i = 0; i < Math.Min(rows, columns); i++)
            values[i * columns + i] = T.CreateTruncating(Gain);
    }
}
