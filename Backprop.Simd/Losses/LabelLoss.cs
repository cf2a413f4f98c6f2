using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>A loss of class scores over the last dimension, [K] or [..., K], against a class label for each position.</summary>
/// <remarks>A label is a class, in [0, K), or the ignored label. Any other label throws before anything is written; the message
/// gives row and value.</remarks>
public abstract class LabelLoss : ReducedLoss
{
    private readonly double[]? _classWeights;

    private protected LabelLoss(IEnumerable<double>? classWeights, int ignoreIndex, LossReduction reduction) : base(reduction)
    {
        _classWeights = classWeights?.ToArray();
        foreach (var weight in _classWeights ?? [])
        {
            if (weight != 0 && weight is not (>= 1e-30 and <= 1e30))
                throw new ArgumentException($"A class weight must be 0, or 1e-30 to 1e30 so that float can hold it; got {weight}.", nameof(classWeights));
        }

        IgnoreIndex = ignoreIndex;
    }

    /// <summary>The label of positions that are ignored.</summary>
    public int IgnoreIndex { get; }

    /// <summary>One weight per class; empty if all are 1.</summary>
    public IReadOnlyList<double> ClassWeights => _classWeights ?? [];

    /// <summary>Distributions count in full; labels may be ignored and have class weights.</summary>
    private protected sealed override bool CountsAllOf(EdgeType targets) => targets.Kind != EdgeKind.Indices;

    private protected bool HasClassWeights => _classWeights is not null;

    /// <summary>One weight per class; empty if all are 1.</summary>
    private protected ReadOnlySpan<double> Weights => _classWeights;

    private protected double Weight(int label) => _classWeights is null ? 1 : _classWeights[label];

    /// <summary>Checks scores and targets.</summary>
    /// <returns>The number of classes, and of positions in a row.</returns>
    private protected (int Classes, int Positions) DeclareScores(LayerDeclaration declaration, bool takesDistributions)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        var shape = declaration.Require(0, EdgeKind.Values);
        if (shape.Rank == 0)
            throw new ArgumentException($"Input 0 of {Kind} must have classes as its last dimension; it is {declaration.Inputs[0]}.", "inputs");
        var (classes, positions) = Sizes(shape);
        if (declaration.Inputs[1].Kind == EdgeKind.Indices || !takesDistributions)
        {
            var expected = TargetOf(shape);
            if (declaration.Inputs[1] != expected)
                throw new ArgumentException($"Input 1 of {Kind} must be {expected} for {declaration.Inputs[0]}; it is {declaration.Inputs[1]}.", "inputs");
        }
        else
        {
            declaration.RequireSame(0, 1);
        }

        if (_classWeights is not null && _classWeights.Length != classes)
            throw new ArgumentException($"{Kind} has {_classWeights.Length} class weights for {classes} classes.", "inputs");
        return (classes, positions);
    }

    /// <summary>The number of classes, and of positions in a row.</summary>
    private protected static (int Classes, int Positions) Sizes(Shape shape) => (shape[shape.Rank - 1], shape.Size / shape[shape.Rank - 1]);

    /// <summary>A label for each position.</summary>
    internal sealed override EdgeType TargetOf(Shape predictions) => new(EdgeKind.Indices, predictions.WithoutLast());
}
