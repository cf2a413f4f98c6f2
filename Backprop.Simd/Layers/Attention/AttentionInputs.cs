namespace Backprop.Simd.Layers;

/// <summary>Which inputs of attention are what: sequences first, then what is added to the scores, a mask, and lengths.</summary>
internal struct AttentionInputs
{
    /// <summary>The number of sequences at the beginning.</summary>
    public int Sequences { get; private set; }

    /// <summary>The input that is added to the scores; 0 without such an input.</summary>
    public int Bias { get; private set; }

    /// <summary>The mask; 0 without a mask.</summary>
    public int Mask { get; private set; }

    /// <summary>The lengths; 0 if there are none.</summary>
    public int Lengths { get; private set; }

    /// <summary>The input of the keys.</summary>
    public readonly int Key => Math.Min(Sequences - 1, 1);

    /// <summary>The input of the values.</summary>
    public readonly int Value => Sequences - 1;

    /// <summary>Takes the next input. False if it is of no kind that may follow.</summary>
    public bool Add(int input, EdgeType type)
    {
        var rank = type.Shape.Rank;
        if (type.Kind == EdgeKind.Values && rank < 3 && Bias + Mask + Lengths == 0)
            Sequences++;
        else if (type.Kind != EdgeKind.Indices && input > 0 && Bias + Mask + Lengths == 0)
            Bias = input;
        else if (type.Kind == EdgeKind.Indices && rank > 0 && input > 0 && Mask + Lengths == 0)
            Mask = input;
        else if (type.Kind == EdgeKind.Indices && rank == 0 && input > 0 && Lengths == 0)
            Lengths = input;
        else
            return false;
        return true;
    }
}
