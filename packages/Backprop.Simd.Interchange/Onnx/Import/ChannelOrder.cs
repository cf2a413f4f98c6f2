namespace Backprop.Simd.Interchange;

/// <summary>Which values of a model are images or lines with their channels in dimension 1.</summary>
internal static class ChannelOrder
{
    /// <summary>Operators whose first input and output have the channels in dimension 1.</summary>
    private static readonly HashSet<string> _channelOperators = ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool",
        "DepthToSpace", "SpaceToDepth", "Resize", "Upsample", "BatchNormalization", "InstanceNormalization", "GroupNormalization"];

    /// <summary>Operators that treat all dimensions alike: what stands behind or before them decides.</summary>
    private static readonly HashSet<string> _passing = ["Add", "Sub", "Mul", "Div", "Relu", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "Clip", "Identity",
        "Dropout", "Neg", "Abs", "Sqrt", "Pow", "Exp", "Log", "Pad", "Cast", "Max", "Min", "Split", "Concat", "Softmax", "LogSoftmax", "HardSwish",
        "HardSigmoid"];

    /// <summary>The names whose first readers that care for the order of dimensions want the channels in dimension 1.</summary>
    public static HashSet<string> Wanted(OnnxModel model)
    {
        HashSet<string> names = [];
        for (var i = model.Nodes.Count - 1; i >= 0; i--)
        {
            var node = model.Nodes[i];
            if (node.Domain.Length > 0 || node.Inputs.Count == 0)
                continue;
            if (_channelOperators.Contains(node.Operator))
                names.Add(node.Inputs[0]);
            else if (_passing.Contains(node.Operator) && node.Outputs.Any(names.Contains))
                names.UnionWith(node.Inputs);
        }

        return names;
    }

    /// <summary>The names whose last makers that care for the order of dimensions give the channels in dimension 1.</summary>
    public static HashSet<string> Made(OnnxModel model)
    {
        HashSet<string> names = [];
        foreach (var node in model.Nodes)
        {
            if (node.Domain.Length == 0 && (_channelOperators.Contains(node.Operator) || _passing.Contains(node.Operator) && node.Inputs.Any(names.Contains)))
                names.UnionWith(node.Outputs);
        }

        return names;
    }
}
