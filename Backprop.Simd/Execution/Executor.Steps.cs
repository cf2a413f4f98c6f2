using Backprop.Simd.Kernels;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Execution;

/// <summary>How a guarded step ended.</summary>
internal enum StepOutcome
{
    Updated,
    LossNotFinite,
    StateNotFinite,
    GradientsNotFinite,
}

/// <summary>What a guarded step checks and changes before the update.</summary>
internal readonly record struct StepGuard(bool CheckGradients, double? ClipNorm, double? ClipValue);

/// <content>Training steps: what changes parameters and state.</content>
internal sealed partial class Executor<T>
{
    /// <summary>Forward, backward and update.</summary>
    /// <returns>The loss before the update.</returns>
    public double Step(Optimizer<T> optimizer)
    {
        RequireParameterGradients();
        optimizer.CheckGroups();
        BeginPass();
        var loss = Forward();
        BackwardAndUpdate(optimizer);
        EndPass();
        return loss;
    }

    /// <summary>
    /// A guarded step. It changes nothing, neither parameters nor state nor optimizer, if the loss or the proposed state is not finite, or
    /// if the gradients are checked and are not finite.
    /// </summary>
    public StepOutcome GuardedStep(Optimizer<T> optimizer, in StepGuard guard, out double loss, out double norm)
    {
        norm = double.NaN;
        optimizer.CheckGroups();
        BeginPass();
        loss = Forward();
        var outcome = LookAtForward(loss);
        if (outcome == StepOutcome.Updated)
        {
            if (guard is { CheckGradients: false, ClipNorm: null, ClipValue: null })
            {
                BackwardAndUpdate(optimizer);
            }
            else
            {
                Backward(accumulate: false);
                outcome = GuardedUpdate(optimizer, in guard, out norm);
            }
        }

        EndPass();
        return outcome;
    }

    /// <summary>The outcome as far as forward decides it: <see cref="StepOutcome.Updated"/> if the step may go on.</summary>
    public StepOutcome LookAtForward(double loss) =>
        !double.IsFinite(loss) ? StepOutcome.LossNotFinite : ProposesFiniteState() ? StepOutcome.Updated : StepOutcome.StateNotFinite;

    /// <summary>The end of a guarded step: clip, check, update.</summary>
    public StepOutcome GuardedUpdate(Optimizer<T> optimizer, in StepGuard guard, out double norm)
    {
        var gradients = Gradients;
        if (guard.ClipValue is { } value)
        {
            // Check first: clipping by value makes infinity finite.
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
        Apply(optimizer);
        return StepOutcome.Updated;
    }

    /// <summary>Updates with the gradients of the last backward pass. Each pass can be applied only once.</summary>
    public void Update(Optimizer<T> optimizer)
    {
        RequireBackward();
        if (_phase == Phase.Updated)
            throw new InvalidOperationException("These gradients have already been applied. Run Forward and Backward first.");
        Apply(optimizer);
    }

    /// <summary>
    /// Begins another micro-batch of the same step: the state that the last one proposed becomes the network's state, and random layers
    /// draw other numbers.
    /// </summary>
    public void BeginMicroBatch()
    {
        if (_buffers.ProposedState is { Length: > 0 } proposed)
            _network.CommitState(proposed.Span, _restingState);
        _pass.Step++;
    }

    public void RequireTraining()
    {
        if (!IsTraining)
            throw NoGradients();
    }

    public void RequireParameterGradients()
    {
        if (_buffers.Gradients is null)
            throw NoGradients();
    }

    public void RequireBackward()
    {
        RequireTraining();
        if (!HasBackward)
            throw new InvalidOperationException("There are no gradients yet. Run Forward and Backward first.");
    }

    /// <summary>Backward and update together. A gradient that a layer can apply at once is never stored.</summary>
    private void BackwardAndUpdate(Optimizer<T> optimizer)
    {
        var updates = _buffers.Updates;
        updates?.Begin(optimizer);
        try
        {
            Backward(accumulate: false);
        }
        finally
        {
            updates?.End();
        }

        var ranges = updates is null ? _network.Trainable : updates.Rest(_network.Trainable);
        optimizer.Step(_network.Parameters.Span, _buffers.Gradients!.Span, ranges, ActiveCompute);
        if (updates is not null)
            optimizer.ApplyConstraints(_network.Parameters.Span, updates.Done, ActiveCompute);
        _gradientsApplied = updates is not null;
        CommitState();
    }

    private void Apply(Optimizer<T> optimizer)
    {
        optimizer.Step(_network.Parameters.Span, Gradients, _network.Trainable, ActiveCompute);
        CommitState();
    }

    /// <summary>Makes the proposed state the network's state, once, and adds 1 to the step number.</summary>
    private void CommitState()
    {
        BeginMicroBatch();
        _phase = Phase.Updated;
    }

    /// <summary>Whether all proposed state is finite.</summary>
    private bool ProposesFiniteState()
    {
        foreach (var value in _buffers.ProposedState is { } proposed ? proposed.Span : [])
        {
            if (!T.IsFinite(value))
                return false;
        }

        return true;
    }

    private InvalidOperationException NoGradients() => new(IsTraining
        ? "This workspace was made without ParameterGradients."
        : "This workspace is for inference and has no gradients.");
}
