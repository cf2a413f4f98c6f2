using System.Buffers;
using System.Text;
using System.Text.Json;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Gradients;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Layers as text and back: all of the library's, and a user's own.</summary>
public sealed class LayerKindsTests
{
    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count)];

    [Theory, MemberData(nameof(Samples))]
    public void Every_layer_comes_back_from_its_text(int sample)
    {
        var layer = LayerSamples.All[sample].Layer;
        var text = Write(layer);
        var again = Read(text);
        Assert.Equal(layer.GetType(), again.GetType());
        Assert.Equal(text, Write(again));
        foreach (var property in layer.GetType().GetProperties())
        {
            if (property.GetValue(layer) is not (Layer or Initializer or null) and var value)
                Assert.Equal(value, property.GetValue(again));
        }

        using var document = JsonDocument.Parse(text);
        Assert.Equal(layer.Kind, document.RootElement.GetProperty("kind").GetString());
    }

    [Fact]
    public void Every_class_of_layers_has_a_sample_that_comes_back()
    {
        // The samples are complete by a test of their own; what is left over here is made by graphs alone.
        Assert.Throws<ArgumentException>("layer", () => Write(new Unknown(1)));
    }

    public static TheoryData<Initializer> Initializers =>
    [
        Initialize.He, Initialize.HeUniform, Initialize.Xavier, Initialize.XavierNormal, Initialize.LeCun, Initialize.LeCunUniform, Initialize.Dirac,
        Initialize.Zeros, Initialize.Constant(0.1), Initialize.Normal(0.3), Initialize.Uniform(-0.1, 1.0 / 3), Initialize.TruncatedNormal(0.2, 1.5),
        Initialize.Orthogonal(1.4), Initialize.Identity(2), Initialize.Sparse(0.9, 0.05), Initialize.FromValues(1, double.Epsilon, -1e300),
        Initialize.VarianceScaling(2, FanMode.Average, ScalingDistribution.Uniform),
    ];

    [Theory, MemberData(nameof(Initializers))]
    public void Every_initializer_comes_back(Initializer initializer)
    {
        var text = Write(new Affine(3, initializer));
        var again = ((Affine)Read(text)).Initializer!;
        Assert.Equal(initializer.GetType(), again.GetType());
        Assert.Equal(text, Write(new Affine(3, again)));
        Assert.DoesNotContain("\"initializer\":null", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_initializer_of_ones_own_is_left_out()
    {
        var again = (Affine)Read(Write(new Affine(3, new Own())));
        Assert.Null(again.Initializer);
    }

    [Fact]
    public void Numbers_without_digits_come_back()
    {
        foreach (var factor in (double[])[double.MaxValue, double.Epsilon, -0.0, 0.1])
            Assert.Equal(BitConverter.DoubleToInt64Bits(factor), BitConverter.DoubleToInt64Bits(((Scale)Read(Write(new Scale(factor)))).Factor));
        LayerKinds.Register<Marked>("marked", (s, l) => new(s.Number("mark", l?.Mark), s.OptionalNumber("other", l?.Other), s.Text("word", l?.Word)));
        foreach (var mark in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
        {
            var again = (Marked)Read(Write(new Marked(mark, null, "\"\0ü")));
            Assert.Equal((mark, null, "\"\0ü"), (again.Mark, again.Other, again.Word));
        }
    }

    [Theory]
    [InlineData("""{"kind":"scale","settings":{}}""", "lacks the setting 'factor'")]
    [InlineData("""{"kind":"scale","settings":{"factor":"x"}}""", "must be a number")]
    [InlineData("""{"kind":"scale","settings":{"factor":1e999}}""", "must be a number")]
    [InlineData("""{"kind":"scale","settings":{"factor":1,"more":2}}""", "'more'")]
    [InlineData("""{"kind":"scale","settings":[1]}""", "no object")]
    [InlineData("""{"kind":"scale"}""", "'kind' and 'settings'")]
    [InlineData("""{"kind":"nothing","settings":{}}""", "'nothing'")]
    [InlineData("""{"kind":"dropout","settings":{"probability":7}}""", "not valid")]
    [InlineData("""{"kind":"noise","settings":{"distribution":"1","location":0,"spread":1}}""", "one of Normal")]
    [InlineData("""{"kind":"affine","settings":{"outputs":1.5,"initializer":null,"bias":true,"perPosition":false}}""", "an integer")]
    [InlineData("""{"kind":"affine","settings":{"outputs":2147483648,"initializer":null,"bias":true,"perPosition":false}}""", "an integer")]
    [InlineData("""{"kind":"affine","settings":{"outputs":2,"initializer":{"kind":"magic","settings":{}},"bias":true,"perPosition":false}}""", "'magic'")]
    [InlineData("""{"kind":"eachstep","settings":{"layer":null}}""", "missing")]
    [InlineData("""
        {"kind":"multiheadattention","settings":{"heads":2,"causal":false,"initializer":null,"keyValueHeads":2,"dropout":0,
        "rotary":{"kind":"scale","settings":{"factor":1}},"weights":false,"projected":false}}
        """, "RotaryPositions")]
    public void Damaged_settings_are_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<ModelFileException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_kind_or_a_class_is_registered_once()
    {
        Func<LayerSettings, Unregistered?, Unregistered> make = (_, _) => new();
        LayerKinds.Register("unregistered", make);
        LayerKinds.Register("unregistered", make);
        Assert.Throws<ArgumentException>("kind", () => LayerKinds.Register<Unknown>("affine", (s, l) => new(s.WholeNumber("a", l?.A))));
        Assert.Throws<ArgumentException>("kind", () => LayerKinds.Register("another", make));
        Assert.Throws<ModelFileException>(() => Read("""{"kind":"another","settings":{}}"""));
    }

    private static string Write(Layer layer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            LayerKinds.Write(writer, layer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static Layer Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        return LayerKinds.Read(document.RootElement);
    }

    private sealed class Own : Initializer
    {
        public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Backprop.Simd.Kernels.Philox random) => values.Clear();
    }

    private sealed class Unknown(int a) : NoLayer
    {
        public int A => a;
    }

    private sealed class Unregistered : NoLayer;

    private sealed class Marked(double mark, double? other, string word) : NoLayer
    {
        public double Mark => mark;

        public double? Other => other;

        public string Word => word;
    }

    private abstract class NoLayer : Layer
    {
        public override string Kind => "nolayer";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(declaration.Inputs[0]);

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
    }
}
