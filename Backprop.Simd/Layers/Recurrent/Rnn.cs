using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>The function of a simple recurrence.</summary>
public enum RnnFunction
{
    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>max(0, x).</summary>
    Relu,
}

/// <summary>A simple recurrence over sequences [T, D]: h' = f(x_t W + h U + b), f = tanh or ReLU.</summary>
/// <remarks>
/// <para>Inputs: the sequence, values [T, D]; optionally lengths, indices [] from 1 to T; optionally the initial h, values [H], else
/// zeros. Outputs: h of all steps [T, H]; h [H] of the last step.</para>
/// <para>Parameters: inputWeight W [D, H], hiddenWeight U [H, H], bias b [H]. Both weights start as Xavier uniform, the bias at zero. With
/// ReLU, small weights U or <c>Initialize.Orthogonal</c> keep long sequences from growing.</para>
/// <para>A row that is shorter than T has outputs 0 after its end; its last state is the state at its end. No gradient flows
/// through the padding; its numbers do not matter, as long as they are finite.</para>
/// <para>With <c>reverse</c> a row is read from its last valid step to its first: the initial state lies behind its end, h of all steps lies
/// at the steps' places, and the last state is at the row's first step.</para>
/// <para>Backward, from the last step to the first, with dh = dy + d' U^T: d = dh (1 - h^2), or dh where h &gt; 0. Elman, "Finding structure
/// in time", Cognitive Science 14, 1990. As PyTorch's RNN, whose two biases are one here.</para>
/// </remarks>
public sealed class Rnn : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="units">H, the number of units, 1 to 2^29 - 1.</param>
    /// <param name="function">f.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="units"/> is out of range, or there is no such
    /// <paramref name="function"/>.</exception>
    public Rnn(int units, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null, bool reverse = false)
    {
        SequenceInputs.CheckUnits(units);
        if (function is not (RnnFunction.Tanh or RnnFunction.Relu))
            throw new ArgumentOutOfRangeException(nameof(function), function, "The function is tanh or ReLU.");
        (Units, Function, Initializer, IsReverse) = (units, function, initializer, reverse);
    }

    /// <summary>The number of units, H.</summary>
    public int Units { get; }

    /// <summary>The function, f.</summary>
    public RnnFunction Function { get; }

    /// <summary>How both weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <summary>Whether each row is read backward.</summary>
    public bool IsReverse { get; }

    /// <inheritdoc/>
    public override string Kind => "rnn";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var steps = SequenceInputs.DeclareRecurrence(declaration, Units, gates: 1, states: 1, Initializer, Initialize.Zeros, IsReverse);
        declaration.UseScratch((2L * steps + 1) * Units, (long)Units * Units);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (Function == RnnFunction.Tanh)
            Forward<T, Tanh>(in context);
        else
            Forward<T, Relu>(in context);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (Function == RnnFunction.Tanh)
            Backward<T, Tanh>(in context);
        else
            Backward<T, Relu>(in context);
    }

    // The sums lie where h will.
    private void Forward<T, TActivation>(in ForwardContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var run = new Recurrence<T>(in context, Kind, IsReverse);
        var hidden = context.Output(0);
        Gemm.MultiplyAddRow(run.Input(context.Input(0)), context.ParameterMatrix(0), context.Parameter(2), run.All(hidden, Units), context.Compute);
        for (var count = 0; count < run.Steps; count++)
        {
            var t = run.Position(count);
            var sums = run.Step(hidden, t, Units);
            if (count > 0 || run.HasState)
                Gemm.MultiplyAdd(run.Before(hidden, count, run.InitialHidden, Units), context.ParameterMatrix(1), sums, context.Compute);
            RnnSteps.Forward(new ActivationKernels.ForwardOperator<T, TActivation>(default), sums, run.At(t), context.Compute);
            run.Enter(hidden, t, run.InitialHidden, Units);
        }

        run.Leave(hidden, Units);
        run.Last(hidden, context.Output(1), Units);
    }

    private void Backward<T, TActivation>(in BackwardContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var run = new Recurrence<T>(in context, IsReverse);
        var (all, compute) = (run.Rows * run.Steps * Units, context.Compute);

        // From the last step to the first. Each row begins where its sequence ends.
        Span<T> gradients = context.Scratch[..all], shifted = context.Scratch.Slice(all, all);
        var carry = new Matrix<T>(context.Scratch[(2 * all)..], run.Rows, Units);
        context.OutputGradient(1).CopyTo(carry.Span);
        var transposed = SequenceRows.Transpose(context.ParameterMatrix(1), context.BatchScratch);
        for (var count = run.Steps - 1; count >= 0; count--)
        {
            var t = run.Position(count);
            var d = run.Step(gradients, t, Units);
            RnnSteps.Backward(new ActivationKernels.OutputBackwardOperator<T, TActivation>(default), run.Step(context.Output(0), t, Units),
                run.Step(context.OutputGradient(0), t, Units), carry, d, run.At(t), compute);
            if (count > 0 || run.HasState)
                Gemm.MultiplyAdd(d, transposed, carry, compute);
        }

        // The rest is one product for each gradient, over all steps.
        ReadOnlyMatrix<T> whole = run.All(gradients, Units), before = run.All(shifted, Units);
        run.Shift(context.Output(0), shifted, Units);
        run.WriteInputGradients(in context, whole);
        context.ParameterGradient(1).Product(before.Transposed, whole);
        if (run.HasState)
            context.InputGradient(run.FirstState).Copy(carry.Span[..(run.Rows * Units)]);
    }
}
