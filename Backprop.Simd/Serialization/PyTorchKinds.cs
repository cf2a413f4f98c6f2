using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>How PyTorch keeps the parameters and the state of each kind of layer: the table that loading and saving both follow.</summary>
internal static class PyTorchKinds
{
    private static readonly int[] Same = [], Transposed = [1, 0], FirstAsLast = [2, 0, 1];

    private static readonly Dictionary<string, Action<PyTorchModule>> Kinds = new()
    {
        ["affine"] = static m =>
        {
            m.Add("weight", "weight", Transposed, m.Outputs, m.Inputs);
            m.Add("bias", "bias", Same, m.Outputs);
        },
        ["convolution1d"] = static m => Filters(m, [2, 1, 0]),
        ["convolution2d"] = static m => Filters(m, [3, 2, 0, 1]),
        ["convolutiontranspose1d"] = static m => Filters(m, [2, 1, 0]),
        ["convolutiontranspose2d"] = static m => Filters(m, [3, 2, 0, 1]),
        ["embedding"] = static m => m.Add("weight", "weight", Same),
        ["embeddingbag"] = static m => m.Add("weight", "weight", Same),
        ["learnedpositions"] = static m => m.Add("weight", "positions", Same),
        ["prelu"] = static m => m.Add("weight", "slope", Same, m.Inputs),
        ["batchnormalization"] = Normalization,
        ["groupnormalization"] = Normalization,
        ["layernormalization"] = Normalization,
        ["rmsnormalization"] = Normalization,
        ["rnn"] = Recurrence,
        ["lstm"] = Recurrence,
        ["gru"] = static m =>
        {
            Recurrence(m);
            if (m.Find("hiddenBias", out _) is null)
                m.Obstacle = "its reset gate multiplies before the product (resetAfter: false), in PyTorch always after it";
        },
        ["multiheadattention"] = Attention,
    };

    /// <summary>Whether the layers of a kind are recurrences, whose directions and layers are one module in PyTorch.</summary>
    public static bool IsRecurrence(string kind) => kind is "rnn" or "lstm" or "gru";

    /// <summary>Describes a module of a kind; false if the kind is not PyTorch's.</summary>
    public static bool TryDescribe(string kind, PyTorchModule module)
    {
        if (!Kinds.TryGetValue(kind, out var describe))
            return false;
        describe(module);
        return true;
    }

    private static void Filters(PyTorchModule m, int[] axes)
    {
        m.Add("weight", "weight", axes);
        m.Add("bias", "bias", Same);
    }

    private static void Normalization(PyTorchModule m)
    {
        var rank = m.Find("weight", out _)?.Shape.Rank ?? 1;
        var axes = !m.IsChannelsFirst || rank < 2 ? Same : rank == 3 ? FirstAsLast : rank == 2 ? Transposed : Same;
        foreach (var name in (string[])["weight", "bias"])
            m.Add(name, name, axes, rank == 1 ? [m.Inputs] : []);
        m.Add("running_mean", "runningMean", Same, m.Inputs);
        m.Add("running_var", "runningVariance", Same, m.Inputs);
    }

    /// <summary>The gates are in the same order there. A second bias is added to ours; the candidate of a GRU has its second bias apart.</summary>
    private static void Recurrence(PyTorchModule m)
    {
        m.Add("weight_ih_l0" + m.Direction, "inputWeight", Transposed, null, m.Inputs);
        m.Add("weight_hh_l0" + m.Direction, "hiddenWeight", Transposed);
        m.AddStacked("bias_ih_l0" + m.Direction, isOptional: true, "bias");
        var bias = m.Find("bias", out _)!;
        var width = bias.Shape[0];
        var apart = m.Find("hiddenBias", out _);
        var shared = width - (apart?.Shape[0] ?? 0);
        var added = new TensorPiece(bias, isState: false, 0, [shared], [1], isAdded: true);
        TensorPiece[] pieces = apart is null ? [added] : [added, new(apart, isState: false, 0, [apart.Shape[0]], [1])];
        m.Parts.Add(new("bias_hh_l0" + m.Direction, [width], pieces, IsOptional: true));
        m.Add("weight_hr_l0" + m.Direction, "projectionWeight", Transposed);
    }

    private static void Attention(PyTorchModule m)
    {
        if (m.Find("keyWeight", out _) is null)
        {
            m.Obstacle = "its keys and values come projected, which nn.MultiheadAttention does not have";
            return;
        }

        Shape query = m.Find("queryWeight", out _)!.Shape, key = m.Find("keyWeight", out _)!.Shape, value = m.Find("valueWeight", out _)!.Shape;
        if (key[1] != query[1])
            m.Obstacle = "its heads of keys and values are fewer than those of queries, which nn.MultiheadAttention does not have";
        if (key == query && value == query)
        {
            m.AddStacked("in_proj_weight", isOptional: false, "queryWeight", "keyWeight", "valueWeight");
        }
        else
        {
            m.Add("q_proj_weight", "queryWeight", Transposed);
            m.Add("k_proj_weight", "keyWeight", Transposed);
            m.Add("v_proj_weight", "valueWeight", Transposed);
        }

        m.AddStacked("in_proj_bias", isOptional: true, "queryBias", "keyBias", "valueBias");
        m.Add("out_proj.weight", "outputWeight", Transposed);
        m.AddStacked("out_proj.bias", isOptional: true, "outputBias");
    }
}
