namespace Backprop.Simd.Interchange;

/// <summary>Some sizes of a shape: a number, or a tensor of integers that is known at run time.</summary>
internal readonly record struct OnnxSize(long Number, string? Tensor)
{
    public static implicit operator OnnxSize(long number) => new(number, null);

    public static implicit operator OnnxSize(string tensor) => new(0, tensor);
}
