using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// A function of two numbers with its derivatives, applied element by element. Implement it as a readonly struct: it is compiled
/// into the loops of <see cref="Broadcasting"/>, and a <c>BinaryGate</c> makes a layer of it.
/// </summary>
/// <remarks>Each lane of the result must depend only on the same lane of the arguments. NaN must give NaN.</remarks>
public interface IBinaryFunction
{
    /// <summary>The name, in lower case: the stem of node names.</summary>
    string Name { get; }

    /// <summary>The text of the node in pictures of a graph, such as <c>+</c>; the name by default.</summary>
    string Symbol => Name;

    /// <summary>True if the gradients read x or y. If false, dz is passed in their place.</summary>
    bool BackwardUsesInputs { get; }

    /// <summary>z = f(x, y).</summary>
    /// <typeparam name="TVector">The register type. The formula is compiled for float, double and every register width.</typeparam>
    /// <param name="x">The left operands.</param>
    /// <param name="y">The right operands.</param>
    /// <returns>The results.</returns>
    TVector Forward<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector>;

    /// <summary>dx = dz df/dx.</summary>
    /// <typeparam name="TVector">The register type.</typeparam>
    /// <param name="dz">The gradients of the results.</param>
    /// <param name="x">The left operands.</param>
    /// <param name="y">The right operands.</param>
    /// <returns>The gradients of the left operands.</returns>
    TVector LeftGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>;

    /// <summary>dy = dz df/dy.</summary>
    /// <typeparam name="TVector">The register type.</typeparam>
    /// <param name="dz">The gradients of the results.</param>
    /// <param name="x">The left operands.</param>
    /// <param name="y">The right operands.</param>
    /// <returns>The gradients of the right operands.</returns>
    TVector RightGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>;
}
