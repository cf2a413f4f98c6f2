using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <summary>Something with parameters to train: a network. An optimizer made for it knows how many there are.</summary>
/// <typeparam name="T">float or double.</typeparam>
public interface ITrainable<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>All parameters, in one flat block; its length never changes.</summary>
    Span<T> Parameters { get; }

    /// <summary>The parameters one by one, ascending and disjoint; by default all are one vector. Optimizers of matrices read them once.</summary>
    IReadOnlyList<ParameterMatrix> Matrices => [new ParameterMatrix("parameters", new BlockRange(0, Parameters.Length), 1, Parameters.Length)];

    /// <summary>The number of parameters.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    internal static int CountOf(ITrainable<T> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return network.Parameters.Length;
    }
}
