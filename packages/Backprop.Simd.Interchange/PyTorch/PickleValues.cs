using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>A tuple or a list of a pickle.</summary>
internal sealed class PickleSequence(List<object?> items, bool isTuple)
{
    public List<object?> Items => items;

    public bool IsTuple => isTuple;
}

/// <summary>A dictionary of a pickle, in order. Only texts count as keys; a later value of a key replaces the earlier.</summary>
internal sealed class PickleDictionary
{
    private readonly Dictionary<string, int> _places = [];

    public List<KeyValuePair<string, object?>> Items { get; } = [];

    public void Set(object? key, object? value)
    {
        if (key is not string name)
            return;
        if (_places.TryGetValue(name, out var place))
        {
            Items[place] = new(name, value);
            return;
        }

        _places.Add(name, Items.Count);
        Items.Add(new(name, value));
    }

    public bool TryFind(string key, out object? value)
    {
        var isThere = _places.TryGetValue(key, out var place);
        value = isThere ? Items[place].Value : null;
        return isThere;
    }
}

/// <summary>A name of Python that pickles may use.</summary>
internal sealed record PickleName(string Module, string Name);

/// <summary>A storage: the flat memory that tensors are views of.</summary>
/// <param name="Key">The entry <c>data/key</c> of the archive.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Count">The number of its elements, as the pickle says.</param>
internal sealed record PickleStorage(string Key, TensorType Type, long Count);

/// <summary>A tensor: element [i, j, ..] is element offset + i strides[0] + j strides[1] + ... of a storage, which has it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Sizes, long[] Strides);
