using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Copies of A and B in the order in which the micro-kernel reads them.</summary>
internal static unsafe class GemmPacking<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A panel of B: for each k its vectors, one behind the other; a panel narrower than a vector is filled up with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackB(in GemmProblem<T> problem, ColumnPanel at, int k0, int depth, T* destination)
    {
        var source = problem.B + at.Column * problem.BColumn + k0 * problem.BRow;
        var stride = problem.BRow;
        if (problem.BColumn != 1)
        {
            var step = at.Vectors * TVector.Count;
            if (at.Width < TVector.Count)
            {
                new Span<T>(destination, depth * TVector.Count).Clear();
                Transposition.Run(source, problem.BColumn, at.Width, depth, destination, step);
                return;
            }

            Transposition.Run(source, problem.BColumn, (at.Vectors - 1) * TVector.Count, depth, destination, step);
            Transposition.Run(source + at.Last * problem.BColumn, problem.BColumn, TVector.Count, depth, destination + (at.Vectors - 1) * TVector.Count, step);
        }
        else if (at.Width < TVector.Count)
        {
            for (var p = 0; p < depth; p++)
            {
                TVector.Store(destination, TVector.LoadPartial(source, at.Width));
                source += stride;
                destination += TVector.Count;
            }
        }
        else if (at.Vectors == 1)
        {
            for (var p = 0; p < depth; p++)
            {
                TVector.Store(destination, TVector.Load(source));
                source += stride;
                destination += TVector.Count;
            }
        }
        else if (at.Vectors == 2)
        {
            var last = at.Last;
            for (var p = 0; p < depth; p++)
            {
                TVector.Store(destination, TVector.Load(source));
                TVector.Store(destination + TVector.Count, TVector.Load(source + last));
                source += stride;
                destination += 2 * TVector.Count;
            }
        }
        else
        {
            var last = at.Last;
            for (var p = 0; p < depth; p++)
            {
                TVector.Store(destination, TVector.Load(source));
                TVector.Store(destination + TVector.Count, TVector.Load(source + TVector.Count));
                TVector.Store(destination + 2 * TVector.Count, TVector.Load(source + last));
                source += stride;
                destination += 3 * TVector.Count;
            }
        }
    }

    /// <summary>Rows [row0, row1) of A, tile by tile as the driver cuts them: for each k the rows of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackA(in GemmProblem<T> problem, int row0, int row1, int highest, int k0, int depth, T* destination)
    {
        var rows = row1 - row0;
        var tiles = (rows - 1) / highest + 1;
        var height = rows / tiles;
        var higher = rows % tiles;
        var source = problem.A + row0 * problem.ARow + k0 * problem.AColumn;
        for (var tile = 0; tile < tiles; tile++)
        {
            var tileRows = tile < higher ? height + 1 : height;
            if (problem.ARow == 1 && tileRows >= TVector.Count && tileRows <= 2 * TVector.Count)
                CopyRuns(source, problem.AColumn, depth, tileRows, tileRows - TVector.Count, destination);
            else if (problem.ARow == 1 && tileRows < TVector.Count && RowsFrom(tile, tiles, height, higher) >= TVector.Count)
                CopyShortRuns(source, problem.AColumn, depth, tileRows, destination);
            else
                CopyElements(source, problem.ARow, problem.AColumn, depth, tileRows, destination);
            destination += (nint)tileRows * depth;
            source += tileRows * problem.ARow;
        }
    }

    /// <summary>Runs of one to two registers: two loads, the second overlapping the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRuns(T* source, nint stride, int depth, int length, int second, T* destination)
    {
        for (var p = 0; p < depth; p++)
        {
            var rest = TVector.Load(source + second);
            TVector.Store(destination, TVector.Load(source));
            TVector.Store(destination + second, rest);
            destination += length;
            source += stride;
        }
    }

    /// <summary>
    /// Runs shorter than a register, with a register's worth of the block behind each start: whole registers, of which the
    /// next run overwrites what is too much. The last goes one register past the runs, into the next tile or the slack.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyShortRuns(T* source, nint stride, int depth, int length, T* destination)
    {
        for (var p = 0; p < depth; p++)
        {
            TVector.Store(destination, TVector.Load(source));
            destination += length;
            source += stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyElements(T* source, nint rowStride, nint stride, int depth, int length, T* destination)
    {
        for (var p = 0; p < depth; p++)
        {
            for (var i = 0; i < length; i++)
                destination[i] = source[i * rowStride];
            destination += length;
            source += stride;
        }
    }

    /// <summary>The rows of the block from the start of a tile on.</summary>
    private static int RowsFrom(int tile, int tiles, int height, int higher) =>
        (tiles - tile) * height + Math.Max(higher - tile, 0);

    /// <summary>Rows [row0, row1) of a row-major A, <paramref name="stride"/> elements apart.</summary>
    public static void CopyA(in GemmProblem<T> problem, int row0, int row1, int k0, int depth, T* destination, nint stride)
    {
        for (var i = row0; i < row1; i++)
        {
            new ReadOnlySpan<T>(problem.A + i * problem.ARow + k0, depth).CopyTo(new Span<T>(destination, depth));
            destination += stride;
        }
    }
}
