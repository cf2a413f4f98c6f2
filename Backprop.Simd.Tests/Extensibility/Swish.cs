using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>A user's activation: y = x sigmoid(b x); dx = dy (s + b x s (1 - s)) with s = sigmoid(b x).</summary>
public readonly struct Swish(double beta) : IActivation
{
    public string Name => "Swish";

    public bool BackwardUsesInput => true;

    public Initializer? PreferredInitializer => Initialize.He;

    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => x * VectorMath.Sigmoid(x * beta);

    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>
    {
        var s = VectorMath.Sigmoid(x * beta);
        return outputGradient * (s + x * beta * s * (1 - s));
    }
}

/// <summary>Swish with a wrong derivative: the second term is missing.</summary>
public readonly struct WrongSwish : IActivation
{
    public string Name => "WrongSwish";

    public bool BackwardUsesInput => true;

    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => x * VectorMath.Sigmoid(x);

    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * VectorMath.Sigmoid(x);
}
