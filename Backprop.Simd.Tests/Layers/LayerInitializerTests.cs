using System.Reflection;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Gradients;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Every layer with weights, parameters of rank 2 or more, takes an initializer and starts its weights by it.</summary>
public sealed class LayerInitializerTests
{
    private const double Value = 0.125;

    /// <summary>Layers whose parameters of rank 2 or more are no weights of a sum, with the value that they start at.</summary>
    private static readonly Dictionary<Type, (double Start, string Reason)> Exceptions = new()
    {
        [typeof(LayerNormalization)] = (1, "a scale for each element that is normalized; the bias starts at 0"),
        [typeof(RmsNormalization)] = (1, "a scale for each element that is normalized"),
    };

    private static readonly int[] Found =
        [.. Enumerable.Range(0, LayerSamples.All.Count).Where(i => Weights(LayerSamples.All[i].Layer, LayerSamples.All[i].Inputs).Any())];

    public static TheoryData<int> Samples => [.. Found];

    [Theory, MemberData(nameof(Samples))]
    public void Weights_start_by_the_initializer(int sample)
    {
        var (layer, inputs) = (LayerSamples.All[sample].Layer, LayerSamples.All[sample].Inputs);
        if (Exceptions.TryGetValue(layer.GetType(), out var exception))
        {
            Assert.All(Weights(layer, inputs).Where(p => p.Name == "weight"), p => Assert.All(First(p), v => Assert.Equal(exception.Start, v)));
            Assert.Null(With(layer, Initialize.Constant(Value)));
            return;
        }

        var constant = With(layer, Initialize.Constant(Value));
        Assert.True(constant is not null, $"{layer.GetType().Name} has weights and no constructor with an 'initializer'.");
        var weights = Weights(constant, inputs).ToArray();
        Assert.NotEmpty(weights);
        foreach (var weight in weights)
        {
            var values = First(weight);
            var padding = constant switch { Embedding e => e.PaddingIndex, EmbeddingBag e => e.PaddingIndex, _ => null };
            for (var i = 0; i < values.Length; i++)
            {
                var expected = i / weight.Shape.Last == padding ? 0 : Value;
                Assert.True(values[i] == expected, $"{layer.Kind}.{weight.Name} [{i}]: {values[i]}, not {expected}.");
            }
        }
    }

    [Fact]
    public void The_layers_with_weights_are_found()
    {
        var found = Found.Select(s => LayerSamples.All[s].Layer.GetType()).ToHashSet();
        Assert.Superset(Exceptions.Keys.ToHashSet(), found);
        foreach (var type in (Type[])[typeof(Affine), typeof(Convolution1D), typeof(Convolution2D), typeof(ConvolutionTranspose1D),
            typeof(ConvolutionTranspose2D), typeof(Embedding), typeof(EmbeddingBag), typeof(Rnn), typeof(Lstm), typeof(Gru), typeof(MultiHeadAttention)])
            Assert.Contains(type, found);
    }

    private static IEnumerable<DeclaredParameter> Weights(Layer layer, EdgeType[] inputs)
    {
        var declaration = new LayerDeclaration(layer.Kind, [.. inputs]);
        layer.Declare(declaration);
        return declaration.Parameters.Where(p => p.Shape.Rank > 1);
    }

    /// <summary>The first values of a parameter.</summary>
    private static double[] First(DeclaredParameter parameter)
    {
        var values = new double[parameter.Shape.Size];
        var random = new Philox(1, 0);
        var initializer = parameter.Initializer ?? Initialize.Xavier;
        initializer.Fill(values.AsSpan(), parameter.Shape.CopyTo(new int[Shape.MaxRank]), parameter.FanIn, parameter.FanOut, ref random);
        return values;
    }

    /// <summary>The layer with the same settings and another initializer; null if no constructor takes one.</summary>
    private static Layer? With(Layer layer, Initializer initializer)
    {
        if (layer is EachStep each)
            return With(each.Layer, initializer) is { } inner ? new EachStep(inner) : null;
        var constructor = layer.GetType().GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        if (constructor.GetParameters().All(p => p.Name != "initializer"))
            return null;
        return (Layer)constructor.Invoke([.. constructor.GetParameters().Select(p => p.Name == "initializer" ? initializer : Setting(layer, p))]);
    }

    private static object? Setting(Layer layer, ParameterInfo parameter) => layer.GetType().GetProperties().Single(p =>
        new[] { "", "Is", "Has" }.Any(prefix => string.Equals(p.Name, prefix + parameter.Name, StringComparison.OrdinalIgnoreCase))).GetValue(layer);
}
