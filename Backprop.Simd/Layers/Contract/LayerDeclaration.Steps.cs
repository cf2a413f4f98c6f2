namespace Backprop.Simd.Layers;

/// <content>A layer at each step of time.</content>
public sealed partial class LayerDeclaration
{
    /// <summary>The layer that computes each step, what it declares, and the number of steps; null for layers without one.</summary>
    internal StepDeclaration? EachStep { get; private set; }

    /// <summary>
    /// Says that another layer computes each step by itself. A step is an element of the first dimension of each row; all steps of all rows are
    /// rows to that layer. Declares all that it needs: outputs, parameters, state, cache, scratch and traits. Forward and backward then run it
    /// with <see cref="ForwardContext{T}.EachStep"/> and <see cref="BackwardContext{T}.EachStep"/>.
    /// </summary>
    /// <param name="layer">The layer, which is placed on inputs without their first dimension. Shared inputs are the same for all steps.</param>
    /// <exception cref="ArgumentException">An input has no first dimension, or inputs have other numbers of steps, or none has steps; or the layer
    /// refuses its inputs, or is a loss, or has an output for the whole batch or of too many dimensions.</exception>
    /// <exception cref="InvalidOperationException">Something was declared before.</exception>
    public void UseEachStep(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (EachStep is not null || _outputs.Length + _parameters.Count + _states.Count > 0)
            throw new InvalidOperationException($"{Kind} declares a layer for each step once, and before anything else.");
        if (layer.IsLoss)
            throw new ArgumentException($"{Kind} takes no loss such as {layer.Kind}: losses take whole sequences.", nameof(layer));
        var steps = Steps();
        var inner = new LayerDeclaration(layer.Kind, Array.ConvertAll(_inputs, static type => type.Kind == EdgeKind.Shared ? type : OfStep(type)));
        layer.Declare(inner);
        inner.Check();
        foreach (var output in inner.Outputs)
            AddOutput(OfSteps(output, steps, layer));
        _parameters.AddRange(inner.Parameters);
        _states.AddRange(inner.States);
        Meaning = inner.Meaning;
        UseOperations(steps * inner.OperationsPerRow);
        UseCache((long)steps * inner.CachePerRow, inner.CachePerBatch);
        UseIndexCache((long)steps * inner.IndexCachePerRow);
        UseScratch((long)steps * inner.ScratchPerRow, inner.ScratchPerBatch);
        UseThreadScratch(inner.ThreadScratchBytes);

        // The steps of a row lie side by side, so that only a view of whole steps is a view of a row, and rows have no gaps.
        var isWhole = _inputs[0].Kind == EdgeKind.Values && _outputs[0].Shape.Size == _inputs[0].Shape.Size;
        Traits = inner.Traits & ~LayerTraits.StridedRows;
        if (!isWhole)
            Traits &= ~(LayerTraits.View | LayerTraits.InPlace);
        EachStep = new(layer, inner, steps, Traits);
    }

    /// <summary>The layer whose parameters a placed layer has: itself, or the layer of each step.</summary>
    internal Layer OwnerOf(Layer placed)
    {
        for (var at = EachStep; at is not null; at = at.Declaration.EachStep)
            placed = at.Layer;
        return placed;
    }

    /// <summary>Throws unless what the layer of each step declares is still declared.</summary>
    private void CheckEachStep()
    {
        if (EachStep is not { } each)
            return;
        var (inner, steps) = (each.Declaration, each.Steps);
        if (Traits != each.Traits || ViewStart != 0 || ScratchPerBatch != inner.ScratchPerBatch || CachePerBatch != inner.CachePerBatch
            || CachePerRow != steps * inner.CachePerRow || ScratchPerRow != steps * inner.ScratchPerRow
            || IndexCachePerRow != steps * inner.IndexCachePerRow || ThreadScratchBytes < inner.ThreadScratchBytes)
        {
            throw new ArgumentException($"{Kind} declares {each.Layer.Kind} for each step, and other traits, caches or scratch behind it: leave those as "
                + "they are.", "layer");
        }
    }

    /// <summary>The number of steps, which all inputs with rows have.</summary>
    private int Steps()
    {
        var first = -1;
        for (var i = 0; i < _inputs.Length; i++)
        {
            if (_inputs[i].Kind == EdgeKind.Shared)
                continue;
            if (_inputs[i].Shape.Rank == 0)
                throw new ArgumentException($"Input {i} of {Kind} must have steps, its first dimension; it is {_inputs[i]}.", "inputs");
            first = first < 0 ? i : first;
            if (_inputs[i].Shape[0] != _inputs[first].Shape[0])
            {
                throw new ArgumentException($"Inputs {first} and {i} of {Kind} must have as many steps, the first dimension; they are {_inputs[first]} and "
                    + $"{_inputs[i]}.", "inputs");
            }
        }

        return first >= 0 ? _inputs[first].Shape[0]
            : throw new ArgumentException($"{Kind} needs an input with rows and steps; it got {string.Join(", ", _inputs)}.", "inputs");
    }

    private static EdgeType OfStep(EdgeType type)
    {
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        return new(type.Kind, new Shape(type.Shape.CopyTo(sizes)[1..]));
    }

    private EdgeType OfSteps(EdgeType type, int steps, Layer layer)
    {
        if (type.Kind == EdgeKind.Shared)
            throw new ArgumentException($"{Kind} takes no {layer.Kind} with the output {type}: an output for the whole batch belongs to no step.", "inputs");
        if (type.Shape.Rank == Shape.MaxRank)
            throw new ArgumentException($"{Kind} of {layer.Kind}, whose output is {type}, has more than {Shape.MaxRank} dimensions.", "inputs");
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        sizes[0] = steps;
        return new(type.Kind, new Shape(sizes[..(1 + type.Shape.CopyTo(sizes[1..]).Length)]));
    }
}

/// <summary>A layer that computes each step, and what it declares.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Declaration">What it declares on the inputs of a step.</param>
/// <param name="Steps">The steps of a row.</param>
/// <param name="Traits">The traits of all steps.</param>
internal sealed record StepDeclaration(Layer Layer, LayerDeclaration Declaration, int Steps, LayerTraits Traits);
