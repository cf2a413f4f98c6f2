using System.Reflection;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Tests.Gradients;

namespace Backprop.Simd.Tests.Layers;

/// <summary>A layer describes itself: its kind is its class, and its public properties are enough to make it again.</summary>
public sealed class LayerSettingsTests
{
    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count)];

    [Theory, MemberData(nameof(Samples))]
    public void The_kind_is_the_name_of_the_class(int sample)
    {
        var layer = LayerSamples.All[sample].Layer;
        var name = layer.GetType().IsGenericType ? layer.GetType().GetGenericArguments()[0].Name : layer.GetType().Name;
        Assert.Equal(name, layer.Kind, ignoreCase: true);
        Assert.Equal(layer.Kind.ToUpperInvariant(), layer.Kind.ToUpperInvariant().Trim());
        Assert.DoesNotContain(layer.Kind, char.IsUpper);
    }

    [Theory, MemberData(nameof(Samples))]
    public void A_layer_is_made_again_from_its_properties(int sample)
    {
        var (layer, inputs) = (LayerSamples.All[sample].Layer, LayerSamples.All[sample].Inputs);
        var constructor = layer.GetType().GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        var arguments = constructor.GetParameters().Select(p => Setting(layer, p)).ToArray();
        var again = FromSpans(layer) ?? (Layer)constructor.Invoke(arguments);

        LayerDeclaration first = new(layer.Kind, [.. inputs]), second = new(again.Kind, [.. inputs]);
        layer.Declare(first);
        again.Declare(second);
        Assert.Equal(first.Outputs, second.Outputs);
        Assert.Equal(first.Parameters.Select(p => (p.Name, p.Shape)), second.Parameters.Select(p => (p.Name, p.Shape)));
        Assert.Equal((first.Traits, first.Meaning, first.ViewStart, first.Divisor), (second.Traits, second.Meaning, second.ViewStart, second.Divisor));
        Assert.Equal((first.CachePerRow, first.ScratchPerRow, first.ScratchPerBatch), (second.CachePerRow, second.ScratchPerRow, second.ScratchPerBatch));
        foreach (var property in layer.GetType().GetProperties())
            Assert.Equal(property.GetValue(layer), property.GetValue(again));
    }

    /// <summary>A layer whose constructor takes a span, which reflection cannot pass.</summary>
    private static Layer? FromSpans(Layer layer) => layer switch
    {
        Reshape l => new Reshape([.. l.Dimensions]),
        Pad l => new Pad([.. l.Before], [.. l.After], l.Mode, l.Value),
        Reverse l => new Reverse([.. l.Axes]),
        Tile l => new Tile([.. l.Repeats]),
        CutTo l => new CutTo(l.Axis),
        Transpose l => new Transpose([.. l.Axes]),
        Sum l => new Sum(l.KeepDimensions, [.. l.Axes]),
        Mean l => new Mean(l.KeepDimensions, [.. l.Axes]),
        Max l => new Max(l.KeepDimensions, [.. l.Axes]),
        Min l => new Min(l.KeepDimensions, [.. l.Axes]),
        Norm l => new Norm(l.KeepDimensions, [.. l.Axes]),
        LogSumExp l => new LogSumExp(l.KeepDimensions, [.. l.Axes]),
        Variance l => new Variance(l.Correction, l.KeepDimensions, [.. l.Axes]),
        Normalize l => new Normalize([.. l.Offsets], [.. l.Factors]),
        Denormalize l => new Denormalize([.. l.Offsets], [.. l.Factors]),
        ArgMax l => new ArgMax(l.Axis, l.KeepDimensions),
        _ => null,
    };

    /// <summary>The property of a constructor's parameter: of its name, or with Is or Has in front.</summary>
    private static object? Setting(Layer layer, ParameterInfo parameter)
    {
        if (parameter.ParameterType.IsByRefLike)
            return null;
        var property = layer.GetType().GetProperties().SingleOrDefault(p => new[] { "", "Is", "Has" }.Any(prefix =>
            string.Equals(p.Name, prefix + parameter.Name, StringComparison.OrdinalIgnoreCase)));
        Assert.True(property is not null, $"{layer.GetType().Name} has no property for '{parameter.Name}'.");
        var value = property.GetValue(layer);

        // Empty is what null gives.
        return value is IReadOnlyList<double> { Count: 0 } ? null : value;
    }
}
