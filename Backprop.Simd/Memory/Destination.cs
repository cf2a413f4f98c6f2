namespace Backprop.Simd.Memory;

/// <summary>
/// Where a kernel writes its result: over a span, onto what a span holds, or nowhere. The default value is nowhere: a kernel
/// that is given it returns at once.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
/// <remarks>A span or array converts to a destination that the kernel overwrites.</remarks>
public readonly ref struct Destination<T> where T : unmanaged
{
    /// <summary>Writes over a span, or adds to it.</summary>
    /// <param name="span">The elements.</param>
    /// <param name="adds">True to add the result to what the span holds; false to overwrite it, whatever it holds.</param>
    public Destination(Span<T> span, bool adds = false)
    {
        Span = span;
        Adds = adds;
        IsWanted = true;
    }

    /// <summary>The elements; empty where nothing is wanted.</summary>
    public Span<T> Span { get; }

    /// <summary>True: add to the span. False: overwrite it.</summary>
    public bool Adds { get; }

    /// <summary>False where nobody needs the result: there is nothing to compute.</summary>
    public bool IsWanted { get; }

    /// <summary>A span to overwrite.</summary>
    /// <param name="span">The elements.</param>
    public static implicit operator Destination<T>(Span<T> span) => new(span);

    /// <summary>An array to overwrite; null is an empty one.</summary>
    /// <param name="array">The elements.</param>
    public static implicit operator Destination<T>(T[]? array) => new(array);

    /// <summary>Part of a destination, written in the same way. A part of nowhere is nowhere.</summary>
    internal Destination<T> Slice(int start, int length) => IsWanted ? new(Span.Slice(start, length), Adds) : default;
}
