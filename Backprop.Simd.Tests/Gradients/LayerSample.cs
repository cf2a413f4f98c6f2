using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>Writes the numbers of one input; <paramref name="first"/> holds those of input 0.</summary>
internal delegate void FillInput(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first);

/// <summary>One case of a layer: its inputs, and data that keep away from its kinks.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Inputs">The types of its inputs.</param>
/// <param name="Rows">The rows of the batch.</param>
/// <param name="Fill">The data of its inputs of numbers.</param>
/// <param name="Labels">The data of an input of indices.</param>
internal sealed record LayerSample(Layer Layer, EdgeType[] Inputs, int Rows, FillInput Fill, int[]? Labels = null)
{
    public string Name { get; init; } = "";

    /// <summary>The data of a second input of indices.</summary>
    public int[]? Lengths { get; init; }

    /// <summary>The data of further inputs of indices, by input.</summary>
    public IReadOnlyDictionary<int, int[]> Indices { get; init; } = new Dictionary<int, int[]>();

    public override string ToString() =>
        $"{Layer.Kind} {Name}({string.Join(", ", Inputs.Select(i => i.ToString()))}) x {Rows}";
}
