namespace Backprop.Simd.Layers;

/// <summary>What the normalizations share.</summary>
internal static class NormalizationLayers
{
    /// <summary>Throws unless epsilon is positive and in the range of both float and double.</summary>
    public static void CheckEpsilon(double epsilon)
    {
        if (!(epsilon is >= 1e-30 and <= 1e30))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "Epsilon must be positive: 1e-30 to 1e30.");
    }

    /// <summary>The type of the one input, which must be values with channels.</summary>
    public static EdgeType RequireChannels(this LayerDeclaration declaration, Layer layer)
    {
        var type = declaration.Inputs[0];
        if (type.Kind != EdgeKind.Values || type.Shape.Rank == 0)
            throw new ArgumentException($"The input of {layer} must be values of rank 1 or more, channels last; it is {type}.", "inputs");
        return type;
    }
}
