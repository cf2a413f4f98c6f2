using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Serialization;

/// <summary>The arrays of a file by name, in the order of the file. A name that is not there is answered with those that are.</summary>
internal sealed class NpzArrays(string file) : IReadOnlyDictionary<string, NpyArray>
{
    private const int MostShown = 50;

    private readonly OrderedDictionary<string, NpyArray> _arrays = [];

    public int Count => _arrays.Count;

    public IEnumerable<string> Keys => _arrays.Keys;

    public IEnumerable<NpyArray> Values => _arrays.Values;

    public NpyArray this[string key] => _arrays.TryGetValue(key, out var array) ? array : throw new KeyNotFoundException(
        $"'{file}' has no array '{Npz.Short(key)}'; it has: {string.Join(", ", Keys.Take(MostShown).Select(Npz.Short))}"
        + (Count > MostShown ? $", and {Count - MostShown} more." : "."));

    public bool TryAdd(string name, NpyArray array) => _arrays.TryAdd(name, array);

    public bool ContainsKey(string key) => _arrays.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out NpyArray value) => _arrays.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, NpyArray>> GetEnumerator() => _arrays.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
