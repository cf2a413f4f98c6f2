using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>How a model of ONNX becomes a network.</summary>
public sealed record OnnxLoadOptions
{
    /// <summary>The sizes of inputs, by name, where the model leaves some free or where others are wanted: all dimensions as ONNX counts them,
    /// [1, 3, 48, 320]. What stands for the batch does not count: a network takes any number of rows.</summary>
    public IReadOnlyDictionary<string, int[]> Sizes { get; init; } = new Dictionary<string, int[]>();

    /// <summary>The dimension of each input that is the batch, by name, -1 for none. Else it is the one whose name in the model holds "batch", or is the
    /// name of the batch of an input before; else dimension 0, or, where that has a fixed size above 1, the only one that is free.</summary>
    public IReadOnlyDictionary<string, int> BatchDimensions { get; init; } = new Dictionary<string, int>();

    /// <summary>Nodes that take the place of inputs, by name: with the rows that <see cref="OnnxFile.AddTo"/> would give the input.</summary>
    public IReadOnlyDictionary<string, Node> Inputs { get; init; } = new Dictionary<string, Node>();

    /// <summary>The names that become outputs, of outputs of the model or of what lies inside; null for the outputs of the model. An input among them
    /// keeps its name, so its output has another.</summary>
    public IReadOnlyList<string>? Outputs { get; init; }

    /// <summary>Whether batch normalizations, and known factors and sums, become part of the convolution before them: faster, for networks that are used
    /// and not trained on.</summary>
    public bool Fold { get; init; }

    /// <summary>What stands before the names of inputs, outputs and parameter nodes in the graph; empty by default. Names of layers have no prefix, so
    /// those of their parameters, such as <c>affine1.weight</c>, have none.</summary>
    public string Prefix { get; init; } = "";

    /// <exception cref="ArgumentException">An option holds null, or nothing.</exception>
    internal void Check(string name)
    {
        var missing = Sizes is null || Sizes.Values.Any(s => s is null) ? nameof(Sizes)
            : BatchDimensions is null ? nameof(BatchDimensions)
            : Inputs is null ? nameof(Inputs)
            : Outputs?.Any(o => o is null) == true ? nameof(Outputs)
            : Prefix is null ? nameof(Prefix) : null;
        if (missing is not null)
            throw new ArgumentException($"{missing} must not hold null.", name);
        if (Outputs is { Count: 0 })
            throw new ArgumentException($"{nameof(Outputs)} names no output: leave it null for those of the model.", name);
    }
}
