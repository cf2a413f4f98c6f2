using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The loops under <see cref="Reductions"/>.</summary>
internal static unsafe class ReductionLoops
{
    /// <summary>Elements per block: bounds the chain of additions in T to 512 / (4 vectors).</summary>
    private const int BlockSize = 512;

    /// <summary>Adds a term of a sum to an accumulator.</summary>
    internal interface ITerm<T> where T : unmanaged
    {
        Vector<T> Add(T* x, T* y, Vector<T> sum);
    }

    /// <summary>A function before a maximum.</summary>
    internal interface IProjection<T> where T : unmanaged
    {
        Vector<T> Invoke(Vector<T> x);
    }

    /// <summary>The sum of the terms over two spans of one length. Blocks meet pairwise, as in a binary counter.</summary>
    public static double Pairwise<T, TTerm>(TTerm term, ReadOnlySpan<T> x, ReadOnlySpan<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        if (x.IsEmpty)
            return 0;
        var pending = stackalloc double[32];
        var depth = 0;
        fixed (T* px = x, py = y)
        {
            var block = 0;
            for (nint start = 0; start < x.Length; start += BlockSize, block++)
            {
                var sum = Block(term, px + start, py + start, nint.Min(BlockSize, x.Length - start));
                for (var bits = block; (bits & 1) != 0; bits >>= 1)
                    sum = pending[--depth] + sum;
                pending[depth++] = sum;
            }
        }

        var total = pending[--depth];
        while (depth > 0)
            total = pending[--depth] + total;
        return total;
    }

    private static double Block<T, TTerm>(TTerm term, T* x, T* y, nint n)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        var whole = n - n % Vector<T>.Count;
        var sum = Vectors(term, x, y, whole);
        if (whole < n)
            sum = Tail(term, x + whole, y + whole, n - whole, sum);
        return double.CreateTruncating(Vector.Sum(sum));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector<T> Vectors<T, TTerm>(TTerm term, T* x, T* y, nint n)
        where T : unmanaged
        where TTerm : struct, ITerm<T>
    {
        Vector<T> a = default, b = default, c = default, d = default;
        nint count = Vector<T>.Count;
        for (; n >= 4 * count; n -= 4 * count, x += 4 * count, y += 4 * count)
        {
            a = term.Add(x, y, a);
            b = term.Add(x + count, y + count, b);
            c = term.Add(x + 2 * count, y + 2 * count, c);
            d = term.Add(x + 3 * count, y + 3 * count, d);
        }

        for (; n > 0; n -= count, x += count, y += count)
            a = term.Add(x, y, a);
        return (a + b) + (c + d);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector<T> Tail<T, TTerm>(TTerm term, T* x, T* y, nint n, Vector<T> sum)
        where T : unmanaged
        where TTerm : struct, ITerm<T>
    {
        Vector<T> px = MapLoops.LoadPadded(x, n), py = MapLoops.LoadPadded(y, n);
        return term.Add((T*)&px, (T*)&py, sum);
    }

    /// <summary>The largest of the projected elements and a floor below them all; NaN if any is NaN.</summary>
    public static T Max<T, TProjection>(TProjection projection, ReadOnlySpan<T> x, T floor)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        fixed (T* px = x)
            return Max(projection, px, x.Length, floor);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Max<T, TProjection>(TProjection projection, T* x, nint n, T floor)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        nint count = Vector<T>.Count;
        if (n < count)
            return ShortMax(projection, x, n, floor);
        var largest = Vector.Create(floor);
        var last = x + (n - count);
        for (; x < last; x += count)
            largest = Larger(largest, projection.Invoke(Vector.Load(x)));
        return Largest(Larger(largest, projection.Invoke(Vector.Load(last))));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static T ShortMax<T, TProjection>(TProjection projection, T* x, nint n, T floor)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        var padded = Vector.Create(floor);
        Unsafe.CopyBlockUnaligned(&padded, x, (uint)(n * sizeof(T)));
        return Largest(projection.Invoke(padded));
    }

    /// <summary>The larger lane, NaN if either is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Larger<T>(Vector<T> largest, Vector<T> x) where T : unmanaged =>
        // Once an accumulator is NaN, no comparison replaces it, except another NaN.
        Vector.ConditionalSelect(Vector.GreaterThan(x, largest) | ~Vector.Equals(x, x), x, largest);

    /// <summary>The largest lane, NaN if any is.</summary>
    public static T Largest<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var lanes = (T*)&x;
        var largest = lanes[0];
        for (var i = 1; i < Vector<T>.Count; i++)
        {
            if (lanes[i] > largest || T.IsNaN(lanes[i]))
                largest = lanes[i];
        }

        return largest;
    }

    internal readonly struct SumTerm<T> : ITerm<T> where T : unmanaged
    {
        public Vector<T> Add(T* x, T* y, Vector<T> sum) => sum + Vector.Load(x);
    }

    internal readonly struct DotTerm<T> : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Vector<T> Add(T* x, T* y, Vector<T> sum) => VectorSimd<T>.MultiplyAdd(Vector.Load(x), Vector.Load(y), sum);
    }

    internal readonly struct ScaledSquareTerm<T>(Vector<T> scale) : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Vector<T> Add(T* x, T* y, Vector<T> sum)
        {
            var scaled = Vector.Load(x) * scale;
            return VectorSimd<T>.MultiplyAdd(scaled, scaled, sum);
        }
    }

    internal readonly struct FiniteTerm<T> : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Vector<T> Add(T* x, T* y, Vector<T> sum) => VectorSimd<T>.MultiplyAdd(Vector.Load(x), Vector<T>.Zero, sum);
    }

    internal readonly struct Identity<T> : IProjection<T> where T : unmanaged
    {
        public Vector<T> Invoke(Vector<T> x) => x;
    }

    internal readonly struct Magnitude<T> : IProjection<T> where T : unmanaged
    {
        public Vector<T> Invoke(Vector<T> x) => Vector.Abs(x);
    }
}
