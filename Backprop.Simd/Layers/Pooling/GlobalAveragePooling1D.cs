using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The mean of each channel over the steps: [T, C] to [C]. y[c] = sum over t of x[t, c] / T.</summary>
/// <remarks>
/// <para>Inputs: the sequence, values [T, C]; optionally lengths, indices [] from 1 to T. A row that is shorter than T gives the mean of the
/// steps before its end; those behind it are not read, and get gradient 0.</para>
/// </remarks>
public sealed class GlobalAveragePooling1D : Layer
{
    /// <inheritdoc/>
    public override string Kind => "globalaveragepooling1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var input = PoolingLayers.AllSteps(declaration);
        declaration.UseOperations(input.Size);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A length is not 1 to T; nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var input = context.InputType(0).Shape;
        var lengths = context.InputCount > 1 ? context.Indices(1) : [];
        SequenceInputs.CheckLengths(Kind, lengths, 1, input[0]);
        SequencePooling.Forward(new(input[0], input[1], false), lengths, context.Input(0), context.Output(), [], context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var input = context.InputType(0).Shape;
        var lengths = context.InputCount > 1 ? context.Indices(1) : [];
        SequencePooling.Backward<T>(new(input[0], input[1], false), lengths, context.OutputGradient(), [], context.InputGradient(0), context.Compute);
    }
}
