using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>Whether an operand of a product shares an element with C. Columns of one matrix beside each other share none.</summary>
internal static unsafe class GemmOverlap
{
    /// <summary>Exact for all strides; to be asked where the address ranges of the two meet.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Exists<T>(T* start, nint rows, nint rowStride, nint columns, nint columnStride, in GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = Lines.Of(start, rows, rowStride, columns, columnStride);
        var c = Lines.Of(problem.C, problem.M, problem.CRow, problem.N, problem.CColumn);
        if (x.Count == 1 || c.Count == 1 || x.Step == c.Step)
            return Meet(x, c);
        var (fewer, more) = x.Count < c.Count ? (x, c) : (c, x);
        for (long line = 0; line < fewer.Count; line++)
        {
            if (Meet(fewer[line], more))
                return true;
        }

        return false;
    }

    /// <summary>
    /// For lines of the same step, or a single line: line i of x starts d + (i - j) step behind line j of y, where d is the
    /// distance of the starts. The two share a byte where that is above -x.Length and below y.Length.
    /// </summary>
    private static bool Meet(Lines x, Lines y)
    {
        var distance = x.Start - y.Start;
        if (distance >= y.Span || distance <= -x.Span)
            return false;
        if (x.Count == 1 && y.Count == 1)
            return true;
        var step = x.Count == 1 ? y.Step : x.Step;

        // The first i - j that lies above.
        var (lines, rest) = Math.DivRem(-x.Length - distance, step);
        var first = Math.Max(rest < 0 ? lines : lines + 1, 1 - y.Count);
        return first < x.Count && distance + first * step < y.Length;
    }

    /// <summary>The elements of a view: lines of bytes side by side, each some bytes behind the one before.</summary>
    private readonly record struct Lines(long Start, long Count, long Length, long Step)
    {
        /// <summary>The bytes from the start of the first line to the end of the last.</summary>
        public long Span => (Count - 1) * Step + Length;

        public Lines this[long line] => this with { Start = Start + line * Step, Count = 1 };

        public static Lines Of<T>(T* start, nint rows, nint rowStride, nint columns, nint columnStride)
            where T : unmanaged =>
            columnStride == 1
                ? new((long)start, rows, columns * sizeof(T), rowStride * sizeof(T))
                : new((long)start, columns, rows * sizeof(T), columnStride * sizeof(T));
    }
}
