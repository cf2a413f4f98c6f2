using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>A convolution and the max-pooling behind it, with a ReLU between them or not.</summary>
/// <param name="Shape">The sizes of the convolution.</param>
/// <param name="Pooling">The sizes of the pooling.</param>
/// <param name="HasRelu">Whether there is a ReLU between.</param>
internal readonly record struct PooledConvolution(ConvolutionShape Shape, PoolingShape Pooling, bool HasRelu);

/// <summary>What backward through pooling reads.</summary>
internal readonly ref struct PooledPass<T>
    where T : unmanaged
{
    /// <summary>The images.</summary>
    public required ReadOnlySpan<T> X { get; init; }

    /// <summary>The filters.</summary>
    public required ReadOnlySpan<T> Weights { get; init; }

    /// <summary>The pooled outputs.</summary>
    public required ReadOnlySpan<T> Y { get; init; }

    /// <summary>The gradient by the pooled outputs.</summary>
    public required ReadOnlySpan<T> Dy { get; init; }

    /// <summary>The winning cells that forward kept.</summary>
    public required ReadOnlySpan<int> Cells { get; init; }
}

/// <summary>
/// What happens to a convolution's output before it is stored: max-pooling with windows side by side, and ReLU if so. Nothing but
/// the pooled output and the winning cells is ever stored; the gradient by the convolution's output is made one image at a time.
/// </summary>
/// <remarks>
/// max(relu(x)) = relu(max(x)), and where that is positive (or NaN) both have the same winner; elsewhere the gradient is zero. So
/// values and gradients have the bits of the three layers one after the other.
/// </remarks>
/// <param name="Shape">The sizes of the pooling.</param>
/// <param name="HasRelu">Whether there is a ReLU between convolution and pooling.</param>
/// <param name="Value">The pooled outputs.</param>
/// <param name="Gradient">The gradient by the pooled outputs; 0 in forward.</param>
/// <param name="Cells">The winning cells; 0 where they are not kept.</param>
internal readonly unsafe record struct PooledOutput(PoolingShape Shape, bool HasRelu, nint Value, nint Gradient, nint Cells)
{
    /// <summary>Elements that a thread needs to make the gradient by the convolution's output of an image.</summary>
    public long GradientElements => (long)Shape.InputSize + Shape.OutputSize;

    /// <summary>Pools rows [first, limit) of an image; <paramref name="image"/> is where row 0 of its convolution's output would lie.</summary>
    public void Pool<T>(T* image, int index, int first, int limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var body = new ForwardBody<T>(this, image, index, first, limit);
        new SimdRange<T, ForwardBody<T>>(body, RegisterWidth.OfColumns<T>(Shape.Channels)).Execute(0, 1);
    }

    /// <summary>The gradient by the convolution's output of an image.</summary>
    public void Expand<T>(int index, T* destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var body = new BackwardBody<T>(this, index, destination);
        new SimdRange<T, BackwardBody<T>>(body, RegisterWidth.OfColumns<T>(Shape.Channels)).Execute(0, 1);
    }

    private readonly struct ForwardBody<T>(PooledOutput output, T* image, int index, int first, int limit) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int end) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var shape = output.Shape;
            nint row = (nint)shape.Columns.Outputs * shape.Channels, at = (nint)index * shape.OutputSize + first * row;
            T* y = (T*)output.Value + at;
            var cells = output.Cells == 0 ? null : (int*)output.Cells + at;
            for (var oy = first; oy < limit; oy++)
            {
                if (shape.Channels < TVector.Count)
                    NarrowPooling<T>.MaxRow(in shape, image, oy, y, cells);
                else if (shape is { Rows.Kernel: 2, Columns.Kernel: 2 })
                    MaxPoolingLoops<TVector, T>.PairsRow(in shape, image, oy, y, cells);
                else
                    MaxPoolingLoops<TVector, T>.Row(in shape, image, oy, y, cells);
                if (output.HasRelu)
                    PooledReluLoops<TVector, T>.Forward(y, row);
                y += row;
                cells = cells is null ? null : cells + row;
            }
        }
    }

    private readonly struct BackwardBody<T>(PooledOutput output, int index, T* destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int end) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var shape = output.Shape;
            var at = (nint)index * shape.OutputSize;
            var dy = (T*)output.Gradient + at;
            if (output.HasRelu)
            {
                var masked = destination + shape.InputSize;
                PooledReluLoops<TVector, T>.Backward((T*)output.Value + at, dy, masked, shape.OutputSize);
                dy = masked;
            }

            var cells = (int*)output.Cells + at;
            if (shape.Channels >= TVector.Count)
            {
                MaxPoolingLoops<TVector, T>.TiledImage(in shape, dy, cells, destination);
                return;
            }

            new Span<T>(destination, shape.InputSize).Clear();
            NarrowPooling<T>.MaxGradient(in shape, dy, cells, destination);
        }
    }
}

/// <summary>ReLU over a few registers.</summary>
internal static unsafe class PooledReluLoops<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>y = max(y, 0), NaN where y is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(T* y, nint count)
    {
        nint i = 0;
        for (; i <= count - TVector.Count; i += TVector.Count)
        {
            var value = TVector.Load(y + i);
            TVector.Store(y + i, TVector.AndNot(value, value <= TVector.Zero));
        }

        for (; i < count; i++)
            y[i] = y[i] <= T.Zero ? T.Zero : y[i];
    }

    /// <summary>destination = dy where y is positive or NaN, 0 elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(T* y, T* dy, T* destination, nint count)
    {
        nint i = 0;
        for (; i <= count - TVector.Count; i += TVector.Count)
            TVector.Store(destination + i, TVector.AndNot(TVector.Load(dy + i), TVector.Load(y + i) <= TVector.Zero));
        for (; i < count; i++)
            destination[i] = y[i] <= T.Zero ? T.Zero : dy[i];
    }
}
