using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>A random matrix with orthogonal columns of equal length, or rows if there are fewer rows: uniform among all such matrices.</summary>
/// <remarks>
/// Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014. The
/// matrix is [fan-in, elements / fan-in]: [inputs, outputs] for an affine layer, [rows x columns x channels in, channels out] for a
/// convolution. It is the Q of the QR factors of a matrix of normal numbers, where R has a positive diagonal (Mezzadri, "How to generate
/// random matrices from the classical compact groups", 2007). Modified Gram-Schmidt runs twice, which makes it orthogonal within rounding
/// (Giraud, Langou and Rozloznik, 2005). With the longer side m and the shorter side n, it takes 4 m n^2 multiplications and m n numbers of
/// memory.
/// </remarks>
public sealed class OrthogonalInitializer : Initializer
{
    /// <summary>The least part of a vector's length that must remain after the projections; otherwise the vector is drawn again.</summary>
    private const double LeastRest = 1e-6;

    /// <summary>Creates the rule.</summary>
    /// <param name="gain">The length of the columns, or of the rows if there are fewer; finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is negative or not finite.</exception>
    public OrthogonalInitializer(double gain = 1)
    {
        CheckGain(gain);
        Gain = gain;
    }

    /// <summary>The length of the columns, or of the rows if there are fewer.</summary>
    public double Gain { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The number of elements is not a multiple of the fan-in.</exception>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        var shape = MatrixShape(values.Length, fanIn);
        var (rows, columns) = (shape[0], shape[1]);
        var (length, count) = (Math.Max(rows, columns), Math.Min(rows, columns));
        var vectors = new double[values.Length];
        for (var i = 0; i < count; i++)
            Next(vectors, i, length, ref random);
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < length; j++)
                values[rows >= columns ? j * columns + i : i * columns + j] = T.CreateTruncating(Gain * vectors[i * length + j]);
        }
    }

    /// <summary>Draws a vector, subtracts its projections on the earlier vectors, twice, and scales it to length 1.</summary>
    private static void Next(Span<double> vectors, int index, int length, ref Philox random)
    {
        var vector = vectors.Slice(index * length, length);
        double before, after;
        do
        {
            foreach (ref var value in vector)
                value = random.NextNormal();
            before = Math.Sqrt(PortableVectors.Dot(vector, vector));
            for (var pass = 0; pass < 2; pass++)
            {
                for (var j = 0; j < index; j++)
                {
                    var other = vectors.Slice(j * length, length);
                    PortableVectors.SubtractScaled(PortableVectors.Dot(other, vector), other, vector);
                }
            }

            after = Math.Sqrt(PortableVectors.Dot(vector, vector));
        }
        while (after <= LeastRest * before);

        foreach (ref var value in vector)
            value /= after;
    }
}
