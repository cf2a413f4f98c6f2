using System.Globalization;
using System.Text.Json;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>What a layer was made with, by name. One function both writes the settings of a layer and reads those of a new one.</summary>
/// <remarks>
/// Each method takes a name and the value that a layer has. Where a layer is written, it stores the value and returns it; where a layer is
/// read, it returns what is stored. So a kind is one expression (<see cref="LayerKinds.Register"/>):
/// <c>(settings, layer) => new Scale(settings.Number("factor", layer?.Factor))</c>.
/// </remarks>
public sealed class LayerSettings
{
    private readonly Utf8JsonWriter? _writer;
    private readonly JsonElement _stored;
    private readonly string _what;
    private readonly HashSet<string> _names = [];

    /// <summary>Settings to write.</summary>
    internal LayerSettings(Utf8JsonWriter writer, string what) => (_writer, _what) = (writer, what);

    /// <summary>Settings to read.</summary>
    internal LayerSettings(JsonElement stored, string what)
    {
        (_stored, _what) = (stored, what);
        if (stored.ValueKind != JsonValueKind.Object)
            throw new ModelFileException($"The settings of {what} are no object.");
    }

    /// <summary>True where a layer is read.</summary>
    public bool IsReading => _writer is null;

    /// <summary>A truth value.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">What the layer has.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ModelFileException">It is not stored, or of another type.</exception>
    public bool Flag(string name, bool? value)
    {
        if (Begin(name) is not { } writer)
            return Stored(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } flag ? flag.GetBoolean() : throw Wrong(name, "true or false");
        writer.WriteBooleanValue(Given(name, value));
        return value!.Value;
    }

    /// <summary>An integer.</summary>
    /// <inheritdoc cref="Flag"/>
    public int WholeNumber(string name, int? value) => OptionalWholeNumber(name, IsReading ? value : Given(name, value)) ?? throw Wrong(name, "an integer");

    /// <summary>An integer, or none.</summary>
    /// <inheritdoc cref="Flag"/>
    public int? OptionalWholeNumber(string name, int? value)
    {
        if (Begin(name) is not { } writer)
            return Stored(name) is { ValueKind: not JsonValueKind.Null } number ? IntegerOf(number) ?? throw Wrong(name, "an integer") : null;
        if (value is { } given)
            writer.WriteNumberValue(given);
        else
            writer.WriteNullValue();
        return value;
    }

    /// <summary>A number.</summary>
    /// <inheritdoc cref="Flag"/>
    public double Number(string name, double? value) => OptionalNumber(name, IsReading ? value : Given(name, value)) ?? throw Wrong(name, "a number");

    /// <summary>A number, or none.</summary>
    /// <inheritdoc cref="Flag"/>
    public double? OptionalNumber(string name, double? value)
    {
        if (Begin(name) is not { } writer)
            return Stored(name) is { ValueKind: not JsonValueKind.Null } number ? NumberOf(number) ?? throw Wrong(name, "a number") : null;
        if (value is { } given)
            WriteNumber(writer, given);
        else
            writer.WriteNullValue();
        return value;
    }

    /// <summary>A text.</summary>
    /// <inheritdoc cref="Flag"/>
    public string Text(string name, string? value)
    {
        if (Begin(name) is not { } writer)
            return Stored(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw Wrong(name, "a text");
        writer.WriteStringValue(value ?? throw NotGiven(name));
        return value;
    }

    /// <summary>A value of an enumeration, stored by its name.</summary>
    /// <typeparam name="TEnum">The enumeration.</typeparam>
    /// <inheritdoc cref="Flag"/>
    public TEnum Choice<TEnum>(string name, TEnum? value) where TEnum : struct, Enum
    {
        if (!IsReading)
        {
            Text(name, Enum.GetName(Given(name, value)) ?? throw NotGiven(name));
            return value!.Value;
        }

        var text = Text(name, null);
        return Enum.TryParse(text, out TEnum choice) && Enum.GetName(choice) == text ? choice
            : throw Wrong(name, $"one of {string.Join(", ", Enum.GetNames<TEnum>())}");
    }

    /// <summary>A list of integers.</summary>
    /// <inheritdoc cref="Flag"/>
    public int[] WholeNumbers(string name, IReadOnlyList<int>? value)
    {
        if (Begin(name) is not { } writer)
            return List(name, item => IntegerOf(item) ?? throw Wrong(name, "a list of integers"));
        writer.WriteStartArray();
        foreach (var item in value ?? throw NotGiven(name))
            writer.WriteNumberValue(item);
        writer.WriteEndArray();
        return [.. value];
    }

    /// <summary>A list of numbers.</summary>
    /// <inheritdoc cref="Flag"/>
    public double[] Numbers(string name, IReadOnlyList<double>? value)
    {
        if (Begin(name) is not { } writer)
            return List(name, item => NumberOf(item) ?? throw Wrong(name, "a list of numbers"));
        writer.WriteStartArray();
        foreach (var item in value ?? throw NotGiven(name))
            WriteNumber(writer, item);
        writer.WriteEndArray();
        return [.. value];
    }

    /// <summary>How weights start. An initializer of a user's own class is not stored, and is null in a layer that is read: the weights come
    /// from the file.</summary>
    /// <inheritdoc cref="Flag"/>
    public Initializer? Initializer(string name, Initializer? value)
    {
        if (Begin(name) is { } writer)
        {
            if (!InitializerKinds.TryWrite(writer, value, _what))
                writer.WriteNullValue();
            return value;
        }

        return Stored(name) is { ValueKind: not JsonValueKind.Null } stored ? InitializerKinds.Read(stored, $"'{name}' of {_what}") : null;
    }

    /// <summary>Another layer that this one is made of, or none.</summary>
    /// <typeparam name="TLayer">Its class.</typeparam>
    /// <inheritdoc cref="Flag"/>
    public TLayer? Layer<TLayer>(string name, TLayer? value) where TLayer : Layer
    {
        if (Begin(name) is { } writer)
        {
            if (value is null)
                writer.WriteNullValue();
            else
                LayerKinds.Write(writer, value);
            return value;
        }

        var stored = Stored(name);
        return stored.ValueKind == JsonValueKind.Null ? null : LayerKinds.Read(stored) as TLayer ?? throw Wrong(name, $"a layer {typeof(TLayer).Name}");
    }

    /// <summary>Throws if something is stored that the layer's kind does not know: it would get lost.</summary>
    internal void CheckAllRead()
    {
        foreach (var property in _stored.EnumerateObject())
        {
            if (!_names.Contains(property.Name))
                throw new ModelFileException($"{_what} has a setting '{property.Name}' that this library does not know.");
        }
    }

    /// <summary>Begins a setting; null where settings are read.</summary>
    private Utf8JsonWriter? Begin(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!_names.Add(name))
            throw new InvalidOperationException($"{_what} names the setting '{name}' twice.");
        _writer?.WritePropertyName(name);
        return _writer;
    }

    private JsonElement Stored(string name) => _stored.TryGetProperty(name, out var value) ? value
        : throw new ModelFileException(
            $"{_what} lacks the setting '{name}'; it has: {string.Join(", ", _stored.EnumerateObject().Select(property => property.Name))}.");

    private T[] List<T>(string name, Func<JsonElement, T> item)
    {
        var stored = Stored(name);
        return stored.ValueKind == JsonValueKind.Array ? [.. stored.EnumerateArray().Select(item)] : throw Wrong(name, "a list");
    }

    private T Given<T>(string name, T? value) where T : struct => value ?? throw NotGiven(name);

    private static void WriteNumber(Utf8JsonWriter writer, double value)
    {
        // JSON has no infinities.
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    private static int? IntegerOf(JsonElement stored) =>
        stored.ValueKind == JsonValueKind.Number && stored.TryGetInt32(out var value) ? value : null;

    private static double? NumberOf(JsonElement stored) => stored.ValueKind switch
    {
        JsonValueKind.Number when stored.TryGetDouble(out var value) && double.IsFinite(value) => value,
        JsonValueKind.String when stored.GetString() is "NaN" or "Infinity" or "-Infinity" =>
            double.Parse(stored.GetString()!, CultureInfo.InvariantCulture),
        _ => null,
    };

    private ModelFileException Wrong(string name, string expected) =>
        new($"The setting '{name}' of {_what} must be {expected}; it is {Stored(name).GetRawText()}.");

    private InvalidOperationException NotGiven(string name) => new($"{_what} gives no value for the setting '{name}'.");
}
