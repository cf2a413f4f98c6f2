using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Numbers around each row: [.., a, ..] to [.., before + a + after, ..], as NumPy's <c>pad</c> and ONNX's <c>Pad</c>.</summary>
/// <remarks>Backward: dx of an element is the sum of dy over the places that have it: itself, and its copies in the padding.</remarks>
public sealed class Pad : Layer
{
    private readonly int[] _before, _after;

    /// <summary>Makes the layer.</summary>
    /// <param name="before">For each dimension of a row, how many places are put before it.</param>
    /// <param name="after">For each dimension of a row, how many places are put behind it.</param>
    /// <param name="mode">What lies there: one number, the nearest element, or a mirror, which takes fewer places than the dimension has.</param>
    /// <param name="value">The number, of a constant padding.</param>
    /// <exception cref="ArgumentException">An amount is negative, or there are not as many behind as before.</exception>
    public Pad(ReadOnlySpan<int> before, ReadOnlySpan<int> after, PaddingMode mode = PaddingMode.Constant, double value = 0)
    {
        (_before, _after) = (before.ToArray(), after.ToArray());
        if (!Enum.IsDefined(mode))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "The mode is Constant, Edge or Reflect.");
        if (Array.Exists(_before, amount => amount < 0))
            throw new ArgumentException($"Amounts are 0 or more; got [{string.Join(", ", _before)}].", nameof(before));
        if (_after.Length != _before.Length || Array.Exists(_after, amount => amount < 0))
        {
            throw new ArgumentException(
                $"Amounts are {_before.Length} numbers, as many as before, of 0 or more; got [{string.Join(", ", _after)}].", nameof(after));
        }

        (Mode, Value) = (mode, value);
    }

    /// <summary>The places before each dimension.</summary>
    public IReadOnlyList<int> Before => _before;

    /// <summary>The places behind each dimension.</summary>
    public IReadOnlyList<int> After => _after;

    /// <summary>What lies there.</summary>
    public PaddingMode Mode { get; }

    /// <summary>The number, of a constant padding.</summary>
    public double Value { get; }

    /// <inheritdoc/>
    public override string Kind => "pad";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        if (type.Shape.Rank != _before.Length)
            throw new ArgumentException($"{Kind} of {_before.Length} dimensions needs an input with as many; it is {type}.", "inputs");
        Span<int> shape = stackalloc int[Shape.MaxRank], sizes = stackalloc int[Shape.MaxRank];
        shape = type.Shape.CopyTo(shape);
        ArrayMap map;
        try
        {
            map = Arrays.Padding(shape, _before, _after, Mode);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Kind} of {type}: {e.WithoutParameter()}", "inputs", e);
        }

        for (var d = 0; d < shape.Length; d++)
            sizes[d] = (int)Math.Min(int.MaxValue, (long)_before[d] + shape[d] + _after[d]);
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(sizes[..shape.Length])));
        declaration.Meaning = Mode == PaddingMode.Constant ? default : OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.UseThreadScratch(map.Scratch * sizeof(double));
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        Span<int> before = stackalloc int[1 + Shape.MaxRank], after = stackalloc int[1 + Shape.MaxRank];
        Arrays.Pad(context.InputArray(0), Whole(_before, before), Whole(_after, after), Mode, T.CreateTruncating(Value), context.Output(),
            context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        Span<int> shape = stackalloc int[1 + Shape.MaxRank], before = stackalloc int[1 + Shape.MaxRank], after = stackalloc int[1 + Shape.MaxRank];
        Arrays.PadGradient(context.OutputGradient(), context.InputArray(0).CopyShapeTo(shape), Whole(_before, before), Whole(_after, after), Mode,
            context.InputGradient(0), context.Compute);
    }

    /// <summary>The amounts of the dimensions of a row behind those that it lacks.</summary>
    private static Span<int> Whole(int[] amounts, Span<int> all)
    {
        all.Clear();
        amounts.CopyTo(all[^amounts.Length..]);
        return all;
    }
}
