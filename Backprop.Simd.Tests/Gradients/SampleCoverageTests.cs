using System.Reflection;
using Backprop.Simd.Activations;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>No layer of the library without a gradient check and a comparison of float with double.</summary>
public sealed class SampleCoverageTests
{
    /// <summary>Without the fused operations of the executor, which nobody places: their bits are those of the layers they replace. Without
    /// <see cref="StopGradient"/>, whose gradient is no derivative: StopGradientTests hold it. Without
    /// <see cref="ParameterReader"/>, whose parameter is another layer's: ParameterNodeTests hold it.</summary>
    private static Type[] LibraryTypes =>
        [.. typeof(Layer).Assembly.GetTypes().Where(t => t.Namespace != "Backprop.Simd.Execution" && t != typeof(StopGradient)
            && t != typeof(ParameterReader))];

    [Fact]
    public void Every_layer_of_the_library_has_a_sample()
    {
        var layers = SampleCoverage.ConcreteLayers(LibraryTypes);
        Assert.True(layers.Count >= 16, $"Only {layers.Count} layers found: {string.Join(", ", layers)}.");
        Assert.Empty(SampleCoverage.Missing(layers, LayerSamples.All));
    }

    [Fact]
    public void Every_theory_runs_every_sample()
    {
        var theories = typeof(LayerGradientTests).GetMethods().Where(m => m.GetCustomAttribute<TheoryAttribute>() is not null).ToArray();
        Assert.True(theories.Length >= 5);
        Assert.Contains(theories, t => t.Name == nameof(LayerGradientTests.Backward_equals_the_central_difference));
        Assert.Contains(theories, t => t.Name == nameof(LayerGradientTests.Float_agrees_with_double));
        Assert.All(theories, t => Assert.Equal(nameof(LayerGradientTests.Samples), t.GetCustomAttribute<MemberDataAttribute>()!.MemberName));
        Assert.Equal(LayerSamples.All.Count, LayerGradientTests.Samples.Count);
    }

    [Fact]
    public void A_planted_layer_without_a_sample_is_found()
    {
        var layers = SampleCoverage.ConcreteLayers([.. LibraryTypes, typeof(PlantedLayer)]);
        Assert.Equal([typeof(PlantedLayer)], SampleCoverage.Missing(layers, LayerSamples.All));
    }

    [Fact]
    public void A_planted_activation_without_a_sample_is_found()
    {
        var layers = SampleCoverage.ConcreteLayers([.. LibraryTypes, typeof(PlantedActivation)]);
        Assert.Equal([typeof(Activation<PlantedActivation>)], SampleCoverage.Missing(layers, LayerSamples.All));
    }

    [Fact]
    public void A_removed_sample_is_missed()
    {
        var without = LayerSamples.All.Where(s => s.Layer is not Reciprocal);
        Assert.Equal([typeof(Reciprocal)], SampleCoverage.Missing(SampleCoverage.ConcreteLayers(LibraryTypes), without));
    }

    private sealed class PlantedLayer : UnaryGate
    {
        public override string Kind => "planted";

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context) => context.OutputGradient().CopyTo(context.InputGradient(0).Span);
    }

    private readonly struct PlantedActivation : IActivation
    {
        public string Name => "planted";

        public bool BackwardUsesInput => false;

        public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => x;

        public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => outputGradient;
    }
}
