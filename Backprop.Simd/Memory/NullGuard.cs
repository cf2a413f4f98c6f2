using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Memory;

/// <summary>Refuses collections that are null or hold null.</summary>
internal static class NullGuard
{
    /// <summary>The collection.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    /// <exception cref="ArgumentException">An element is null.</exception>
    public static TCollection Filled<TCollection>([NotNull] TCollection? values, [CallerArgumentExpression(nameof(values))] string name = "")
        where TCollection : class, IEnumerable<object?>
    {
        ArgumentNullException.ThrowIfNull(values, name);
        var at = 0;
        foreach (var value in values)
        {
            if (value is null)
                ThrowNull(at, name);
            at++;
        }

        return values;
    }

    /// <summary>Throws where an element is null.</summary>
    /// <exception cref="ArgumentException">An element is null.</exception>
    public static void Filled<T>(ReadOnlySpan<T> values, [CallerArgumentExpression(nameof(values))] string name = "") where T : class
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is null)
                ThrowNull(i, name);
        }
    }

    [DoesNotReturn]
    private static void ThrowNull(int at, string name) => throw new ArgumentException($"'{name}' holds null at {at}.", name);
}
