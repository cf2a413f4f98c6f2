namespace Backprop.Simd.Tests.Reference;

/// <summary>Positions by their definitions, in double.</summary>
internal static class PositionReference
{
    /// <summary>Turns the pairs of columns of each head of width <paramref name="width"/>, as complex numbers, in place.</summary>
    public static void Turn(double[] x, int columns, int steps, int width, double root, bool interleaved, bool forward, int[]? first = null)
    {
        for (var row = 0; row < x.Length / columns; row++)
        {
            var t = row % steps + (first?[row / steps] ?? 0);
            for (var head = 0; head < columns / width; head++)
            {
                for (var i = 0; i < width / 2; i++)
                {
                    var at = row * columns + head * width;
                    var (a, b) = interleaved ? (at + 2 * i, at + 2 * i + 1) : (at + i, at + i + width / 2);
                    var angle = (forward ? 1 : -1) * t / Math.Pow(root, 2.0 * i / width);
                    var z = new System.Numerics.Complex(x[a], x[b]) * System.Numerics.Complex.Exp(new(0, angle));
                    (x[a], x[b]) = (z.Real, z.Imaginary);
                }
            }
        }
    }

    /// <summary>The constant number of a position and a column.</summary>
    public static double Sinusoid(int t, int column, int columns, double root) => column % 2 == 0
        ? Math.Sin(t / Math.Pow(root, (double)column / columns))
        : Math.Cos(t / Math.Pow(root, (column - 1.0) / columns));
}
