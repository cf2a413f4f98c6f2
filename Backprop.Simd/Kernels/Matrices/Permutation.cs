using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Transposes arrays of any number of dimensions.</summary>
public static unsafe class Permutation
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.3;

    /// <summary>y[i0, i1, ..] = x at the index whose dimension axes[n] is i[n], or y += it: NumPy's <c>transpose</c>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array.</param>
    /// <param name="axes">The dimension of x for each dimension of y: each dimension once.</param>
    /// <param name="y">The result, as long as x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The axes are not each dimension of x once, or y has another length or overlaps x.</exception>
    public static void Transpose<T>(ShapedSpan<T> x, ReadOnlySpan<int> axes, Destination<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.Supported<T>();
        CheckAxes(axes, x.Rank);
        SpanGuard.SameLength(x.Elements, y.Span.Length, nameof(y));
        SpanGuard.Disjoint<T>(x.Values, y.Span, nameof(y));
        if (x.Elements > 0)
            Run(x.Values, new PermutedLayout(x.Sizes, axes), y, context);
    }

    /// <summary>Throws unless the axes are 0 to rank - 1, each once.</summary>
    internal static void CheckAxes(ReadOnlySpan<int> axes, int rank)
    {
        var seen = 0;
        foreach (var axis in axes)
            seen |= (uint)axis < (uint)rank ? 1 << axis : 0;
        if (axes.Length != rank || seen != (1 << rank) - 1)
            throw new ArgumentException($"'axes' must be the {rank} dimensions of the array, each once; they are {ShapeSizes.Text(axes)}.", nameof(axes));
    }

    private static void Run<T>(ReadOnlySpan<T> x, PermutedLayout layout, Destination<T> y, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var body = new Body<T>(x, layout, y);
        if (context is null)
            body.Execute(0, layout.Parts);
        else
            context.For(layout.Parts, 1, Cost * x.Length, in body);
    }

    /// <summary>Rows of the result at a multiple of this many bytes share few places of the caches: they are written in long pieces.</summary>
    private const int CrowdedStep = 1024;

    /// <summary>The columns of a tile that is written in long pieces, and the distance of its rows.</summary>
    private const int TileColumns = 128, TileStep = TileColumns + 16;

    private readonly ref struct Body<T>(ReadOnlySpan<T> x, PermutedLayout layout, Destination<T> y) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y.Span;
        private readonly bool _adds = y.Adds;

        public void Execute(int start, int limit)
        {
            var tile = stackalloc T[PermutedLayout.Tile * TileStep];
            fixed (T* x = _x, y = _y)
            {
                for (var part = start; part < limit; part++)
                {
                    layout.At(part, out var from, out var to, out var rows);
                    if (layout.IsCopied)
                        Copy(x + from, y + to, layout.Columns);
                    else
                        Turn(x + from, y + to, rows, tile);
                }
            }
        }

        private void Copy(T* x, T* y, int n)
        {
            if (_adds)
                Elementwise.Add(new ReadOnlySpan<T>(y, n), new ReadOnlySpan<T>(x, n), new Span<T>(y, n));
            else
                new ReadOnlySpan<T>(x, n).CopyTo(new Span<T>(y, n));
        }

        /// <summary>y[p, j] = x[j, p] for some p and all j.</summary>
        private void Turn(T* x, T* y, int rows, T* tile)
        {
            const int Tile = PermutedLayout.Tile;
            if (!_adds && layout.RowStep * sizeof(T) % CrowdedStep != 0)
            {
                for (var j = 0; j < layout.Columns; j += Tile)
                {
                    Transposition.Run(
                        x + j * layout.ColumnStride, layout.ColumnStride, Math.Min(Tile, layout.Columns - j), rows, y + j, layout.RowStep);
                }

                return;
            }

            for (var j = 0; j < layout.Columns; j += TileColumns)
            {
                var columns = Math.Min(TileColumns, layout.Columns - j);
                Transposition.Run(x + j * layout.ColumnStride, layout.ColumnStride, columns, rows, tile, TileStep);
                for (var p = 0; p < rows; p++)
                    Copy(tile + p * TileStep, y + p * layout.RowStep + j, columns);
            }
        }
    }
}

/// <summary>How a transposed array is walked: in runs that stay together, or in tiles of the last dimensions of both sides.</summary>
internal readonly struct PermutedLayout
{
    /// <summary>The sides of a tile.</summary>
    public const int Tile = 32;

    private readonly ShapeSizes _sizes, _from, _to;
    private readonly int _rank, _rows, _rowParts;

    public PermutedLayout(ReadOnlySpan<int> sizes, ReadOnlySpan<int> axes)
    {
        // The dimensions of the result with their strides in the source; neighbours that stay neighbours are one.
        Span<int> size = stackalloc int[ShapeSizes.MaxRank], stride = stackalloc int[ShapeSizes.MaxRank], step = stackalloc int[ShapeSizes.MaxRank];
        var rank = 0;
        foreach (var axis in axes)
        {
            if (sizes[axis] == 1)
                continue;
            var own = 1;
            for (var inner = axis + 1; inner < sizes.Length; inner++)
                own *= sizes[inner];
            if (rank > 0 && stride[rank - 1] == own * sizes[axis])
            {
                size[rank - 1] *= sizes[axis];
                stride[rank - 1] = own;
                continue;
            }

            (size[rank], stride[rank]) = (sizes[axis], own);
            rank++;
        }

        for (int d = rank - 1, product = 1; d >= 0; product *= size[d--])
            step[d] = product;
        IsCopied = rank == 0 || stride[rank - 1] == 1;
        Columns = rank == 0 ? 1 : size[rank - 1];
        ColumnStride = rank == 0 ? 1 : stride[rank - 1];
        (_rows, _rowParts, Parts) = (1, 1, 1);
        for (var d = 0; d < rank - 1; d++)
        {
            if (!IsCopied && stride[d] == 1)
            {
                (_rows, RowStep) = (size[d], step[d]);
                _rowParts = (_rows - 1) / Tile + 1;
                continue;
            }

            (_sizes[_rank], _from[_rank], _to[_rank]) = (size[d], stride[d], step[d]);
            _rank++;
            Parts *= size[d];
        }

        Parts *= _rowParts;
    }

    /// <summary>True if runs of the source are copied as they are.</summary>
    public bool IsCopied { get; }

    /// <summary>The elements of the result's last dimension.</summary>
    public int Columns { get; }

    /// <summary>Their distance in the source.</summary>
    public nint ColumnStride { get; }

    /// <summary>The distance in the result of elements that are neighbours in the source.</summary>
    public nint RowStep { get; }

    /// <summary>The runs, or the strips of tiles.</summary>
    public int Parts { get; }

    /// <summary>Where a part begins on both sides, and the rows of its strip.</summary>
    public void At(int part, out nint from, out nint to, out int rows)
    {
        (part, var strip) = Math.DivRem(part, _rowParts);
        from = strip * Tile;
        to = strip * Tile * RowStep;
        rows = Math.Min(Tile, _rows - strip * Tile);
        for (var d = _rank - 1; d >= 0; d--)
        {
            (part, var digit) = Math.DivRem(part, _sizes[d]);
            from += (nint)digit * _from[d];
            to += (nint)digit * _to[d];
        }
    }
}
