using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>Every layer through a file of PyTorch: the same parameters and state, bit for bit, and the same outputs.</summary>
public sealed class PyTorchRoundTripTests
{
    /// <summary>What PyTorch's modules cannot hold, and why.</summary>
    private static readonly (string Name, Func<Layer, bool> Is, string Reason)[] Refused =
    [
        ("a GRU that resets before the product", static layer => layer is Gru { ResetAfter: false }, "its reset gate multiplies before the product"),
        ("grouped heads", static layer => layer is MultiHeadAttention { IsProjected: false } attention && attention.KeyValueHeads < attention.Heads,
            "its heads of keys and values are fewer than those of queries"),
        ("keys and values that come projected", static layer => layer is MultiHeadAttention { IsProjected: true }, "its keys and values come projected"),
    ];

    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count)];

    [Theory, MemberData(nameof(Samples))]
    public void Every_layer_comes_back_through_PyTorchs_layout(int sample)
    {
        var made = new SampleNetwork(LayerSamples.All[sample]);
        var first = made.Float;
        if (first.Parameters.Length + first.State.Length == 0)
            return; // A file of no tensors is no state dictionary: nothing to carry.
        var random = new TestRandom(19);
        foreach (ref var value in first.State)
            value = (float)(0.5 + Math.Abs(random.Signed<double>()));
        using var file = new MemoryStream();
        if (Array.Find(Refused, refused => refused.Is(LayerSamples.All[sample].Layer)) is { Reason: { } reason })
        {
            Assert.Contains(reason, Assert.Throws<ArgumentException>(() => first.SavePyTorch(file)).Message, StringComparison.Ordinal);
            return;
        }

        first.SavePyTorch(file);
        file.Position = 0;
        var second = first.Definition.CreateNetwork<float>(seed: 77);
        second.LoadPyTorch(file);
        foreach (var entry in first.Definition.Parameters.Entries)
            Bits.AssertEqual<float>(first.ParameterOf(entry.Name), second.ParameterOf(entry.Name), entry.Name);
        foreach (var entry in first.Definition.State.Entries)
            Bits.AssertEqual<float>(first.StateOf(entry.Name), second.StateOf(entry.Name), entry.Name);

        // The seeds differ, so that what is random must not be.
        first.SetTraining(static _ => true, false);
        second.SetTraining(static _ => true, false);
        var (one, two) = (made.Workspace(first), made.Workspace(second));
        first.Forward(one);
        second.Forward(two);
        foreach (var output in first.Definition.OutputNames)
            Bits.AssertEqual<float>(one.Output(output), two.Output(output), output);
    }

    [Fact]
    public void All_that_is_refused_has_a_sample() =>
        Assert.All(Refused, static refused => Assert.True(LayerSamples.All.Any(sample => refused.Is(sample.Layer)), refused.Name));
}
