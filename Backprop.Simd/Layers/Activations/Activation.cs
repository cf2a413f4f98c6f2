using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>y = f(x), element by element.</summary>
/// <typeparam name="TFunction">The function; a struct, so that its kernels are compiled for it.</typeparam>
public sealed class Activation<TFunction> : Layer
    where TFunction : struct, IActivation
{
    private readonly TFunction _function;

    /// <summary>Makes the layer.</summary>
    /// <param name="function">The function.</param>
    public Activation(TFunction function)
    {
        _function = function;
#pragma warning disable CA1308 // Node names are lower case.
        Kind = function.Name.ToLowerInvariant();
#pragma warning restore CA1308
    }

    /// <summary>The function.</summary>
    public TFunction Function => _function;

    /// <inheritdoc/>
    public override string Kind { get; }

    /// <inheritdoc/>
    public override Initializer? PreferredInitializer => _function.PreferredInitializer;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.Meaning = _function.Meaning;
        declaration.UsePositions();
        declaration.Traits = _function.BackwardUsesInput ? LayerTraits.ReadsInput | LayerTraits.ReadsOutput : LayerTraits.ReadsOutput | LayerTraits.InPlace;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        ActivationKernels.Forward(in _function, context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var x = _function.BackwardUsesInput ? context.Input(0) : [];
        ActivationKernels.Backward(in _function, context.OutputGradient(), x, context.Output(), context.InputGradient(0), context.Compute);
    }
}
