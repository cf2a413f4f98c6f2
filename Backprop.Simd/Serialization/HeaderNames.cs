using System.Text;
using System.Text.Json;

namespace Backprop.Simd.Serialization;

/// <summary>
/// The names of one object of a header, stored as positions in its text: eight bytes each, and four more once their order is needed.
/// </summary>
/// <param name="text">The text.</param>
/// <param name="count">The number of names.</param>
internal sealed class HeaderNames(byte[] text, int count)
{
    private const int Small = 512;

    private readonly int[] _places = new int[count], _hashes = new int[count];
    private int[]? _inOrder;

    /// <summary>The names added so far.</summary>
    public int Count { get; private set; }

    /// <summary>Where each name starts, in the order of the text. Call <see cref="Close"/> first.</summary>
    public int[] InOrder
    {
        get
        {
            if (_inOrder is null)
            {
                _inOrder = [.. _places];
                Array.Sort(_inOrder);
            }

            return _inOrder;
        }
    }

    /// <summary>A reader that has just read the name at a position.</summary>
    public static Utf8JsonReader KeyAt(ReadOnlySpan<byte> text, int place)
    {
        var json = new Utf8JsonReader(text[place..]);
        json.Read();
        return json;
    }

    /// <summary>A reader in front of the value that belongs to the name at a position.</summary>
    /// <param name="text">The text.</param>
    /// <param name="place">The position.</param>
    /// <param name="start">Where the reader's text starts.</param>
    public static Utf8JsonReader ValueAt(ReadOnlySpan<byte> text, int place, out int start)
    {
        start = place + (int)KeyAt(text, place).BytesConsumed;
        start += text[start..].IndexOf((byte)':') + 1;
        return new Utf8JsonReader(text[start..]);
    }

    /// <summary>Adds the name at a position.</summary>
    /// <exception cref="InvalidOperationException">The name is not valid text.</exception>
    public void Add(int place)
    {
        var json = KeyAt(text, place);
        if (json.ValueIsEscaped)
        {
            var unescaped = json.ValueSpan.Length <= Small ? stackalloc byte[Small] : new byte[json.ValueSpan.Length];
            _hashes[Count] = Hash(unescaped[..json.CopyString(unescaped)]);
        }
        else
        {
            _hashes[Count] = Hash(json.ValueSpan);
        }

        _places[Count++] = place;
    }

    /// <summary>Ends adding and makes the names ready for <see cref="Find"/>.</summary>
    /// <returns>The position of a name that occurs twice; -1 if all are different.</returns>
    public int Close()
    {
        Array.Sort(_hashes, _places);
        for (var i = 0; i < count; i++)
        {
            for (var j = i + 1; j < count && _hashes[j] == _hashes[i]; j++)
            {
                if (AreSame(_places[i], _places[j]))
                    return _places[j];
            }
        }

        return -1;
    }

    /// <summary>The position of a name; -1 if there is no such name.</summary>
    public int Find(string name)
    {
        var hash = Hash(Encoding.UTF8.GetBytes(name));
        var first = Array.BinarySearch(_hashes, hash);
        while (first > 0 && _hashes[first - 1] == hash)
            first--;
        for (var i = first; i >= 0 && i < count && _hashes[i] == hash; i++)
        {
            if (KeyAt(text, _places[i]).ValueTextEquals(name))
                return _places[i];
        }

        return -1;
    }

    private bool AreSame(int one, int other)
    {
        var json = KeyAt(text, one);
        if (!json.ValueIsEscaped)
            return KeyAt(text, other).ValueTextEquals(json.ValueSpan);
        var unescaped = new byte[json.ValueSpan.Length];
        return KeyAt(text, other).ValueTextEquals(unescaped.AsSpan(0, json.CopyString(unescaped)));
    }

    private static int Hash(ReadOnlySpan<byte> name)
    {
        var hash = new HashCode(); // Each process has its own random seed: a file cannot provoke collisions.
        hash.AddBytes(name);
        return hash.ToHashCode();
    }
}
