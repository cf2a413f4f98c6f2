using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Losses;

/// <summary>The work of <see cref="InfoNce"/> in a buffer of 4 size + 4 + <see cref="Block"/> + 2 elements for each row. Rows that take no part are left out
/// of the vectors of length 1 and of all behind them.</summary>
internal readonly ref struct InfoNceParts<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rows whose similarities are held at a time: enough for products to be fast.</summary>
    public const int Block = 64;

    private readonly Span<T> _x, _y, _dx, _dy, _maxima, _logSums, _similarities;
    private readonly Span<double> _sums;
    private readonly int _size;
    private readonly double _temperature;
    private readonly ComputeContext _compute;

    public InfoNceParts(Span<T> buffer, int rows, int size, double temperature, ComputeContext compute)
    {
        var length = rows * size;
        _sums = MemoryMarshal.Cast<T, double>(buffer[..(4 * rows)])[..(2 * rows)];
        buffer = buffer[(4 * rows)..];
        _x = buffer[..length];
        _y = buffer.Slice(length, length);
        _dx = buffer.Slice(2 * length, length);
        _dy = buffer.Slice(3 * length, length);
        buffer = buffer[(4 * length)..];
        _maxima = buffer[..rows];
        _logSums = buffer.Slice(rows, rows);
        _similarities = buffer[(2 * rows)..];
        (_size, _temperature, _compute) = (size, temperature, compute);
    }

    /// <summary>Fills the vectors of length 1.</summary>
    /// <returns>The rows that take part.</returns>
    public int Normalize(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> weights, double shortest)
    {
        Normalize(x, weights, shortest, _x);
        return Normalize(y, weights, shortest, _y);
    }

    private int Normalize(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, double shortest, Span<T> to)
    {
        var rows = x.Length / _size;
        var squares = _sums[..rows];
        ElementLossKernels.Sums(default(ProductTerm), x, x, _size, squares, _compute);
        var kept = 0;
        for (var row = 0; row < rows; row++)
        {
            if (!weights.IsEmpty && T.IsZero(weights[row]))
                continue;
            var inverse = T.CreateSaturating(1 / Math.Max(Math.Sqrt(squares[row]), shortest));
            Elementwise.Scale(x.Slice(row * _size, _size), inverse, to.Slice(kept++ * _size, _size));
        }

        return kept;
    }

    /// <summary>losses[i] += factor times the loss of row i among those that take part.</summary>
    public void AddLosses(int kept, bool isReversed, double factor, Span<double> losses)
    {
        Span<double> own = stackalloc double[Block];
        for (var start = 0; start < kept; start += Block)
        {
            var count = Math.Min(Block, kept - start);
            var s = Similarities(kept, start, count, isReversed);
            for (var i = 0; i < count; i++)
                own[i] = double.CreateTruncating(s[i, start + i]);
            SoftmaxKernels.SoftmaxWithLogSumExp(s, s, _maxima, _logSums, _compute);
            for (var i = 0; i < count; i++)
                losses[start + i] += factor * (double.CreateTruncating(_maxima[i]) - own[i] + double.CreateTruncating(_logSums[i]));
        }
    }

    public void ClearGradients(int kept)
    {
        _dx[..(kept * _size)].Clear();
        _dy[..(kept * _size)].Clear();
    }

    /// <summary>Adds the gradients by the vectors of length 1.</summary>
    public void AddGradients(int kept, bool isReversed, double factor, ReadOnlySpan<T> scales)
    {
        Span<T> a = isReversed ? _y : _x, b = isReversed ? _x : _y, da = isReversed ? _dy : _dx, db = isReversed ? _dx : _dy;
        for (var start = 0; start < kept; start += Block)
        {
            var count = Math.Min(Block, kept - start);
            var g = Similarities(kept, start, count, isReversed);
            SoftmaxKernels.Softmax(g, g, _compute);
            for (var i = 0; i < count; i++)
            {
                var scale = T.CreateSaturating(double.CreateTruncating(scales[start + i]) * factor / _temperature);
                var row = g.Span.Slice(i * kept, kept);
                row[start + i] -= T.One;
                if (T.IsZero(scale))
                    row.Clear();
                else
                    Elementwise.Scale<T>(row, scale, row, _compute);
            }

            var part = new ReadOnlyMatrix<T>(a.Slice(start * _size, count * _size), count, _size);
            Gemm.MultiplyAdd(g, new(b[..(kept * _size)], kept, _size), new Matrix<T>(da.Slice(start * _size, count * _size), count, _size), _compute);
            Gemm.MultiplyAdd(((ReadOnlyMatrix<T>)g).Transposed, part, new Matrix<T>(db[..(kept * _size)], kept, _size), _compute);
        }
    }

    /// <summary>The gradient by the vectors as they came: (g - u (u g)) / length for a vector u of length 1 with gradient g; 0 for the
    /// shortest.</summary>
    public void Denormalize(ReadOnlySpan<T> x, bool isSecond, ReadOnlySpan<T> weights, double shortest, GradientTarget<T> target)
    {
        if (target.IsEmpty)
            return;
        var rows = x.Length / _size;
        Span<T> units = isSecond ? _y : _x, gradients = isSecond ? _dy : _dx;
        Span<double> squares = _sums[..rows], products = _sums[rows..];
        ElementLossKernels.Sums(default(ProductTerm), x, x, _size, squares, _compute);
        ElementLossKernels.Sums(default(ProductTerm), (ReadOnlySpan<T>)units, gradients, _size, products, _compute);
        var kept = 0;
        for (var row = 0; row < rows; row++)
        {
            var part = target.Slice(row * _size, _size);
            if (!weights.IsEmpty && T.IsZero(weights[row]))
            {
                part.Zero();
                continue;
            }

            var (at, length) = (kept++, Math.Sqrt(squares[row]));
            if (length < shortest)
            {
                part.Zero();
                continue;
            }

            ReadOnlySpan<T> u = units.Slice(at * _size, _size), g = gradients.Slice(at * _size, _size);
            ElementLossKernels.Gradient(new CombinationTerm(1 / length, -products[at] / length), T.One, g, u, part, _compute);
        }
    }

    /// <summary>The cosines of some rows of one side with all rows of the other, divided by the temperature.</summary>
    private Matrix<T> Similarities(int kept, int start, int count, bool isReversed)
    {
        Span<T> a = isReversed ? _y : _x, b = isReversed ? _x : _y;
        var s = new Matrix<T>(_similarities[..(count * kept)], count, kept);
        Gemm.Multiply(T.CreateSaturating(1 / _temperature), new ReadOnlyMatrix<T>(a.Slice(start * _size, count * _size), count, _size),
            new ReadOnlyMatrix<T>(b[..(kept * _size)], kept, _size).Transposed, T.Zero, s, _compute);
        return s;
    }
}
