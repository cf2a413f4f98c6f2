namespace Backprop.Simd.Tests.Reference;

/// <summary>Adafactor and Muon, line by line in double, on one parameter [rows, columns]; a vector has one row.</summary>
internal static class MatrixOptimizerReference
{
    /// <summary>Algorithms 4 and 5 of Shazeer and Stern.</summary>
    public sealed class Adafactor(int rows, int columns)
    {
        private readonly double[] _r = new double[rows], _c = new double[columns], _v = new double[rows * columns], _m = new double[rows * columns];

        public double Rate { get; init; } = 1;

        public double DecayRate { get; init; } = 0.8;

        public double Beta1 { get; init; }

        public double Clip { get; init; } = 1;

        public double Decay { get; init; }

        public bool IsRelative { get; init; } = true;

        public bool Scales { get; init; } = true;

        public void Step(Span<double> w, ReadOnlySpan<double> g, int t)
        {
            var beta = 1 - Math.Pow(t, -DecayRate);
            var u = new double[g.Length];
            double[] rowMeans = new double[rows], columnMeans = new double[columns];
            for (var i = 0; i < g.Length; i++)
            {
                var q = g[i] * g[i] + 1e-30;
                rowMeans[i / columns] += q / columns;
                columnMeans[i % columns] += q / rows;
                _v[i] = beta * _v[i] + (1 - beta) * q;
            }

            for (var i = 0; i < rows; i++)
                _r[i] = beta * _r[i] + (1 - beta) * rowMeans[i];
            for (var j = 0; j < columns; j++)
                _c[j] = beta * _c[j] + (1 - beta) * columnMeans[j];
            var isMatrix = rows > 1 && columns > 1;
            for (var i = 0; i < g.Length; i++)
                u[i] = g[i] / Math.Sqrt(isMatrix ? _r[i / columns] * _c[i % columns] / _r.Average() : _v[i]);
            var divisor = Math.Max(1, Root(u) / Clip);
            var size = Rate * (IsRelative ? Math.Min(0.01, 1 / Math.Sqrt(t)) : 1) * (Scales ? Math.Max(1e-3, Root(w)) : 1);
            for (var i = 0; i < g.Length; i++)
            {
                _m[i] = Beta1 * _m[i] + (1 - Beta1) * size * u[i] / divisor;
                w[i] -= size * Decay * w[i];
                w[i] -= _m[i];
            }
        }

        private static double Root(ReadOnlySpan<double> x)
        {
            var sum = 0.0;
            foreach (var value in x)
                sum += value * value;
            return Math.Sqrt(sum / x.Length);
        }
    }

    /// <summary>Jordan's listing, with matrices [inputs, outputs].</summary>
    public sealed class Muon(int rows, int columns)
    {
        private readonly double[] _m = new double[rows * columns];

        public double Rate { get; init; } = 0.02;

        public double Momentum { get; init; } = 0.95;

        public bool Nesterov { get; init; } = true;

        public double Decay { get; init; }

        public void Step(Span<double> w, ReadOnlySpan<double> g)
        {
            var u = new double[rows, columns];
            var norm = 0.0;
            for (var i = 0; i < g.Length; i++)
            {
                _m[i] += (1 - Momentum) * (g[i] - _m[i]);
                var x = Nesterov ? g[i] + Momentum * (_m[i] - g[i]) : _m[i];
                u[i / columns, i % columns] = x;
                norm += x * x;
            }

            for (var i = 0; i < g.Length; i++)
                u[i / columns, i % columns] /= Math.Sqrt(norm) + 1e-7;
            for (var step = 0; step < 5; step++)
            {
                var a = Product(u, Transposed(u));
                var polynomial = Sum(-4.7750, a, 2.0315, Product(a, a));
                u = Sum(3.4445, u, 1, Product(polynomial, u));
            }

            for (var i = 0; i < g.Length; i++)
                w[i] = (1 - Rate * Decay) * w[i] - Rate * Math.Sqrt(Math.Max(1, (double)columns / rows)) * u[i / columns, i % columns];
        }
    }

    public static double[,] Transposed(double[,] a)
    {
        var result = new double[a.GetLength(1), a.GetLength(0)];
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < a.GetLength(1); j++)
                result[j, i] = a[i, j];
        }

        return result;
    }

    public static double[,] Product(double[,] a, double[,] b)
    {
        var result = new double[a.GetLength(0), b.GetLength(1)];
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < b.GetLength(1); j++)
            {
                for (var k = 0; k < a.GetLength(1); k++)
                    result[i, j] += a[i, k] * b[k, j];
            }
        }

        return result;
    }

    private static double[,] Sum(double alpha, double[,] a, double beta, double[,] b)
    {
        var result = new double[a.GetLength(0), a.GetLength(1)];
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < a.GetLength(1); j++)
                result[i, j] = alpha * a[i, j] + beta * b[i, j];
        }

        return result;
    }

    /// <summary>The eigenvalues of a symmetric matrix, by Jacobi's rotations.</summary>
    public static double[] Eigenvalues(double[,] a)
    {
        var n = a.GetLength(0);
        for (var sweep = 0; sweep < 30; sweep++)
        {
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    var angle = 0.5 * Math.Atan2(2 * a[p, q], a[q, q] - a[p, p]);
                    var (sin, cos) = Math.SinCos(angle);
                    for (var k = 0; k < n; k++)
                        (a[k, p], a[k, q]) = (cos * a[k, p] - sin * a[k, q], sin * a[k, p] + cos * a[k, q]);
                    for (var k = 0; k < n; k++)
                        (a[p, k], a[q, k]) = (cos * a[p, k] - sin * a[q, k], sin * a[p, k] + cos * a[q, k]);
                }
            }
        }

        return [.. Enumerable.Range(0, n).Select(i => a[i, i])];
    }
}
