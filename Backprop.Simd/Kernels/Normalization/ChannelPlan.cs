namespace Backprop.Simd.Kernels;

/// <summary>
/// A matrix [rows, channels] as the channel loops walk it: strips of two to four registers of columns, blocks of rows.
/// </summary>
/// <remarks>
/// Where a row has fewer channels than four registers have lanes, <see cref="Fold"/> neighbouring rows are taken as one row; the
/// rows left over at the end are the tail, part of the last block. All of this follows from the shape and the register width.
/// </remarks>
internal readonly struct ChannelPlan
{
    /// <summary>The most lanes of a strip: four registers of sixteen floats.</summary>
    public const int MaxStrip = 64;

    /// <summary>Elements of one input that a part of an elementwise pass takes: its strips come round while they are in the cache.</summary>
    private const int PassElements = 16 * 1024;

    /// <summary>More blocks than this serve no machine; fewer where the sums of the blocks, of which there are channels each, would take much space.</summary>
    private const int MostBlocks = 64, MostBlockSums = 8192;

    public ChannelPlan(int rows, int channels, int lanes, bool folds = true)
    {
        (Rows, Channels) = (rows, channels);
        Fold = folds ? Math.Max(1, 4 * lanes / channels) : 1;
        Width = Fold * channels;
        Strips = (Width - 1) / (4 * lanes) + 1;
        FoldedRows = rows / Fold;
        Tail = rows - FoldedRows * Fold;
        var limit = BlockSums.Rows * MaxBlocks(channels);
        BlockRows = BlockSums.Rows * Math.Max(1, (FoldedRows - 1) / limit + 1);
        Blocks = Math.Max(1, (FoldedRows - 1) / BlockRows + 1);
        PassRows = Math.Max(1, PassElements / Width);
        Passes = Math.Max(1, (FoldedRows - 1) / PassRows + 1);
    }

    /// <summary>Rows and columns of the matrix.</summary>
    public int Rows { get; }

    public int Channels { get; }

    /// <summary>Rows that are taken as one.</summary>
    public int Fold { get; }

    /// <summary>The columns of a folded row.</summary>
    public int Width { get; }

    public int FoldedRows { get; }

    /// <summary>Rows behind the last folded one.</summary>
    public int Tail { get; }

    public int Strips { get; }

    /// <summary>Blocks of folded rows that are summed apart, and the rows of each but the last.</summary>
    public int Blocks { get; }

    public int BlockRows { get; }

    /// <summary>Parts of an elementwise pass, and the folded rows of each but the last.</summary>
    public int Passes { get; }

    public int PassRows { get; }

    /// <summary>The most blocks that any number of rows is cut into.</summary>
    public static int MaxBlocks(int channels) => Math.Clamp(MostBlockSums / channels, 1, MostBlocks);

    /// <summary>The elements of a table of one number per column.</summary>
    public static int TableLength(int channels) => Math.Max(MaxStrip, channels);

    /// <summary>The first column of a strip. Strips are two to four registers wide, if rows fold or one is as wide.</summary>
    public int StripStart(int strip) => (int)((long)strip * Width / Strips);

    /// <summary>The folded rows of a block.</summary>
    public int FoldedRowsOf(int block) => Math.Min(BlockRows, FoldedRows - block * BlockRows);

    /// <summary>The rows of a block, the tail of the last one among them.</summary>
    public int RowsOf(int block) => FoldedRowsOf(block) * Fold + (block == Blocks - 1 ? Tail : 0);

    /// <summary>The folded rows of a part of an elementwise pass.</summary>
    public int PassRowsOf(int pass) => Math.Min(PassRows, FoldedRows - pass * PassRows);

    /// <summary>The elements behind the folded rows of a part of an elementwise pass.</summary>
    public int PassTailOf(int pass) => pass == Passes - 1 ? Tail * Channels : 0;

    /// <summary>Repeats one number per channel for each row of a folded row.</summary>
    public void Spread<T>(Span<T> table) where T : unmanaged
    {
        for (var fold = 1; fold < Fold; fold++)
            table[..Channels].CopyTo(table[(fold * Channels)..]);
    }
}
