using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Some dimensions of each row in the reverse order: y[.., i, ..] = x[.., n - 1 - i, ..], NumPy's <c>flip</c>. dx is dy reversed.</summary>
public sealed class Reverse : Layer
{
    private readonly int[] _axes;

    /// <summary>Makes the layer.</summary>
    /// <param name="axes">The dimensions, each once; negative numbers count from the end. None for all.</param>
    public Reverse(params ReadOnlySpan<int> axes) => _axes = axes.ToArray();

    /// <summary>The dimensions; none for all.</summary>
    public IReadOnlyList<int> Axes => _axes;

    /// <inheritdoc/>
    public override string Kind => "reverse";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        Span<int> axes = stackalloc int[Shape.MaxRank];
        AxesOf(type.Shape, axes);
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        Span<int> axes = stackalloc int[Shape.MaxRank];
        Arrays.Reverse(context.InputArray(0), AxesOf(context.InputType(0).Shape, axes), context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        Span<int> axes = stackalloc int[Shape.MaxRank];
        Arrays.Reverse(context.OutputGradientArray(), AxesOf(context.InputType(0).Shape, axes), context.InputGradient(0), context.Compute);
    }

    /// <summary>The dimensions of the array that a pass sees: those of a row are its last.</summary>
    private ReadOnlySpan<int> AxesOf(Shape shape, Span<int> axes)
    {
        var count = _axes.Length == 0 ? shape.Rank : _axes.Length;
        var first = 1 + Shape.MaxRank - shape.Rank;
        for (var i = 0; i < count; i++)
        {
            var axis = _axes.Length == 0 ? i : _axes[i] < 0 ? _axes[i] + shape.Rank : _axes[i];
            if ((uint)axis >= (uint)shape.Rank || axes[..i].Contains(first + axis))
            {
                throw new ArgumentException(
                    $"{Kind} along [{string.Join(", ", _axes)}] needs dimensions of the input, each once; the input is {shape}.", "inputs");
            }

            axes[i] = first + axis;
        }

        return axes[..count];
    }
}
