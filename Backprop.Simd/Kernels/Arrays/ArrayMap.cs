using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>An array whose dimensions become those of a result one by one: paddings, reversals, tilings.</summary>
internal struct ArrayMap
{
    /// <summary>Nanoseconds per element, and per row.</summary>
    private const double Cost = 0.3, RowCost = 20;

    private Maps _maps;
    private int _rank;

    public ArrayMap()
    {
        Inner = 1;
        Elements = 1;
        Places = 1;
    }

    /// <summary>The numbers of an element: dimensions behind all that change.</summary>
    public int Inner { get; private set; }

    /// <summary>The numbers of the array.</summary>
    public int Elements { get; private set; }

    /// <summary>The numbers of the result.</summary>
    public long Places { get; private set; }

    private readonly AxisMap Last => _maps[_rank - 1];

    /// <summary>Adds the dimension before those that are there.</summary>
    public void Prepend(AxisMap map)
    {
        Elements *= map.Length;
        Places = Math.Min(Places * map.Places, int.MaxValue + 1L);
        if (map.IsSame && _rank == 0)
        {
            Inner *= map.Length;
            return;
        }

        for (var d = _rank; d > 0; d--)
            _maps[d] = _maps[d - 1];
        if (map.IsSame && _maps[0] is { IsSame: true } next)
        {
            for (var d = 0; d < _rank; d++)
                _maps[d] = _maps[d + 1];
            _maps[0] = new(AxisKind.Constant, map.Length * next.Length, 0, 0);
            return;
        }

        _maps[0] = map.IsSame ? new(AxisKind.Constant, map.Length, 0, 0) : map;
        _rank++;
    }

    /// <summary>Makes the array one row of numbers if no dimension changes.</summary>
    public void Complete()
    {
        if (_rank > 0)
            return;
        (_maps[0], _rank, Inner) = (new(AxisKind.Constant, Inner, 0, 0), 1, 1);
    }

    /// <summary>The numbers of scratch that a sum onto the elements takes on each thread.</summary>
    public readonly long Scratch
    {
        get
        {
            long steps = Last.Steps;
            for (var d = 0; d < _rank - 1; d++)
            {
                var map = _maps[d];
                steps *= map.Length == 0 ? 0 : Math.Max(Math.Max(map.Count(0), map.Count(map.Length - 1)), map.Kind == AxisKind.Reflect ? 3 : 1);
            }

            return steps <= BlockSums.Rows ? 0 : (long)BlockSums.Slots(BlockSums.Blocks((nint)steps)) * Last.Length * Inner;
        }
    }

    /// <summary>y = the places of x.</summary>
    public readonly void Fill<T>(ReadOnlySpan<T> x, Span<T> y, T value, ComputeContext? context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (y.IsEmpty)
            return;
        var rows = (int)(y.Length / (Last.Places * Inner));
        Run(rows, y.Length, new FillBody<T>(this, x, y, value), context);
    }

    /// <summary>dx = the sum of dy over the places that have an element.</summary>
    public readonly void Sum<T>(ReadOnlySpan<T> dy, Destination<T> dx, ComputeContext? context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (dx.Span.IsEmpty)
            return;
        Run(dx.Span.Length / (Last.Length * Inner), dy.Length, new SumBody<T>(this, dy, dx), context);
    }

    private static void Run<TBody>(int rows, int elements, TBody body, ComputeContext? context) where TBody : struct, IRangeBody, allows ref struct
    {
        if (context is null)
            body.Execute(0, rows);
        else
            context.For(rows, RowMajor.Granularity(Math.Max(1, elements / rows)), elements * Cost + rows * RowCost, in body);
    }

    [InlineArray(ShapeSizes.MaxRank + 1)]
    private struct Maps
    {
        private AxisMap _first;
    }

    private readonly ref struct FillBody<T>(ArrayMap map, ReadOnlySpan<T> x, Span<T> y, T value) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ArrayMap _map = map;
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;

        public void Execute(int start, int limit)
        {
            var last = _map.Last;
            int length = last.Length * _map.Inner, places = (int)last.Places * _map.Inner;
            for (var row = start; row < limit; row++)
            {
                var y = _y.Slice(row * places, places);
                int from = 0, step = 1, rest = row;
                for (var d = _map._rank - 2; d >= 0 && from >= 0; d--)
                {
                    var map = _map._maps[d];
                    (rest, var place) = Math.DivRem(rest, (int)map.Places);
                    var element = map.Element(place);
                    from = element < 0 ? -1 : from + element * step;
                    step *= map.Length;
                }

                if (from < 0)
                    y.Fill(value);
                else
                    last.Fill(_x.Slice(from * length, length), y, _map.Inner, value);
            }
        }
    }

    private readonly unsafe ref struct SumBody<T>(ArrayMap map, ReadOnlySpan<T> dy, Destination<T> dx) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ArrayMap _map = map;
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly Destination<T> _dx = dx;

        public void Execute(int start, int limit)
        {
            int length = _map.Last.Length * _map.Inner, steps = _map.Last.Steps;
            for (var row = start; row < limit; row++)
            {
                var count = 1;
                for (int d = _map._rank - 2, rest = row; d >= 0; d--)
                {
                    (rest, var element) = Math.DivRem(rest, _map._maps[d].Length);
                    count *= _map._maps[d].Count(element);
                }

                var dx = _dx.Span.Slice(row * length, length);
                if ((long)count * steps <= BlockSums.Rows)
                    Chain(row, 0, count * steps, dx, !_dx.Adds);
                else
                    Blocks(row, count * steps, dx);
            }
        }

        /// <summary>Some steps of a row, one after the other.</summary>
        private void Chain(int row, int first, int limit, Span<T> dx, bool overwrites)
        {
            var last = _map.Last;
            var places = (int)last.Places * _map.Inner;
            for (var i = first; i < limit; i++)
            {
                var (number, step) = Math.DivRem(i, last.Steps);
                last.Add(step, _dy.Slice(Source(row, number) * places, places), dx, _map.Inner, overwrites && i == 0);
            }
        }

        /// <summary>Blocks of steps, whose sums meet pairwise.</summary>
        private void Blocks(int row, int steps, Span<T> dx)
        {
            var blocks = BlockSums.Blocks(steps);
            fixed (T* slots = KernelScratch.Get<T>(checked(BlockSums.Slots(blocks) * dx.Length)))
            {
                for (var block = 0; block < blocks; block++)
                {
                    var slot = new Span<T>(BlockSums.Slot(slots, block, dx.Length), dx.Length);
                    slot.Clear();
                    Chain(row, block * BlockSums.Rows, Math.Min(steps, (block + 1) * BlockSums.Rows), slot, false);
                    BlockSums.Join(slots, block, dx.Length, dx.Length);
                }

                BlockSums.Finish(slots, blocks, dx.Length, dx.Length);
                var sum = new ReadOnlySpan<T>(slots, dx.Length);
                if (_dx.Adds)
                    Elementwise.Add(dx, sum, dx);
                else
                    sum.CopyTo(dx);
            }
        }

        /// <summary>The row of dy that has a row of dx, of several by number.</summary>
        private int Source(int row, int number)
        {
            int from = 0, step = 1;
            for (var d = _map._rank - 2; d >= 0; d--)
            {
                var map = _map._maps[d];
                (row, var element) = Math.DivRem(row, map.Length);
                (number, var own) = Math.DivRem(number, map.Count(element));
                from += map.Place(element, own) * step;
                step *= (int)map.Places;
            }

            return from;
        }
    }
}
