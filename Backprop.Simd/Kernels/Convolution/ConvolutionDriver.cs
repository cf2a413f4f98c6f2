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
                        destination = PackTurned(in problem, shape, tapsY, tapsX, group, panels[panel], destination);
                }
            }
        }
    }

    private static T* PackTurned(in ConvolutionProblem<T> problem, in ConvolutionShape shape, PhaseTaps tapsY, PhaseTaps tapsX, int group, ColumnPanel at, T* destination)
    {
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
                        GemmPacking<TVector, T>.PackB(new GemmProblem<T> { B = source.B + f, BRow = 1, BColumn = 1 }, at, 0, 1, destination + f * TVector.Count);
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

    /// <summary>A panel of packed filters over rows of patches.</summary>
    private static TilePanel<T> Panel(ColumnPanel at, T* packed, nint depth, nint segments, nint* offsets, nint aRow, nint cRow, bool addsRow) => new()
    {
        ARowStride = aRow * sizeof(T),
        AStep = sizeof(T),
        B = (byte*)packed,
        BStep = at.Vectors * TVector.Count * sizeof(T),
        BLast = (at.Vectors - 1) * TVector.Count * sizeof(T),
        CRowStride = cRow * sizeof(T),
        AddendRowStride = addsRow ? 0 : cRow * sizeof(T),
        CLast = at.Last * sizeof(T),
        Width = at.Width,
        Depth = depth,
        Segments = segments,
        SegmentOffsets = offsets,
        Alpha = T.One,
        Beta = T.One,
    };

    private struct ForwardRange : IRangeBody
    {
        public ConvolutionProblem<T> Problem;
        public nint Filters;

        public readonly void Execute(int start, int limit)
        {
            var shape = Problem.Shape;
            int cells = shape.HasRuns ? 1 : shape.Kernel.Width, segments = shape.Kernel.Height * cells;
            var image = shape.Padding.IsNone ? 0 : (long)shape.PaddedHeight * shape.PaddedWidth * shape.Channels;
            var space = ThreadSpace<T>.Take(segments, image + (Problem.Pooled is null ? 0 : shape.OutputSize));
            fixed (nint* offsets = space.Offsets)
            fixed (T* padded = space.Elements)
            {
                nint pixel = shape.Channels, row = pixel * shape.PaddedWidth;
                for (var s = 0; s < segments; s++)
                    offsets[s] = (s / cells * shape.Dilation.Height * row + s % cells * shape.Dilation.Width * pixel) * sizeof(T);
                if (Problem.Pooled is { } pooled)
                    PooledRows(in pooled, start, limit, offsets, segments, padded, padded + image);
                else
                    Rows(start, limit, offsets, segments, padded);
            }
        }

        private readonly void Rows(int start, int limit, nint* offsets, int segments, T* padded)
        {
            var shape = Problem.Shape;
            for (var item = start; item < limit;)
            {
                var (image, first) = Math.DivRem(item, shape.OutputHeight);
                var last = Math.Min(shape.OutputHeight, first + limit - item);
                Image(Problem.Image(image, first, last, padded), Problem.Y + (nint)image * shape.OutputSize, first, last, offsets, segments);
                item += last - first;
            }
        }

        /// <summary>Rows of pooled outputs: some rows of the output at a time, which stay in the first-level cache, then their pooling.</summary>
        private readonly void PooledRows(in PooledOutput pooled, int start, int limit, nint* offsets, int segments, T* padded, T* output)
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
                    Image(x, origin, row * height, end * height, offsets, segments);
                    pooled.Pool(origin, image, row, end);
                }

                item += last - first;
            }
        }

        private readonly void Image(T* x, T* y, int first, int last, nint* offsets, int segments)
        {
            var shape = Problem.Shape;
            var depth = shape.HasRuns ? shape.Kernel.Width * shape.Channels : shape.GroupChannels;
            var panels = new ColumnPanels(shape.GroupFilters, TVector.Count, 2);
            var packed = (T*)Filters;
            var hasBias = Problem.Bias is not null;
            for (var group = 0; group < shape.Groups; group++)
            {
                for (var p = 0; p < panels.Total; p++)
                {
                    var at = panels[p];
                    var column = group * shape.GroupFilters + at.Column;
                    var panel = Panel(at, packed, depth, segments, offsets, shape.Stride.Width * shape.Channels, shape.Filters, hasBias);
                    for (var oy = first; oy < last; oy++)
                    {
                        var a = x + (nint)oy * shape.Stride.Height * shape.PaddedWidth * shape.Channels + group * shape.GroupChannels;
                        var c = y + (nint)oy * shape.OutputWidth * shape.Filters + column;
                        SegmentedTiles<TVector, T>.Run(Problem.Adds || hasBias, at.Vectors, shape.OutputWidth, ref panel, (byte*)a, (byte*)c, hasBias ? (byte*)(Problem.Bias + column) : (byte*)c);
                    }

                    packed += (nint)at.Vectors * TVector.Count * depth * segments;
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
                var tapsY = PhaseTaps.Of(phaseY, shape.Kernel.Height, shape.Stride.Height, shape.Padding.Top, shape.Dilation.Height);

                // Inputs of the phase within the rows [first, last).
                var from = Math.Max(0, (first - phaseY + shape.Stride.Height - 1) / shape.Stride.Height);
                var to = last > phaseY ? (last - 1 - phaseY) / shape.Stride.Height + 1 : 0;
                for (var phaseX = 0; phaseX < Math.Min(shape.Stride.Width, shape.Width); phaseX++)
                {
                    var tapsX = PhaseTaps.Of(phaseX, shape.Kernel.Width, shape.Stride.Width, shape.Padding.Left, shape.Dilation.Width);
                    packed = Phase(dy, dx, phaseY, phaseX, tapsY, tapsX, from, to, in around, offsets, packed);
                }
            }
        }

        private readonly T* Phase(T* dy, T* dx, int phaseY, int phaseX, PhaseTaps tapsY, PhaseTaps tapsX, int from, int to, in GradientPadding around, nint* offsets, T* packed)
        {
            var shape = Problem.Shape;
            var inputs = PhaseTaps.Inputs(shape.Width, phaseX, shape.Stride.Width);
            nint pixel = shape.Filters, row = pixel * (nint)around.Width;
            var hasRuns = shape.Groups == 1 && (tapsX.OffsetStep == 1 || tapsX.Count == 1);
            int cells = hasRuns ? 1 : tapsX.Count, depth = hasRuns ? tapsX.Count * shape.Filters : shape.GroupFilters;
            var segments = tapsX.Count == 0 ? 0 : tapsY.Count * cells;
            for (var s = 0; s < segments; s++)
            {
                var y = tapsY.Least + s / cells * tapsY.OffsetStep + around.Padding.Top;
                var x = tapsX.Least + s % cells * tapsX.OffsetStep + around.Padding.Left;
                offsets[s] = (y * row + x * pixel) * sizeof(T);
            }

            var panels = new ColumnPanels(shape.GroupChannels, TVector.Count, 2);
            for (var group = 0; group < shape.Groups; group++)
            {
                for (var p = 0; p < panels.Total; p++)
                {
                    var at = panels[p];
                    var column = group * shape.GroupChannels + at.Column;
                    var hasBias = Problem.Bias is not null;
                    var panel = Panel(at, packed, depth, segments, offsets, pixel, shape.Stride.Width * shape.Channels, hasBias);
                    for (var t = from; t < to; t++)
                    {
                        var c = dx + ((nint)(phaseY + t * shape.Stride.Height) * shape.Width + phaseX) * shape.Channels + column;
                        if (segments == 0)
                            Fill(c, at.Width, inputs, panel.CRowStride / sizeof(T), hasBias ? Problem.Bias + column : null);
                        else
                            SegmentedTiles<TVector, T>.Run(Problem.Adds || hasBias, at.Vectors, inputs, ref panel, (byte*)(dy + t * row + group * shape.GroupFilters), (byte*)c, hasBias ? (byte*)(Problem.Bias + column) : (byte*)c);
                    }

                    packed += (nint)at.Vectors * TVector.Count * depth * segments;
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
