namespace Backprop.Simd.Activations;

/// <summary>
/// What the numbers of an output can be, as far as a formula tells. A chain does not end in a loss that would take them for
/// something else.
/// </summary>
public enum OutputMeaning
{
    /// <summary>Anything: the formula does not tell.</summary>
    Anything,

    /// <summary>The elements of input 0, moved, dropped or pooled.</summary>
    SameAsInput,

    /// <summary>Numbers of any size, with no reason to be probabilities or logarithms of them.</summary>
    Numbers,

    /// <summary>A probability each.</summary>
    Probabilities,

    /// <summary>Probabilities that add up to 1 over the last dimension.</summary>
    Distribution,

    /// <summary>Logarithms of probabilities that add up to 1 over the last dimension.</summary>
    LogProbabilities,
}
