using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>z = f(x, y), element by element, of two inputs that are broadcast to one shape.</summary>
/// <remarks>
/// <para>Shapes are aligned at the last dimension; a size of 1, or a dimension that is not there, is repeated, as in NumPy. Values have
/// the batch in front of their shape, and a shared input is repeated for each row of the batch: [T, D] of values and [D] shared give
/// [T, D] of values. Two shared inputs give a shared output.</para>
/// <para>Backward: dx = dz df/dx and dy = dz df/dy, summed over the places where an input was repeated.</para>
/// </remarks>
/// <typeparam name="TFunction">The function; a struct, so that its kernels are compiled for it.</typeparam>
/// <param name="function">The function.</param>
public sealed class BinaryGate<TFunction>(TFunction function = default) : Layer
    where TFunction : struct, IBinaryFunction
{
    private readonly TFunction _function = function;

    /// <summary>The function.</summary>
    public TFunction Function => _function;

    /// <inheritdoc/>
    public override string Kind => _function.Name;

    /// <inheritdoc/>
    public override string Symbol => _function.Symbol;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var (x, y) = (declaration.RequireNumbers(0), declaration.RequireNumbers(1));
        var output = new EdgeType(x.Kind == EdgeKind.Shared && y.Kind == EdgeKind.Shared ? EdgeKind.Shared : EdgeKind.Values, Broadcast(x, y));
        declaration.AddOutput(output);
        declaration.UsePositions();
        declaration.Traits = _function.BackwardUsesInputs ? LayerTraits.ReadsInput : LayerTraits.None;
        if (x == output && y == output)
            return;
        if (output.Kind == EdgeKind.Shared)
            declaration.UseScratch(0, Broadcasting.Scratch(output.Shape.Size));
        else
            declaration.UseScratch(Broadcasting.Scratch(output.Shape.Size));
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Broadcasting.Forward(in _function, context.InputArray(0), context.InputArray(1), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dz = context.OutputGradient();
        var x = context.InputArray(0);
        var y = context.InputArray(1);
        var scratch = context.Scratch.IsEmpty ? context.BatchScratch : context.Scratch;
        Broadcasting.LeftGradient(in _function, dz, x, y, context.InputGradient(0), scratch, context.Compute);
        Broadcasting.RightGradient(in _function, dz, x, y, context.InputGradient(1), scratch, context.Compute);
    }

    private Shape Broadcast(EdgeType x, EdgeType y)
    {
        Span<int> left = stackalloc int[Shape.MaxRank], right = stackalloc int[Shape.MaxRank], result = stackalloc int[Shape.MaxRank];
        left = x.Shape.CopyTo(left);
        right = y.Shape.CopyTo(right);
        try
        {
            return new Shape(result[..Broadcasting.Shape(left, right, result)]);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Kind} of {x} and {y}: {e.WithoutParameter()}", "inputs", e);
        }
    }
}
