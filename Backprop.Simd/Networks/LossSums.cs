using System.Numerics;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>The losses of a network over several batches, as sums of their parts.</summary>
internal sealed class LossSums(NetworkDefinition definition)
{
    private readonly LossParts[] _parts = new LossParts[definition.Graph.Losses.Length];

    /// <summary>The parts of each loss, in the order of the definition.</summary>
    public Span<LossParts> Parts => _parts;

    /// <summary>The weighted sum of the losses over all rows.</summary>
    public double Value
    {
        get
        {
            var sum = 0.0;
            for (var i = 0; i < _parts.Length; i++)
                sum += definition.Graph.Losses[i].Weight * _parts[i].Value;
            return sum;
        }
    }

    /// <summary>Whether a row or position took part in a loss; true without losses.</summary>
    public bool TakesPart => _parts.Length == 0 || Array.Exists(_parts, static part => part.IsSum || part.Denominator != 0);

    /// <summary>Adds the losses of the last forward pass.</summary>
    public void Add<T>(Workspace<T> workspace) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < _parts.Length; i++)
            _parts[i] += workspace.Executor.PartsAt(i);
    }

    /// <summary>Adds losses over other rows.</summary>
    public void Add(LossSums other)
    {
        for (var i = 0; i < _parts.Length; i++)
            _parts[i] += other._parts[i];
    }

    public void Clear() => Array.Clear(_parts);
}
