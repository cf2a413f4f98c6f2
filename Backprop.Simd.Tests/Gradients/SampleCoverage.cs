using Backprop.Simd.Activations;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>Which layers have no sample.</summary>
internal static class SampleCoverage
{
    /// <summary>The concrete layers among some types; an open <see cref="Activation{TFunction}"/> closed over each activation there.</summary>
    public static IReadOnlyList<Type> ConcreteLayers(IReadOnlyCollection<Type> types)
    {
        var activations = types.Where(t => t.IsValueType && typeof(IActivation).IsAssignableFrom(t)).ToArray();
        return
        [
            .. types.Where(t => t.IsSubclassOf(typeof(Layer)) && !t.IsAbstract && !t.ContainsGenericParameters),
            .. types.Where(t => t.IsSubclassOf(typeof(Layer)) && !t.IsAbstract && t.IsGenericTypeDefinition)
                .SelectMany(t => activations.Select(a => t.MakeGenericType(a))),
        ];
    }

    /// <summary>The layers without a sample.</summary>
    public static IReadOnlyList<Type> Missing(IEnumerable<Type> layers, IEnumerable<LayerSample> samples) =>
        [.. layers.Except(samples.Select(s => s.Layer.GetType()))];
}
