using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Picks the register width of every kernel. This file alone asks what the hardware has; a test fails where another one does.
/// </summary>
/// <remarks>
/// <para>There are five rules. A kernel whose lanes do not depend on each other takes the widest register that its thread's range fills
/// (<see cref="SimdRange{T, TBody}"/>): its bits are the same at any width. A kernel that sums along rows takes the widest register that a
/// row fills (<see cref="OfColumns"/>), whatever the thread's share. A kernel that plans by the register takes the widest one
/// (<see cref="OfMachine"/>). A panel of a convolution takes the widest register of which it fills more than half (<see cref="OfPanel"/>).
/// A product takes the widest one, but for columns that fill half of it (<see cref="OfProduct"/>).</para>
/// <para>Every rule yields to a width that the caller asks for, as tests do.</para>
/// </remarks>
internal static unsafe class RegisterWidth
{
    /// <summary>Bytes of the registers. Lanes are counted from them: the types of vectors that a step does not use are not loaded.</summary>
    private const int Bytes512 = 64, Bytes256 = 32, Bytes128 = 16;

    /// <summary>The widest register of this machine. A constant to the compiler.</summary>
    public static SimdWidth Machine => Vector512.IsHardwareAccelerated ? SimdWidth.Bits512
        : Vector256.IsHardwareAccelerated ? SimdWidth.Bits256
        : SimdWidth.Bits128;

    /// <summary>The widest register of this machine, unless the caller asks for another.</summary>
    public static SimdWidth OfMachine(SimdWidth asked) => asked == SimdWidth.Widest ? Machine : asked;

    /// <summary>The widest register that so many columns fill, or the narrowest; unless the caller asks for another.</summary>
    public static SimdWidth OfColumns<T>(int columns, SimdWidth asked = SimdWidth.Widest) where T : unmanaged =>
        asked != SimdWidth.Widest ? asked
        : Fill512<T>(columns) ? SimdWidth.Bits512
        : Fill256<T>(columns) ? SimdWidth.Bits256
        : SimdWidth.Bits128;

    /// <summary>The widest register that so many columns fill more than half of, or the narrowest; unless the caller asks for another.</summary>
    public static SimdWidth OfPanel<T>(int columns, SimdWidth asked) where T : unmanaged =>
        asked != SimdWidth.Widest ? asked
        : Vector512.IsHardwareAccelerated && columns > Bytes256 / sizeof(T) ? SimdWidth.Bits512
        : Vector256.IsHardwareAccelerated && columns > Bytes128 / sizeof(T) ? SimdWidth.Bits256
        : SimdWidth.Bits128;

    /// <summary>
    /// The widest register, unless the caller asks for another. Five to eight columns of floats, or three or four of doubles, take 256 bits:
    /// they would leave half of 512 bits empty or need masks. With fewer columns, and where the transposed product fills registers, 512 bits are
    /// as good or better.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdWidth OfProduct<T>(in GemmProblem<T> problem, SimdWidth asked)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        asked == SimdWidth.Widest && Vector512.IsHardwareAccelerated && problem.N <= Bytes256 / sizeof(T) && problem.N > Bytes128 / sizeof(T)
            && !NarrowRoute<SimdVector512<T>, T>.Takes(in problem) ? SimdWidth.Bits256 : OfMachine(asked);

    /// <summary>The lanes of a width.</summary>
    public static int Lanes<T>(SimdWidth width) where T : unmanaged => OfMachine(width) switch
    {
        SimdWidth.Bits512 => Bytes512 / sizeof(T),
        SimdWidth.Bits256 => Bytes256 / sizeof(T),
        SimdWidth.Bits128 => Bytes128 / sizeof(T),
        _ => Vector<byte>.Count / sizeof(T),
    };

    /// <summary>Runs a body once, in the register of a width.</summary>
    public static void Run<T, TBody>(TBody body, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdBody<T>, allows ref struct
    {
        if (Vector512.IsHardwareAccelerated && OfMachine(width) == SimdWidth.Bits512)
            body.Execute<SimdVector512<T>>();
        else
            RunNarrower<T, TBody>(ref body, OfMachine(width));
    }

    /// <summary>Runs a body over the rows of a batch, shared out over the threads, in the widest register that a row fills.</summary>
    public static void ForRows<T, TBody>(TBody body, int rows, int columns, double nanosecondsPerElement, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdRangeBody<T>, allows ref struct =>
        context.For(rows, 1, nanosecondsPerElement * rows * columns, new SimdRange<T, TBody>(body, OfColumns<T>(columns)));

    /// <summary>Whether this machine has registers of 512 bits, and so many elements fill one.</summary>
    internal static bool Fill512<T>(int elements) where T : unmanaged => Vector512.IsHardwareAccelerated && elements >= Bytes512 / sizeof(T);

    /// <summary>Whether this machine has registers of 256 bits, and so many elements fill one.</summary>
    internal static bool Fill256<T>(int elements) where T : unmanaged => Vector256.IsHardwareAccelerated && elements >= Bytes256 / sizeof(T);

    // The common widths have methods of their own: a method that is never called is never compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunNarrower<T, TBody>(ref TBody body, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdBody<T>, allows ref struct
    {
        if (Vector256.IsHardwareAccelerated && width == SimdWidth.Bits256)
            body.Execute<SimdVector256<T>>();
        else
            RunAsked<T, TBody>(ref body, width);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunAsked<T, TBody>(ref TBody body, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdBody<T>, allows ref struct
    {
        if (width == SimdWidth.Bits128)
            body.Execute<SimdVector128<T>>();
        else if (width == SimdWidth.Bits256)
            body.Execute<SimdVector256<T>>();
        else if (width == SimdWidth.Bits512)
            body.Execute<SimdVector512<T>>();
        else
            body.Execute<SimdVector<T>>();
    }
}

/// <summary>A kernel that runs once in a call, written once for every register width.</summary>
internal interface ISimdBody<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Runs the kernel.</summary>
    void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>A loop over a range of items, written once for every register width.</summary>
internal interface ISimdRangeBody<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Runs items <paramref name="start"/> up to, not including, <paramref name="limit"/>.</summary>
    void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>A body for the threads of a context. Each range takes the widest register that it fills, unless the caller asks for another.</summary>
internal readonly ref struct SimdRange<T, TBody>(TBody body, SimdWidth width) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
    where TBody : struct, ISimdRangeBody<T>, allows ref struct
{
    private readonly TBody _body = body;

    public void Execute(int start, int limit)
    {
        if (width != SimdWidth.Widest)
            Asked(start, limit);
        else if (RegisterWidth.Fill512<T>(limit - start))
            _body.Execute<SimdVector512<T>>(start, limit);
        else
            Narrower(start, limit);
    }

    // Apart: a method that is never called is never compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Narrower(int start, int limit)
    {
        if (RegisterWidth.Fill256<T>(limit - start))
            _body.Execute<SimdVector256<T>>(start, limit);
        else
            _body.Execute<SimdVector128<T>>(start, limit);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Asked(int start, int limit)
    {
        if (width == SimdWidth.Bits512)
            _body.Execute<SimdVector512<T>>(start, limit);
        else if (width == SimdWidth.Bits256)
            _body.Execute<SimdVector256<T>>(start, limit);
        else if (width == SimdWidth.Bits128)
            _body.Execute<SimdVector128<T>>(start, limit);
        else
            _body.Execute<SimdVector<T>>(start, limit);
    }
}
