namespace Backprop.Simd.Layers;

/// <summary>How a layer uses the memory of its inputs and outputs: <see cref="LayerDeclaration.Traits"/>.</summary>
/// <remarks>
/// The workspace shares and reuses memory by these traits, and the contexts hold a layer to them: reading what was declared
/// unread throws, whether or not the memory was reused.
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
    /// The one output may be written over input 0, and in a layer of one input the input gradient over the output gradient: each
    /// element depends on the element in its place. Backward cannot read input 0.
    /// </summary>
    InPlace = 4,

    /// <summary>
    /// The layer reads its inputs of values as matrices only, whatever their row stride. A view of a part of each row may then be
    /// read where it lies.
    /// </summary>
    StridedRows = 8,

    /// <summary>
    /// The one output is a run of the elements of input 0, under another shape: both share memory where they can, and the layer,
    /// which copies, runs only where they cannot. See <see cref="LayerDeclaration.UseView"/>.
    /// </summary>
    View = 16,
}
