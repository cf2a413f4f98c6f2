using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Training;

/// <summary>The best validation so far and its weights.</summary>
internal sealed class BestWeights<T>(bool largerIsBetter) where T : unmanaged, IFloatingPointIeee754<T>
{
    private AlignedBuffer<T>? _parameters, _state;

    /// <summary>The best value; before the first validation, the worst possible value.</summary>
    public double Best { get; private set; } = largerIsBetter ? double.NegativeInfinity : double.PositiveInfinity;

    /// <summary>The number of validations since the best one.</summary>
    public int BadValidations { get; private set; }

    public bool LargerIsBetter => largerIsBetter;

    public bool HasWeights => _parameters is not null;

    public Span<T> Parameters => _parameters!.Span;

    public Span<T> State => _state!.Span;

    public ReadOnlyMemory<T> ParameterMemory => _parameters!.Memory;

    public ReadOnlyMemory<T> StateMemory => _state!.Memory;

    public void Record(EarlyStopping early, double value, Network<T> network, ExponentialMovingAverage<T>? average)
    {
        if (!(largerIsBetter ? value > Best + early.MinimumChange : value < Best - early.MinimumChange))
        {
            BadValidations++;
            return;
        }

        (Best, BadValidations) = (value, 0);
        if (!early.RestoreBest)
            return;
        Allocate(network);
        if (average is { Updates: > 0 })
            average.CopyTo(Parameters);
        else
            network.Parameters.CopyTo(Parameters);
        network.State.CopyTo(State);
    }

    /// <summary>Restores the values of a checkpoint. The caller writes the weights.</summary>
    public void Restore(double best, int badValidations, Network<T>? network)
    {
        (Best, BadValidations) = (best, badValidations);
        if (network is not null)
            Allocate(network);
    }

    public void CopyTo(Network<T> network)
    {
        Parameters.CopyTo(network.Parameters);
        State.CopyTo(network.State);
    }

    private void Allocate(Network<T> network)
    {
        _parameters ??= new AlignedBuffer<T>(network.Parameters.Length);
        _state ??= new AlignedBuffer<T>(network.State.Length);
    }
}
