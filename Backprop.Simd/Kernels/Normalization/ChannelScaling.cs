using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Passes over a matrix [rows, channels] with numbers per channel, which stay in registers.</summary>
internal static unsafe class ChannelScaling
{
    /// <summary>Nanoseconds for an element.</summary>
    private const double NormalizeCost = 0.15, GradientCost = 0.25;

    /// <summary>y = (x - center) scale + shift. The tables are <see cref="ChannelPlan.TableLength"/> long; their first
    /// channels are filled, the rest is overwritten.</summary>
    public static void Normalize<T>(ReadOnlySpan<T> x, int channels, Span<T> center, Span<T> scale, Span<T> shift, Span<T> y,
        ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(x.Length, y.Length);
        CheckTables<T>(channels, center, scale, shift);
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(x.Length / channels, channels, RegisterWidth.Lanes<T>(width));
        plan.Spread(center);
        plan.Spread(scale);
        plan.Spread(shift);
        fixed (T* px = x, py = y, pc = center, pa = scale, pb = shift)
        {
            var body = new SimdRange<T, NormalizeBody<T>>(new(plan, px, py, pc, pa, pb), width);
            compute.For(plan.Passes, 1, NormalizeCost * x.Length, in body);
        }
    }

    /// <summary>dx = dy byDy + (x - center) byX + shift, or dx += it. Tables as in <see cref="Normalize"/>.</summary>
    public static void Gradient<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, int channels, Span<T> center, Span<T> byDy, Span<T> byX, Span<T> shift,
        Destination<T> dx, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.SameLength(x.Length, dy.Length);
        SpanGuard.SameLength(x.Length, dx.Span.Length);
        CheckTables<T>(channels, center, byDy, byX);
        CheckTables<T>(channels, shift, shift, shift);
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(x.Length / channels, channels, RegisterWidth.Lanes<T>(width));
        plan.Spread(center);
        plan.Spread(byDy);
        plan.Spread(byX);
        plan.Spread(shift);
        fixed (T* px = x, pdy = dy, pdx = dx.Span, pc = center, pa = byDy, pb = byX, ps = shift)
        {
            var body = new SimdRange<T, GradientBody<T>>(new(plan, px, pdy, pdx, pc, pa, pb, ps, dx.Adds), width);
            compute.For(plan.Passes, 1, GradientCost * x.Length, in body);
        }
    }

    private static void CheckTables<T>(int channels, ReadOnlySpan<T> first, ReadOnlySpan<T> second, ReadOnlySpan<T> third)
    {
        var length = ChannelPlan.TableLength(channels);
        SpanGuard.AtLeast(length, first.Length);
        SpanGuard.AtLeast(length, second.Length);
        SpanGuard.AtLeast(length, third.Length);
    }

    private readonly struct NormalizeBody<T>(ChannelPlan plan, T* x, T* y, T* center, T* scale, T* shift) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var pass = start; pass < limit; pass++)
            {
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    var first = (nint)pass * plan.PassRows * plan.Width + from;
                    ChannelTails.Normalize<TVector, T>(x + first, y + first, plan.PassRowsOf(pass), plan.PassTailOf(pass), plan.Width, width,
                        center + from, scale + from, shift + from);
                }
            }
        }
    }

    private readonly struct GradientBody<T>(ChannelPlan plan, T* x, T* dy, T* dx, T* center, T* byDy, T* byX, T* shift, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var pass = start; pass < limit; pass++)
            {
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    var first = (nint)pass * plan.PassRows * plan.Width + from;
                    ChannelTails.Gradient<TVector, T>(x + first, dy + first, dx + first, plan.PassRowsOf(pass), plan.PassTailOf(pass), plan.Width, width,
                        center + from, byDy + from, byX + from, shift + from, adds);
                }
            }
        }
    }
}
