using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>Is called during a training. Each method does nothing unless it is implemented.</summary>
/// <remarks>
/// Callbacks run on the thread that runs the trainer, in the order of the list, and may call <see cref="Trainer{T}.Stop"/>. An exception ends
/// the training and reaches the caller of <see cref="Trainer{T}.Run"/>.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public interface ITrainingCallback<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Training begins, or continues after a resumption.</summary>
    /// <param name="trainer">The trainer.</param>
    void Started(Trainer<T> trainer)
    {
    }

    /// <summary>A step is done. The time spent here counts as time of the step.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="step">The step.</param>
    void StepDone(Trainer<T> trainer, in StepRecord step)
    {
    }

    /// <summary>An epoch and its validation are done.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="epoch">The epoch.</param>
    void EpochDone(Trainer<T> trainer, EpochRecord epoch)
    {
    }

    /// <summary>Training has ended, also after an exception (even one thrown while saving the last checkpoint).</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="reason">Why it ended; null after an exception.</param>
    void Finished(Trainer<T> trainer, StopReason? reason)
    {
    }
}
