using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>A tensor of a module of PyTorch, and where the network has its elements: one description for both directions.</summary>
/// <param name="Name">Its name in the module: <c>weight</c>, <c>bias_ih_l0</c>; empty for a parameter that is no module's.</param>
/// <param name="Shape">Its shape there.</param>
/// <param name="Pieces">Its elements, from the first to the last.</param>
/// <param name="IsOptional">Whether a module may be without it, in which case its elements are zeros.</param>
internal sealed record ModuleTensor(string Name, int[] Shape, TensorPiece[] Pieces, bool IsOptional = false)
{
    /// <summary>The number of its elements.</summary>
    public int Count => Pieces.Sum(static piece => piece.Count);

    /// <summary>Whether a tensor with these dimensions is this one: sizes of 1 behind the others do not count, as of a convolution over
    /// one cell.</summary>
    public bool Has(ReadOnlySpan<long> shape)
    {
        if (shape.Length < Shape.Length)
            return false;
        for (var d = 0; d < shape.Length; d++)
        {
            if (shape[d] != (d < Shape.Length ? Shape[d] : 1))
                return false;
        }

        return shape.Length == Shape.Length || Shape.Length > 1;
    }

    /// <summary>Writes the elements of PyTorch's tensor into a network's blocks.</summary>
    public void Load<T>(ReadOnlySpan<T> theirs, Span<T> parameters, Span<T> state)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var piece in Pieces)
        {
            piece.Load(theirs[..piece.Count], piece.Of(parameters, state));
            theirs = theirs[piece.Count..];
        }
    }

    /// <summary>Makes PyTorch's tensor from a network's blocks.</summary>
    public void Save<T>(Span<T> theirs, Span<T> parameters, Span<T> state)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var piece in Pieces)
        {
            piece.Save(theirs[..piece.Count], piece.Of(parameters, state));
            theirs = theirs[piece.Count..];
        }
    }
}

/// <summary>A run of the elements of PyTorch's tensor, as an array of its own, whose element [i, j, ..] is the network's element
/// start + i strides[0] + j strides[1] + ... of an entry.</summary>
internal sealed class TensorPiece
{
    private readonly ParameterInfo _entry;
    private readonly bool _isState, _isAdded;
    private readonly int _start;
    private readonly int[] _sizes, _strides;
    private readonly int[]?[] _orders;

    /// <param name="entry">The entry of the network.</param>
    /// <param name="isState">Whether it is state.</param>
    /// <param name="start">Where the run begins in it.</param>
    /// <param name="sizes">The sizes of the run.</param>
    /// <param name="strides">The distance in the entry of neighbours in each dimension.</param>
    /// <param name="orders">For each dimension, which element of the network is PyTorch's element i; null for the same, or for all.</param>
    /// <param name="isAdded">Whether the numbers are a second addend there: added in loading, zeros in saving.</param>
    public TensorPiece(ParameterInfo entry, bool isState, int start, int[] sizes, int[] strides, int[]?[]? orders = null, bool isAdded = false)
    {
        (_entry, _isState, _isAdded, _start, _sizes, _strides) = (entry, isState, isAdded, start, sizes, strides);
        _orders = orders ?? new int[sizes.Length][];
        Count = sizes.Aggregate(1, static (product, size) => product * size);
    }

    /// <summary>The number of elements.</summary>
    public int Count { get; }

    /// <summary>The numbers of the entry.</summary>
    public Span<T> Of<T>(Span<T> parameters, Span<T> state) => (_isState ? state : parameters).Slice(_entry.Range.Start, _entry.Range.Length);

    public void Load<T>(ReadOnlySpan<T> theirs, Span<T> ours)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var index = new int[_sizes.Length];
        for (var done = 0; done < Count; done += Row)
        {
            var start = Begin(index);
            var row = theirs.Slice(done, Row);
            for (var i = 0; i < row.Length; i++)
            {
                ref var element = ref ours[start + InRow(i)];
                element = _isAdded ? element + row[i] : row[i];
            }
        }
    }

    public void Save<T>(Span<T> theirs, ReadOnlySpan<T> ours)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (_isAdded)
        {
            theirs.Clear();
            return;
        }

        var index = new int[_sizes.Length];
        for (var done = 0; done < Count; done += Row)
        {
            var start = Begin(index);
            var row = theirs.Slice(done, Row);
            for (var i = 0; i < row.Length; i++)
                row[i] = ours[start + InRow(i)];
        }
    }

    private int Row => _sizes.Length == 0 ? 1 : _sizes[^1];

    private int InRow(int i) => _sizes.Length == 0 ? 0 : (_orders[^1]?[i] ?? i) * _strides[^1];

    /// <summary>Where the row of an index begins; the index goes on to the next row.</summary>
    private int Begin(int[] index)
    {
        var start = _start;
        for (var d = 0; d + 1 < _sizes.Length; d++)
            start += (_orders[d]?[index[d]] ?? index[d]) * _strides[d];
        for (var d = _sizes.Length - 2; d >= 0 && ++index[d] == _sizes[d]; d--)
            index[d] = 0;
        return start;
    }
}
