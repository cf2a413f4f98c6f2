using Backprop.Simd.Kernels;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Networks;

/// <summary>How a guarded step ended.</summary>
internal enum StepOutcome
{
    Updated,
    LossNotFinite,
    StateNotFinite,
    GradientsNotFinite,
}

/// <summary>What a guarded step looks at and changes before the update.</summary>
internal readonly record struct StepGuard(bool CheckGradients, double? ClipNorm, double? ClipValue);

/// <content>Steps that look before they update.</content>
public sealed partial class Workspace<T>
{
    /// <summary>
    /// A step that updates nothing, neither parameters nor state nor optimizer, where the loss or the state that it would keep is not
    /// finite, or the gradients are looked at and are not.
    /// </summary>
    internal StepOutcome RunGuardedStep(Optimizer<T> optimizer, in StepGuard guard, out double loss, out double norm)
    {
        norm = double.NaN;
        optimizer.CheckGroups();
        BeginPass();
        loss = RunForward();
        var outcome = LookAtForward(loss);
        if (outcome == StepOutcome.Updated)
        {
            if (guard is { CheckGradients: false, ClipNorm: null, ClipValue: null })
            {
                RunBackwardAndUpdate(optimizer);
            }
            else
            {
                RunBackward(accumulate: false);
                outcome = RunGuardedUpdate(optimizer, in guard, out norm);
            }
        }

        EndPass();
        return outcome;
    }

    /// <summary>What forward alone tells of a step: <see cref="StepOutcome.Updated"/> where nothing forbids it.</summary>
    internal StepOutcome LookAtForward(double loss) =>
        !double.IsFinite(loss) ? StepOutcome.LossNotFinite : ProposesFiniteState() ? StepOutcome.Updated : StepOutcome.StateNotFinite;

    /// <summary>The end of such a step: clip, look, update.</summary>
    internal StepOutcome RunGuardedUpdate(Optimizer<T> optimizer, in StepGuard guard, out double norm)
    {
        var gradients = Gradients;
        if (guard.ClipValue is { } value)
        {
            // Clamping would make infinity finite.
            norm = Reductions.WideNorm<T>(gradients, ActiveCompute);
            if (!double.IsFinite(norm))
                return StepOutcome.GradientsNotFinite;
            GradientClipping.ByValue(gradients, value, ActiveCompute);
        }

        norm = guard.ClipNorm is { } maximum
            ? GradientClipping.ByNorm(gradients, maximum, ActiveCompute)
            : Reductions.WideNorm<T>(gradients, ActiveCompute);
        if (!double.IsFinite(norm))
            return StepOutcome.GradientsNotFinite;
        optimizer.Step(Network.Parameters, gradients, Network.TrainableRanges, ActiveCompute);
        CommitState();
        return StepOutcome.Updated;
    }
}
