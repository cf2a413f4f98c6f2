using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// Scaled dot-product attention in several heads: Q = x_q W_q + b_q, K = x_k W_k + b_k, V = x_v W_v + b_v; for each head, on its
/// D / heads columns, P = softmax(Q K^T / sqrt(D / heads)) and C = P V; y = C W_o + b_o.
/// </summary>
/// <remarks>
/// <para>Inputs: one sequence [T, D] (self-attention); or queries [T, D] and keys [S, D], which are also the values; or queries
/// [T, D], keys [S, D] and values [S, D]. One more input is optional: the number of keys of each row, indices [] from 0 to S.
/// Output: [T, D].</para>
/// <para>Parameters: queryWeight, queryBias, keyWeight, keyBias, valueWeight, valueBias, outputWeight, outputBias. Weights are [D, D]
/// and start as Xavier uniform; biases are [D] and start at zero. Each head has adjacent columns. The key bias adds the same number
/// to all scores of a query, so softmax cancels it and its gradient is exactly 0. It exists for exchange with other libraries.</para>
/// <para>In a causal layer query t sees keys 0 to t. Keys that a query does not see have probability 0 and no gradient. If a query
/// sees no key, softmax would give NaN; here C = 0, so y is the output bias. Keys after a row's length do not matter, as long as
/// they are finite.</para>
/// <para>The layer does not know positions: add them to its input, <c>x + graph.Parameter(...)</c>. Vaswani et al., "Attention is all you
/// need", NeurIPS 2017, section 3.2.</para>
/// </remarks>
public sealed class MultiHeadAttention : Layer
{
    private const int Query = 0, Key = 2, Value = 4, Out = 6;

    /// <summary>Makes the layer.</summary>
    /// <param name="heads">The number of heads, 1 or more; it divides D.</param>
    /// <param name="causal">True if no query sees a later key.</param>
    /// <param name="initializer">How the four weights start; Xavier uniform if null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="heads"/> is below 1.</exception>
    public MultiHeadAttention(int heads, bool causal = false, Initializer? initializer = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        (Heads, IsCausal, Initializer) = (heads, causal, initializer);
    }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>Whether no query sees a later key.</summary>
    public bool IsCausal { get; }

    /// <summary>How the four weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <inheritdoc/>
    public override string Kind => "multiheadattention";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        var count = declaration.Inputs.Count;
        var hasLengths = count > 1 && declaration.Inputs[count - 1].Kind == EdgeKind.Indices;
        var sequences = hasLengths ? count - 1 : count;
        if (sequences is < 1 or > 3)
        {
            throw new ArgumentException(
                $"{Kind} takes 1 to 3 sequences, and optionally lengths (indices); "
                + $"it got {count} input(s): {string.Join(", ", declaration.Inputs)}.", "inputs");
        }

        var queries = declaration.RequireSequence(0);
        var keys = declaration.RequireSequence(sequences > 1 ? 1 : 0);
        if (sequences == 3)
            declaration.RequireSame(1, 2);
        if (hasLengths)
            declaration.Require(count - 1, EdgeKind.Indices, 0);
        var (steps, size, length) = (queries[0], queries[1], keys[0]);
        if (keys[1] != size)
            throw new ArgumentException($"Keys of {Kind} must have the {size} columns of the queries {queries}; they are {keys}.", "inputs");
        if (size % Heads != 0)
            throw new ArgumentException($"The heads of {Kind} must divide the columns of its input; there are {Heads} heads and {size} columns.", "inputs");

        foreach (var name in (ReadOnlySpan<string>)["query", "key", "value", "output"])
        {
            declaration.AddParameter(name + "Weight", new Shape(size, size), size, size, Initializer ?? Initialize.Xavier);
            declaration.AddParameter(name + "Bias", new Shape(size), size, size, Initialize.Zeros);
        }

        declaration.UseOperations(4.0 * size * size * ((double)steps + length) + 4.0 * steps * length * size);
        declaration.AddOutput(queries);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
        var elements = 2L * steps * size + 2L * length * size + (long)Heads * steps * length;
        declaration.UseCache(elements);
        declaration.UseScratch(elements);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var compute = context.Compute;
        var (key, value, lengthsAt) = Inputs(context.InputCount, context.InputType(context.InputCount - 1).Kind);
        var (steps, size, length) = (context.InputType(0).Shape[0], context.InputType(0).Shape[1], context.InputType(key).Shape[0]);
        var lengths = lengthsAt > 0 ? context.Indices(lengthsAt) : [];
        SequenceInputs.CheckLengths(Kind, lengths, 0, length);
        var parts = new AttentionParts<T>(context.Training ? context.Cache : context.Scratch, context.Rows, steps, length, size);
        Project(in context, 0, Query, parts.Queries);
        Project(in context, key, Key, parts.Keys);
        Project(in context, value, Value, parts.Values);
        new AttentionForward<T>(parts, lengths, steps, length, Heads, IsCausal).Run(compute);
        Gemm.MultiplyAddRow(parts.Context, context.ParameterMatrix(Out), context.Parameter(Out + 1),
            new Matrix<T>(context.Output(), context.Rows * steps, size), compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var compute = context.Compute;
        var (key, value, lengthsAt) = Inputs(context.InputCount, context.InputType(context.InputCount - 1).Kind);
        var (steps, size, length) = (context.InputType(0).Shape[0], context.InputType(0).Shape[1], context.InputType(key).Shape[0]);
        var parts = new AttentionParts<T>(context.Cache, context.Rows, steps, length, size);
        var gradients = new AttentionParts<T>(context.Scratch, context.Rows, steps, length, size);
        var dy = new ReadOnlyMatrix<T>(context.OutputGradient(), context.Rows * steps, size);
        Gemm.Multiply(dy, context.ParameterMatrix(Out).Transposed, gradients.Context, compute);
        new AttentionBackward<T>(parts, gradients, lengthsAt > 0 ? context.Indices(lengthsAt) : [], steps, length, Heads, IsCausal).Run(compute);

        Parameters(in context, parts.Context, Out, dy);
        Parameters(in context, context.Input(0), Query, gradients.Queries);
        Parameters(in context, context.Input(key), Key, gradients.Keys);
        Parameters(in context, context.Input(value), Value, gradients.Values);

        // Gradients are written in the order of the inputs. An input with several roles gets the sum of their gradients.
        Input(in context, context.InputGradient(0), Query, gradients.Queries);
        Input(in context, key == 0 ? context.InputGradient(0).Adding : context.InputGradient(key), Key, gradients.Keys);
        Input(in context, value == key ? context.InputGradient(key).Adding : context.InputGradient(value), Value, gradients.Values);
    }

    /// <summary>Which inputs are keys, values and lengths; 0 for no lengths.</summary>
    private static (int Key, int Value, int Lengths) Inputs(int count, EdgeKind last)
    {
        var lengths = last == EdgeKind.Indices ? count - 1 : 0;
        var sequences = lengths > 0 ? lengths : count;
        return (Math.Min(sequences - 1, 1), sequences - 1, lengths);
    }

    private static void Project<T>(in ForwardContext<T> context, int input, int parameter, Matrix<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Gemm.MultiplyAddRow(new(context.Input(input), destination.Rows, destination.Columns), context.ParameterMatrix(parameter),
            context.Parameter(parameter + 1), destination, context.Compute);

    private static void Parameters<T>(in BackwardContext<T> context, ReadOnlyMatrix<T> x, int parameter, ReadOnlyMatrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        context.ParameterGradient(parameter).Product(x.Transposed, d);
        var db = context.ParameterGradient(parameter + 1);
        if (parameter == Key)
            db.Zero();
        else
            db.ColumnSums(d);
    }

    private static void Parameters<T>(in BackwardContext<T> context, ReadOnlySpan<T> x, int parameter, Matrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Parameters(in context, new ReadOnlyMatrix<T>(x, d.Rows, d.Columns), parameter, d);

    private static void Input<T>(in BackwardContext<T> context, GradientTarget<T> dx, int parameter, Matrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        dx.Reshape(d.Rows, d.Columns).Product(d, context.ParameterMatrix(parameter).Transposed);
}
