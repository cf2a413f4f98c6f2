namespace Backprop.Simd.Losses;

/// <summary>What a loss takes its predictions for.</summary>
internal enum LossInput
{
    /// <summary>Numbers of any kind.</summary>
    Numbers,

    /// <summary>Logits: the loss applies softmax or the logistic function itself.</summary>
    Logits,

    /// <summary>Log-probabilities, as a log softmax gives them.</summary>
    LogProbabilities,
}
