using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <summary>A parameter as a matrix, for optimizers that treat matrices as such: row-major, the last dimension in columns, all others in rows.</summary>
/// <remarks>An affine weight is [inputs, outputs], a convolution's [height x width x channels in, channels out]. A vector is one row.</remarks>
/// <param name="Name">The name: <c>affine1.weight</c>.</param>
/// <param name="Range">Where it lies among the parameters.</param>
/// <param name="Rows">The rows.</param>
/// <param name="Columns">The columns.</param>
public readonly record struct ParameterMatrix(string Name, BlockRange Range, int Rows, int Columns)
{
    /// <summary>Whether there are two rows and two columns at least.</summary>
    public bool IsMatrix => Rows > 1 && Columns > 1;
}
