namespace Backprop.Simd.Serialization;

/// <summary>Whose names, shapes and orders the tensors of a file have.</summary>
public enum TensorLayout
{
    /// <summary>This library's: parameters and state under their names and in their shapes, features last.</summary>
    Native,

    /// <summary>
    /// PyTorch's, as <c>module.state_dict()</c> gives them: linear weights <c>[out, in]</c>, filters <c>[out, in, h, w]</c>, two biases of
    /// recurrences, one matrix for queries, keys and values, and behind a flattened image the order C, H, W.
    /// </summary>
    PyTorch,
}
