using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>w = keep w + rate g.</summary>
internal readonly struct ShrinkingGradientUpdate<T>(T rate, T keep) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T> =>
        parameter = TVector.MultiplyAdd(TVector.Create(keep), parameter, TVector.Create(rate) * gradient);
}

/// <summary>m = beta m + weight g; w = keep w + m, where the weight holds the rate.</summary>
internal readonly struct SmoothedUpdate<T>(T beta, T weight, T keep, T rounder) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var round = TVector.Create(rounder);
        first = TVector.MultiplyAdd(TVector.Create(beta), first, TVector.MultiplyAdd(TVector.Create(weight), gradient, round)) - round;
        parameter = TVector.MultiplyAdd(TVector.Create(keep), parameter, first);
    }
}

/// <summary>v = beta v + weight (g^2 + epsilon); the parameter, which is scratch, becomes g / sqrt(v).</summary>
internal readonly struct RootScaling<T>(T beta, T weight, T epsilon) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var square = TVector.MultiplyAdd(gradient, gradient, TVector.Create(epsilon));
        first = TVector.MultiplyAdd(TVector.Create(beta), first, TVector.Create(weight) * square);
        parameter = gradient / TVector.Sqrt(first);
    }
}

/// <summary>m = beta m + weight g; the parameter, which is scratch, becomes ahead m + share g.</summary>
internal readonly struct MomentumLook<T>(T beta, T weight, T ahead, T share, T rounder) : IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var round = TVector.Create(rounder);
        first = TVector.MultiplyAdd(TVector.Create(beta), first, TVector.MultiplyAdd(TVector.Create(weight), gradient, round)) - round;
        parameter = TVector.MultiplyAdd(TVector.Create(ahead), first, TVector.Create(share) * gradient);
    }
}

/// <summary>Row by row: the mean of squares of a matrix, or the matrix times factors of its rows and columns.</summary>
/// <param name="matrix">The matrix.</param>
/// <param name="columns">Its columns.</param>
/// <param name="rows">The means, one for each row; or the factors of rows.</param>
/// <param name="factors">The factors of columns; empty for means.</param>
/// <param name="scaled">Where the scaled matrix goes; empty for means.</param>
internal readonly ref struct FactoredRows<T>(ReadOnlySpan<T> matrix, int columns, Span<double> rows, ReadOnlySpan<T> factors, Span<T> scaled) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per element on one thread, out of cache.</summary>
    private const double Cost = 0.2;

    private readonly ReadOnlySpan<T> _matrix = matrix, _factors = factors;
    private readonly Span<double> _rows = rows;
    private readonly Span<T> _scaled = scaled;

    public static void Means(ReadOnlySpan<T> matrix, int columns, Span<double> means, ComputeContext? context) =>
        new FactoredRows<T>(matrix, columns, means, [], []).Run(context);

    public static void Scale(
        ReadOnlySpan<T> matrix, int columns, Span<double> rowFactors, ReadOnlySpan<T> columnFactors, Span<T> scaled, ComputeContext? context) =>
        new FactoredRows<T>(matrix, columns, rowFactors, columnFactors, scaled).Run(context);

    public void Execute(int start, int limit)
    {
        for (var i = start; i < limit; i++)
        {
            var row = _matrix.Slice(i * columns, columns);
            if (_scaled.IsEmpty)
            {
                _rows[i] = ReductionLoops.Pairwise(default(ReductionLoops.SquareTerm<T>), row, row) / columns;
                continue;
            }

            var result = _scaled.Slice(i * columns, columns);
            Elementwise.Multiply(row, _factors, result);
            Elementwise.Scale(result, T.CreateTruncating(_rows[i]), result);
        }
    }

    private void Run(ComputeContext? context)
    {
        if (context is null)
            Execute(0, _rows.Length);
        else
            context.For(_rows.Length, 1, _matrix.Length * Cost, in this);
    }
}
