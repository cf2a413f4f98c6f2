using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Constant positions: y = x + P with P[t, 2 i] = sin(t base^(-2 i / D)) and P[t, 2 i + 1] = cos(t base^(-2 i / D)).</summary>
/// <remarks>Input: a sequence [T, D], and optionally the position of the first element of each row, indices [], 0 or more. Output: [T, D].
/// Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5.</remarks>
public sealed class SinusoidalPositions : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="root">The base of the angles, above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="root"/> is not a number above 0.</exception>
    public SinusoidalPositions(double root = 10000)
    {
        if (!(root > 0 && double.IsFinite(root)))
            throw new ArgumentOutOfRangeException(nameof(root), root, $"'{nameof(root)}' must be above 0 and finite.");
        Root = root;
    }

    /// <summary>The base of the angles.</summary>
    public double Root { get; }

    /// <inheritdoc/>
    public override string Kind => "sinusoidalpositions";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var shape = PositionInputs.Check(declaration);
        declaration.AddOutput(shape);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.UsePositions(this);
        declaration.Traits = LayerTraits.InPlace;
        var table = (long)shape[0] * ((shape[1] + 1) / 2) * 2;
        declaration.UseScratch(declaration.Inputs.Count == 2 ? table : 0, table);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var first = context.InputCount == 2 ? context.Indices(1) : [];
        PositionInputs.CheckFirst(Kind, first, int.MaxValue - shape[0]);
        var pairs = (shape[1] + 1) / 2;
        var table = (first.IsEmpty ? context.BatchScratch : context.Scratch)[..(PositionKernels.TableRows(context.Rows, shape[0], first) * 2 * pairs)];
        PositionKernels.Angles(table, shape[0], first, pairs, shape[1], Root);
        PositionKernels.AddSinusoids<T>(context.Input(0), table, shape[1], context.Output());
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
}
