using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>A choice by a mask.</content>
public static partial class Broadcasting
{
    /// <summary>z = x where the mask is not 0, else y; all three are broadcast to one shape. A NaN in the mask is not 0.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="mask">The mask.</param>
    /// <param name="x">What is taken where it is set.</param>
    /// <param name="y">What is taken elsewhere.</param>
    /// <param name="z">The results, at least as many as the broadcast has.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other, or z is too short or overlaps an operand. It may be the very
    /// span of an operand that is not repeated.</exception>
    public static void Where<T>(ShapedSpan<T> mask, ShapedSpan<T> x, ShapedSpan<T> y, Span<T> z, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        Span<int> both = stackalloc int[ShapeSizes.MaxRank], result = stackalloc int[ShapeSizes.MaxRank];
        both = both[..Shape(mask.Sizes, x.Sizes, both)];
        result = result[..Shape(both, y.Sizes, result)];
        var elements = Elements(result, x.Sizes, y.Sizes);
        SpanGuard.AtLeast(elements, z.Length);
        z = z[..elements];
        var m = new BroadcastOperand<T>(mask.Values, BroadcastLayout.Of(mask.Sizes, result));
        var left = new BroadcastOperand<T>(x.Values, BroadcastLayout.Of(x.Sizes, result));
        var right = new BroadcastOperand<T>(y.Values, BroadcastLayout.Of(y.Sizes, result));
        CheckOverlap(m, z, nameof(z));
        CheckOverlap(left, z, nameof(z));
        CheckOverlap(right, z, nameof(z));
        BroadcastMap.Ternary(default(Choice<T>), m, left, right, z, Cost, context);
    }

    /// <summary>The gradient of <see cref="Where"/> for one of its operands: dz where the operand was taken, else 0, summed where the operand
    /// was repeated.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dz">The gradient of z, in the shape of z.</param>
    /// <param name="mask">The mask.</param>
    /// <param name="taken">True for x, which is taken where the mask is set; false for y.</param>
    /// <param name="shape">The shape of the operand.</param>
    /// <param name="gradient">The gradient of the operand.</param>
    /// <param name="scratch">Where the operand was repeated, at least <see cref="Scratch"/> elements of z's number; else it may be empty.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other, a length is wrong, or spans overlap.</exception>
    public static void WhereGradient<T>(ShapedSpan<T> dz, ShapedSpan<T> mask, bool taken, ReadOnlySpan<int> shape, Destination<T> gradient,
        Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!gradient.IsWanted)
            return;
        SpanGuard.Supported<T>();
        RequireWithin(mask.Sizes, dz.Sizes, nameof(mask));
        RequireWithin(shape, dz.Sizes, nameof(shape));
        SpanGuard.SameLength((int)ShapeSizes.Elements(shape), gradient.Span.Length, nameof(gradient));
        var m = new BroadcastOperand<T>(mask.Values, BroadcastLayout.Of(mask.Sizes, dz.Sizes));
        var layout = BroadcastLayout.Of(shape, dz.Sizes);
        var target = Target(dz.Values, m, m, layout, gradient, ref scratch);
        if (taken)
            BroadcastMap.Binary(default(WhereSet<T>), dz.Values, m, target, Cost, context);
        else
            BroadcastMap.Binary(default(WhereClear<T>), dz.Values, m, target, Cost, context);
        if (!layout.IsWhole)
            AxisFold<T, SumFold<T>>.Run(target.Span, layout, gradient, scratch, context);
    }

    private static void RequireWithin(ReadOnlySpan<int> operand, ReadOnlySpan<int> result, string name)
    {
        var fits = operand.Length <= result.Length;
        for (var i = 1; fits && i <= operand.Length; i++)
            fits = operand[^i] == 1 || operand[^i] == result[^i];
        if (!fits)
            throw new ArgumentException($"'{name}' must broadcast to {ShapeSizes.Text(result)}; it is {ShapeSizes.Text(operand)}.", name);
    }

    private readonly struct Choice<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.Select(TVector.Equal(x, TVector.Zero), z, y);
    }

    private readonly struct WhereSet<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.AndNot(x, TVector.Equal(y, TVector.Zero));
    }

    private readonly struct WhereClear<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            x & TVector.Equal(y, TVector.Zero);
    }
}
