namespace Backprop.Simd.Interchange;

/// <summary>How a network is written as an ONNX model.</summary>
public sealed record OnnxSaveOptions
{
    /// <summary>The least and the largest version of the operators.</summary>
    internal const int LeastOpset = 17, LargestOpset = 20;

    /// <summary>The version of the operators, 17 to 20. An older one opens in more programs; 20 has GELU as one operator.</summary>
    public int Opset { get; init; } = LeastOpset;

    /// <summary>The names of the outputs: inputs of numbers, or nodes that are no losses. Null for the outputs of the network.</summary>
    public IReadOnlyList<string>? Outputs { get; init; }

    /// <summary>The name of the first dimension of all inputs and outputs that have rows.</summary>
    public string Batch { get; init; } = "batch";

    /// <summary>Entries of the model's metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <exception cref="ArgumentException">An option is out of range or empty.</exception>
    internal void Check(string name)
    {
        if (Opset is < LeastOpset or > LargestOpset)
            throw new ArgumentException($"{nameof(Opset)} must be {LeastOpset} to {LargestOpset}; it is {Opset}.", name);
        if (string.IsNullOrWhiteSpace(Batch))
            throw new ArgumentException($"{nameof(Batch)} must be the name of a dimension; it is '{Batch}'.", name);
        if (Outputs is { Count: 0 })
            throw new ArgumentException($"{nameof(Outputs)} names no output: leave it null for those of the network.", name);
        if (Metadata is null || Metadata.Any(entry => entry.Value is null))
            throw new ArgumentException($"{nameof(Metadata)} must not hold null.", name);
    }
}
