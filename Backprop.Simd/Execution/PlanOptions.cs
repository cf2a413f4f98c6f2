namespace Backprop.Simd.Execution;

/// <summary>What a workspace is for.</summary>
internal sealed class PlanOptions
{
    public bool Training;

    /// <summary>Whether inference computes losses too.</summary>
    public bool Losses;

    public bool InputGradients, OutputGradients, ParameterGradients;

    /// <summary>Whether a step stores the gradients of parameters.</summary>
    public bool KeepGradients;

    /// <summary>For each edge whether the caller reads its value and gradient after a pass.</summary>
    public required bool[] Retained;
}
