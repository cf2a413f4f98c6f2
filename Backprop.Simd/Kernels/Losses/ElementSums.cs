using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The body of <see cref="ElementLossKernels.Sums"/>.</summary>
internal readonly ref struct ElementSums<T, TLoss>(TLoss loss, ReadOnlySpan<T> y, ReadOnlySpan<T> t, int size, Span<double> sums) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
    where TLoss : struct, IElementLoss
{
    private const int Block = ElementLossKernels.Block;

    /// <summary>Below this many terms a plain loop is done sooner than the call of a kernel.</summary>
    private const int FewTerms = 8;

    /// <summary>Nanoseconds per element: between that of a difference and that of an exp, in double.</summary>
    private const double Cost = 1;

    private readonly ReadOnlySpan<T> _y = y, _t = t;
    private readonly Span<double> _sums = sums;

    public void Run(ComputeContext context) => context.For(_sums.Length, Math.Max(4, Block / size), Cost * _y.Length, in this);

    public void Execute(int start, int limit)
    {
        Span<double> values = stackalloc double[Block], first = stackalloc double[Block], second = stackalloc double[Block];
        var group = Math.Max(1, Block / size);
        for (var row = start; row < limit; row += group)
        {
            var from = row * size;
            var length = Math.Min(Math.Min(group, limit - row) * size, _y.Length - from);
            if (size > Block)
            {
                var total = default(PairwiseSum);
                for (var done = 0; done < length; done += Block)
                    total.Add(Sum(Values(from + done, Math.Min(Block, length - done), values, first, second)));
                _sums[row] = total.Total;
                continue;
            }

            var terms = Values(from, length, values, first, second);
            for (var r = row; !terms.IsEmpty; r++)
            {
                var count = Math.Min(size, terms.Length);
                _sums[r] = Sum(terms[..count]);
                terms = terms[count..];
            }
        }
    }

    private static double Sum(ReadOnlySpan<double> terms)
    {
        if (terms.Length >= FewTerms)
            return Reductions.Sum(terms);
        var sum = terms[0];
        for (var i = 1; i < terms.Length; i++)
            sum += terms[i];
        return sum;
    }

    private ReadOnlySpan<double> Values(int start, int length, Span<double> values, Span<double> first, Span<double> second)
    {
        var y = Wide(_y.Slice(start, length), first);
        var t = Wide(_t.Slice(start, length), second);
        Map.Binary(new ElementValue<TLoss>(loss), y, t, values[..length], 0, null);
        return values[..length];
    }

    /// <summary>The numbers as doubles: themselves, or copied to the buffer.</summary>
    private static ReadOnlySpan<double> Wide(ReadOnlySpan<T> x, Span<double> buffer)
    {
        if (typeof(T) == typeof(double))
            return MemoryMarshal.Cast<T, double>(x);
        SpanGuard.Supported<T>();
        var floats = MemoryMarshal.Cast<T, float>(x);
        var i = 0;
        for (; i <= floats.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(floats[i..]), out var low, out var high);
            low.CopyTo(buffer[i..]);
            high.CopyTo(buffer[(i + Vector<double>.Count)..]);
        }

        for (; i < floats.Length; i++)
            buffer[i] = floats[i];
        return buffer[..floats.Length];
    }
}

/// <summary>l(y, t), in double.</summary>
internal readonly struct ElementValue<TLoss>(TLoss loss) : IBinaryOperator<double>
    where TLoss : struct, IElementLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, double> => loss.Value(x, y);
}
