using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>An elementwise function with its derivative. Implement it as a readonly struct: it is compiled into the kernels' loops.</summary>
/// <remarks>
/// Each lane of the result must depend only on the same lane of the arguments, because loops may group elements in any way. NaN must
/// give NaN.
/// <see cref="Kernels.VectorMath"/> has the elementary functions. Mark the methods <c>AggressiveInlining</c> when they are long.
/// </remarks>
public interface IActivation
{
    /// <summary>The name for messages, pictures and exported files.</summary>
    string Name { get; }

    /// <summary>What its values mean, for losses that follow.</summary>
    OutputMeaning Meaning => OutputMeaning.Anything;

    /// <summary>
    /// True if <see cref="Backward{TVector}"/> reads its input x. If false, the output may overwrite the input, and is also passed
    /// as x.
    /// </summary>
    bool BackwardUsesInput { get; }

    /// <summary>The initializer for the weights of a layer that feeds this activation, or null for Xavier.</summary>
    Initializer? PreferredInitializer => null;

    /// <summary>True if <see cref="Forward{TVector}"/> and <see cref="Backward{TVector}"/> take only a few instructions. Loops
    /// are then unrolled; results are the same.</summary>
    static virtual bool IsShort => false;

    /// <summary>y = f(x).</summary>
    /// <typeparam name="TVector">The register type. The formula is compiled for float, double and every register width.</typeparam>
    /// <param name="x">The inputs.</param>
    /// <returns>The outputs.</returns>
    TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>;

    /// <summary>dx = dy f'(x), from the input, the output, or both.</summary>
    /// <typeparam name="TVector">The register type.</typeparam>
    /// <param name="outputGradient">dy, the gradients of the outputs.</param>
    /// <param name="x">The inputs, if <see cref="BackwardUsesInput"/>; else the outputs again.</param>
    /// <param name="y">The outputs.</param>
    /// <returns>The gradients of the inputs.</returns>
    TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>;
}
