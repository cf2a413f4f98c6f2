namespace Backprop.Simd.Tests.Reference;

/// <content>The LSTM, with or without a projection of h.</content>
internal static partial class RecurrentReference
{
    public static Result Lstm(Problem p)
    {
        var (units, inputs, width, size) = (p.Units, p.Inputs, 4 * p.Units, p.Size);
        var result = new Result(new double[p.Rows * p.Steps * size], new double[p.Rows * size], new double[p.Rows * units])
        {
            Dx = new double[p.X.Length],
            Dw = new double[p.W.Length],
            Du = new double[p.U.Length],
            Db = new double[width],
            DProjection = new double[p.Projection.Length],
            Dh = new double[p.Rows * size],
            Dc = new double[p.Rows * units],
        };
        for (var row = 0; row < p.Rows; row++)
        {
            var length = p.Lengths[row];
            double[][] h = new double[length + 1][], c = new double[length + 1][], m = new double[length][], gates = new double[length][];
            (h[0], c[0]) = (p.H0[(row * size)..((row + 1) * size)], p.C0[(row * units)..((row + 1) * units)]);
            for (var t = 0; t < length; t++)
            {
                (c[t + 1], m[t], gates[t]) = (new double[units], new double[units], new double[width]);
                for (var j = 0; j < width; j++)
                {
                    var sum = p.B[j];
                    for (var i = 0; i < inputs; i++)
                        sum += p.X[(row * p.Steps + t) * inputs + i] * p.W[i * width + j];
                    for (var i = 0; i < size; i++)
                        sum += h[t][i] * p.U[i * width + j];
                    gates[t][j] = j / units == 2 ? Math.Tanh(sum) : Logistic(sum);
                }

                for (var k = 0; k < units; k++)
                {
                    c[t + 1][k] = gates[t][units + k] * c[t][k] + gates[t][k] * gates[t][2 * units + k];
                    m[t][k] = gates[t][3 * units + k] * Math.Tanh(c[t + 1][k]);
                }

                h[t + 1] = p.Projection.Length == 0 ? m[t] : [.. Enumerable.Range(0, size).Select(j => Enumerable.Range(0, units)
                    .Sum(k => m[t][k] * p.Projection[k * size + j]))];
                h[t + 1].CopyTo(result.Outputs, (row * p.Steps + t) * size);
            }

            h[length].CopyTo(result.LastHidden, row * size);
            c[length].CopyTo(result.LastCell, row * units);
            var (dh, dc) = (p.DLastHidden[(row * size)..((row + 1) * size)], p.DLastCell[(row * units)..((row + 1) * units)]);
            for (var t = length - 1; t >= 0; t--)
            {
                var (d, dm) = (new double[width], new double[units]);
                for (var j = 0; j < size; j++)
                {
                    var total = dh[j] + p.Dy[(row * p.Steps + t) * size + j];
                    if (p.Projection.Length == 0)
                        dm[j] = total;
                    for (var k = 0; k < units && p.Projection.Length > 0; k++)
                    {
                        dm[k] += total * p.Projection[k * size + j];
                        result.DProjection[k * size + j] += total * m[t][k];
                    }
                }

                for (var k = 0; k < units; k++)
                {
                    double i = gates[t][k], f = gates[t][units + k], g = gates[t][2 * units + k], o = gates[t][3 * units + k];
                    var tanh = Math.Tanh(c[t + 1][k]);
                    var cell = dc[k] + dm[k] * o * (1 - tanh * tanh);
                    (d[k], d[units + k]) = (cell * g * i * (1 - i), cell * c[t][k] * f * (1 - f));
                    (d[2 * units + k], d[3 * units + k]) = (cell * i * (1 - g * g), dm[k] * tanh * o * (1 - o));
                    dc[k] = cell * f;
                }

                dh = Products(p, result, row, t, d, d, h[t]);
                for (var j = 0; j < width; j++)
                    result.Db[j] += d[j];
            }

            dh.CopyTo(result.Dh, row * size);
            dc.CopyTo(result.Dc, row * units);
        }

        return result;
    }
}
