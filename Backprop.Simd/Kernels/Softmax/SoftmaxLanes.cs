using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Softmax of rows of few classes: a row to a lane, a class to a register, so that no lane is idle and nothing is summed across
/// lanes. A group of rows is transposed into a tile [classes, lanes] and back. Every lane is computed alike at every register
/// width: a row's bits do not depend on the rows beside it.
/// </summary>
internal static unsafe class SoftmaxLanes
{
    /// <summary>The most classes of a tile: from here on, a row by itself fills its registers well enough.</summary>
    public const int MostClasses = 128;

    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>The labels of a group as numbers, -1 for ignored rows and for lanes past the rows.</summary>
    [MethodImpl(Loop)]
    public static void Labels<TVector, T>(int* labels, nint rows, int ignoreIndex, T* lanes)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint lane = 0;
        for (; lane < rows; lane++)
        {
            var label = labels[lane];
            label = label == ignoreIndex ? -1 : label;
            lanes[lane] = T.CreateTruncating(label);
        }

        for (; lane < TVector.Count; lane++)
            lanes[lane] = T.NegativeOne;
    }

    /// <summary>tile[c, lane] = x[lane, c]; lanes past the rows are 0.</summary>
    [MethodImpl(Loop)]
    public static void Gather<TVector, T>(T* x, nint stride, int rows, int classes, T* tile)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (rows < TVector.Count)
            new Span<T>(tile, classes * TVector.Count).Clear();
        Transposition.Run(x, stride, rows, classes, tile, TVector.Count);
    }

    /// <summary>x[lane, c] = tile[c, lane] for the lanes of rows.</summary>
    [MethodImpl(Loop)]
    public static void Scatter<TVector, T>(T* tile, int rows, int classes, T* x, nint stride)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Transposition.Run(tile, TVector.Count, classes, rows, x, stride);

    /// <summary>Turns a tile of logits into probabilities; returns what the log-sum-exp of a lane consists of.</summary>
    [MethodImpl(Loop)]
    public static void Softmax<TVector, T>(T* tile, nint classes, T* maximum, T* logSum)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var end = tile + classes * TVector.Count;
        TVector largest = TVector.Load(tile), spoiled = TVector.IsNaN(largest);
        for (var x = tile + TVector.Count; x < end; x += TVector.Count)
        {
            var value = TVector.Load(x);
            largest = TVector.Max(largest, value);
            spoiled |= TVector.IsNaN(value);
        }

        var sum = TVector.Zero;
        for (var x = tile; x < end; x += TVector.Count)
        {
            var e = TVector.Load(x);
            e = VectorMath.ExpBounded(e - largest);
            TVector.Store(x, e);
            sum += e;
        }

        for (var x = tile; x < end; x += TVector.Count)
            TVector.Store(x, TVector.Load(x) / sum);

        // Beside an infinite maximum the logarithm is 0; NaN wins over both.
        var infinite = TVector.Equal(TVector.Abs(largest), TVector.Create(T.PositiveInfinity));
        TVector.Store(maximum, TVector.Select(spoiled, TVector.Create(T.NaN), largest));
        TVector.Store(logSum, TVector.AndNot(VectorMath.Log(sum), infinite));
    }

    /// <summary>Turns a tile of logits into logarithms of probabilities.</summary>
    [MethodImpl(Loop)]
    public static void LogSoftmax<TVector, T>(T* tile, nint classes)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var end = tile + classes * TVector.Count;
        var largest = TVector.Load(tile);
        for (var x = tile + TVector.Count; x < end; x += TVector.Count)
            largest = TVector.Max(largest, TVector.Load(x));

        // A NaN that the maximum forgets spoils the sum.
        var sum = TVector.Zero;
        for (var x = tile; x < end; x += TVector.Count)
        {
            var e = TVector.Load(x);
            sum += VectorMath.ExpBounded(e - largest);
        }

        var logSum = VectorMath.Log(sum);
        for (var x = tile; x < end; x += TVector.Count)
            TVector.Store(x, TVector.Load(x) - largest - logSum);
    }

    /// <summary>
    /// losses = (maximum - x_label) + ln sum; with <paramref name="hasGradient"/> the tile becomes scale (p - onehot). Lanes
    /// whose label is below 0 are ignored: both are 0, whatever they hold.
    /// </summary>
    [MethodImpl(Loop)]
    public static void CrossEntropy<TVector, T>(T* tile, nint classes, T* labels, T scale, bool hasGradient, T* losses)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var end = tile + classes * TVector.Count;
        var label = TVector.Load(labels);
        TVector largest = TVector.Load(tile), atLabel = largest, index = TVector.One;
        for (var x = tile + TVector.Count; x < end; x += TVector.Count)
        {
            var value = TVector.Load(x);
            largest = TVector.Max(largest, value);
            atLabel = TVector.Select(TVector.Equal(index, label), value, atLabel);
            index += TVector.One;
        }

        var sum = TVector.Zero;
        for (var x = tile; x < end; x += TVector.Count)
        {
            var e = TVector.Load(x);
            e = VectorMath.ExpBounded(e - largest);
            TVector.Store(x, e);
            sum += e;
        }

        var ignored = label < TVector.Zero;
        var loss = VectorMath.Log(sum);
        loss += largest - atLabel;
        TVector.Store(losses, TVector.AndNot(loss, ignored));
        if (!hasGradient)
            return;
        var one = TVector.Create(scale);
        var factor = one / sum;
        index = TVector.Zero;
        for (var x = tile; x < end; x += TVector.Count)
        {
            var gradient = TVector.Load(x) * factor;
            gradient -= TVector.Equal(index, label) & one;
            TVector.Store(x, TVector.AndNot(gradient, ignored));
            index += TVector.One;
        }
    }
}
