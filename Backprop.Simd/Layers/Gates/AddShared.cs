using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>y = x + s: adds a shared value to each row, such as learned positions to a sequence.</summary>
/// <remarks>
/// s, a parameter or a constant, has the shape of the last dimensions of x: [T, D] + [T, D], or [T, D] + [D].
/// Backward: dx = dy; ds is the sum of dy over all places that share s.
/// </remarks>
public sealed class AddShared : Layer
{
    /// <inheritdoc/>
    public override string Kind => "addshared";

    /// <inheritdoc/>
    public override string Symbol => "+";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var (x, shared) = (declaration.Require(0, EdgeKind.Values), declaration.Require(1, EdgeKind.Shared));
        var fits = shared.Rank <= x.Rank;
        for (var i = 1; fits && i <= shared.Rank; i++)
            fits = shared[shared.Rank - i] == x[x.Rank - i];
        if (!fits)
            throw new ArgumentException($"The shared input of {Kind} must have the last dimensions of {x}; it is {shared}.", "inputs");
        declaration.AddOutput(x);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shared = context.Input(1);
        var body = new Body<T>(context.Input(0), shared, context.Output());
        var x = context.Input(0).Length;
        context.Compute.For(x / shared.Length, Math.Max(1, 512 / shared.Length), 0.1 * x, in body);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dy = context.OutputGradient();
        context.InputGradient(0).Copy(dy);
        var columns = context.InputType(1).Shape.Size;
        context.InputGradient(1).ColumnSums(new(dy, dy.Length / columns, columns));
    }

    private readonly ref struct Body<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> shared, Span<T> y) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _shared = shared;
        private readonly Span<T> _y = y;

        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
                Elementwise.Add(_x.Slice(i * _shared.Length, _shared.Length), _shared, _y.Slice(i * _shared.Length, _shared.Length));
        }
    }
}
