using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>How a product is cut, decided on the full shape, before any partition over threads.</summary>
internal readonly struct GemmBlocking
{
    /// <summary>
    /// Longest k block with a packed B: C is read and written once per block. A panel of B is then 2048 vectors, which stream
    /// from the second-level cache, as fast as the tiles use them.
    /// </summary>
    private const int PackedDepth = 1024;

    /// <summary>Longest k block where A is packed too: more rows of A fit into a block.</summary>
    private const int PackedColumnDepth = 512;

    /// <summary>Longest k block where B is read in place: each k is another page, and the first-level TLB holds 64 to 96.</summary>
    private const int UnpackedDepth = 128;

    /// <summary>Longest k block where both A and B step a row per k, and rows of A are a page or more apart.</summary>
    public const int UnpackedColumnDepth = 64;

    /// <summary>Bytes from the first to the last k of a column-major A read in place: the pages of the first-level TLB.</summary>
    private const int ColumnReach = 64 * 4096;

    /// <summary>A B of no more bytes stays in the first-level cache or nearly so, beside a few tiles of C: it is read in place.</summary>
    private const int SmallBytes = 48 * 1024;

    /// <summary>
    /// Bytes of C written at a time where B is small: then C is written once from top to bottom, some rows at a time across
    /// all panels, and not panel by panel, which would go through all of C's pages for each.
    /// </summary>
    private const int SweepBytes = 24 * 1024;

    /// <summary>Bytes of a block of A, [rows x depth]: half of a 512 KB second-level cache. The panels of B pass through the rest.</summary>
    private const int BlockBytes = 256 * 1024;

    /// <summary>Bytes of a packed block of B where it is shared by several blocks of A: a fair part of the third-level cache.</summary>
    private const int ChunkBytes = 4 * 1024 * 1024;

    /// <summary>The most that packing needs on one thread: a chunk of B, a block of A with padded rows.</summary>
    public const int MostScratchBytes = ChunkBytes + 128 * 1024 + 2 * BlockBytes;

    /// <summary>Rows of A this many bytes apart, or a multiple, share the sets of the first-level cache: such an A is copied.</summary>
    private const int SetStride = 2048;

    /// <summary>A is copied only if each row of a block is used for this many columns and this long a k block.</summary>
    private const int CopySize = 256;

    /// <summary>From this many columns on, a row of B spans pages and lines enough for packing to pay.</summary>
    private const int PackColumns = 64;

    /// <summary>From this many rows on, each packed element of B is used often enough.</summary>
    public const int PackRows = 16;

    private GemmBlocking(int depth, int rows, int panels, bool packA, bool copyA, bool packB)
    {
        CopyA = copyA;
        Depth = depth;
        Rows = rows;
        Panels = panels;
        PackA = packA;
        PackB = packB;
    }

    /// <summary>The length of a k block; only this decides the bits.</summary>
    public int Depth { get; }

    /// <summary>Rows of a block of A.</summary>
    public int Rows { get; }

    /// <summary>Panels of B packed at a time where there is more than one block of A.</summary>
    public int Panels { get; }

    /// <summary>A is copied tile by tile, k-major.</summary>
    public bool PackA { get; }

    /// <summary>A's rows are copied side by side.</summary>
    public bool CopyA { get; }

    /// <summary>Elements from row to row of a copied block of A: off the powers of two, whose rows would share cache sets.</summary>
    public int CopyStride => (Depth + 15 & ~15) + 16;

    public bool PackB { get; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GemmBlocking For<T>(in GemmProblem<T> problem, int vectorCount, int tileRows, bool hasMasks)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = Unsafe.SizeOf<T>();
        var width = 2 * vectorCount;
        var columnMajorA = problem.AColumn != 1 && problem.M > 1;
        var smallB = (long)problem.K * problem.N * size <= SmallBytes;
        var packB = problem.BColumn != 1 || problem.N < vectorCount && (problem.M >= PackRows || !hasMasks)
            || problem.N >= PackColumns && problem.M >= PackRows && !smallB;
        var packA = columnMajorA && packB && problem.N >= PackColumns && problem.K > UnpackedColumnDepth;
        var copyA = !columnMajorA && packB && problem.M >= PackColumns && problem.N >= CopySize && problem.K >= CopySize
            && problem.ARow * size % SetStride == 0;
        var longest = packA ? PackedColumnDepth : (packB || smallB) && !columnMajorA ? PackedDepth
            : columnMajorA ? (int)Math.Clamp(ColumnReach / (problem.AColumn * size), UnpackedColumnDepth, packB ? PackedColumnDepth : UnpackedDepth)
            : UnpackedDepth;

        // Blocks of equal length. Most products are one block: no division then.
        var depth = problem.K;
        if (depth > longest)
        {
            var blocks = (problem.K - 1) / longest + 1;
            depth = (problem.K - 1) / blocks + 1;
        }

        if (smallB && problem.N > 3 * vectorCount)
        {
            var swept = Math.Max(SweepBytes / (problem.N * size) / tileRows, 2) * tileRows;
            return new GemmBlocking(depth, Math.Min(swept, problem.M), int.MaxValue, packA, copyA, packB);
        }

        var rows = (long)problem.M * depth * size <= BlockBytes ? problem.M
            : Math.Max(BlockBytes / (depth * size) / tileRows, 1) * tileRows;
        var panels = rows == problem.M ? 1 : Math.Max(ChunkBytes / (depth * width * size), 1);
        return new GemmBlocking(depth, rows, panels, packA, copyA, packB);
    }
}
