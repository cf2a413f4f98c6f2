using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Images of another size, [H, W, C] to [H', W', C], and the gradient: nearest cells or bilinear.</summary>
/// <remarks>
/// <para>An output at o reads at the place p = (o + 1/2) / scale - 1/2, held at 0 or more, along each dimension; with aligned corners p =
/// o (H - 1) / (H' - 1). With i = floor p and u = p - i, y = (1 - u) x[i] + u x[i + 1], the last cell standing for cells behind it. Nearest
/// cells are at floor(o / scale) or floor((o + 1/2) / scale). The scale is H' / H unless given. The same as PyTorch's
/// <c>interpolate</c>, with places in double.</para>
/// <para>Each row of an output or of a gradient is computed by itself. The gradient of a cell is the sum over the outputs that read it; sums
/// of more than 128 outputs along a dimension are made in halves.</para>
/// </remarks>
public static unsafe class Resize
{
    /// <summary>Nanoseconds per element written or read.</summary>
    private const double Cost = 0.25;

    /// <summary>Writes the outputs.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="x">The images, one after the other.</param>
    /// <param name="y">The outputs.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">x is not whole images, y is not as many outputs, or they overlap.</exception>
    public static void Forward<T>(in ResizeShape shape, ReadOnlySpan<T> x, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Forward(in shape, x, y, context, SimdWidth.Widest);

    /// <summary>The gradient by the images, or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="dy">The gradient of the outputs.</param>
    /// <param name="dx">The gradient of the images.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">dy is not whole outputs, dx is not as many images, or they overlap.</exception>
    public static void Backward<T>(in ResizeShape shape, ReadOnlySpan<T> dy, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Backward(in shape, dy, dx, context, SimdWidth.Widest);

    /// <summary>The space that each thread takes.</summary>
    internal static long ThreadBytes(in ResizeShape shape) =>
        Math.Max((long)shape.Outputs.Width * sizeof(ResizeTap<double>),
            (2L * shape.Outputs.Width + shape.Outputs.Height) * sizeof(double) + (long)shape.Width * sizeof(ResizeReach));

    internal static void Forward<T>(in ResizeShape shape, ReadOnlySpan<T> x, Span<T> y, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var images = Images<T>(in shape, x.Length, nameof(x));
        SpanGuard.SameLength(images * shape.OutputSize, y.Length);
        SpanGuard.Disjoint(x, y);
        width = RegisterWidth.OfColumns<T>(shape.Channels, width);
        var body = new SimdRange<T, ForwardBody<T>>(new(shape, x, y), width);
        PoolingLoops.For(in body, images * shape.Outputs.Height, Cost * y.Length, context);
    }

    internal static void Backward<T>(in ResizeShape shape, ReadOnlySpan<T> dy, Destination<T> dx, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var images = Images<T>(in shape, dx.Span.Length, nameof(dx));
        SpanGuard.SameLength(images * shape.OutputSize, dy.Length);
        SpanGuard.Disjoint(dy, dx.Span, nameof(dx));
        width = RegisterWidth.OfColumns<T>(shape.Channels, width);
        var body = new SimdRange<T, BackwardBody<T>>(new(shape, dy, dx), width);
        PoolingLoops.For(in body, images * shape.Height, Cost * (dy.Length + dx.Span.Length), context);
    }

    private static int Images<T>(in ResizeShape shape, int length, string name) where T : unmanaged
    {
        SpanGuard.Supported<T>();
        if (shape.InputSize == 0)
            throw new ArgumentException("The shape is the default value, which has no sizes.", nameof(shape));
        if (ThreadBytes(in shape) > Array.MaxLength)
            throw new ArgumentException($"The tables of a line of {shape.Outputs.Width} outputs would take {ThreadBytes(in shape)} bytes.", nameof(shape));
        var images = length / shape.InputSize;
        SpanGuard.SameLength(images * shape.InputSize, length, name);
        SpanGuard.ArrayLength((long)images * shape.OutputSize, name);
        return images;
    }

    private readonly ref struct ForwardBody<T>(ResizeShape shape, ReadOnlySpan<T> x, Span<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var (rows, channels) = (shape.Rows, shape.Channels);
            nint line = (nint)shape.Width * channels, outputLine = (nint)shape.Outputs.Width * channels;
            var taps = ResizeTables.Taps<T>(shape.Columns, KernelScratch.Get<byte>((int)ThreadBytes(shape)));
            fixed (T* x = _x, y = _y)
            {
                fixed (ResizeTap<T>* columns = taps)
                {
                    for (var item = start; item < limit; item++)
                    {
                        var (image, oy) = Math.DivRem(item, shape.Outputs.Height);
                        var (first, second, weight) = rows.Tap(oy);
                        T* from = x + (nint)image * shape.InputSize, to = y + item * outputLine;
                        T* upper = from + first * line, lower = from + second * line;
                        if (shape.Mode == ResizeMode.Bilinear)
                            ResizeLoops<TVector, T>.Blend(columns, taps.Length, upper, lower, T.CreateTruncating(weight), to, channels);
                        else if (item > start && oy > 0 && rows.Tap(oy - 1).First == first)
                            new ReadOnlySpan<T>(to - outputLine, (int)outputLine).CopyTo(new Span<T>(to, (int)outputLine));
                        else
                            ResizeLoops<TVector, T>.Copy(columns, taps.Length, upper, to, channels);
                    }
                }
            }
        }
    }

    private readonly ref struct BackwardBody<T>(ResizeShape shape, ReadOnlySpan<T> dy, Destination<T> dx) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly Destination<T> _dx = dx;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var (rows, channels) = (shape.Rows, shape.Channels);
            nint line = (nint)shape.Width * channels, outputLine = (nint)shape.Outputs.Width * channels;
            var reaches = ResizeTables.Reaches<T>(shape.Columns, shape.Outputs.Height, KernelScratch.Get<byte>((int)ThreadBytes(shape)), out var weights);
            fixed (T* dy = _dy, dx = _dx.Span, columnWeights = weights)
            {
                fixed (ResizeReach* columns = reaches)
                {
                    for (var item = start; item < limit; item++)
                    {
                        var (image, iy) = Math.DivRem(item, shape.Height);
                        var from = dy + (nint)image * shape.OutputSize;
                        var sums = new ResizeSums<T>(rows, iy, from, outputLine, columnWeights, columnWeights + 2 * shape.Outputs.Width, channels);
                        ResizeLoops<TVector, T>.Gather(in sums, columns, shape.Width, dx + item * line, _dx.Adds);
                    }
                }
            }
        }
    }
}
