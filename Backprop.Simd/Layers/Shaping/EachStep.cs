using Backprop.Simd.Initializers;

namespace Backprop.Simd.Layers;

/// <summary>
/// Another layer at each step of time: y[t, ..] = layer(x[t, ..]), with the same parameters for all steps. A convolution of images
/// [T, H, W, C], say. Keras's <c>TimeDistributed</c>.
/// </summary>
/// <remarks>
/// <para>Inputs: those of the layer, each behind a dimension of T steps, the first; shared inputs are the same for all steps. Outputs and their
/// gradients likewise. The steps of all rows are rows to the layer: batch normalization takes its statistics over all of them, dropout draws
/// for each. The bits are those of the layer on T times the rows.</para>
/// <para>Parameters and state are those of the layer, under the name of this node. Backward is the layer's: gradients of parameters sum over
/// steps. Layers that work on the last dimension, as <see cref="Affine"/> and activations, take sequences without it. Losses take whole
/// sequences, and are refused.</para>
/// </remarks>
public sealed class EachStep : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="layer">The layer of each step.</param>
    public EachStep(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        Layer = layer;
    }

    /// <summary>The layer of each step.</summary>
    public Layer Layer { get; }

    /// <inheritdoc/>
    public override string Kind => "eachstep";

    /// <inheritdoc/>
    public override Initializer? PreferredInitializer => Layer.PreferredInitializer;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.UseEachStep(Layer);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var steps = context.EachStep();
        Layer.Forward(in steps);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var steps = context.EachStep();
        Layer.Backward(in steps);
    }
}
