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

    /// <summary>y = (x - center) scale + shift.</summary>
    public static void Normalize<T>(
        ReadOnlyMatrix<T> x, in ChannelTables<T> tables, Span<T> y, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(x.Span.Length, y.Length);
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(x.Rows, x.Columns, RegisterWidth.Lanes<T>(width));
        Spread(in plan, tables.Center, tables.Scale, tables.Shift);
        fixed (T* px = x.Span, py = y, center = tables.Center, scale = tables.Scale, shift = tables.Shift)
        {
            var pointers = new ChannelPointers<T> { Center = center, Scale = scale, Shift = shift };
            var body = new SimdRange<T, NormalizeBody<T>>(new(plan, px, py, pointers), width);
            compute.For(plan.Passes, 1, NormalizeCost * y.Length, in body);
        }
    }

    /// <summary>dx = dy scale + (x - center) slope + shift.</summary>
    public static void Gradient<T>(ReadOnlyMatrix<T> x, ReadOnlySpan<T> dy, in ChannelTables<T> tables, Destination<T> dx,
        ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.SameLength(x.Span.Length, dy.Length);
        SpanGuard.SameLength(dy.Length, dx.Span.Length);
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(x.Rows, x.Columns, RegisterWidth.Lanes<T>(width));
        Spread(in plan, tables.Center, tables.Scale, tables.Shift);
        Spread(in plan, tables.Slope, tables.Slope, tables.Slope);
        fixed (T* px = x.Span, pdy = dy, pdx = dx.Span)
        fixed (T* center = tables.Center, scale = tables.Scale, slope = tables.Slope, shift = tables.Shift)
        {
            var pointers = new ChannelPointers<T> { Center = center, Scale = scale, Slope = slope, Shift = shift };
            var body = new SimdRange<T, GradientBody<T>>(new(plan, px, pdy, pdx, pointers, dx.Adds), width);
            compute.For(plan.Passes, 1, GradientCost * dy.Length, in body);
        }
    }

    private static void Spread<T>(in ChannelPlan plan, Span<T> first, Span<T> second, Span<T> third) where T : unmanaged
    {
        var length = ChannelPlan.TableLength(plan.Channels);
        SpanGuard.AtLeast(length, first.Length);
        SpanGuard.AtLeast(length, second.Length);
        SpanGuard.AtLeast(length, third.Length);
        plan.Spread(first);
        plan.Spread(second);
        plan.Spread(third);
    }

    private readonly struct NormalizeBody<T>(ChannelPlan plan, T* x, T* y, ChannelPointers<T> tables) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var pass = start; pass < limit; pass++)
            {
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), first = (nint)pass * plan.PassRows * plan.Width + from;
                    ChannelTails.Normalize<TVector, T>(x + first, y + first, plan.StripOfPass(strip, pass), tables.From(from));
                }
            }
        }
    }

    private readonly struct GradientBody<T>(ChannelPlan plan, T* x, T* dy, T* dx, ChannelPointers<T> tables, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var pass = start; pass < limit; pass++)
            {
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), first = (nint)pass * plan.PassRows * plan.Width + from;
                    ChannelTails.Gradient<TVector, T>(x + first, dy + first, dx + first, plan.StripOfPass(strip, pass), tables.From(from), adds);
                }
            }
        }
    }
}
