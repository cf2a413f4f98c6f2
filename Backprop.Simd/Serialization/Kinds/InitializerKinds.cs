using System.Text.Json;
using Backprop.Simd.Initializers;

namespace Backprop.Simd.Serialization;

/// <summary>The library's initializers by kind.</summary>
internal static class InitializerKinds
{
    private static readonly Dictionary<string, Func<LayerSettings, Initializer?, Initializer>> _makers = new()
    {
        ["constant"] = (s, i) => new ConstantInitializer(s.Number("value", (i as ConstantInitializer)?.Value)),
        ["dirac"] = (_, _) => new DiracInitializer(),
        ["he"] = (_, _) => new HeInitializer(),
        ["heuniform"] = (_, _) => new HeUniformInitializer(),
        ["identity"] = (s, i) => new IdentityInitializer(s.Number("gain", (i as IdentityInitializer)?.Gain)),
        ["normal"] = (s, i) => new NormalInitializer(s.Number("deviation", (i as NormalInitializer)?.StandardDeviation)),
        ["orthogonal"] = (s, i) => new OrthogonalInitializer(s.Number("gain", (i as OrthogonalInitializer)?.Gain)),
        ["sparse"] = (s, i) => new SparseInitializer(
            s.Number("sparsity", (i as SparseInitializer)?.Sparsity), s.Number("deviation", (i as SparseInitializer)?.StandardDeviation)),
        ["truncatednormal"] = (s, i) => new TruncatedNormalInitializer(
            s.Number("deviation", (i as TruncatedNormalInitializer)?.StandardDeviation), s.Number("bound", (i as TruncatedNormalInitializer)?.Bound)),
        ["uniform"] = (s, i) => new UniformInitializer(s.Number("low", (i as UniformInitializer)?.Low), s.Number("high", (i as UniformInitializer)?.High)),
        ["values"] = (s, i) => new ValuesInitializer(s.Numbers("values", (i as ValuesInitializer)?.Values.ToArray())),
        ["variancescaling"] = (s, i) => new VarianceScalingInitializer(
            s.Number("gain", (i as VarianceScalingInitializer)?.Gain), s.Choice("mode", (i as VarianceScalingInitializer)?.Mode),
            s.Choice("distribution", (i as VarianceScalingInitializer)?.Distribution)),
        ["xavier"] = (_, _) => new XavierInitializer(),
        ["xaviernormal"] = (_, _) => new XavierNormalInitializer(),
        ["zeros"] = (_, _) => new ZerosInitializer(),
    };

    /// <summary>Writes an initializer of the library. For any other it writes nothing and returns false.</summary>
    public static bool TryWrite(Utf8JsonWriter writer, Initializer? initializer, string what)
    {
        if (KindOf(initializer) is not { } kind)
            return false;
        writer.WriteStartObject();
        writer.WriteString("kind", kind);
        writer.WriteStartObject("settings");
        _makers[kind](new LayerSettings(writer, $"an initializer of {what}"), initializer);
        writer.WriteEndObject();
        writer.WriteEndObject();
        return true;
    }

    /// <exception cref="ModelFileException">The kind is unknown, or its settings are not valid.</exception>
    public static Initializer Read(JsonElement stored, string what)
    {
        var (kind, settings) = LayerKinds.Parts(stored, what);
        if (!_makers.TryGetValue(kind, out var make))
            throw new ModelFileException($"{what} is an initializer of kind '{kind}', which this library does not have.");
        return LayerKinds.Make(settings, $"the initializer '{kind}'", read => make(read, null));
    }

    private static string? KindOf(Initializer? initializer) => initializer switch
    {
        ConstantInitializer => "constant",
        DiracInitializer => "dirac",
        HeInitializer => "he",
        HeUniformInitializer => "heuniform",
        IdentityInitializer => "identity",
        NormalInitializer => "normal",
        OrthogonalInitializer => "orthogonal",
        SparseInitializer => "sparse",
        TruncatedNormalInitializer => "truncatednormal",
        UniformInitializer => "uniform",
        ValuesInitializer => "values",
        VarianceScalingInitializer => "variancescaling",
        XavierInitializer => "xavier",
        XavierNormalInitializer => "xaviernormal",
        ZerosInitializer => "zeros",
        _ => null,
    };
}
