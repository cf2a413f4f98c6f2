using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The gradient by the filters: for each run of patch cells that lie side by side, a product with the pixels as the inner
/// dimension, A turned: its rows are the cells of the run, its segments the rows of the output.
/// </summary>
/// <remarks>
/// Images are added one after the other, first to last; the gradients by biases meet pairwise. Threads take tiles of dW; where these
/// are few, the batch is cut into shards, a number that depends on the sizes alone, which are summed in their order.
/// </remarks>
internal static unsafe class ConvolutionWeightDriver<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static void Run(in ConvolutionProblem<T> problem, ComputeContext? context)
    {
        var shape = problem.Shape;
        var shards = ConvolutionScratch.Shards(shape, problem.Images);
        var body = new Range { Problem = problem, Cut = new Cut(shape), Shards = shards };
        var items = body.Cut.Items * shards;
        if (context is null)
            body.Execute(0, items);
        else
            context.For(items, 1, problem.Images * shape.Operations * 0.01 * 8 / TVector.Count, in body);
        if (shards > 1 && problem.W is not null)
            ConvolutionShards.Sum(problem.W, problem.Scratch, shape.WeightSize, shape.WeightSize, shards, problem.Adds);
        if (problem.Bias is null)
            return;
        var biases = Biases(in problem, shards);
        var length = (nint)ConvolutionScratch.BiasLength(shape);
        for (var shard = 0; shard < shards; shard++)
        {
            var images = First(problem.Images, shard + 1, shards) - First(problem.Images, shard, shards);
            BlockSums.Finish(biases + shard * length, images * ConvolutionScratch.BiasBlocks(shape), shape.Filters, shape.Filters);
        }

        ConvolutionShards.Sum(problem.Bias, biases, length, shape.Filters, shards, problem.AddsBias);
    }

    /// <summary>The first image of a shard.</summary>
    private static int First(int images, int shard, int shards) => (int)((long)images * shard / shards);

    /// <summary>The sums of biases, behind the shards of dW.</summary>
    private static T* Biases(in ConvolutionProblem<T> problem, int shards) =>
        problem.Scratch + (shards == 1 ? 0 : (nint)shards * problem.Shape.WeightSize);

    /// <summary>dW in tiles: for each group, panel and run of cells, some rows.</summary>
    private readonly struct Cut
    {
        public Cut(in ConvolutionShape shape)
        {
            Cells = shape.HasRuns ? 1 : shape.Kernel.Width;
            Runs = shape.Kernel.Height * Cells;
            RunRows = shape.HasRuns ? shape.Kernel.Width * shape.Channels : shape.GroupChannels;
            var rows = RowTiles<TVector, T>.HighestTwo;
            Tiles = (RunRows - 1) / rows + 1;
            Panels = new ColumnPanels(shape.GroupFilters, TVector.Count, 2);
            Items = shape.Groups * Panels.Total * Runs * Tiles;
        }

        public readonly int Cells, Runs, RunRows, Tiles, Items;

        public readonly ColumnPanels Panels;
    }

    private struct Range : IRangeBody
    {
        public ConvolutionProblem<T> Problem;
        public Cut Cut;
        public int Shards;

        public readonly void Execute(int start, int limit)
        {
            var shape = Problem.Shape;
            var image = shape.Padding.IsNone ? 0 : (long)shape.PaddedHeight * shape.PaddedWidth * shape.Channels;
            var packed = PacksOutputs(shape) ? (long)shape.OutputHeight * shape.OutputWidth * 2 * TVector.Count : 0;
            var space = ThreadSpace<T>.Take(shape.OutputHeight, image + packed + Problem.GradientElements);
            fixed (nint* offsets = space.Offsets)
            fixed (T* elements = space.Elements)
            {
                for (var oy = 0; oy < shape.OutputHeight; oy++)
                    offsets[oy] = (nint)oy * shape.Stride.Height * shape.PaddedWidth * shape.Channels * sizeof(T);
                for (var item = start; item < limit;)
                {
                    var (shard, first) = Math.DivRem(item, Cut.Items);
                    var last = Math.Min(Cut.Items, first + limit - item);
                    Shard(shard, first, last, offsets, elements, elements + image, elements + image + packed);
                    item += last - first;
                }
            }
        }

        /// <summary>Panels of the outputs' gradient are copied where there are several, or narrower than a register.</summary>
        private static bool PacksOutputs(in ConvolutionShape shape) =>
            shape.GroupFilters < TVector.Count ? !TVector.HasMasks : shape.Filters > 2 * TVector.Count;

        private readonly void Shard(int shard, int first, int last, nint* offsets, T* padded, T* packed, T* gradient)
        {
            var shape = Problem.Shape;
            int from = First(Problem.Images, shard, Shards), to = First(Problem.Images, shard + 1, Shards);
            var dw = Shards == 1 ? Problem.W : Problem.Scratch + (nint)shard * shape.WeightSize;
            var adds = Shards == 1 && Problem.Adds;
            var db = Problem.Bias is null ? null : Biases(in Problem, Shards) + shard * (nint)ConvolutionScratch.BiasLength(shape);
            for (var image = from; image < to; image++)
            {
                var x = Problem.Image(image, 0, shape.OutputHeight, padded);
                var operands = new ImageOperands(x, Problem.OutputGradient(image, gradient), dw, adds || image > from, db, image - from);
                Image(in operands, first, last, offsets, packed);
            }
        }

        /// <summary>An image and its gradient, dW and whether it is added to, and the sums of biases with the image's place among them.</summary>
        private readonly struct ImageOperands(T* x, T* dy, T* dw, bool adds, T* db, int place)
        {
            public readonly T* X = x, Dy = dy, Dw = dw, Db = db;

            public readonly bool Adds = adds;

            public readonly int Place = place;
        }

        /// <summary>The tiles [first, last) of dW for one image.</summary>
        private readonly void Image(in ImageOperands image, int first, int last, nint* offsets, T* packed)
        {
            var shape = Problem.Shape;
            var dy = image.Dy;
            var form = image.Adds ? TileForm.SegmentedAddTo : TileForm.SegmentedOverwrite;
            var tilesOfPanel = Cut.Runs * Cut.Tiles;
            var pixels = shape.OutputHeight * shape.OutputWidth;
            var packs = PacksOutputs(shape);
            for (var item = first; item < last;)
            {
                var (index, tile) = Math.DivRem(item, tilesOfPanel);
                var (group, p) = Math.DivRem(index, Cut.Panels.Total);
                var at = Cut.Panels[p];
                var column = group * shape.GroupFilters + at.Column;
                var b = PanelOfB<T>.InPlace(dy + column, shape.Filters, at);
                if (packs)
                {
                    var source = new GemmProblem<T> { B = dy + group * shape.GroupFilters, BRow = shape.Filters, BColumn = 1 };
                    GemmPacking<TVector, T>.PackB(in source, at, 0, pixels, packed);
                    b = PanelOfB<T>.Packed(packed, at, TVector.Count);
                }

                var strides = new TileStrides(1, (nint)shape.Stride.Width * shape.Channels, shape.Filters, shape.Filters);
                var panel = new TilePanel<T>(at, b, strides, shape.OutputWidth) { Segments = shape.OutputHeight, SegmentOffsets = offsets };

                // Whoever has the first tile of a panel has its bias.
                if (tile == 0 && image.Db is not null)
                    ColumnSums(in panel, pixels, image.Db + column, image.Place * ConvolutionScratch.BiasBlocks(shape), shape.Filters);
                var end = Math.Min(tilesOfPanel, tile + last - item);
                item += end - tile;
                if (Problem.W is null)
                    continue; // The biases alone.
                for (; tile < end; tile++)
                {
                    var (run, part) = Math.DivRem(tile, Cut.Tiles);
                    int row = (int)((long)Cut.RunRows * part / Cut.Tiles), rows = (int)((long)Cut.RunRows * (part + 1) / Cut.Tiles) - row;
                    var (ky, kx) = Math.DivRem(run, Cut.Cells);
                    var pixel = (nint)ky * shape.Dilation.Height * shape.PaddedWidth + kx * shape.Dilation.Width;
                    var a = image.X + pixel * shape.Channels + group * shape.GroupChannels + row;
                    var c = image.Dw + ((nint)run * Cut.RunRows + row) * shape.Filters + column;
                    RowTiles<TVector, T>.Run(form, ref panel, new(a, c, c), rows);
                }
            }
        }

        /// <summary>Sums of the columns of a panel over blocks of pixels, each in four chains, which meet those that wait for them.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void ColumnSums(in TilePanel<T> panel, int pixels, T* slots, int block, nint stride)
        {
            var width = Math.Min(panel.Width, TVector.Count);
            var second = panel.Width > TVector.Count ? panel.BLast : 0;
            var end = (second == 0 ? 0 : panel.CLast) / sizeof(T);
            var at = panel.B;
            var step = panel.BStep;
            for (; pixels > 0; pixels -= ConvolutionScratch.BiasBlock, block++)
            {
                TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
                TVector t0 = TVector.Zero, t1 = TVector.Zero, t2 = TVector.Zero, t3 = TVector.Zero;
                var left = Math.Min(pixels, ConvolutionScratch.BiasBlock);
                for (; left >= 4; left -= 4)
                {
                    s0 = s0 + TVector.LoadPartial((T*)at, width);
                    t0 = t0 + TVector.LoadPartial((T*)(at + second), width);
                    at += step;
                    s1 = s1 + TVector.LoadPartial((T*)at, width);
                    t1 = t1 + TVector.LoadPartial((T*)(at + second), width);
                    at += step;
                    s2 = s2 + TVector.LoadPartial((T*)at, width);
                    t2 = t2 + TVector.LoadPartial((T*)(at + second), width);
                    at += step;
                    s3 = s3 + TVector.LoadPartial((T*)at, width);
                    t3 = t3 + TVector.LoadPartial((T*)(at + second), width);
                    at += step;
                }

                for (; left > 0; left--)
                {
                    s0 = s0 + TVector.LoadPartial((T*)at, width);
                    t0 = t0 + TVector.LoadPartial((T*)(at + second), width);
                    at += step;
                }

                var first = (s0 + s1) + (s2 + s3);
                var last = (t0 + t1) + (t2 + t3);
                var slot = BlockSums.Slot(slots, block, stride);
                for (var bits = block; (bits & 1) != 0; bits >>= 1)
                {
                    slot -= stride;
                    first = TVector.LoadPartial(slot, width) + first;
                    last = TVector.LoadPartial(slot + end, width) + last;
                }

                TVector.StorePartial(slot, first, width);
                TVector.StorePartial(slot + end, last, width);
            }
        }
    }
}

/// <summary>The sum of partial gradients.</summary>
internal static unsafe class ConvolutionShards
{
    /// <summary>The sum of shard 0, shard 1, ..., a stride apart, added to what the destination holds if so.</summary>
    public static void Sum<T>(T* destination, T* parts, nint stride, int size, int shards, bool adds)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = new Span<T>(destination, size);
        var first = new ReadOnlySpan<T>(parts, size);
        if (adds)
            Elementwise.Add(sum, first, sum);
        else
            first.CopyTo(sum);
        for (var shard = 1; shard < shards; shard++)
            Elementwise.Add(sum, new ReadOnlySpan<T>(parts + shard * stride, size), sum);
    }
}
