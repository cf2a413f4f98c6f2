using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Inference;

/// <summary>y = x, and what a test wants to happen in between; refuses a batch whose first number is NaN.</summary>
internal sealed class Observed(Action? during = null) : Layer
{
    public override string Kind => "observed";

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (T.IsNaN(context.Input(0)[0]))
            throw new ArgumentException("The first number is NaN.");
        during?.Invoke();
        context.Input(0).CopyTo(context.Output());
    }

    public override void Backward<T>(in BackwardContext<T> context) => throw new NotSupportedException();
}
