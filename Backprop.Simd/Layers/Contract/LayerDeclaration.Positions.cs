namespace Backprop.Simd.Layers;

/// <content>One position of a sequence at a time.</content>
public sealed partial class LayerDeclaration
{
    /// <summary>Whether the layer can compute one position of a sequence at a time.</summary>
    internal bool TakesPositions { get; private set; }

    /// <summary>The layer that computes one position, where it is told which; null if this layer computes each position by itself.</summary>
    internal Layer? PositionForm { get; private set; }

    /// <summary>The columns of what the form remembers of each position.</summary>
    internal int[] Remembered { get; private set; } = [];

    /// <summary>The sizes of the states that are carried from position to position.</summary>
    internal int[] PositionStates { get; private set; } = [];

    /// <summary>What computes the memory of <see cref="PositionForm"/>, once a sequence.</summary>
    internal Layer? PositionMemory { get; private set; }

    /// <summary>Says that the layer computes each position of a sequence [T, D] by itself, whatever T is: with the same parameters it can be
    /// placed on one position [1, D]. <see cref="Inference.SequenceGenerator{T}"/> then computes one position at a time.</summary>
    public void UsePositions() => TakesPositions = true;

    /// <summary>Says which layer computes one position of a sequence from what came before, for <see cref="Inference.SequenceGenerator{T}"/>.</summary>
    /// <param name="form">The layer: with the same parameters, one position [1, D] as input, then a sequence [M, n] for each number that it
    /// remembers, then the number of positions before, indices []. Its outputs are those of this layer at that position, then what is to be
    /// remembered of it, [1, n] each.</param>
    /// <param name="remembered">The columns n of what it remembers of each position.</param>
    /// <exception cref="ArgumentException">A number of columns is below 1.</exception>
    public void UsePositions(Layer form, params ReadOnlySpan<int> remembered)
    {
        ArgumentNullException.ThrowIfNull(form);
        foreach (var columns in remembered)
        {
            if (columns < 1)
                throw new ArgumentException($"What a layer remembers has columns, 1 or more; got {columns}.", nameof(remembered));
        }

        (TakesPositions, PositionForm, Remembered) = (true, form, remembered.ToArray());
    }

    /// <summary>Says that the layer carries states from position to position of a sequence, for <see cref="Inference.SequenceGenerator{T}"/>: with
    /// the same parameters it can be placed on one position [1, D], with the states before it, values [n], as its last inputs.</summary>
    /// <param name="sizes">The sizes n of the states: the last outputs, which are the states behind the position. Inputs behind the sequence
    /// are the states before the first position, as many; without them these are 0.</param>
    /// <exception cref="ArgumentException">A size is below 1, or there are none.</exception>
    public void UsePositionStates(params ReadOnlySpan<int> sizes)
    {
        if (sizes.IsEmpty)
            throw new ArgumentException("A layer that carries states has one or more.", nameof(sizes));
        foreach (var size in sizes)
        {
            if (size < 1)
                throw new ArgumentException($"What a layer carries has a size of 1 or more; got {size}.", nameof(sizes));
        }

        (TakesPositions, PositionStates) = (true, sizes.ToArray());
    }

    /// <summary>Says how the layer computes one position from inputs that hold for the whole sequence, for
    /// <see cref="Inference.SequenceGenerator{T}"/>.</summary>
    /// <param name="memory">The layer that is computed once a sequence, from the inputs of values behind the first input.</param>
    /// <param name="form">The layer of one position: with [1, D] as input, then the outputs of <paramref name="memory"/>, then the other inputs of
    /// this layer. Both have parameters with names and shapes of this layer's.</param>
    public void UsePositionMemory(Layer memory, Layer form)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(form);
        (TakesPositions, PositionForm, PositionMemory) = (true, form, memory);
    }
}
