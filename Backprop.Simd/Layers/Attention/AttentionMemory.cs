using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>The keys and values that attention asks: K = x_k W_k + b_k and V = x_v W_v + b_v. <see cref="MultiHeadAttention"/> takes them with
/// <c>projected: true</c>, so that they are computed once for queries that come one after another.</summary>
/// <remarks>
/// Inputs: one sequence [S, D] for both; or keys [S, K] and values [S, V]. Outputs: keys and values, [S, d] each. Parameters: keyWeight [K, d], keyBias,
/// valueWeight [V, d], valueBias: those of <see cref="MultiHeadAttention"/>, with the same names and shapes. dx = dK W_k^T + dV W_v^T.
/// </remarks>
public sealed class AttentionMemory : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="columns">d, the columns of all heads of keys, 1 or more.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="columns"/> is below 1.</exception>
    public AttentionMemory(int columns, Initializer? initializer = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        (Columns, Initializer) = (columns, initializer);
    }

    /// <summary>The columns of all heads of keys.</summary>
    public int Columns { get; }

    /// <summary>How both weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <inheritdoc/>
    public override string Kind => "attentionmemory";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        if (declaration.Inputs.Count is not (1 or 2))
            throw new ArgumentException($"{Kind} takes one sequence, or keys and values; it got {declaration.Inputs.Count} input(s).", "inputs");
        Shape keys = declaration.RequireSequence(0), values = declaration.RequireSequence(declaration.Inputs.Count - 1);
        if (keys[0] != values[0])
            throw new ArgumentException($"Keys and values of {Kind} must be equally long; they are values {keys} and values {values}.", "inputs");
        foreach (var (name, from) in (ReadOnlySpan<(string, int)>)[("key", keys[1]), ("value", values[1])])
        {
            declaration.AddParameter(name + "Weight", new Shape(from, Columns), from, Columns, Initializer ?? Initialize.Xavier);
            declaration.AddParameter(name + "Bias", new Shape(Columns), from, Columns, Initialize.Zeros);
            declaration.AddOutput(new Shape(keys[0], Columns));
        }

        declaration.UseOperations(2.0 * keys[0] * Columns * ((double)keys[1] + values[1]));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        for (var i = 0; i < 2; i++)
        {
            var w = context.ParameterMatrix(2 * i);
            var y = new Matrix<T>(context.Output(i), context.Output(i).Length / Columns, Columns);
            Gemm.MultiplyAddRow(Input(context.Input(Math.Min(i, context.InputCount - 1)), w), w, context.Parameter(2 * i + 1), y, context.Compute);
        }
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        for (var i = 0; i < 2; i++)
        {
            var input = Math.Min(i, context.InputCount - 1);
            var w = context.ParameterMatrix(2 * i);
            var x = Input(context.Input(input), w);
            var dy = new ReadOnlyMatrix<T>(context.OutputGradient(i), x.Rows, Columns);
            context.ParameterGradient(2 * i).Product(x.Transposed, dy);
            context.ParameterGradient(2 * i + 1).ColumnSums(dy);
            var dx = i > input ? context.InputGradient(input).Adding : context.InputGradient(input);
            dx.Reshape(x.Rows, x.Columns).Product(dy, w.Transposed);
        }
    }

    private static ReadOnlyMatrix<T> Input<T>(ReadOnlySpan<T> x, ReadOnlyMatrix<T> w) where T : unmanaged, IFloatingPointIeee754<T> =>
        new(x, x.Length / w.Rows, w.Rows);
}
