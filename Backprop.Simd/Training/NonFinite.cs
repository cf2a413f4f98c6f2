namespace Backprop.Simd.Training;

/// <summary>What a trainer does about a loss, a gradient or a state to be kept that is infinite or NaN.</summary>
public enum NonFinitePolicy
{
    /// <summary>Throw <see cref="NonFiniteException"/>, which names the layer where it first appeared. Nothing was updated.</summary>
    Throw,

    /// <summary>Leave the step out: parameters, state and optimizer stay as they are, and the next batch comes.</summary>
    Skip,
}

/// <summary>A loss, a gradient or a state to be kept was infinite or NaN. Parameters, state and optimizer are as before the step.</summary>
public sealed class NonFiniteException : ArithmeticException
{
    /// <summary>Creates it.</summary>
    /// <param name="message">What was found, and where.</param>
    /// <param name="node">The input, parameter, state or layer where it first appeared; empty where it could not be found again.</param>
    /// <param name="step">The step, from 0.</param>
    public NonFiniteException(string message, string node, long step)
        : base(message)
    {
        Node = node;
        Step = step;
    }

    /// <summary>The input, parameter, state or layer where it first appeared; empty where it could not be found again.</summary>
    public string Node { get; }

    /// <summary>The step, from 0.</summary>
    public long Step { get; }
}
