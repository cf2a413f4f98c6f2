namespace Backprop.Simd.Initializers;

/// <summary>Which fan divides the variance of the first values.</summary>
public enum FanMode
{
    /// <summary>The inputs that each output sums over: the activations keep their variance.</summary>
    FanIn,

    /// <summary>The outputs that each input feeds: the gradients keep their variance.</summary>
    FanOut,

    /// <summary>The mean of both.</summary>
    Average,
}
