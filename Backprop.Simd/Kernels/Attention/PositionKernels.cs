using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Tables of sines and cosines of positions, and what is done with them. Angles are t base^(-2 i / columns) for pair i, in double: in float
/// the angles of late positions would be wrong in the fourth digit.
/// </summary>
internal static unsafe class PositionKernels
{
    /// <summary>Nanoseconds of an element that is turned.</summary>
    private const double Cost = 0.5;

    /// <summary>The rows of a table: one for each position; or for each row of the batch too, if they begin at positions of their own.</summary>
    public static int TableRows(int rows, int steps, ReadOnlySpan<int> first) => first.IsEmpty ? steps : rows * steps;

    /// <summary>A row of cosines and behind it a row of sines for each position: [positions, 2 pairs].</summary>
    public static void Angles<T>(Span<T> table, int steps, ReadOnlySpan<int> first, int pairs, int columns, double root)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < pairs; i++)
        {
            var frequency = Math.Pow(root, -2.0 * i / columns);
            for (var row = 0; (row + 1) * 2 * pairs <= table.Length; row++)
            {
                var (sine, cosine) = Math.SinCos(Position(row, steps, first) * frequency);
                table[row * 2 * pairs + i] = T.CreateTruncating(cosine);
                table[row * 2 * pairs + pairs + i] = T.CreateTruncating(sine);
            }
        }
    }

    /// <summary>y = x + the sine and cosine of each pair of columns, side by side.</summary>
    public static void AddSinusoids<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> table, int columns, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var pairs = (columns + 1) / 2;
        var positions = table.Length / (2 * pairs);
        for (var row = 0; row < x.Length / columns; row++)
        {
            var angles = table.Slice(row % positions * 2 * pairs, 2 * pairs);
            var from = row * columns;
            var to = y.Slice(from, columns);
            for (var i = 0; i < columns; i++)
                to[i] = x[from + i] + angles[(i & 1) == 0 ? pairs + i / 2 : i / 2];
        }
    }

    /// <summary>Turns the pairs of each head of each row of x, forward or back, in place.</summary>
    public static void Turn<T>(Matrix<T> x, ReadOnlySpan<T> table, int heads, bool interleaved, bool forward, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        compute.For(x.Rows, RowMajor.Granularity(x.Columns), Cost * x.Rows * x.Columns, new TurnBody<T>(x, table, heads, interleaved, forward));

    private static int Position(int row, int steps, ReadOnlySpan<int> first) => row % steps + (first.IsEmpty ? 0 : first[row / steps]);

    private readonly ref struct TurnBody<T>(Matrix<T> x, ReadOnlySpan<T> table, int heads, bool interleaved, bool forward) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Matrix<T> _x = x;
        private readonly ReadOnlySpan<T> _table = table;

        public void Execute(int start, int limit)
        {
            var pairs = _x.Columns / heads / 2;
            var positions = _table.Length / (2 * pairs);
            for (var row = start; row < limit; row++)
            {
                var angles = _table.Slice(row % positions * 2 * pairs, 2 * pairs);
                for (var head = 0; head < heads; head++)
                {
                    var part = _x.Span.Slice(row * _x.RowStride + head * 2 * pairs, 2 * pairs);
                    if (interleaved)
                        Pairs(part, angles[..pairs], angles[pairs..]);
                    else
                        RegisterWidth.Run<T, HalvesBody<T>>(new(part, angles, forward), RegisterWidth.OfColumns<T>(pairs));
                }
            }
        }

        private void Pairs(Span<T> x, ReadOnlySpan<T> cosines, ReadOnlySpan<T> sines)
        {
            for (var i = 0; i < cosines.Length; i++)
            {
                var (a, b, sine) = (x[2 * i], x[2 * i + 1], forward ? sines[i] : -sines[i]);
                x[2 * i] = a * cosines[i] - b * sine;
                x[2 * i + 1] = b * cosines[i] + a * sine;
            }
        }
    }

    /// <summary>Pairs of elements half the columns apart: whole registers, then single pairs.</summary>
    private readonly ref struct HalvesBody<T>(Span<T> x, ReadOnlySpan<T> angles, bool forward) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Span<T> _x = x;
        private readonly ReadOnlySpan<T> _angles = angles;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            int pairs = _x.Length / 2, i = 0;
            fixed (T* a = _x, angle = _angles)
            {
                T* b = a + pairs, sine = angle + pairs;
                for (; i <= pairs - TVector.Count; i += TVector.Count)
                {
                    TVector left = TVector.Load(a + i), right = TVector.Load(b + i), c = TVector.Load(angle + i), s = TVector.Load(sine + i);
                    s = forward ? s : -s;
                    TVector.Store(a + i, left * c - right * s);
                    TVector.Store(b + i, right * c + left * s);
                }

                for (; i < pairs; i++)
                {
                    var (left, right, s) = (a[i], b[i], forward ? sine[i] : -sine[i]);
                    a[i] = left * angle[i] - right * s;
                    b[i] = right * angle[i] + left * s;
                }
            }
        }
    }
}
