using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Convolutions and their gradients by the images as products of segmented patches with packed filters.</summary>
/// <remarks>
/// A pixel's patch is a row of A that lies in the image in segments: one for each row of the filter, or one for each of its
/// cells where groups or dilation part them. The pixels of a row of the output are the rows of A, a constant stride apart.
/// Threads take rows of the output; each element is one chain over the patch, first cell to last.
/// </remarks>
internal static unsafe class ConvolutionDriver<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Bytes of a convolution's output made at a time before they are pooled: they stay in the first-level cache.</summary>
    private const int PooledBytes = 16 * 1024;

    /// <summary>Nanoseconds per operation of one register lane's worth of elements, about half of the peak.</summary>
    private static double Nanoseconds(in ConvolutionShape shape, int images) => images * shape.Operations * 0.01 * 8 / TVector.Count;

    public static void Forward(in ConvolutionProblem<T> problem, ComputeContext? context)
    {
        var shape = problem.Shape;
        var filters = Pack(in problem, shape);
        var rows = problem.Images * (problem.Pooled?.Shape.Rows.Outputs ?? shape.OutputHeight);
        var body = new ForwardRange { Problem = problem, Filters = filters };
        if (context is null)
            body.Execute(0, rows);
        else
            context.For(rows, 1, Nanoseconds(shape, problem.Images), in body);
    }

    public static void BackwardInput(in ConvolutionProblem<T> problem, ComputeContext? context)
    {
        var shape = problem.Shape;
        PackTurned(in problem, shape);
        var body = new BackwardRange { Problem = problem };
        if (context is null)
            body.Execute(0, problem.Images * shape.Height);
        else
            context.For(problem.Images * shape.Height, 1, Nanoseconds(shape, problem.Images), in body);
    }

    /// <summary>The filters of each group, panel by panel.</summary>
    private static nint Pack(in ConvolutionProblem<T> problem, in ConvolutionShape shape)
    {
        var depth = shape.Kernel.Height * shape.Kernel.Width * shape.GroupChannels;
        var panels = new ColumnPanels(shape.GroupFilters, TVector.Count, 2);
        var destination = problem.Scratch;
        for (var group = 0; group < shape.Groups; group++)
        {
            var source = new GemmProblem<T> { B = problem.W + group * shape.GroupFilters, BRow = shape.Filters, BColumn = 1 };
            for (var panel = 0; panel < panels.Total; panel++)
            {
                GemmPacking<TVector, T>.PackB(in source, panels[panel], 0, depth, destination);
                destination += (nint)panels[panel].Vectors * TVector.Count * depth;
            }
        }

        return (nint)problem.Scratch;
    }

    /// <summary>The filters of each phase and group, turned: rows (ky, kx, f) in the order of the phase's segments, columns c.</summary>
    private static void PackTurned(in ConvolutionProblem<T> problem, in ConvolutionShape shape)
    {
        var panels = new ColumnPanels(shape.GroupChannels, TVector.Count, 2);
        var destination = problem.Scratch;
        for (var phaseY = 0; phaseY < Math.Min(shape.Stride.Height, shape.Height); phaseY++)
        {
            var tapsY = PhaseTaps.Of(phaseY, shape.Kernel.Height, shape.Stride.Height, shape.Padding.Top, shape.Dilation.Height);
            for (var phaseX = 0; phaseX < Math.Min(shape.Stride.Width, shape.Width); phaseX++)
            {
                var tapsX = PhaseTaps.Of(phaseX, shape.Kernel.Width, shape.Stride.Width, shape.Padding.Left, shape.Dilation.Width);
                for (var group = 0; group < shape.Groups; group++)
                {
                    for (var panel = 0; panel < panels.Total; panel++)
                        destination = PackTurned(in problem, tapsY, tapsX, group, panels[panel], destination);
                }
            }
        }
    }

    private static T* PackTurned(in ConvolutionProblem<T> problem, PhaseTaps tapsY, PhaseTaps tapsX, int group, ColumnPanel at, T* destination)
    {
        var shape = problem.Shape;
        var cell = (nint)shape.GroupChannels * shape.Filters;
        for (var y = tapsY.Count - 1; y >= 0; y--)
        {
            for (var x = tapsX.Count - 1; x >= 0; x--)
            {
                var ky = tapsY.First + y * tapsY.Step;
                var kx = tapsX.First + x * tapsX.Step;
                var source = new GemmProblem<T>
                {
                    B = problem.W + (ky * shape.Kernel.Width + kx) * cell + group * shape.GroupFilters,
                    BRow = 1,
                    BColumn = shape.GroupChannels == 1 ? 1 : shape.Filters,
                };
                if (shape.GroupChannels == 1)
                {
                    // One column: its elements lie side by side in W, one to a row here.
                    for (var f = 0; f < shape.GroupFilters; f++)
                        GemmPacking<TVector, T>.PackB(source with { B = source.B + f }, at, 0, 1, destination + f * TVector.Count);
                }
                else
                {
                    GemmPacking<TVector, T>.PackB(in source, at, 0, shape.GroupFilters, destination);
                }

                destination += (nint)at.Vectors * TVector.Count * shape.GroupFilters;
            }
        }

        return destination;
    }

    /// <summary>A panel of packed filters over rows of patches, whose pixels are some elements apart in the image and in the output.</summary>
    private static TilePanel<T> Panel(ColumnPanel at, T* packed, Segments segments, nint aRow, nint cRow, bool addsRow)
    {
        var b = PanelOfB<T>.Packed(packed, at, TVector.Count);
        return new(at, b, new(aRow, 1, cRow, addsRow ? 0 : cRow), segments.Depth) { Segments = segments.Count, SegmentOffsets = segments.Offsets };
    }

    private static TileForm Form(bool adds) => adds ? TileForm.SegmentedAddTo : TileForm.SegmentedOverwrite;

    /// <summary>The segments of a patch: their number, the elements of each, and how many bytes each is from the patch's start.</summary>
    private readonly struct Segments(int count, int depth, nint* offsets)
    {
        public readonly int Count = count;

        public readonly int Depth = depth;

        public readonly nint* Offsets = offsets;
    }

    private struct ForwardRange : IRangeBody
    {
        public ConvolutionProblem<T> Problem;
        public nint Filters;

        public readonly void Execute(int start, int limit)
        {
            var shape = Problem.Shape;
            int cells = shape.HasRuns ? 1 : shape.Kernel.Width, count = shape.Kernel.Height * cells;
            var image = shape.Padding.IsNone ? 0 : (long)shape.PaddedHeight * shape.PaddedWidth * shape.Channels;
            var space = ThreadSpace<T>.Take(count, image + (Problem.Pooled is null ? 0 : shape.OutputSize));
            fixed (nint* offsets = space.Offsets)
            fixed (T* padded = space.Elements)
            {
                nint pixel = shape.Channels, row = pixel * shape.PaddedWidth;
                for (var s = 0; s < count; s++)
                    offsets[s] = (s / cells * shape.Dilation.Height * row + s % cells * shape.Dilation.Width * pixel) * sizeof(T);
                var segments = new Segments(count, shape.HasRuns ? shape.Kernel.Width * shape.Channels : shape.GroupChannels, offsets);
                if (Problem.Pooled is { } pooled)
                    PooledRows(in pooled, start, limit, segments, padded, padded + image);
                else
                    Rows(start, limit, segments, padded);
            }
        }

        private readonly void Rows(int start, int limit, Segments segments, T* padded)
        {
            var shape = Problem.Shape;
            for (var item = start; item < limit;)
            {
                var (image, first) = Math.DivRem(item, shape.OutputHeight);
                var last = Math.Min(shape.OutputHeight, first + limit - item);
                Image(Problem.Image(image, first, last, padded), Problem.Y + (nint)image * shape.OutputSize, first, last, segments);
                item += last - first;
            }
        }

        /// <summary>Rows of pooled outputs: some rows of the output at a time, which stay in the first-level cache, then their pooling.</summary>
        private readonly void PooledRows(in PooledOutput pooled, int start, int limit, Segments segments, T* padded, T* output)
        {
            var shape = Problem.Shape;
            var (outputs, height) = (pooled.Shape.Rows.Outputs, pooled.Shape.Rows.Kernel);
            var chunk = Math.Max(1, PooledBytes / (height * shape.OutputWidth * shape.Filters * sizeof(T)));
            for (var item = start; item < limit;)
            {
                var (image, first) = Math.DivRem(item, outputs);
                var last = Math.Min(outputs, first + limit - item);
                var x = Problem.Image(image, first * height, last * height, padded);
                for (var row = first; row < last; row += chunk)
                {
                    var end = Math.Min(last, row + chunk);
                    var origin = output - (nint)row * height * shape.OutputWidth * shape.Filters;
                    Image(x, origin, row * height, end * height, segments);
                    pooled.Pool(origin, image, row, end);
                }

                item += last - first;
            }
        }

        private readonly void Image(T* x, T* y, int first, int last, Segments segments)
        {
            var shape = Problem.Shape;
            var panels = new ColumnPanels(shape.GroupFilters, TVector.Count, 2);
            var packed = (T*)Filters;
            var hasBias = Problem.Bias is not null;
            for (var group = 0; group < shape.Groups; group++)
            {
                for (var p = 0; p < panels.Total; p++)
                {
                    var at = panels[p];
                    var column = group * shape.GroupFilters + at.Column;
                    var panel = Panel(at, packed, segments, shape.Stride.Width * shape.Channels, shape.Filters, hasBias);
                    for (var oy = first; oy < last; oy++)
                    {
                        var a = x + (nint)oy * shape.Stride.Height * shape.PaddedWidth * shape.Channels + group * shape.GroupChannels;
                        var c = y + (nint)oy * shape.OutputWidth * shape.Filters + column;
                        RowTiles<TVector, T>.Run(Form(Problem.Adds || hasBias), ref panel, new(a, c, hasBias ? Problem.Bias + column : c), shape.OutputWidth);
                    }

                    packed += (nint)at.Vectors * TVector.Count * segments.Depth * segments.Count;
                }
            }
        }
    }

    private struct BackwardRange : IRangeBody
    {
        public ConvolutionProblem<T> Problem;

        public readonly void Execute(int start, int limit)
        {
            var shape = Problem.Shape;
            var around = new GradientPadding(shape);
            var image = around.Padding.IsNone ? 0 : around.Height * around.Width * shape.Filters;
            var space = ThreadSpace<T>.Take(shape.Kernel.Height * shape.Kernel.Width, image + Problem.GradientElements);
            fixed (nint* offsets = space.Offsets)
            fixed (T* padded = space.Elements)
            {
                for (var item = start; item < limit;)
                {
                    var (index, first) = Math.DivRem(item, shape.Height);
                    var last = Math.Min(shape.Height, first + limit - item);
                    var dy = Problem.PaddedGradient(index, in around, padded, padded + image);
                    Image(dy, Problem.X + (nint)index * shape.InputSize, first, last, in around, offsets);
                    item += last - first;
                }
            }
        }

        private readonly void Image(T* dy, T* dx, int first, int last, in GradientPadding around, nint* offsets)
        {
            var shape = Problem.Shape;
            var packed = Problem.Scratch;
            for (var phaseY = 0; phaseY < Math.Min(shape.Stride.Height, shape.Height); phaseY++)
            {
                var y = new Phase(phaseY, PhaseTaps.Of(phaseY, shape.Kernel.Height, shape.Stride.Height, shape.Padding.Top, shape.Dilation.Height));

                // Inputs of the phase within the rows [first, last).
                var from = Math.Max(0, (first - phaseY + shape.Stride.Height - 1) / shape.Stride.Height);
                var to = last > phaseY ? (last - 1 - phaseY) / shape.Stride.Height + 1 : 0;
                for (var phaseX = 0; phaseX < Math.Min(shape.Stride.Width, shape.Width); phaseX++)
                {
                    var x = new Phase(phaseX, PhaseTaps.Of(phaseX, shape.Kernel.Width, shape.Stride.Width, shape.Padding.Left, shape.Dilation.Width));
                    var segments = SegmentsOf(y.Taps, x.Taps, in around, offsets);
                    packed = Inputs(dy, dx, y, x, (from, to), (nint)around.Width * shape.Filters, segments, packed);
                }
            }
        }

        /// <summary>The cells of the filters that reach the inputs of a phase.</summary>
        private readonly Segments SegmentsOf(PhaseTaps tapsY, PhaseTaps tapsX, in GradientPadding around, nint* offsets)
        {
            var shape = Problem.Shape;
            nint pixel = shape.Filters, row = pixel * (nint)around.Width;
            var hasRuns = shape.Groups == 1 && (tapsX.OffsetStep == 1 || tapsX.Count == 1);
            int cells = hasRuns ? 1 : tapsX.Count, depth = hasRuns ? tapsX.Count * shape.Filters : shape.GroupFilters;
            var count = tapsX.Count == 0 ? 0 : tapsY.Count * cells;
            for (var s = 0; s < count; s++)
            {
                var y = tapsY.Least + s / cells * tapsY.OffsetStep + around.Padding.Top;
                var x = tapsX.Least + s % cells * tapsX.OffsetStep + around.Padding.Left;
                offsets[s] = (y * row + x * pixel) * sizeof(T);
            }

            return new(count, depth, offsets);
        }

        /// <summary>Some rows of a phase's inputs; rows of dy lie <paramref name="row"/> elements apart. Returns the next phase's filters.</summary>
        private readonly T* Inputs(T* dy, T* dx, Phase y, Phase x, (int From, int To) rows, nint row, Segments segments, T* packed)
        {
            var shape = Problem.Shape;
            var inputs = PhaseTaps.Inputs(shape.Width, x.Index, shape.Stride.Width);
            var panels = new ColumnPanels(shape.GroupChannels, TVector.Count, 2);
            var hasBias = Problem.Bias is not null;
            for (var group = 0; group < shape.Groups; group++)
            {
                for (var p = 0; p < panels.Total; p++)
                {
                    var at = panels[p];
                    var column = group * shape.GroupChannels + at.Column;
                    var bias = hasBias ? Problem.Bias + column : null;
                    var panel = Panel(at, packed, segments, shape.Filters, shape.Stride.Width * shape.Channels, hasBias);
                    for (var t = rows.From; t < rows.To; t++)
                    {
                        var c = dx + ((nint)(y.Index + t * shape.Stride.Height) * shape.Width + x.Index) * shape.Channels + column;
                        var a = dy + t * row + group * shape.GroupFilters;
                        if (segments.Count == 0)
                            Fill(c, at.Width, inputs, panel.CRowStride / sizeof(T), bias);
                        else
                            RowTiles<TVector, T>.Run(Form(Problem.Adds || hasBias), ref panel, new(a, c, hasBias ? bias : c), inputs);
                    }

                    packed += (nint)at.Vectors * TVector.Count * segments.Depth * segments.Count;
                }
            }

            return packed;
        }

        /// <summary>Inputs that no filter reaches: zero, or the bias.</summary>
        private readonly void Fill(T* c, int width, int count, nint stride, T* bias)
        {
            for (var i = 0; i < count && !Problem.Adds; i++)
            {
                var destination = new Span<T>(c + i * stride, width);
                if (bias is null)
                    destination.Clear();
                else
                    new ReadOnlySpan<T>(bias, width).CopyTo(destination);
            }
        }
    }
}

/// <summary>One phase of the stride, in one dimension: its index, and the cells of a filter that reach its inputs.</summary>
internal readonly record struct Phase(int Index, PhaseTaps Taps);

/// <summary>A thread's own space in a convolution.</summary>
internal readonly ref struct ThreadSpace<T>
    where T : unmanaged
{
    public readonly Span<nint> Offsets;

    public readonly Span<T> Elements;

    private ThreadSpace(Span<byte> block, int offsets, int elements)
    {
        var start = (offsets * sizeof(long) + 63) & ~63;
        Offsets = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, nint>(block)[..offsets];
        Elements = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(block[start..])[..elements];
    }

    public static ThreadSpace<T> Take(int offsets, long elements)
    {
        var bytes = checked((int)(((offsets * sizeof(long) + 63) & ~63) + elements * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()));
        return new(KernelScratch.Get<byte>(bytes), offsets, (int)elements);
    }
}
