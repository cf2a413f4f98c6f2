using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Interchange;

/// <summary>How each class of layers is written.</summary>
internal static partial class OnnxLayers
{
    private static readonly Dictionary<Type, Func<OnnxLayerWriter, Layer, OnnxEdge[]>> _forms = [];

    static OnnxLayers()
    {
        AddActivations();
        AddGates();
        AddReductions();
        AddNormalizations();
        AddConvolutions();
        AddPoolings();
        AddShapes();
        AddIndexing();
        AddSequences();
        AddAttention();
    }

    /// <summary>Whether a class has a form.</summary>
    public static bool Knows(Type layer) => _forms.ContainsKey(layer);

    /// <summary>Writes a layer; gives its outputs.</summary>
    /// <exception cref="OnnxRefusal">ONNX cannot say it.</exception>
    public static OnnxEdge[] Write(OnnxLayerWriter writer, Layer layer)
    {
        if (_forms.TryGetValue(layer.GetType(), out var form))
            return form(writer, layer);
        if (layer is Loss)
            throw new OnnxRefusal("an output depends on a loss, which is not part of a model");
        if (layer.GetType().Assembly != typeof(Layer).Assembly)
            throw new OnnxRefusal($"the class {layer.GetType().Name} is no layer of the library, so that nothing says how ONNX writes it");
        if (writer.Inputs.Count == 0 && writer.Node.Parameters.Count == 1)
            return [writer.Last(writer.Parameter(0))]; // what reads a parameter of another layer
        throw new OnnxRefusal($"there is no form for {layer.GetType().Name}; a function of a user's own has none");
    }

    private static void Register<TLayer>(Func<OnnxLayerWriter, TLayer, OnnxEdge> form) where TLayer : Layer =>
        _forms.Add(typeof(TLayer), (writer, layer) => [form(writer, (TLayer)layer)]);

    private static void RegisterAll<TLayer>(Func<OnnxLayerWriter, TLayer, OnnxEdge[]> form) where TLayer : Layer =>
        _forms.Add(typeof(TLayer), (writer, layer) => form(writer, (TLayer)layer));

    private static void RegisterActivation<TFunction>(Func<OnnxLayerWriter, TFunction, OnnxEdge> form) where TFunction : struct, IActivation =>
        Register<Activation<TFunction>>((writer, layer) => form(writer, layer.Function));

    private static void RegisterGate<TFunction>(string kind) where TFunction : struct, IBinaryFunction =>
        Register<BinaryGate<TFunction>>((writer, _) => writer.Gate(kind, [.. writer.Inputs]));
}
