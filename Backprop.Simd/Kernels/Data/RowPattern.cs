using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The numbers of y = (x - offset) factor, or of its inverse y = x / factor + offset, in one element type: one for each feature, and
/// repeated, so that even few features fill registers. Immutable.</summary>
/// <remarks>The rounding error of an offset is added back, so that an offset much larger than the deviations costs no precision: x - offset is
/// exact near the offset.</remarks>
internal sealed class RowPattern<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The fewest elements of a pattern: spreads the cost of a call over them.</summary>
    private const int Least = 64;

    private readonly T[] _offsets, _factors, _shifts;
    private readonly bool _restores;

    /// <summary>Makes the pattern.</summary>
    /// <param name="offsets">The offsets, one or more.</param>
    /// <param name="factors">As many factors; none is 0 in an inverse.</param>
    /// <param name="restores">True for the inverse.</param>
    public RowPattern(ReadOnlySpan<double> offsets, ReadOnlySpan<double> factors, bool restores)
    {
        var length = offsets.Length * ((Least - 1) / offsets.Length + 1);
        _restores = restores;
        (_offsets, _factors, _shifts) = (new T[length], new T[length], new T[length]);
        for (var i = 0; i < length; i++)
        {
            var (offset, factor) = (offsets[i % offsets.Length], factors[i % factors.Length]);
            _offsets[i] = T.CreateTruncating(offset);
            _factors[i] = T.CreateTruncating(restores ? 1 / factor : factor);
            var error = double.CreateTruncating(_offsets[i]) - offset;
            _shifts[i] = T.CreateTruncating(restores ? -error : error * factor);
        }
    }

    /// <summary>The first feature whose number the type cannot hold; -1 if it holds all.</summary>
    public int BeyondRange()
    {
        for (var i = 0; i < _offsets.Length; i++)
        {
            if (!T.IsFinite(_offsets[i]) || !T.IsFinite(_factors[i]) || !T.IsFinite(_shifts[i]))
                return i;
        }

        return -1;
    }

    /// <summary>y = f(x), which may lie over x.</summary>
    public void Apply(ReadOnlySpan<T> x, Span<T> y, ComputeContext? compute)
    {
        if (_restores)
            RowScaling.Restore(x, _factors, _shifts, _offsets, y, compute);
        else
            RowScaling.Normalize(x, _offsets, _factors, _shifts, y, compute);
    }

    /// <summary>dx = dy f'(x), or dx += it, or nothing.</summary>
    public void Gradient(ReadOnlySpan<T> dy, Destination<T> dx, ComputeContext? compute) => RowScaling.Gradient(dy, _factors, dx, compute);
}
