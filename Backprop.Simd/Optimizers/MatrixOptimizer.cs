using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>What <see cref="Adafactor{T}"/> and <see cref="Muon{T}"/> share: a step takes each parameter as a whole, with its shape.</summary>
/// <remarks>Shapes come from the network. A range of a step, or of a group, holds a parameter whole or not at all; a step that would cut
/// a parameter throws before anything is written. Scratch for the largest parameter is allocated with the optimizer.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class MatrixOptimizer<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ParameterMatrix[] _matrices;

    private protected MatrixOptimizer(ITrainable<T> network, double learningRate, double weightDecay)
        : base(ITrainable<T>.CountOf(network), learningRate, weightDecay)
    {
        _matrices = [.. network.Matrices];
        long end = 0;
        foreach (var matrix in _matrices)
        {
            if (matrix.Range.Start < end || matrix.Range.Length != (long)matrix.Rows * matrix.Columns || matrix.Range.End > ParameterCount)
            {
                throw new ArgumentException(
                    $"The network's matrices must be ascending, disjoint and inside its {ParameterCount} parameters; found '{matrix.Name}',"
                    + $" {matrix.Rows} x {matrix.Columns}, at [{matrix.Range.Start}, {matrix.Range.End}) where the matrix before ends at {end}.",
                    nameof(network));
            }

            end = matrix.Range.End;
        }
    }

    private protected ReadOnlySpan<ParameterMatrix> Matrices => _matrices;

    /// <summary>Changes one parameter.</summary>
    /// <param name="index">Its place among the parameters.</param>
    /// <param name="parameters">All parameters.</param>
    /// <param name="gradients">All gradients.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    private protected abstract void UpdateMatrix(int index, Span<T> parameters, ReadOnlySpan<T> gradients, ComputeContext? context);

    /// <inheritdoc/>
    protected sealed override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        for (var i = 0; i < _matrices.Length && _matrices[i].Range.Start < range.End; i++)
        {
            if (_matrices[i].Range is { Length: > 0 } place && place.Start >= range.Start)
                UpdateMatrix(i, parameters, gradients, context);
        }
    }

    internal sealed override void CheckWhole(BlockRange range)
    {
        foreach (var matrix in _matrices)
        {
            var place = matrix.Range;
            if (place.Start < range.End && range.Start < place.End && (place.Start < range.Start || place.End > range.End))
            {
                throw new InvalidOperationException(
                    $"{GetType().Name.Split('`')[0]} changes a parameter as a whole: '{matrix.Name}' lies at [{place.Start}, {place.End}), and a range or"
                    + $" group of the step at [{range.Start}, {range.End}) cuts it.");
            }
        }
    }
}
