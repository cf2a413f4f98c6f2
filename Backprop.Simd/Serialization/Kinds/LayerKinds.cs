using System.Collections.Concurrent;
using System.Text.Json;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Serialization;

/// <summary>The layers that a model file can hold, by kind: those of this library, and those that a program registers.</summary>
/// <remarks>There is no reflection: a kind is a function that makes a layer from its settings.</remarks>
public static partial class LayerKinds
{
    private static readonly ConcurrentDictionary<string, Kind> _byName = new();
    private static readonly ConcurrentDictionary<Type, Kind> _byClass = new();

    static LayerKinds() => AddLibrary();

    /// <summary>Makes a class of layers known, so that models with it can be saved and loaded. Call it once, before both.</summary>
    /// <typeparam name="TLayer">The class; its objects have the kind in <see cref="Layer.Kind"/>.</typeparam>
    /// <param name="kind">The kind, unique, in lower case.</param>
    /// <param name="make">Makes a layer from its settings. The second argument is the layer to describe, or null where one is read:
    /// <c>(settings, layer) => new Scale(settings.Number("factor", layer?.Factor))</c>.</param>
    /// <exception cref="ArgumentException">The kind or the class is registered already, with another function.</exception>
    public static void Register<TLayer>(string kind, Func<LayerSettings, TLayer?, TLayer> make) where TLayer : Layer
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(kind);
        ArgumentNullException.ThrowIfNull(make);
        var entry = new Kind(kind, typeof(TLayer), make, (settings, layer) => make(settings, (TLayer?)layer));
        lock (_byName)
        {
            if (_byName.TryGetValue(kind, out var other) && !(other.Class == entry.Class && other.Make.Equals(make)))
                throw new ArgumentException($"The kind '{kind}' is registered already, for {NameOf(other.Class)}.", nameof(kind));
            if (_byClass.TryGetValue(entry.Class, out other) && other.Name != kind)
                throw new ArgumentException($"The class {NameOf(entry.Class)} is registered already, as '{other.Name}'.", nameof(kind));
            _byName[kind] = _byClass[entry.Class] = entry;
        }
    }

    /// <summary>Makes an activation function known, as <see cref="Register"/> does for a layer.</summary>
    /// <typeparam name="TFunction">The function.</typeparam>
    /// <param name="kind">The kind: the name of the function in lower case.</param>
    /// <param name="make">Makes the function from its settings; null for <c>default</c>, which suits functions without settings.</param>
    /// <exception cref="ArgumentException">The kind or the class is registered already.</exception>
    public static void RegisterActivation<TFunction>(string kind, Func<LayerSettings, TFunction?, TFunction>? make = null)
        where TFunction : struct, IActivation =>
        Register<Activation<TFunction>>(kind, (settings, layer) => new(make is null ? default : make(settings, layer?.Function)));

    /// <summary>Makes a function of two nodes known, as <see cref="Register"/> does for a layer.</summary>
    /// <typeparam name="TFunction">The function.</typeparam>
    /// <param name="kind">The kind: the name of the function in lower case.</param>
    /// <param name="make">Makes the function from its settings; null for <c>default</c>, which suits functions without settings.</param>
    /// <exception cref="ArgumentException">The kind or the class is registered already.</exception>
    public static void RegisterGate<TFunction>(string kind, Func<LayerSettings, TFunction?, TFunction>? make = null)
        where TFunction : struct, IBinaryFunction =>
        Register<BinaryGate<TFunction>>(kind, (settings, layer) => new(make is null ? default : make(settings, layer?.Function)));

    /// <summary>Writes a layer: its kind and its settings.</summary>
    /// <exception cref="ArgumentException">The class of the layer is not registered.</exception>
    internal static void Write(Utf8JsonWriter writer, Layer layer)
    {
        if (!_byClass.TryGetValue(layer.GetType(), out var kind))
        {
            throw new ArgumentException(
                $"A layer '{layer.Kind}' of the class {NameOf(layer.GetType())} cannot be described: call {CallFor(layer.GetType())} first.", nameof(layer));
        }

        writer.WriteStartObject();
        writer.WriteString("kind", kind.Name);
        writer.WriteStartObject("settings");
        kind.Describe(new LayerSettings(writer, $"the layer '{kind.Name}'"), layer);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Makes a layer that was written.</summary>
    /// <exception cref="ModelFileException">The kind is unknown, or its settings are not valid.</exception>
    internal static Layer Read(JsonElement stored)
    {
        var (name, settings) = Parts(stored, "a layer");
        if (!_byName.TryGetValue(name, out var kind))
        {
            throw new ModelFileException($"The file has a layer of the kind '{name}', which is not known here. Before the file is read, call "
                + $"{nameof(LayerKinds)}.{nameof(Register)} for its class; for a function, {nameof(RegisterActivation)} or {nameof(RegisterGate)}.");
        }

        return Make(settings, $"the layer '{name}'", read => kind.Describe(read, null));
    }

    internal static (string Kind, JsonElement Settings) Parts(JsonElement stored, string what) =>
        stored.ValueKind == JsonValueKind.Object && stored.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String
            && stored.TryGetProperty("settings", out var settings)
            ? (kind.GetString()!, settings) : throw new ModelFileException($"{what} must have a 'kind' and 'settings'.");

    /// <summary>Makes something from settings; what a constructor refuses is refused as damaged.</summary>
    internal static T Make<T>(JsonElement settings, string what, Func<LayerSettings, T> make)
    {
        var read = new LayerSettings(settings, what);
        try
        {
            var made = make(read);
            read.CheckAllRead();
            return made;
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException($"The settings of {what} are not valid. {e.WithoutParameter()}", e);
        }
    }

    /// <summary>The class as its user knows it: the function of an activation or a gate.</summary>
    private static string NameOf(Type type) => type.IsGenericType ? type.GetGenericArguments()[0].Name : type.Name;

    private static string CallFor(Type type)
    {
        var call = !type.IsGenericType ? nameof(Register)
            : type.GetGenericTypeDefinition() == typeof(Activation<>) ? nameof(RegisterActivation)
            : type.GetGenericTypeDefinition() == typeof(BinaryGate<>) ? nameof(RegisterGate) : nameof(Register);
        return $"{nameof(LayerKinds)}.{call}<{NameOf(type)}>";
    }

    private sealed record Kind(string Name, Type Class, Delegate Make, Func<LayerSettings, Layer?, Layer> Describe);
}
