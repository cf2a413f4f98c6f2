namespace Backprop.Simd.Tests.Reference;

/// <summary>
/// Recurrences over one batch by the definition, in double, row by row and unit by unit. The gradients are those of the sum of
/// outputs times seeds, by back-propagation written out for one unit at a time.
/// </summary>
internal static partial class RecurrentReference
{
    /// <summary>The results of an LSTM and its gradients; the other recurrences have no cells.</summary>
    public sealed record Result(double[] Outputs, double[] LastHidden, double[] LastCell)
    {
        public double[] Dx { get; init; } = [];

        public double[] Dw { get; init; } = [];

        public double[] Du { get; init; } = [];

        public double[] Db { get; init; } = [];

        public double[] DHiddenBias { get; init; } = [];

        public double[] DProjection { get; init; } = [];

        public double[] Dh { get; init; } = [];

        public double[] Dc { get; init; } = [];
    }

    /// <summary>A batch: sizes, data, parameters, and the gradients by the outputs.</summary>
    public sealed record Problem(int Rows, int Steps, int Inputs, int Units, double[] X, int[] Lengths, double[] W, double[] U, double[] B)
    {
        public double[] HiddenBias { get; init; } = [];

        /// <summary>The projection of an LSTM's h; empty for none.</summary>
        public double[] Projection { get; init; } = [];

        /// <summary>The size of h.</summary>
        public int Size => Projection.Length == 0 ? Units : Projection.Length / Units;

        public double[] H0 { get; init; } = new double[Rows * Units];

        public double[] C0 { get; init; } = new double[Rows * Units];

        public double[] Dy { get; init; } = new double[Rows * Steps * Units];

        public double[] DLastHidden { get; init; } = new double[Rows * Units];

        public double[] DLastCell { get; init; } = new double[Rows * Units];
    }

    /// <summary>A recurrence, forward or backward. Backward, the valid part of each row is turned around before and after it.</summary>
    public static Result Read(Problem p, bool reverse, Func<Problem, Result> recurrence)
    {
        if (!reverse)
            return recurrence(p);
        var result = recurrence(p with { X = Turned(p.X, p.Inputs), Dy = Turned(p.Dy, p.Size) });
        return result with { Outputs = Turned(result.Outputs, p.Size), Dx = Turned(result.Dx, p.Inputs) };

        double[] Turned(double[] values, int columns)
        {
            var turned = (double[])values.Clone();
            for (var row = 0; row < p.Rows; row++)
            {
                for (var t = 0; t < p.Lengths[row]; t++)
                    Array.Copy(values, (row * p.Steps + t) * columns, turned, (row * p.Steps + p.Lengths[row] - 1 - t) * columns, columns);
            }

            return turned;
        }
    }

    public static Result Rnn(Problem p, bool isRectifier)
    {
        var units = p.Units;
        var result = new Result(new double[p.Rows * p.Steps * units], new double[p.Rows * units], [])
        {
            Dx = new double[p.X.Length],
            Dw = new double[p.W.Length],
            Du = new double[p.U.Length],
            Db = new double[units],
            Dh = new double[p.Rows * units],
        };
        for (var row = 0; row < p.Rows; row++)
        {
            var length = p.Lengths[row];
            var h = new double[length + 1][];
            h[0] = p.H0[(row * units)..((row + 1) * units)];
            for (var t = 0; t < length; t++)
            {
                h[t + 1] = new double[units];
                for (var k = 0; k < units; k++)
                {
                    var sum = p.B[k];
                    for (var i = 0; i < p.Inputs; i++)
                        sum += p.X[(row * p.Steps + t) * p.Inputs + i] * p.W[i * units + k];
                    for (var i = 0; i < units; i++)
                        sum += h[t][i] * p.U[i * units + k];
                    h[t + 1][k] = result.Outputs[(row * p.Steps + t) * units + k] = isRectifier ? Math.Max(0, sum) : Math.Tanh(sum);
                }
            }

            h[length].CopyTo(result.LastHidden, row * units);
            var dh = p.DLastHidden[(row * units)..((row + 1) * units)];
            for (var t = length - 1; t >= 0; t--)
            {
                var d = new double[units];
                for (var k = 0; k < units; k++)
                {
                    var slope = !isRectifier ? 1 - h[t + 1][k] * h[t + 1][k] : h[t + 1][k] > 0 ? 1 : 0;
                    d[k] = (dh[k] + p.Dy[(row * p.Steps + t) * units + k]) * slope;
                    result.Db[k] += d[k];
                }

                dh = Products(p, result, row, t, d, d, h[t]);
            }

            dh.CopyTo(result.Dh, row * units);
        }

        return result;
    }

    public static Result Gru(Problem p)
    {
        var (units, inputs, width) = (p.Units, p.Inputs, 3 * p.Units);
        var result = new Result(new double[p.Rows * p.Steps * units], new double[p.Rows * units], [])
        {
            Dx = new double[p.X.Length],
            Dw = new double[p.W.Length],
            Du = new double[p.U.Length],
            Db = new double[width],
            DHiddenBias = new double[units],
            Dh = new double[p.Rows * units],
        };
        for (var row = 0; row < p.Rows; row++)
        {
            var length = p.Lengths[row];
            double[][] h = new double[length + 1][], fromX = new double[length][], fromH = new double[length][];
            h[0] = p.H0[(row * units)..((row + 1) * units)];
            for (var t = 0; t < length; t++)
            {
                (h[t + 1], fromX[t], fromH[t]) = (new double[units], new double[width], new double[width]);
                for (var j = 0; j < width; j++)
                {
                    fromX[t][j] = p.B[j];
                    for (var i = 0; i < inputs; i++)
                        fromX[t][j] += p.X[(row * p.Steps + t) * inputs + i] * p.W[i * width + j];
                    fromH[t][j] = j / units == 2 ? p.HiddenBias[j - 2 * units] : 0;
                    for (var i = 0; i < units; i++)
                        fromH[t][j] += h[t][i] * p.U[i * width + j];
                }

                for (var k = 0; k < units; k++)
                {
                    var (_, z, n) = GruGates(fromX[t], fromH[t], units, k);
                    h[t + 1][k] = (1 - z) * n + z * h[t][k];
                    result.Outputs[(row * p.Steps + t) * units + k] = h[t + 1][k];
                }
            }

            h[length].CopyTo(result.LastHidden, row * units);
            var dh = p.DLastHidden[(row * units)..((row + 1) * units)];
            for (var t = length - 1; t >= 0; t--)
            {
                var (d, e, direct) = (new double[width], new double[width], new double[units]);
                for (var k = 0; k < units; k++)
                {
                    var (r, z, n) = GruGates(fromX[t], fromH[t], units, k);
                    var total = dh[k] + p.Dy[(row * p.Steps + t) * units + k];
                    var dn = total * (1 - z) * (1 - n * n);
                    d[k] = e[k] = dn * fromH[t][2 * units + k] * r * (1 - r);
                    d[units + k] = e[units + k] = total * (h[t][k] - n) * z * (1 - z);
                    (d[2 * units + k], e[2 * units + k]) = (dn, dn * r);
                    direct[k] = total * z;
                    result.DHiddenBias[k] += dn * r;
                }

                dh = Products(p, result, row, t, d, e, h[t]);
                for (var k = 0; k < units; k++)
                    dh[k] += direct[k];
                for (var j = 0; j < width; j++)
                    result.Db[j] += d[j];
            }

            dh.CopyTo(result.Dh, row * units);
        }

        return result;
    }

    /// <summary>A GRU whose reset gate multiplies the state, before the product.</summary>
    public static Result GruBefore(Problem p)
    {
        var (units, inputs, width) = (p.Units, p.Inputs, 3 * p.Units);
        var result = new Result(new double[p.Rows * p.Steps * units], new double[p.Rows * units], [])
        {
            Dx = new double[p.X.Length],
            Dw = new double[p.W.Length],
            Du = new double[p.U.Length],
            Db = new double[width],
            Dh = new double[p.Rows * units],
        };
        for (var row = 0; row < p.Rows; row++)
        {
            var length = p.Lengths[row];
            double[][] h = new double[length + 1][], gates = new double[length][];
            h[0] = p.H0[(row * units)..((row + 1) * units)];
            for (var t = 0; t < length; t++)
            {
                (h[t + 1], gates[t]) = (new double[units], new double[width]);
                for (var j = 0; j < width; j++)
                {
                    gates[t][j] = p.B[j];
                    for (var i = 0; i < inputs; i++)
                        gates[t][j] += p.X[(row * p.Steps + t) * inputs + i] * p.W[i * width + j];
                    for (var i = 0; i < units; i++)
                        gates[t][j] += (j < 2 * units ? 1 : gates[t][i]) * h[t][i] * p.U[i * width + j];
                    gates[t][j] = j < 2 * units ? Logistic(gates[t][j]) : Math.Tanh(gates[t][j]);
                }

                for (var k = 0; k < units; k++)
                {
                    var (z, n) = (gates[t][units + k], gates[t][2 * units + k]);
                    h[t + 1][k] = result.Outputs[(row * p.Steps + t) * units + k] = (1 - z) * n + z * h[t][k];
                }
            }

            h[length].CopyTo(result.LastHidden, row * units);
            var dh = p.DLastHidden[(row * units)..((row + 1) * units)];
            for (var t = length - 1; t >= 0; t--)
            {
                // dn first, then what it gives to each r h.
                var (d, before) = (new double[width], new double[units]);
                for (var k = 0; k < units; k++)
                {
                    var (z, n) = (gates[t][units + k], gates[t][2 * units + k]);
                    var total = dh[k] + p.Dy[(row * p.Steps + t) * units + k];
                    d[units + k] = total * (h[t][k] - n) * z * (1 - z);
                    d[2 * units + k] = total * (1 - z) * (1 - n * n);
                    before[k] = total * z;
                }

                for (var i = 0; i < units; i++)
                {
                    var product = 0.0;
                    for (var j = 2 * units; j < width; j++)
                    {
                        product += d[j] * p.U[i * width + j];
                        result.Du[i * width + j] += gates[t][i] * h[t][i] * d[j];
                    }

                    d[i] = product * h[t][i] * gates[t][i] * (1 - gates[t][i]);
                    before[i] += product * gates[t][i];
                }

                // r and z, whose part of U sees h alone.
                var e = (double[])d.Clone();
                Array.Clear(e, 2 * units, units);
                dh = Products(p, result, row, t, d, e, h[t]);
                for (var k = 0; k < units; k++)
                    dh[k] += before[k];
                for (var j = 0; j < width; j++)
                    result.Db[j] += d[j];
            }

            dh.CopyTo(result.Dh, row * units);
        }

        return result;
    }

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

    private static (double R, double Z, double N) GruGates(double[] fromX, double[] fromH, int units, int k)
    {
        var r = Logistic(fromX[k] + fromH[k]);
        return (r, Logistic(fromX[units + k] + fromH[units + k]), Math.Tanh(fromX[2 * units + k] + r * fromH[2 * units + k]));
    }

    /// <summary>Adds x^T d to dW, h^T e to dU, sets dx = d W^T, and returns e U^T.</summary>
    private static double[] Products(Problem p, Result result, int row, int t, double[] d, double[] e, double[] h)
    {
        var dh = new double[h.Length];
        for (var j = 0; j < d.Length; j++)
        {
            for (var i = 0; i < p.Inputs; i++)
            {
                result.Dw[i * d.Length + j] += p.X[(row * p.Steps + t) * p.Inputs + i] * d[j];
                result.Dx[(row * p.Steps + t) * p.Inputs + i] += d[j] * p.W[i * d.Length + j];
            }

            for (var i = 0; i < h.Length; i++)
            {
                result.Du[i * d.Length + j] += h[i] * e[j];
                dh[i] += e[j] * p.U[i * d.Length + j];
            }
        }

        return dh;
    }
}
