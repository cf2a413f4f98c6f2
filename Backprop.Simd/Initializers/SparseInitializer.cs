using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>A matrix with a number of zeros in each column, at random places, and normal values with mean 0 elsewhere.</summary>
/// <remarks>
/// <para>Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5. A column is what feeds one unit, so each unit has the
/// same number of connections. A column of r rows has ceil(sparsity x r) zeros, as in PyTorch's sparse_.</para>
/// <para>A parameter of rank 2 is the matrix itself; otherwise the matrix is [fan-in, elements / fan-in], as for
/// <see cref="OrthogonalInitializer"/>.</para>
/// </remarks>
public sealed class SparseInitializer : Initializer
{
    /// <summary>Creates the rule.</summary>
    /// <param name="sparsity">The part of each column that is zero, 0 to 1.</param>
    /// <param name="standardDeviation">The standard deviation of the other values, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sparsity"/> is outside 0 to 1, or
    /// <paramref name="standardDeviation"/> is negative or not finite.</exception>
    public SparseInitializer(double sparsity, double standardDeviation = 0.01)
    {
        if (!(sparsity is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "'sparsity' must be 0 to 1.");
        CheckStandardDeviation(standardDeviation);
        (Sparsity, StandardDeviation) = (sparsity, standardDeviation);
    }

    /// <summary>The part of each column that is zero.</summary>
    public double Sparsity { get; }

    /// <summary>The standard deviation of the other values.</summary>
    public double StandardDeviation { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The number of elements is not a multiple of the fan-in.</exception>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) =>
        Fill(values, MatrixShape(values.Length, fanIn), fanIn, fanOut, ref random);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The shape does not have as many elements as there are values; or its rank is not 2, and the number
    /// of elements is not a multiple of the fan-in.</exception>
    public override void Fill<T>(Span<T> values, ReadOnlySpan<int> shape, int fanIn, int fanOut, ref Philox random)
    {
        CheckShape(values.Length, shape);
        if (shape.Length != 2)
            shape = MatrixShape(values.Length, fanIn);
        var (rows, columns) = (shape[0], shape[1]);
        FillNormal(values, StandardDeviation, ref random);
        var zeros = (int)Math.Ceiling(Sparsity * rows);
        for (var column = 0; zeros > 0 && column < columns; column++)
        {
            // Each row with the probability zeros left / rows left: every choice of rows is as likely (Knuth, volume 2, algorithm 3.4.2 S).
            for (int row = 0, left = zeros; left > 0; row++)
            {
                if (random.NextDouble() * (rows - row) >= left)
                    continue;
                values[row * columns + column] = T.Zero;
                left--;
            }
        }
    }
}
