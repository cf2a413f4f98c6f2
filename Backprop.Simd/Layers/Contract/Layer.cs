using System.Numerics;
using Backprop.Simd.Initializers;

namespace Backprop.Simd.Layers;

/// <summary>
/// A differentiable function of one or more inputs. It declares its shapes, parameters and buffers once. Forward computes its outputs;
/// backward takes the gradients of the outputs and computes the gradients of the inputs and parameters.
/// </summary>
/// <remarks>
/// A layer is immutable and knows no element type: the same object serves float and double networks, any number of networks,
/// and any number of threads. What differs from step to step lives in the contexts. A user's layer derives from this class and can do
/// all that the library's own layers can: they use only public members of this contract, and a test checks it.
/// </remarks>
public abstract class Layer
{
    /// <summary>The layer's kind in lower case, the stem of automatic node names: <c>affine</c> gives <c>affine1</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>The text of the node in pictures of a graph, such as <c>+</c> or <c>exp</c>; the kind by default.</summary>
    public virtual string Symbol => Kind;

    /// <summary>True for a layer whose output is a loss.</summary>
    internal virtual bool IsLoss => false;

    /// <summary>The initializer that suits weights whose outputs feed this layer; null for no preference (Xavier).</summary>
    public virtual Initializer? PreferredInitializer => null;

    /// <summary>Checks the input types and declares outputs, parameters, state, cache, scratch and traits.</summary>
    /// <param name="declaration">Holds the input types; takes the declarations.</param>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    public abstract void Declare(LayerDeclaration declaration);

    /// <summary>Computes the outputs, and fills the cache in training.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">Inputs, outputs, parameters, buffers.</param>
    public abstract void Forward<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>
    /// Computes the gradients of the inputs, in the order of the inputs, and of the parameters.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">Output gradients, what forward saw and kept, targets.</param>
    public abstract void Backward<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>;
}
