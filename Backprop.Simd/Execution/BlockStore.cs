using Backprop.Simd.Memory;

namespace Backprop.Simd.Execution;

/// <summary>What a block of a workspace holds.</summary>
internal enum BlockUse
{
    State,
    ParameterGradients,
    Input,
    Indices,
    IndexSnapshot,
    Values,
    Gradients,
    OutputGradient,
    Cache,
    IndexCache,
    Scratch,
}

/// <summary>The blocks of a workspace. If it has plans for several sizes, all take the same blocks: those of the largest sizes.</summary>
internal sealed class BlockStore(bool shares)
{
    private readonly Dictionary<(BlockUse Use, int Index), object>? _blocks = shares ? [] : null;

    public long Bytes { get; set; }

    /// <summary>A block for a use; of the same block for the same use, as long as it is long enough.</summary>
    /// <param name="use">What it holds.</param>
    /// <param name="index">The edge or node that it is for; 0 if it is for all.</param>
    /// <param name="length">Its least length.</param>
    public AlignedBuffer<T> Take<T>(BlockUse use, int index, int length)
        where T : unmanaged
    {
        if (_blocks is not null && _blocks.TryGetValue((use, index), out var known) && known is AlignedBuffer<T> old && old.Length >= length)
            return old;
        var block = new AlignedBuffer<T>(length);
        Bytes += block.Bytes;
        if (_blocks is not null)
            _blocks[(use, index)] = block;
        return block;
    }
}
