using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The largest value of each channel over the steps: [T, C] to [C].</summary>
/// <remarks>
/// <para>Inputs: the sequence, values [T, C]; optionally lengths, indices [] from 1 to T. A row that is shorter than T gives the largest value of the
/// steps before its end; those behind it are not read, and get gradient 0.</para>
/// <para>NaN wins. Of equal values, the first gets the gradient.</para>
/// </remarks>
public sealed class GlobalMaxPooling1D : Layer
{
    /// <inheritdoc/>
    public override string Kind => "globalmaxpooling1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var input = PoolingLayers.AllSteps(declaration);
        declaration.UseIndexCache(input[1]);
        declaration.UseOperations(input.Size);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A length is not 1 to T; nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var input = context.InputType(0).Shape;
        var lengths = context.InputCount > 1 ? context.Indices(1) : [];
        SequenceInputs.CheckLengths(Kind, lengths, 1, input[0]);
        SequencePooling.Forward(
            new(input[0], input[1], true), lengths, context.Input(0), context.Output(), context.Training ? context.IndexCache : [], context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var input = context.InputType(0).Shape;
        var lengths = context.InputCount > 1 ? context.Indices(1) : [];
        SequencePooling.Backward<T>(
            new(input[0], input[1], true), lengths, context.OutputGradient(), context.IndexCache, context.InputGradient(0), context.Compute);
    }
}
