using System.Numerics;
using Backprop.Simd.Initializers;

namespace Backprop.Simd.Layers;

/// <summary>
/// A differentiable function of one or more inputs: declares its shapes, parameters and buffers once, computes its outputs,
/// and, given the gradient of the loss by its outputs, computes the gradients by its inputs and parameters.
/// </summary>
/// <remarks>
/// A layer is immutable and knows no element type: the same object serves float and double networks, any number of networks,
/// and any number of threads. What differs from step to step lives in the contexts. Write one by deriving from this class; it
/// has all that the library's own layers have.
/// </remarks>
public abstract class Layer
{
    /// <summary>The layer's kind in lower case, the stem of automatic node names: <c>affine</c> gives <c>affine1</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>What pictures of a graph write into the node: <c>+</c>, <c>exp</c>, the kind by default.</summary>
    public virtual string Symbol => Kind;

    /// <summary>
    /// True if each row of the outputs depends on the same row of the inputs alone, and gradients by shared inputs and
    /// parameters are sums over rows: only then may a batch be cut into shards.
    /// </summary>
    public virtual bool RowsAreIndependent => true;

    /// <summary>False if <see cref="Backward"/> never reads this layer's outputs: the next layer may then overwrite them.</summary>
    public virtual bool BackwardUsesOutput => true;

    /// <summary>
    /// True if the one output may be written over input 0, and, in a layer of one input, the input gradient over the output
    /// gradient: an elementwise layer whose <see cref="Backward"/> does not read input 0.
    /// </summary>
    public virtual bool SupportsInPlace => false;

    /// <summary>
    /// True if the one output has the elements of input 0, in the same order, under another shape: the workspace then gives both
    /// the same memory, and runs <see cref="Forward"/> and <see cref="Backward"/>, which copy, only where it cannot.
    /// </summary>
    public virtual bool IsView => false;

    /// <summary>
    /// True if the layer reads its inputs of values through <see cref="ForwardContext{T}.InputMatrix"/> and
    /// <see cref="BackwardContext{T}.InputMatrix"/> alone, whatever their row stride: a slice may then be read in place.
    /// </summary>
    public virtual bool AcceptsRowStrides => false;

    /// <summary>The initializer that suits weights whose outputs feed this layer; null for no preference (Xavier).</summary>
    public virtual Initializer? PreferredInitializer => null;

    /// <summary>Checks the input types and declares outputs, parameters, state, cache and scratch.</summary>
    /// <param name="declaration">Holds the input types; takes the declarations.</param>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    public abstract void Declare(LayerDeclaration declaration);

    /// <summary>Computes the outputs, and fills the cache when <see cref="ForwardContext{T}.KeepsCache"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">Inputs, outputs, parameters, buffers.</param>
    public abstract void Forward<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>
    /// Computes the gradients by the inputs, in order of the inputs, and by the parameters. Each target is empty where no
    /// gradient is needed, and says whether to overwrite or to add.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">Output gradients, what forward saw and kept, targets.</param>
    public abstract void Backward<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>;
}
