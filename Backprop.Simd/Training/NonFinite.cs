namespace Backprop.Simd.Training;

/// <summary>What a trainer does if the loss, a gradient or the new state of a step is infinite or NaN.</summary>
public enum NonFinitePolicy
{
    /// <summary>Throw <see cref="NonFiniteException"/>, which names the layer where it first appeared. Nothing is updated.</summary>
    Throw,

    /// <summary>Skip the step: parameters, state and optimizer stay unchanged, and training continues with the next batch.</summary>
    Skip,
}

/// <summary>The loss, a gradient or the new state of a step was infinite or NaN. Parameters, state and optimizer are unchanged.</summary>
public sealed class NonFiniteException : ArithmeticException
{
    /// <summary>Creates it.</summary>
    /// <param name="message">What was found, and where.</param>
    /// <param name="node">The input, parameter, state or layer where it first appeared; empty if it was not found.</param>
    /// <param name="step">The step, from 0.</param>
    public NonFiniteException(string message, string node, long step)
        : base(message)
    {
        Node = node;
        Step = step;
    }

    /// <summary>The input, parameter, state or layer where it first appeared; empty if it was not found.</summary>
    public string Node { get; }

    /// <summary>The step, from 0.</summary>
    public long Step { get; }
}
