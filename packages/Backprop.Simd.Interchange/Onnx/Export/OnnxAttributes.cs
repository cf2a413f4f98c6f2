namespace Backprop.Simd.Interchange;

/// <summary>Attributes of nodes.</summary>
internal static class OnnxAttributes
{
    public static OnnxAttribute Whole(string name, long value) => new(name) { Integer = value };

    public static OnnxAttribute Whole(string name, params IEnumerable<long> values) => new(name) { Integers = [.. values] };

    public static OnnxAttribute Number(string name, double value) => new(name) { Float = (float)value };

    public static OnnxAttribute Text(string name, string value) => new(name) { Text = value };

    public static OnnxAttribute Texts(string name, params IReadOnlyList<string> values) => new(name) { Texts = values };
}
