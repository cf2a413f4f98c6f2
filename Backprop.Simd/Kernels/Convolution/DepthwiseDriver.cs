using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Depthwise convolution: each channel has one filter of its own, so that a register of channels is multiplied by a register of
/// filter cells.
/// </summary>
internal static unsafe class DepthwiseDriver<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per operation: two loads for each multiply-add.</summary>
    private const double Cost = 0.03;

    public static void Run(ConvolutionPass pass, in ConvolutionProblem<T> problem, ComputeContext? context)
    {
        var shape = problem.Shape;
        var nanoseconds = problem.Images * shape.Operations * Cost * 8 / TVector.Count;
        if (pass == ConvolutionPass.BackwardWeights)
        {
            var shards = ConvolutionScratch.Shards(shape, problem.Images);
            For(new WeightRange { Problem = problem, Shards = shards }, shards, nanoseconds, context);
            ConvolutionShards.Sum(problem.W, problem.Scratch, shape.WeightSize, shape.WeightSize, shards, problem.Adds);
        }
        else if (pass == ConvolutionPass.Forward)
        {
            For(new ForwardRange { Problem = problem }, problem.Images * shape.OutputHeight, nanoseconds, context);
        }
        else
        {
            For(new BackwardRange { Problem = problem }, problem.Images * shape.Height, nanoseconds, context);
        }
    }

    private static void For<TBody>(TBody body, int items, double nanoseconds, ComputeContext? context)
        where TBody : struct, IRangeBody
    {
        if (context is null)
            body.Execute(0, items);
        else
            context.For(items, 1, nanoseconds, in body);
    }

    /// <summary>
    /// A row of pixels: c[i] = addend + sum over ky, kx of a[i aPixel + ky aRow + kx aColumn] w[ky wRow + kx wColumn], for all
    /// channels.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(in PixelRow line)
    {
        T* a = line.A, w = line.W, c = line.C, addend = line.Addend;
        nint aPixel = line.APixel, aRow = line.ARow, aColumn = line.AColumn, wRow = line.WRow, wColumn = line.WColumn;
        nint cPixel = line.CPixel, addendPixel = line.AddendPixel;
        int height = line.Height, width = line.Width, pixels = line.Pixels, channels = line.Channels;
        for (var channel = 0; channel < channels; channel += TVector.Count)
        {
            var count = Math.Min(TVector.Count, channels - channel);
            var i = 0;
            for (; i <= pixels - 4; i += 4)
            {
                TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
                if (addend is not null)
                {
                    s0 = TVector.LoadPartial(addend + channel, count);
                    s1 = TVector.LoadPartial(addend + addendPixel + channel, count);
                    s2 = TVector.LoadPartial(addend + 2 * addendPixel + channel, count);
                    s3 = TVector.LoadPartial(addend + 3 * addendPixel + channel, count);
                }

                T* aAt = a + channel, wAt = w + channel;
                for (var y = 0; y < height; y++)
                {
                    for (var x = 0; x < width; x++)
                    {
                        T* p = aAt + x * aColumn, q = wAt + x * wColumn;
                        if (count == TVector.Count)
                        {
                            var filter = TVector.Load(q);
                            TVector.AddProduct(ref s0, p, filter);
                            TVector.AddProduct(ref s1, p + aPixel, filter);
                            TVector.AddProduct(ref s2, p + 2 * aPixel, filter);
                            TVector.AddProduct(ref s3, p + 3 * aPixel, filter);
                        }
                        else
                        {
                            var filter = TVector.LoadPartial(q, count);
                            TVector.AddProduct(ref s0, TVector.LoadPartial(p, count), filter);
                            TVector.AddProduct(ref s1, TVector.LoadPartial(p + aPixel, count), filter);
                            TVector.AddProduct(ref s2, TVector.LoadPartial(p + 2 * aPixel, count), filter);
                            TVector.AddProduct(ref s3, TVector.LoadPartial(p + 3 * aPixel, count), filter);
                        }
                    }

                    aAt += aRow;
                    wAt += wRow;
                }

                TVector.StorePartial(c + channel, s0, count);
                TVector.StorePartial(c + cPixel + channel, s1, count);
                TVector.StorePartial(c + 2 * cPixel + channel, s2, count);
                TVector.StorePartial(c + 3 * cPixel + channel, s3, count);
                a += 4 * aPixel;
                c += 4 * cPixel;
                addend += 4 * addendPixel;
            }

            for (; i < pixels; i++)
            {
                var sum = addend is null ? TVector.Zero : TVector.LoadPartial(addend + channel, count);
                T* aAt = a + channel, wAt = w + channel;
                for (var y = 0; y < height; y++)
                {
                    for (var x = 0; x < width; x++)
                        TVector.AddProduct(ref sum, TVector.LoadPartial(aAt + x * aColumn, count), TVector.LoadPartial(wAt + x * wColumn, count));
                    aAt += aRow;
                    wAt += wRow;
                }

                TVector.StorePartial(c + channel, sum, count);
                a += aPixel;
                c += cPixel;
                addend += addendPixel;
            }

            a -= pixels * aPixel;
            c -= pixels * cPixel;
            addend -= pixels * addendPixel;
        }
    }

    /// <summary>The gradient by one cell of the filters over an image: sum[channel] += sum over y, i of a[y aRow + i aPixel] dy[y, i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Cell(in CellOfImage cell, T* dy, T* sum, bool adds)
    {
        var a = cell.A;
        nint aPixel = cell.APixel, aRow = cell.ARow, pixel = cell.Channels, rows = cell.Rows, pixels = cell.Pixels;
        var channels = cell.Channels;
        for (var channel = 0; channel < channels; channel += TVector.Count)
        {
            var count = Math.Min(TVector.Count, channels - channel);
            TVector s0 = adds ? TVector.LoadPartial(sum + channel, count) : TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
            T* aLine = a + channel, dyAt = dy + channel;
            for (nint y = 0; y < rows; y++)
            {
                var aAt = aLine;
                nint i = 0;
                for (; i <= pixels - 4; i += 4)
                {
                    TVector.AddProduct(ref s0, TVector.LoadPartial(aAt, count), TVector.LoadPartial(dyAt, count));
                    TVector.AddProduct(ref s1, TVector.LoadPartial(aAt + aPixel, count), TVector.LoadPartial(dyAt + pixel, count));
                    TVector.AddProduct(ref s2, TVector.LoadPartial(aAt + 2 * aPixel, count), TVector.LoadPartial(dyAt + 2 * pixel, count));
                    TVector.AddProduct(ref s3, TVector.LoadPartial(aAt + 3 * aPixel, count), TVector.LoadPartial(dyAt + 3 * pixel, count));
                    aAt += 4 * aPixel;
                    dyAt += 4 * pixel;
                }

                for (; i < pixels; i++)
                {
                    TVector.AddProduct(ref s0, TVector.LoadPartial(aAt, count), TVector.LoadPartial(dyAt, count));
                    aAt += aPixel;
                    dyAt += pixel;
                }

                aLine += aRow;
            }

            TVector.StorePartial(sum + channel, (s0 + s1) + (s2 + s3), count);
        }
    }

    /// <summary>The operands of a row of pixels. Steps in elements; those of w may be negative.</summary>
    private struct PixelRow
    {
        /// <summary>The first cell of the first pixel's patch, and from pixel to pixel, row to row and cell to cell of a patch.</summary>
        public T* A;
        public nint APixel, ARow, AColumn;

        /// <summary>The filters' cell that meets it, and from row to row and cell to cell.</summary>
        public T* W;
        public nint WRow, WColumn;

        /// <summary>The rows and cells of a row that take part.</summary>
        public int Height, Width;

        /// <summary>The first pixel that is written, and from one to the next.</summary>
        public T* C;
        public nint CPixel;

        /// <summary>What is added, from pixel to pixel, or once for all with a step of 0; null is nothing.</summary>
        public T* Addend;
        public nint AddendPixel;

        public int Pixels, Channels;
    }

    /// <summary>What one cell of the filters meets in an image: its first pixel, from pixel to pixel and row to row, and their number.</summary>
    private struct CellOfImage
    {
        public T* A;
        public nint APixel, ARow;
        public int Rows, Pixels, Channels;
    }

    private struct ForwardRange : IRangeBody
    {
        public ConvolutionProblem<T> Problem;

        public readonly void Execute(int start, int limit)
        {
            var shape = Problem.Shape;
            var space = ThreadSpace<T>.Take(0, shape.Padding.IsNone ? 0 : (long)shape.PaddedHeight * shape.PaddedWidth * shape.Channels);
            nint channels = shape.Channels, row = channels * shape.PaddedWidth;
            fixed (T* padded = space.Elements)
            {
                for (var item = start; item < limit;)
                {
                    var (image, first) = Math.DivRem(item, shape.OutputHeight);
                    var last = Math.Min(shape.OutputHeight, first + limit - item);
                    item += last - first;
                    var x = Problem.Image(image, first, last, padded);
                    for (var oy = first; oy < last; oy++)
                    {
                        var y = Problem.Y + (nint)image * shape.OutputSize + oy * shape.OutputWidth * channels;
                        Row(new PixelRow
                        {
                            A = x + oy * shape.Stride.Height * row,
                            APixel = shape.Stride.Width * channels,
                            ARow = shape.Dilation.Height * row,
                            AColumn = shape.Dilation.Width * channels,
                            W = Problem.W,
                            WRow = shape.Kernel.Width * channels,
                            WColumn = channels,
                            Height = shape.Kernel.Height,
                            Width = shape.Kernel.Width,
                            C = y,
                            CPixel = channels,
                            Addend = Problem.Adds ? y : Problem.Bias,
                            AddendPixel = Problem.Adds ? channels : 0,
                            Pixels = shape.OutputWidth,
                            Channels = shape.Channels,
                        });
                    }
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
            var space = ThreadSpace<T>.Take(0, around.Padding.IsNone ? 0 : around.Height * around.Width * shape.Channels);
            nint channels = shape.Channels, row = channels * (nint)around.Width;
            fixed (T* padded = space.Elements)
            {
                for (var item = start; item < limit;)
                {
                    var (image, first) = Math.DivRem(item, shape.Height);
                    var last = Math.Min(shape.Height, first + limit - item);
                    item += last - first;
                    var dy = Problem.PaddedGradient(image, in around, padded, null);
                    for (var iy = first; iy < last; iy++)
                        Line(dy, row, iy, Problem.X + (nint)image * shape.InputSize + iy * shape.Width * channels, in around);
                }
            }
        }

        private readonly void Line(T* dy, nint row, int iy, T* dx, in GradientPadding around)
        {
            var shape = Problem.Shape;
            nint channels = shape.Channels;
            var tapsY = PhaseTaps.Of(iy % shape.Stride.Height, shape.Kernel.Height, shape.Stride.Height, shape.Padding.Top, shape.Dilation.Height);
            for (var phase = 0; phase < Math.Min(shape.Stride.Width, shape.Width); phase++)
            {
                var tapsX = PhaseTaps.Of(phase, shape.Kernel.Width, shape.Stride.Width, shape.Padding.Left, shape.Dilation.Width);
                var isReached = tapsY.Count > 0 && tapsX.Count > 0;
                T* a = dy, w = Problem.W;
                if (isReached)
                {
                    a += (iy / shape.Stride.Height + tapsY.Least + around.Padding.Top) * row + (tapsX.Least + around.Padding.Left) * channels;
                    w += ((tapsY.First + (tapsY.Count - 1) * tapsY.Step) * shape.Kernel.Width + tapsX.First + (tapsX.Count - 1) * tapsX.Step) * channels;
                }

                var c = dx + phase * channels;
                var pixel = shape.Stride.Width * channels;
                Row(new PixelRow
                {
                    A = a,
                    APixel = channels,
                    ARow = tapsY.OffsetStep * row,
                    AColumn = tapsX.OffsetStep * channels,
                    W = w,
                    WRow = -tapsY.Step * shape.Kernel.Width * channels,
                    WColumn = -tapsX.Step * channels,
                    Height = isReached ? tapsY.Count : 0,
                    Width = tapsX.Count,
                    C = c,
                    CPixel = pixel,
                    Addend = Problem.Adds ? c : Problem.Bias,
                    AddendPixel = Problem.Adds ? pixel : 0,
                    Pixels = PhaseTaps.Inputs(shape.Width, phase, shape.Stride.Width),
                    Channels = shape.Channels,
                });
            }
        }
    }

    private struct WeightRange : IRangeBody
    {
        public ConvolutionProblem<T> Problem;
        public int Shards;

        public readonly void Execute(int start, int limit)
        {
            var shape = Problem.Shape;
            var space = ThreadSpace<T>.Take(0, shape.Padding.IsNone ? 0 : (long)shape.PaddedHeight * shape.PaddedWidth * shape.Channels);
            nint channels = shape.Channels, row = channels * shape.PaddedWidth;
            fixed (T* padded = space.Elements)
            {
                for (var shard = start; shard < limit; shard++)
                {
                    int from = (int)((long)Problem.Images * shard / Shards), to = (int)((long)Problem.Images * (shard + 1) / Shards);
                    for (var image = from; image < to; image++)
                    {
                        var x = Problem.Image(image, 0, shape.OutputHeight, padded);
                        for (var cell = 0; cell < shape.Kernel.Height * shape.Kernel.Width; cell++)
                        {
                            var (ky, kx) = Math.DivRem(cell, shape.Kernel.Width);
                            var at = new CellOfImage
                            {
                                A = x + ky * shape.Dilation.Height * row + kx * shape.Dilation.Width * channels,
                                APixel = shape.Stride.Width * channels,
                                ARow = shape.Stride.Height * row,
                                Rows = shape.OutputHeight,
                                Pixels = shape.OutputWidth,
                                Channels = shape.Channels,
                            };
                            var sum = Problem.Scratch + ((nint)shard * shape.WeightSize + cell * channels);
                            Cell(in at, Problem.Y + (nint)image * shape.OutputSize, sum, image > from);
                        }
                    }
                }
            }
        }
    }
}
