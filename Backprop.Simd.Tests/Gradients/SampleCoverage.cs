using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>Which layers have no sample.</summary>
internal static class SampleCoverage
{
    /// <summary>The concrete layers among some types; an open layer, such as <see cref="Activation{TFunction}"/>, closed over each function there.</summary>
    public static IReadOnlyList<Type> ConcreteLayers(IReadOnlyCollection<Type> types)
    {
        var functions = types.Where(t => t.IsValueType && !t.ContainsGenericParameters
            && (typeof(IActivation).IsAssignableFrom(t) || typeof(IBinaryFunction).IsAssignableFrom(t))).ToArray();
        return
        [
            .. types.Where(t => t.IsSubclassOf(typeof(Layer)) && !t.IsAbstract && !t.ContainsGenericParameters),
            .. types.Where(t => t.IsSubclassOf(typeof(Layer)) && !t.IsAbstract && t.IsGenericTypeDefinition)
                .SelectMany(t => functions.Where(f => Constraint(t).IsAssignableFrom(f)).Select(f => t.MakeGenericType(f))),
        ];
    }

    private static Type Constraint(Type layer) => layer.GetGenericArguments()[0].GetGenericParameterConstraints().Single(c => c.IsInterface);

    /// <summary>The layers without a sample.</summary>
    public static IReadOnlyList<Type> Missing(IEnumerable<Type> layers, IEnumerable<LayerSample> samples) =>
        [.. layers.Except(samples.Select(s => s.Layer.GetType()))];
}
