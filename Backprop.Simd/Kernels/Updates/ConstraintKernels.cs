using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The formulas of constraints and penalties on parameters, in place.</summary>
internal static class ConstraintKernels
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.2;

    /// <summary>The columns whose norms are computed together.</summary>
    private const int Block = 64;

    /// <summary>The rows whose squares are added one after the other.</summary>
    private const int Run = 128;

    public static void CheckStrength(double strength, [CallerArgumentExpression(nameof(strength))] string name = "")
    {
        if (!(strength is >= 0 and <= 1e30))
            throw new ArgumentOutOfRangeException(name, strength, $"'{name}' must be 0 to 1e30.");
    }

    public static void CheckNorm(double norm, [CallerArgumentExpression(nameof(norm))] string name = "")
    {
        if (!(norm is >= 1e-30 and <= 1e30))
            throw new ArgumentOutOfRangeException(name, norm, $"'{name}' must be 1e-30 to 1e30.");
    }

    /// <summary>w = max(w, least).</summary>
    public static void Clamp<T>(Matrix<T> w, T least, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T> => ForRows(w, new MaximumOf<T>(least), context);

    /// <summary>w = w factor.</summary>
    public static void Scale<T>(Matrix<T> w, T factor, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T> => ForRows(w, new Times<T>(factor), context);

    /// <summary>w = sign(w) max(|w| - by, 0).</summary>
    public static void Shrink<T>(Matrix<T> w, T by, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T> => ForRows(w, new SoftThreshold<T>(by), context);

    /// <summary>Each column w = w norm / |w|, or only where |w| is larger than the norm.</summary>
    public static void ScaleColumns<T>(Matrix<T> w, double norm, bool isExact, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var body = new Columns<T>(w, norm, isExact);
        (context ?? ComputeContext.SingleThreaded).For(w.Columns, Block, 2.0 * w.Rows * w.Columns * Cost, in body);
    }

    private static void ForRows<T, TFormula>(Matrix<T> w, TFormula formula, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFormula : struct, IFormula<T>
    {
        // Rows without gaps are one row.
        var isDense = w.RowStride == w.Columns && w.ColumnStride == 1;
        var body = new Rows<T, TFormula>(isDense ? new Matrix<T>(w.Span, w.Rows * w.Columns, 1) : w, formula);
        (context ?? ComputeContext.SingleThreaded).For(body.Count, isDense ? 1024 : 1, (double)w.Rows * w.Columns * Cost, in body);
    }

    private interface IFormula<T> where T : unmanaged
    {
        void Apply(Span<T> w);
    }

    private readonly struct MaximumOf<T>(T least) : IFormula<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Apply(Span<T> w) => TensorPrimitives.Max(w, least, w);
    }

    private readonly struct Times<T>(T factor) : IFormula<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Apply(Span<T> w) => TensorPrimitives.Multiply(w, factor, w);
    }

    /// <summary>max(w - by, 0) + min(w + by, 0).</summary>
    private readonly struct SoftThreshold<T>(T by) : IFormula<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Apply(Span<T> w)
        {
            var i = 0;
            var bound = new Vector<T>(by);
            for (; i <= w.Length - Vector<T>.Count; i += Vector<T>.Count)
            {
                var x = new Vector<T>(w[i..]);
                (Vector.Max(x - bound, Vector<T>.Zero) + Vector.Min(x + bound, Vector<T>.Zero)).CopyTo(w[i..]);
            }

            for (; i < w.Length; i++)
                w[i] = T.Max(w[i] - by, T.Zero) + T.Min(w[i] + by, T.Zero);
        }
    }

    private readonly ref struct Rows<T, TFormula>(Matrix<T> w, TFormula formula) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFormula : struct, IFormula<T>
    {
        private readonly Matrix<T> _w = w;

        public int Count => _w.Rows;

        public void Execute(int start, int limit)
        {
            if (_w.Columns == 1 && _w.RowStride == 1)
            {
                formula.Apply(_w.Span[start..limit]);
                return;
            }

            for (var row = start; row < limit; row++)
            {
                for (var column = 0; column < _w.Columns; column++)
                    formula.Apply(_w.Span.Slice(row * _w.RowStride + column * _w.ColumnStride, 1));
            }
        }
    }

    private readonly ref struct Columns<T>(Matrix<T> w, double norm, bool isExact) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Matrix<T> _w = w;

        public void Execute(int start, int limit)
        {
            if (_w.RowStride == 1)
            {
                for (var column = start; column < limit; column++)
                {
                    var w = _w.Span.Slice(column * _w.ColumnStride, _w.Rows);
                    TensorPrimitives.Multiply(w, Whole(column, Factor(Reductions.WideNorm<T>(w, null))), w);
                }

                return;
            }

            for (var first = start; first < limit; first += Block)
                ScaleBlock(first, Math.Min(Block, limit - first));
        }

        /// <summary>A block of columns whose rows are contiguous: squares are summed in runs of rows, and the runs one after the other.</summary>
        private void ScaleBlock(int first, int count)
        {
            Span<T> sums = stackalloc T[count], run = stackalloc T[count];
            sums.Clear();
            for (var row = 0; row < _w.Rows; row++)
            {
                if (row % Run == 0)
                {
                    if (row > 0)
                        TensorPrimitives.Add(sums, run, sums);
                    run.Clear();
                }

                var w = _w.Span.Slice(row * _w.RowStride + first, count);
                TensorPrimitives.MultiplyAdd(w, w, run, run);
            }

            TensorPrimitives.Add(sums, run, sums);
            var least = typeof(T) == typeof(float) ? Math.ScaleB(1, -95) : Math.ScaleB(1, -990);
            for (var c = 0; c < count; c++)
            {
                var squares = double.CreateTruncating(sums[c]);
                var isWide = double.IsNaN(squares) || double.IsFinite(squares) && squares >= least;
                sums[c] = Whole(first + c, Factor(isWide ? Math.Sqrt(squares) : Length(first + c)));
            }

            for (var row = 0; row < _w.Rows; row++)
            {
                var w = _w.Span.Slice(row * _w.RowStride + first, count);
                TensorPrimitives.Multiply(w, sums, w);
            }
        }

        /// <summary>The factor of a column in the type. Where the type does not hold it with all digits, the column is scaled here, and the
        /// factor is 1.</summary>
        private T Whole(int column, double factor)
        {
            var narrow = T.CreateTruncating(factor);
            if (T.IsNormal(narrow))
                return narrow;
            var (length, exponent) = NearOne(column);
            if (!double.IsNormal(length))
                return narrow;
            for (var row = 0; row < _w.Rows; row++)
            {
                ref var w = ref _w.Span[row * _w.RowStride + column * _w.ColumnStride];
                w = T.CreateTruncating(Math.ScaleB(double.CreateTruncating(w), -exponent) / length * norm);
            }

            return T.One;
        }

        /// <summary>The length of a column whose squares overflow or vanish.</summary>
        private double Length(int column)
        {
            var (length, exponent) = NearOne(column);
            return Math.ScaleB(length, exponent);
        }

        /// <summary>The length of a column as a number and a power of two, which brings the largest element near 1; the largest element itself
        /// where it is 0, infinite or NaN.</summary>
        private (double Length, int Exponent) NearOne(int column)
        {
            var (largest, sum) = (0.0, 0.0);
            for (var row = 0; row < _w.Rows; row++)
                largest = Math.Max(largest, Math.Abs(double.CreateTruncating(_w[row, column])));
            if (largest == 0 || !double.IsFinite(largest))
                return (largest, 0);
            var exponent = Math.ILogB(largest);
            for (var row = 0; row < _w.Rows; row++)
            {
                var w = Math.ScaleB(double.CreateTruncating(_w[row, column]), -exponent);
                sum += w * w;
            }

            return (Math.Sqrt(sum), exponent);
        }

        /// <summary>What a column of this length is multiplied by. Columns of zeros stay; NaN stays NaN.</summary>
        private double Factor(double length) => length == 0 || !isExact && length <= norm ? 1 : norm / length;
    }
}
