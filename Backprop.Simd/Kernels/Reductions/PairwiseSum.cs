using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>A sum in double whose terms meet pairwise, as in a binary counter: its order depends on their number alone.</summary>
internal unsafe struct PairwiseSum
{
    private fixed double _waiting[32];
    private int _count, _terms;

    /// <summary>Begins at 0. What waits needs no clearing: a sum may be made without it, by <c>Unsafe.SkipInit</c>.</summary>
    public void Clear() => (_count, _terms) = (0, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(double term)
    {
        for (var bits = _terms++; (bits & 1) != 0; bits >>= 1)
            term = _waiting[--_count] + term;
        _waiting[_count++] = term;
    }

    /// <summary>The sum of all terms; 0 without terms.</summary>
    public readonly double Total
    {
        get
        {
            if (_count == 0)
                return 0;
            var total = _waiting[_count - 1];
            for (var i = _count - 2; i >= 0; i--)
                total = _waiting[i] + total;
            return total;
        }
    }
}
