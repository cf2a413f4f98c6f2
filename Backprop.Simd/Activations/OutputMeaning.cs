namespace Backprop.Simd.Activations;

/// <summary>
/// What the numbers of an output mean, if a formula tells. A chain cannot end in a loss that needs another meaning.
/// </summary>
public enum OutputMeaning
{
    /// <summary>Unknown: the numbers may mean anything.</summary>
    Anything,

    /// <summary>The elements of input 0, moved, dropped or pooled.</summary>
    SameAsInput,

    /// <summary>Numbers of any size. They are not probabilities or log-probabilities.</summary>
    Numbers,

    /// <summary>Each number is a probability.</summary>
    Probabilities,

    /// <summary>Probabilities that add up to 1 over the last dimension.</summary>
    Distribution,

    /// <summary>Logarithms of probabilities that add up to 1 over the last dimension.</summary>
    LogProbabilities,
}
