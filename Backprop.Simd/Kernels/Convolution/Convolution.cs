using System.Numerics;
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
/// <para>A <see cref="Destination{T}"/> is overwritten or added to; a function whose destinations are all the default value returns at
/// once. A destination must not overlap an input. The same bits for any number of threads.</para>
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
    /// <param name="bias">One number per filter, or nothing; nothing where <paramref name="y"/> is added to.</param>
    /// <param name="y">The outputs, as many as images; not read unless added to.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> elements, holding anything.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">A length is wrong, or y overlaps an input, or scratch anything; there is a bias, and y is added to.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void Forward<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias,
        Destination<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Forward(in shape, x, weights, bias, y, scratch, context, SimdWidth.Widest);

    /// <summary>dx = dy * W turned, the gradient by the images; or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="dy">The gradient by the outputs.</param>
    /// <param name="weights">The filters.</param>
    /// <param name="dx">The gradient by the images; not read unless added to.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> elements, holding anything.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">A length is wrong, or dx overlaps an input, or scratch anything.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void BackwardInput<T>(in ConvolutionShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> weights,
        Destination<T> dx, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => BackwardInput(in shape, dy, weights, [], dx, scratch, context, SimdWidth.Widest);

    /// <summary>dW, the gradient by the filters, and db, the gradient by the biases, summed over the images.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="shape">The sizes.</param>
    /// <param name="x">The images.</param>
    /// <param name="dy">The gradient by the outputs.</param>
    /// <param name="dw">The gradient by the filters; not read unless added to.</param>
    /// <param name="db">The gradient by the biases, one per filter; not read unless added to.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> elements, holding anything.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">A length is wrong, or dw or db overlaps an input, or scratch anything.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void BackwardWeights<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> dy,
        Destination<T> dw, Destination<T> db, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => BackwardWeights(in shape, x, dy, dw, db, scratch, context, SimdWidth.Widest);

    internal static void Forward<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias,
        Destination<T> y, Span<T> scratch, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        var images = Check(in shape, x.Length, nameof(x), y.Span.Length, nameof(y), weights.Length, scratch.Length, typeof(T));
        if (!bias.IsEmpty)
            SpanGuard.SameLength(shape.Filters, bias.Length, nameof(bias));
        RequireNoBias(bias.Length, y.Adds);
        SpanGuard.Disjoint(x, y.Span, nameof(y));
        SpanGuard.Disjoint(weights, y.Span, nameof(y));
        SpanGuard.Disjoint(bias, y.Span, nameof(y));
        CheckScratch(in shape, scratch, x, weights, bias, y.Span);
        if (images == 0)
            return;
        if (shape.IsPointwise)
        {
            var filters = new ReadOnlyMatrix<T>(weights, shape.Channels, shape.Filters);
            Pointwise(x, filters, bias, y, context, width);
            return;
        }

        fixed (T* px = x, pw = weights, pb = bias, py = y.Span, ps = scratch)
        {
            var problem = new ConvolutionProblem<T>(shape, images, px, pw, pb, py, ps, y.Adds);
            Dispatch(ConvolutionPass.Forward, in problem, shape.IsDepthwise ? shape.Channels : shape.GroupFilters, context, width);
        }
    }

    /// <summary>The gradient by the images, plus one number per channel: a transposed convolution's forward pass.</summary>
    internal static void BackwardInput<T>(in ConvolutionShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias,
        Destination<T> dx, Span<T> scratch, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var images = Check(in shape, dx.Span.Length, nameof(dx), dy.Length, nameof(dy), weights.Length, scratch.Length, typeof(T));
        RequireNoBias(bias.Length, dx.Adds);
        SpanGuard.Disjoint(dy, dx.Span, nameof(dx));
        SpanGuard.Disjoint(weights, dx.Span, nameof(dx));
        SpanGuard.Disjoint(bias, dx.Span, nameof(dx));
        CheckScratch(in shape, scratch, dy, weights, bias, dx.Span);
        if (images == 0)
            return;
        if (shape.IsPointwise)
        {
            var filters = new ReadOnlyMatrix<T>(weights, shape.Channels, shape.Filters);
            Pointwise(dy, filters.Transposed, bias, dx, context, width);
            return;
        }

        fixed (T* px = dx.Span, pw = weights, pb = bias, py = dy, ps = scratch)
        {
            var problem = new ConvolutionProblem<T>(shape, images, px, pw, pb, py, ps, dx.Adds);
            Dispatch(ConvolutionPass.BackwardInput, in problem, shape.IsDepthwise ? shape.Channels : shape.GroupChannels, context, width);
        }
    }

    internal static void BackwardWeights<T>(in ConvolutionShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> dy,
        Destination<T> dw, Destination<T> db, Span<T> scratch, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dw.IsWanted && !db.IsWanted)
            return;
        var weights = dw.IsWanted ? dw.Span.Length : shape.WeightSize;
        var images = Check(in shape, x.Length, nameof(x), dy.Length, nameof(dy), weights, scratch.Length, typeof(T));
        SpanGuard.Disjoint(x, dw.Span, nameof(dw));
        SpanGuard.Disjoint(dy, dw.Span, nameof(dw));
        if (db.IsWanted)
            SpanGuard.SameLength(shape.Filters, db.Span.Length, nameof(db));
        SpanGuard.Disjoint<T>(dw.Span, db.Span, nameof(db));
        SpanGuard.Disjoint(dy, db.Span, nameof(db));
        SpanGuard.Disjoint(x, db.Span, nameof(db));
        CheckScratch(in shape, scratch, x, dw.Span, db.Span, dy);
        if (images == 0)
        {
            if (!dw.Adds)
                dw.Span.Clear();
            if (!db.Adds)
                db.Span.Clear();
            return;
        }

        if (shape.IsPointwise || shape.IsDepthwise)
        {
            Reductions.ColumnSums(new(dy, dy.Length / shape.Filters, shape.Filters), db, context);
            if (!dw.IsWanted)
                return;
        }

        if (shape.IsPointwise)
        {
            var pixels = images * shape.Height * shape.Width;
            ReadOnlyMatrix<T> a = new ReadOnlyMatrix<T>(x, pixels, shape.Channels).Transposed, b = new(dy, pixels, shape.Filters);
            var c = new Matrix<T>(dw.Span, shape.Channels, shape.Filters);
            GemmDispatch.Run(a, b, default, c, new(dw.Adds ? GemmForm.Accumulate : GemmForm.Overwrite), context, width);
            return;
        }

        fixed (T* px = x, pw = dw.Span, pb = db.Span, py = dy, ps = scratch)
        {
            var problem = new ConvolutionProblem<T>(shape, images, px, pw, pb, py, ps, dw.Adds) { AddsBias = db.Adds };
            Dispatch(ConvolutionPass.BackwardWeights, in problem, shape.IsDepthwise ? shape.Channels : shape.GroupFilters, context, width);
        }
    }

    /// <summary>Filters of one cell: a product for all pixels.</summary>
    private static void Pointwise<T>(ReadOnlySpan<T> images, ReadOnlyMatrix<T> filters, ReadOnlySpan<T> bias, Destination<T> outputs,
        ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var pixels = images.Length / filters.Rows;
        var form = outputs.Adds ? GemmForm.Accumulate : bias.IsEmpty ? GemmForm.Overwrite : GemmForm.AddRow;
        var c = new Matrix<T>(outputs.Span, pixels, filters.Columns);
        GemmDispatch.Run(new ReadOnlyMatrix<T>(images, pixels, filters.Rows), filters, bias, c, new(form), context, width);
    }

    /// <summary>Whether a convolution may be followed by a pooling before its output is stored.</summary>
    internal static bool CanPool(in ConvolutionShape shape, in PoolingShape pooling) => !shape.IsPointwise && !shape.IsDepthwise && pooling.IsTiled;

    /// <summary>Forward with pooling: only the pooled outputs and, if not empty, the winning cells are stored.</summary>
    internal static void ForwardPooled<T>(in PooledConvolution layers, ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias,
        Span<T> y, Span<int> cells, Span<T> scratch, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = x, pw = weights, pb = bias, py = y, ps = scratch)
        {
            fixed (int* pc = cells)
            {
                var shape = layers.Shape;
                var problem = new ConvolutionProblem<T>(shape, x.Length / shape.InputSize, px, pw, pb, null, ps, Adds: false)
                {
                    Pooled = new PooledOutput(layers.Pooling, layers.HasRelu, (nint)py, 0, (nint)pc),
                };
                Dispatch(ConvolutionPass.Forward, in problem, shape.GroupFilters, context, SimdWidth.Widest);
            }
        }
    }

    /// <summary>All gradients through pooling that are wanted.</summary>
    internal static void BackwardPooled<T>(in PooledConvolution layers, in PooledPass<T> pass, Destination<T> dx, Destination<T> dw, Destination<T> db,
        Span<T> scratch, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = pass.X, pw = pass.Weights, py = pass.Y, pdy = pass.Dy, pdx = dx.Span, pdw = dw.Span, pdb = db.Span, ps = scratch)
        {
            fixed (int* pc = pass.Cells)
            {
                var shape = layers.Shape;
                var pooled = new PooledOutput(layers.Pooling, layers.HasRelu, (nint)py, (nint)pdy, (nint)pc);
                var images = pass.X.Length / shape.InputSize;
                if (dx.IsWanted)
                {
                    var problem = new ConvolutionProblem<T>(shape, images, pdx, pw, null, null, ps, dx.Adds) { Pooled = pooled };
                    Dispatch(ConvolutionPass.BackwardInput, in problem, shape.GroupChannels, context, SimdWidth.Widest);
                }

                if (dw.IsWanted || db.IsWanted)
                {
                    var problem = new ConvolutionProblem<T>(shape, images, px, pdw, pdb, null, ps, dw.Adds) { Pooled = pooled, AddsBias = db.Adds };
                    Dispatch(ConvolutionPass.BackwardWeights, in problem, shape.GroupFilters, context, SimdWidth.Widest);
                }
            }
        }
    }

    private static void Dispatch<T>(ConvolutionPass pass, in ConvolutionProblem<T> problem, int columns, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.Run<T, Body<T>>(new(pass, in problem, context), RegisterWidth.OfPanel<T>(columns, width));

    /// <summary>One pass at one register width.</summary>
    private readonly ref struct Body<T>(ConvolutionPass pass, ref readonly ConvolutionProblem<T> problem, ComputeContext? context) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ref readonly ConvolutionProblem<T> _problem = ref problem;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            if (_problem.Shape.IsDepthwise)
                DepthwiseDriver<TVector, T>.Run(pass, in _problem, context);
            else if (pass == ConvolutionPass.Forward)
                ConvolutionDriver<TVector, T>.Forward(in _problem, context);
            else if (pass == ConvolutionPass.BackwardInput)
                ConvolutionDriver<TVector, T>.BackwardInput(in _problem, context);
            else
                ConvolutionWeightDriver<TVector, T>.Run(in _problem, context);
        }
    }

    /// <summary>A destination that is added to takes no bias.</summary>
    private static void RequireNoBias(int bias, bool adds)
    {
        if (adds && bias > 0)
            throw new ArgumentException("A destination that is added to takes no bias.", nameof(bias));
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

    private static void RequireSizes(in ConvolutionShape shape)
    {
        if (shape.Groups == 0)
            throw new ArgumentException("The shape is the default value, which has no sizes.", nameof(shape));
    }

    /// <summary>Returns the number of images.</summary>
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
