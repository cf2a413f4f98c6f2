using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>A user's activation: y = x sigmoid(b x); dx = dy (s + b x s (1 - s)) with s = sigmoid(b x).</summary>
public readonly struct Swish(double beta) : IActivation
{
    public string Name => "Swish";

    public bool BackwardUsesInput => true;

    public Initializer? PreferredInitializer => Initialize.He;

    public Vector<T> Forward<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T> => x * VectorMath.Sigmoid(x * Beta<T>());

    public Vector<T> Backward<T>(Vector<T> outputGradient, Vector<T> x, Vector<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var s = VectorMath.Sigmoid(x * Beta<T>());
        return outputGradient * (s + x * Beta<T>() * s * (Vector<T>.One - s));
    }

    private Vector<T> Beta<T>() where T : unmanaged, IFloatingPointIeee754<T> => Vector.Create(T.CreateTruncating(beta));
}

/// <summary>Swish with a wrong derivative: the second term is missing.</summary>
public readonly struct WrongSwish : IActivation
{
    public string Name => "WrongSwish";

    public bool BackwardUsesInput => true;

    public Vector<T> Forward<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T> => x * VectorMath.Sigmoid(x);

    public Vector<T> Backward<T>(Vector<T> outputGradient, Vector<T> x, Vector<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        outputGradient * VectorMath.Sigmoid(x);
}
