namespace Backprop.Simd.Layers;

/// <summary>How a layer uses the memory of its inputs and outputs: <see cref="LayerDeclaration.Traits"/>.</summary>
/// <remarks>
/// The traits decide where a workspace shares and reuses memory. The contexts check them: reading what the traits do not declare
/// throws, whether or not the memory was reused.
/// </remarks>
[Flags]
public enum LayerTraits
{
    /// <summary>Backward reads neither inputs nor outputs.</summary>
    None = 0,

    /// <summary>Backward reads inputs.</summary>
    ReadsInput = 1,

    /// <summary>Backward reads outputs. Without this trait the next layer may overwrite them.</summary>
    ReadsOutput = 2,

    /// <summary>
    /// The output may overwrite input 0, because each element depends on the element in its place. In a layer with one input, the
    /// input gradient may overwrite the output gradient in the same way: write it last. Backward cannot read input 0.
    /// </summary>
    InPlace = 4,

    /// <summary>
    /// The layer reads its inputs of values only as matrices, with any row stride. A view of a part of each row then needs no copy.
    /// </summary>
    StridedRows = 8,

    /// <summary>
    /// The output is a contiguous part of each row of input 0, under another shape. Both share memory if they can; if not, the layer
    /// runs and copies. See <see cref="LayerDeclaration.UseView"/>.
    /// </summary>
    View = 16,

    /// <summary>
    /// No gradient leaves the layer: backward does not run, and what leads to the layer alone has no backward pass either.
    /// </summary>
    StopsGradient = 32,
}
