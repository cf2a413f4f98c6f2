using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>What is called in the course of a training; each method does nothing unless overridden.</summary>
/// <remarks>All are called on the thread that runs the trainer, in the order of the list. <see cref="Trainer{T}.Stop"/> may be called
/// from each. An exception ends the training and reaches the caller of <see cref="Trainer{T}.Run"/>.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public interface ITrainingCallback<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Training begins, or goes on after a resumption.</summary>
    /// <param name="trainer">The trainer.</param>
    void Started(Trainer<T> trainer)
    {
    }

    /// <summary>A step is done. What is done here counts against the time of a step.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="step">The step.</param>
    void StepDone(Trainer<T> trainer, in StepRecord step)
    {
    }

    /// <summary>An epoch is done, its validation included.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="epoch">The epoch.</param>
    void EpochDone(Trainer<T> trainer, EpochRecord epoch)
    {
    }

    /// <summary>Training has ended; also by an exception, that of the last checkpoint included, then without a reason.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="reason">Why; null where an exception ends it.</param>
    void Finished(Trainer<T> trainer, StopReason? reason)
    {
    }
}
