using System.Numerics;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Two-dimensional convolution (cross-correlation, as everywhere in the field) of images with channels last, and its gradients.
/// </summary>
/// <remarks>
/// <para>y[oy, ox, f] = b[f] + sum over ky, kx, c of x[oy sy + ky dy - top, ox sx + kx dx - left, c] W[ky, kx, c, f], zero outside
/// the image; c runs over the channels of f's group. Images follow each other in their spans.</para>
/// <para>A row of a patch lies side by side in the image, so a convolution is a matrix product whose left side is read where it
/// lies: no array of patches is made. With padding, a thread copies one image at a time between zeros. dX is the same product
/// over dY, once for each phase of the stride, with the filters turned; dW is one with the pixels as the inner dimension.</para>
/// <para>The destination must not overlap an input. The same bits for any number of threads.</para>
/// </remarks>
public static unsafe class Convolution
{
    /// <summary>Elements of scratch that each function needs: for filters in the order of the kernels, and partial sums of dW.</summary>
    /// <param name="shape">The sizes.</param>
    /// <returns>The number of elements.</returns>
    /// <exception cref="ArgumentException">They are more than 2^31 - 1, or the shape is the default value.</exception>
    public static int ScratchLength(in ConvolutionShape shape)
    {
        RequireSizes(in shape);
        var length = ConvolutionScratch.Length(in shape);
        return length <= Array.MaxLength ? (int)length
            : throw new ArgumentException($"The filters are too large: a convolution would need {length} elements of scratch.", nameof(shape));
    }

    /// <summary>y = x * W + b.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="x">The images.</param>
    /// <param name="weights">The filters, [kh, kw, channels / groups, filters].</param>
    /// <param name="bias">One number per filter, or nothing.</param>
    /// <param name="y">The outputs, as many as images; never read.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> elements, holding anything.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">A length is wrong, or y overlaps an input, or scratch anything.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void Forward<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias, Span<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Forward(in shape, x, weights, bias, y, accumulate: false, scratch, context, SimdWidth.Widest);

    /// <summary>dx = dy * W turned, the gradient by the images; or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="dy">The gradient by the outputs.</param>
    /// <param name="weights">The filters.</param>
    /// <param name="dx">The gradient by the images; not read unless added to.</param>
    /// <param name="accumulate">Add to <paramref name="dx"/> instead of overwriting it.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> elements, holding anything.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">A length is wrong, or dx overlaps an input, or scratch anything.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void BackwardInput<T>(in ConvolutionShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> weights, Span<T> dx, bool accumulate, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => BackwardInput(in shape, dy, weights, [], dx, accumulate, scratch, context, SimdWidth.Widest);

    /// <summary>dW, the gradient by the filters, and db, that by the biases, summed over the images; or added to.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="x">The images.</param>
    /// <param name="dy">The gradient by the outputs.</param>
    /// <param name="dw">The gradient by the filters; not read unless added to.</param>
    /// <param name="db">The gradient by the biases, one per filter, or nothing.</param>
    /// <param name="accumulate">Add to <paramref name="dw"/> and <paramref name="db"/> instead of overwriting them.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> elements, holding anything.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">A length is wrong, or dw or db overlaps an input, or scratch anything.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void BackwardWeights<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw, Span<T> db, bool accumulate, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => BackwardWeights(in shape, x, dy, dw, db, accumulate, accumulate, scratch, context, SimdWidth.Widest);

    /// <summary>With <paramref name="accumulate"/> and no bias, y += x * W: a transposed convolution's gradient by its images.</summary>
    internal static void Forward<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias, Span<T> y, bool accumulate, Span<T> scratch, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var images = Check(in shape, x.Length, nameof(x), y.Length, nameof(y), weights.Length, scratch.Length, typeof(T));
        if (!bias.IsEmpty)
            SpanGuard.SameLength(shape.Filters, bias.Length, nameof(bias));
        SpanGuard.Disjoint(x, y);
        SpanGuard.Disjoint(weights, y);
        SpanGuard.Disjoint(bias, y);
        CheckScratch(in shape, scratch, x, weights, bias, y);
        if (images == 0)
            return;
        if (shape.IsPointwise)
        {
            var pixels = images * shape.Height * shape.Width;
            ReadOnlyMatrix<T> a = new(x, pixels, shape.Channels), b = new(weights, shape.Channels, shape.Filters);
            var c = new Matrix<T>(y, pixels, shape.Filters);
            var form = accumulate ? GemmForm.Accumulate : bias.IsEmpty ? GemmForm.Overwrite : GemmForm.AddRow;
            GemmDispatch.Run(a, b, bias, c, new(form), context, width);
            return;
        }

        fixed (T* px = x, pw = weights, pb = bias, py = y, ps = scratch)
        {
            var problem = new ConvolutionProblem<T>(shape, images, px, pw, pb, py, ps, accumulate);
            Dispatch(ConvolutionPass.Forward, in problem, shape.IsDepthwise ? shape.Channels : shape.GroupFilters, context, width);
        }
    }

    /// <summary>The gradient by the images, plus one number per channel: a transposed convolution's forward pass.</summary>
    internal static void BackwardInput<T>(in ConvolutionShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias, Span<T> dx, bool accumulate, Span<T> scratch, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var images = Check(in shape, dx.Length, nameof(dx), dy.Length, nameof(dy), weights.Length, scratch.Length, typeof(T));
        SpanGuard.Disjoint(dy, dx);
        SpanGuard.Disjoint(weights, dx);
        SpanGuard.Disjoint(bias, dx);
        CheckScratch(in shape, scratch, dy, weights, bias, dx);
        if (images == 0)
            return;
        if (shape.IsPointwise)
        {
            var pixels = images * shape.Height * shape.Width;
            var a = new ReadOnlyMatrix<T>(dy, pixels, shape.Filters);
            var b = new ReadOnlyMatrix<T>(weights, shape.Channels, shape.Filters).Transposed;
            var c = new Matrix<T>(dx, pixels, shape.Channels);
            var form = accumulate ? GemmForm.Accumulate : bias.IsEmpty ? GemmForm.Overwrite : GemmForm.AddRow;
            GemmDispatch.Run(a, b, bias, c, new(form), context, width);
            return;
        }

        fixed (T* px = dx, pw = weights, pb = bias, py = dy, ps = scratch)
        {
            var problem = new ConvolutionProblem<T>(shape, images, px, pw, pb, py, ps, accumulate);
            Dispatch(ConvolutionPass.BackwardInput, in problem, shape.IsDepthwise ? shape.Channels : shape.GroupChannels, context, width);
        }
    }

    /// <summary>Without <paramref name="dw"/>, db alone.</summary>
    internal static void BackwardWeights<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw, Span<T> db, bool accumulate, bool accumulateBias, Span<T> scratch, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var biasAlone = dw.IsEmpty && !db.IsEmpty;
        var images = Check(in shape, x.Length, nameof(x), dy.Length, nameof(dy), biasAlone ? shape.WeightSize : dw.Length, scratch.Length, typeof(T));
        SpanGuard.Disjoint(x, dw);
        SpanGuard.Disjoint(dy, dw);
        if (!db.IsEmpty)
            SpanGuard.SameLength(shape.Filters, db.Length, nameof(db));
        SpanGuard.Disjoint<T>(dw, db);
        SpanGuard.Disjoint(dy, db);
        SpanGuard.Disjoint(x, db);
        CheckScratch(in shape, scratch, x, dw, db, dy);
        if (images == 0)
        {
            if (!accumulate)
                dw.Clear();
            if (!accumulateBias)
                db.Clear();
            return;
        }

        if (!db.IsEmpty && (shape.IsPointwise || shape.IsDepthwise))
            Reductions.ColumnSums<T>(new(dy, dy.Length / shape.Filters, shape.Filters), new(db, accumulateBias), context);
        if (biasAlone && (shape.IsPointwise || shape.IsDepthwise))
            return;

        if (shape.IsPointwise)
        {
            var pixels = images * shape.Height * shape.Width;
            GemmDispatch.Run(new ReadOnlyMatrix<T>(x, pixels, shape.Channels).Transposed, new ReadOnlyMatrix<T>(dy, pixels, shape.Filters), default,
                new Matrix<T>(dw, shape.Channels, shape.Filters), new(accumulate ? GemmForm.Accumulate : GemmForm.Overwrite), context, width);
            return;
        }

        fixed (T* px = x, pw = dw, pb = db, py = dy, ps = scratch)
        {
            var problem = new ConvolutionProblem<T>(shape, images, px, pw, pb, py, ps, accumulate) { AddsBias = accumulateBias };
            Dispatch(ConvolutionPass.BackwardWeights, in problem, shape.IsDepthwise ? shape.Channels : shape.GroupFilters, context, width);
        }
    }

    /// <summary>Whether a convolution may be followed by a pooling before its output is stored.</summary>
    internal static bool CanPool(in ConvolutionShape shape, in PoolingShape pooling) => !shape.IsPointwise && !shape.IsDepthwise && pooling.IsTiled;

    /// <summary>Forward with pooling: only the pooled outputs and, if not empty, the winning cells are stored.</summary>
    internal static void ForwardPooled<T>(in ConvolutionShape shape, in PoolingShape pooling, bool relu, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias, Span<T> y, Span<int> cells, Span<T> scratch, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = x, pw = weights, pb = bias, py = y, ps = scratch)
        {
            fixed (int* pc = cells)
            {
                var problem = new ConvolutionProblem<T>(shape, x.Length / shape.InputSize, px, pw, pb, null, ps, Adds: false)
                {
                    Pooled = new PooledOutput(pooling, relu, (nint)py, 0, (nint)pc),
                };
                Dispatch(ConvolutionPass.Forward, in problem, shape.GroupFilters, context, SimdWidth.Widest);
            }
        }
    }

    /// <summary>All gradients through pooling; what is empty is not computed.</summary>
    internal static void BackwardPooled<T>(in ConvolutionShape shape, in PoolingShape pooling, bool relu, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> y, ReadOnlySpan<T> dy, ReadOnlySpan<int> cells,
        Span<T> dx, bool addsX, Span<T> dw, bool addsW, Span<T> db, bool addsB, Span<T> scratch, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = x, pw = weights, py = y, pdy = dy, pdx = dx, pdw = dw, pdb = db, ps = scratch)
        {
            fixed (int* pc = cells)
            {
                var pooled = new PooledOutput(pooling, relu, (nint)py, (nint)pdy, (nint)pc);
                var images = x.Length / shape.InputSize;
                if (!dx.IsEmpty)
                {
                    var problem = new ConvolutionProblem<T>(shape, images, pdx, pw, null, null, ps, addsX) { Pooled = pooled };
                    Dispatch(ConvolutionPass.BackwardInput, in problem, shape.GroupChannels, context, SimdWidth.Widest);
                }

                if (!dw.IsEmpty || !db.IsEmpty)
                {
                    var problem = new ConvolutionProblem<T>(shape, images, px, pdw, pdb, null, ps, addsW) { Pooled = pooled, AddsBias = addsB };
                    Dispatch(ConvolutionPass.BackwardWeights, in problem, shape.GroupFilters, context, SimdWidth.Widest);
                }
            }
        }
    }

    /// <summary>Registers of a width that the columns fill.</summary>
    private static void Dispatch<T>(ConvolutionPass pass, in ConvolutionProblem<T> problem, int columns, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (width == SimdWidth.Widest)
        {
            width = Vector512.IsHardwareAccelerated && columns > Vector256<T>.Count ? SimdWidth.Bits512
                : Vector256.IsHardwareAccelerated && columns > Vector128<T>.Count ? SimdWidth.Bits256 : SimdWidth.Bits128;
        }

        if (width == SimdWidth.Bits512)
            Run<SimdVector512<T>, T>(pass, in problem, context);
        else if (width == SimdWidth.Bits256)
            Run<SimdVector256<T>, T>(pass, in problem, context);
        else if (width == SimdWidth.Bits128)
            Run<SimdVector128<T>, T>(pass, in problem, context);
        else
            Run<SimdVector<T>, T>(pass, in problem, context);
    }

    private static void Run<TVector, T>(ConvolutionPass pass, in ConvolutionProblem<T> problem, ComputeContext? context)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (problem.Shape.IsDepthwise)
        {
            DepthwiseDriver<TVector, T>.Run(pass, in problem, context);
            return;
        }

        switch (pass)
        {
            case ConvolutionPass.Forward:
                ConvolutionDriver<TVector, T>.Forward(in problem, context);
                break;
            case ConvolutionPass.BackwardInput:
                ConvolutionDriver<TVector, T>.BackwardInput(in problem, context);
                break;
            default:
                ConvolutionWeightDriver<TVector, T>.Run(in problem, context);
                break;
        }
    }

    /// <summary>What is written into the scratch must not be what is read or made.</summary>
    private static void CheckScratch<T>(
        in ConvolutionShape shape, ReadOnlySpan<T> scratch, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias, ReadOnlySpan<T> y)
    {
        scratch = scratch[..ScratchLength(in shape)];
        SpanGuard.Disjoint(x, scratch);
        SpanGuard.Disjoint(weights, scratch);
        SpanGuard.Disjoint(bias, scratch);
        SpanGuard.Disjoint(y, scratch);
    }

    /// <summary>Returns the number of images.</summary>
    private static void RequireSizes(in ConvolutionShape shape)
    {
        if (shape.Groups == 0)
            throw new ArgumentException("The shape is the default value, which has no sizes.", nameof(shape));
    }

    private static int Check(in ConvolutionShape shape, int x, string nameOfX, int y, string nameOfY, int weights, int scratch, Type type)
    {
        RequireSizes(in shape);
        if (type != typeof(float) && type != typeof(double))
            throw new NotSupportedException($"float and double are supported, {type.Name} is not.");
        var (images, rest) = Math.DivRem(x, shape.InputSize);
        if (rest != 0)
            throw new ArgumentException($"Images of {shape.InputSize} elements expected; {x} elements are no multiple of that.", nameOfX);
        if (y != (long)images * shape.OutputSize)
            throw new ArgumentException($"{images} outputs of {shape.OutputSize} elements expected; got {y} elements.", nameOfY);
        if (weights != shape.WeightSize)
            throw new ArgumentException($"Filters of {shape.WeightSize} elements expected; got {weights}.", nameof(weights));
        var least = ScratchLength(in shape);
        if (scratch < least)
            throw new ArgumentException($"Scratch of at least {least} elements expected; got {scratch}.", nameof(scratch));
        return images;
    }
}

/// <summary>What is computed of a convolution.</summary>
internal enum ConvolutionPass
{
    Forward,
    BackwardInput,
    BackwardWeights,
}

/// <summary>A convolution as the drivers see it: x, W and y, or their gradients.</summary>
internal readonly unsafe record struct ConvolutionProblem<T>(ConvolutionShape Shape, int Images, nint XAddress, nint WAddress, nint BiasAddress, nint YAddress, nint ScratchAddress, bool Adds)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public ConvolutionProblem(ConvolutionShape shape, int images, T* x, T* w, T* bias, T* y, T* scratch, bool Adds)
        : this(shape, images, (nint)x, (nint)w, (nint)bias, (nint)y, (nint)scratch, Adds)
    {
    }

    /// <summary>What the output goes through before it is stored; null if it is stored as it is.</summary>
    public PooledOutput? Pooled { get; init; }

    /// <summary>Elements of thread space for the gradient by an image's output; 0 where it is stored.</summary>
    public long GradientElements => Pooled?.GradientElements ?? 0;

    /// <summary>Whether the gradient by the biases is added to.</summary>
    public bool AddsBias { get; init; }

    /// <summary>The gradient by the output of an image, made in <paramref name="space"/> where it is not stored.</summary>
    public T* OutputGradient(int image, T* space)
    {
        if (Pooled is not { } pooled)
            return Y + (nint)image * Shape.OutputSize;
        pooled.Expand(image, space);
        return space;
    }

    /// <summary>
    /// An image in which the patches of rows [first, last) of its output can be read in place: itself, or, with padding, a copy
    /// of what they need between zeros, made in <paramref name="space"/>.
    /// </summary>
    public T* Image(int index, int first, int last, T* space)
    {
        var x = X + (nint)index * Shape.InputSize;
        if (Shape.Padding.IsNone)
            return x;
        ConvolutionScratch.Pad(x, Shape.Height, Shape.Width, Shape.Channels, Shape.Padding, first * Shape.Stride.Height,
            (last - 1) * Shape.Stride.Height + (Shape.Kernel.Height - 1) * Shape.Dilation.Height + 1, space);
        return space;
    }

    /// <summary>The gradient by the output of an image, between the zeros that all phases of dX need.</summary>
    public T* PaddedGradient(int index, in GradientPadding around, T* padded, T* space)
    {
        var dy = OutputGradient(index, space);
        if (around.Padding.IsNone)
            return dy;
        ConvolutionScratch.Pad(dy, Shape.OutputHeight, Shape.OutputWidth, Shape.Filters, around.Padding, 0, (int)around.Height, padded);
        return padded;
    }

    public T* X => (T*)XAddress;

    public T* W => (T*)WAddress;

    public T* Bias => (T*)BiasAddress;

    public T* Y => (T*)YAddress;

    public T* Scratch => (T*)ScratchAddress;
}
