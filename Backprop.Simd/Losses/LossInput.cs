namespace Backprop.Simd.Losses;

/// <summary>What kind of numbers a loss needs as predictions.</summary>
internal enum LossInput
{
    /// <summary>Numbers of any kind.</summary>
    Numbers,

    /// <summary>Logits: the loss applies softmax or the logistic function itself.</summary>
    Logits,

    /// <summary>Log-probabilities, as a log softmax gives them.</summary>
    LogProbabilities,
}
