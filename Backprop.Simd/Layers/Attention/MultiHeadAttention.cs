using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// Scaled dot-product attention in several heads: Q = x_q W_q + b_q, K = x_k W_k + b_k, V = x_v W_v + b_v; for each head, on its
/// D / heads columns, P = softmax(Q K^T / sqrt(D / heads) + mask) and C = P V; y = C W_o + b_o.
/// </summary>
/// <remarks>
/// <para>Inputs: one sequence [T, D] (self-attention); or queries [T, D] and keys [S, K], which are also the values; or queries
/// [T, D], keys [S, K] and values [S, V]. Output: [T, D]; and the weights P, [heads, T, S], if asked for: after dropout, with a gradient.</para>
/// <para>Three more inputs are optional, in this order. Numbers that are added to the scores: values [h, T, S] for each row or shared for
/// all rows, h the number of heads or 1; T may be 1 too, and a shared input may leave out leading dimensions. A mask: indices [T, S] or [S]
/// for each row, 0 where a key is not seen. The number of keys of each row: indices [] from 0 to S. A mask that is the same for all rows is
/// a shared input [T, S] of 0 and -infinity: a key with -infinity is not seen.</para>
/// <para>Parameters: queryWeight [D, D], queryBias, keyWeight [K, d], keyBias, valueWeight [V, d], valueBias, outputWeight [D, D], outputBias.
/// Weights start as Xavier uniform, biases at zero. Each head has adjacent columns. d is D, or less with grouped queries:
/// <see cref="KeyValueHeads"/> heads of keys and values, each for as many consecutive heads of queries. The key bias adds the same number
/// to all scores of a query, so softmax cancels it and its gradient is exactly 0, unless keys are turned. It exists for exchange with other
/// libraries.</para>
/// <para>With <c>projected: true</c> keys and values come projected, [S, d] each, as <see cref="AttentionMemory"/> makes them: K = x_k and
/// V = x_v, there are three sequences, and no parameters of keys and values.</para>
/// <para>In a causal layer query t sees keys 0 to t. Keys that a query does not see have probability 0 and no gradient. If a query
/// sees no key, softmax would give NaN; here C = 0, so y is the output bias. Keys after a row's length do not matter, as long as
/// they are finite.</para>
/// <para>In training, dropout drops probabilities: each becomes 0 with probability p, else it is divided by 1 - p. Which are dropped depends
/// on the network's seed, the step, the node, and the row, head, query and key.</para>
/// <para>From T S = 512 x 512 on no scores are kept: they are computed in blocks, and in backward again, so that memory is linear in T and
/// in S. Dao et al., "FlashAttention", NeurIPS 2022. A layer whose probabilities are an output keeps them.</para>
/// <para>The layer does not know positions: add them to its input (<see cref="LearnedPositions"/>, <see cref="SinusoidalPositions"/>), or let it
/// turn queries and keys by them (<see cref="RotaryPositions"/>). Vaswani et al., "Attention is all you
/// need", NeurIPS 2017, section 3.2; grouped queries: Ainslie et al., "GQA", EMNLP 2023.</para>
/// </remarks>
public sealed class MultiHeadAttention : Layer
{
    private const int Query = 0, Key = 2, Value = 4;

    /// <summary>Makes the layer.</summary>
    /// <param name="heads">The number of heads, 1 or more; it divides D.</param>
    /// <param name="causal">True if no query sees a later key.</param>
    /// <param name="initializer">How the four weights start; Xavier uniform if null.</param>
    /// <param name="keyValueHeads">The number of heads of keys and values; it divides the heads. As many as heads if null.</param>
    /// <param name="dropout">The probability that a probability is dropped in training, in [0, 1].</param>
    /// <param name="rotary">Turns the queries and keys of each head by their positions, which count from 0; null for no turn.</param>
    /// <param name="weights">True if the weights are the second output: the layer then keeps all T S scores of a head.</param>
    /// <param name="projected">True if keys and values come projected.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="heads"/> or <paramref name="keyValueHeads"/> is below 1, or
    /// <paramref name="dropout"/> is outside [0, 1].</exception>
    /// <exception cref="ArgumentException"><paramref name="keyValueHeads"/> does not divide the heads.</exception>
    public MultiHeadAttention(int heads, bool causal = false, Initializer? initializer = null, int? keyValueHeads = null, double dropout = 0,
        RotaryPositions? rotary = null, bool weights = false, bool projected = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        if (keyValueHeads is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(keyValueHeads));
            if (heads % count != 0)
                throw new ArgumentException($"'{nameof(keyValueHeads)}' must divide the {heads} heads; it is {count}.", nameof(keyValueHeads));
        }

        if (!(dropout is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(dropout), dropout, $"'{nameof(dropout)}' must be in [0, 1].");
        (Heads, IsCausal, Initializer, KeyValueHeads, Dropout) = (heads, causal, initializer, keyValueHeads ?? heads, dropout);
        (Rotary, HasWeights, IsProjected) = (rotary, weights, projected);
    }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>Whether no query sees a later key.</summary>
    public bool IsCausal { get; }

    /// <summary>How the four weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <summary>The number of heads of keys and values.</summary>
    public int KeyValueHeads { get; }

    /// <summary>The probability that a probability is dropped in training.</summary>
    public double Dropout { get; }

    /// <summary>What turns queries and keys by their positions; null for nothing.</summary>
    public RotaryPositions? Rotary { get; }

    /// <summary>Whether the weights are the second output.</summary>
    public bool HasWeights { get; }

    /// <summary>Whether keys and values come projected.</summary>
    public bool IsProjected { get; }

    private int Out => IsProjected ? 2 : 6;

    /// <inheritdoc/>
    public override string Kind => "multiheadattention";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        var sizes = AttentionShapes.Check(declaration, Heads, KeyValueHeads, HasWeights, out var inputs);
        var (queries, keySize) = (declaration.Inputs[0].Shape, sizes.KeyHeads * sizes.Width);
        var size = queries[1];
        if (Rotary is not null && sizes.Width % 2 != 0)
        {
            throw new ArgumentException(
                $"With rotary positions each head of {Kind} needs an even number of columns; there are {Heads} heads and {size} columns.", "inputs");
        }

        var (keyColumns, valueColumns) = (declaration.Inputs[inputs.Key].Shape[1], declaration.Inputs[inputs.Value].Shape[1]);
        Affine("query", size, size);
        if (!IsProjected)
        {
            Affine("key", keyColumns, keySize);
            Affine("value", valueColumns, keySize);
        }
        else if (inputs.Sequences != 3 || keyColumns != keySize || valueColumns != keySize)
        {
            throw new ArgumentException(
                $"Projected keys and values of {Kind} are two inputs with {keySize} columns; it got {string.Join(", ", declaration.Inputs)}.", "inputs");
        }

        Affine("output", size, size);
        double products = 2.0 * size * sizes.Steps + (IsProjected ? 0 : (double)keySize * sizes.Length * ((double)keyColumns + valueColumns) / size);
        declaration.UseOperations(2.0 * size * products + 4.0 * sizes.Steps * sizes.Length * size);
        declaration.AddOutput(queries);
        if (HasWeights)
            declaration.AddOutput(new Shape(Heads, sizes.Steps, sizes.Length));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
        if (IsCausal && declaration.Inputs.Count == 1 && !HasWeights)
            declaration.UsePositions(new AttentionStep(Heads, Initializer, KeyValueHeads, Rotary), keySize, keySize);
        else if (inputs.Sequences > 1 && !IsProjected && !HasWeights && !IsCausal && Rotary is null && inputs.Bias == 0
            && (inputs.Mask == 0 || declaration.Inputs[inputs.Mask].Shape.Rank == 1))
        {
            declaration.UsePositionMemory(new AttentionMemory(keySize, Initializer),
                new MultiHeadAttention(Heads, false, Initializer, KeyValueHeads, Dropout, projected: true));
        }

        declaration.UseCache(sizes.Projected + sizes.Kept);
        AttentionShapes.UseScratch(declaration, sizes, inputs.Bias > 0, Rotary is not null);

        void Affine(string name, int from, int to)
        {
            declaration.AddParameter(name + "Weight", new Shape(from, to), from, to, Initializer ?? Initialize.Xavier);
            declaration.AddParameter(name + "Bias", new Shape(to), from, to, Initialize.Zeros);
        }
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var compute = context.Compute;
        var inputs = new AttentionInputs();
        for (var i = 0; i < context.InputCount; i++)
            inputs.Add(i, context.InputType(i));
        var sizes = Sizes(context.Rows, context.InputType(0).Shape, context.InputType(inputs.Key).Shape);
        var lengths = inputs.Lengths > 0 ? context.Indices(inputs.Lengths) : [];
        SequenceInputs.CheckLengths(Kind, lengths, 0, sizes.Length);
        var rules = new AttentionRules<T>
        {
            Sizes = sizes,
            IsCausal = IsCausal,
            Lengths = lengths,
            Mask = inputs.Mask > 0 ? context.Indices(inputs.Mask) : [],
            Bias = inputs.Bias > 0 ? context.Input(inputs.Bias) : [],
            BiasShape = inputs.Bias > 0 ? AttentionShapes.OfBias(context.InputType(inputs.Bias), context.Rows) : default,
            Dropout = context.Evaluating ? 0 : Dropout,
            Words = AttentionShapes.Words(context.RandomKey),
        };
        var parts = new AttentionParts<T>(context.Training ? context.Cache : context.Scratch, sizes);
        Project(in context, 0, Query, parts.Queries);
        if (IsProjected)
        {
            context.Input(inputs.Key).CopyTo(parts.Keys.Span);
            context.Input(inputs.Value).CopyTo(parts.Values.Span);
        }
        else
        {
            Project(in context, inputs.Key, Key, parts.Keys);
            Project(in context, inputs.Value, Value, parts.Values);
        }

        if (Rotary is not null)
            AttentionShapes.Turn(Rotary, parts, sizes, context.BatchScratch, true, compute);
        if (sizes.InBlocks)
            new BlockAttentionForward<T>(parts, rules, AttentionShapes.Behind(context.Scratch, sizes)).Run(compute);
        else
            new AttentionForward<T>(parts, rules.Drops ? new(context.Scratch, sizes) : default, rules, HasWeights ? context.Output(1) : default).Run(compute);
        Gemm.MultiplyAddRow(parts.Context, context.ParameterMatrix(Out), context.Parameter(Out + 1),
            new Matrix<T>(context.Output(), context.Rows * sizes.Steps, sizes.Heads * sizes.Width), compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var compute = context.Compute;
        var inputs = new AttentionInputs();
        for (var i = 0; i < context.InputCount; i++)
            inputs.Add(i, context.InputType(i));
        var sizes = Sizes(context.Rows, context.InputType(0).Shape, context.InputType(inputs.Key).Shape);
        var rules = new AttentionRules<T>
        {
            Sizes = sizes,
            IsCausal = IsCausal,
            Lengths = inputs.Lengths > 0 ? context.Indices(inputs.Lengths) : [],
            Mask = inputs.Mask > 0 ? context.Indices(inputs.Mask) : [],
            Bias = inputs.Bias > 0 ? context.Input(inputs.Bias) : [],
            BiasShape = inputs.Bias > 0 ? AttentionShapes.OfBias(context.InputType(inputs.Bias), context.Rows) : default,
            Dropout = context.Evaluating ? 0 : Dropout,
            Words = AttentionShapes.Words(context.RandomKey),
        };
        AttentionParts<T> parts = new(context.Cache, sizes), gradients = new(context.Scratch, sizes);
        var dBias = inputs.Bias > 0 ? context.InputGradient(inputs.Bias) : default;
        var dy = new ReadOnlyMatrix<T>(context.OutputGradient(), context.Rows * sizes.Steps, sizes.Heads * sizes.Width);
        Gemm.Multiply(dy, context.ParameterMatrix(Out).Transposed, gradients.Context, compute);
        var space = AttentionShapes.Behind(context.Scratch, sizes);
        if (sizes.InBlocks)
        {
            var blocks = new BlockAttentionBackward<T>(parts, gradients, rules, space);
            blocks.Run(compute);
            if (!dBias.IsEmpty)
                new BlockAttentionBias<T>(blocks, rules, dBias, AttentionShapes.Lanes(context.BatchScratch, sizes, Rotary is not null)).Run(compute);
        }
        else
        {
            new AttentionBackward<T>(parts, gradients, rules, HasWeights ? context.OutputGradient(1) : default, !dBias.IsEmpty).Run(compute);
            if (!dBias.IsEmpty)
                AttentionBias.FromScores(in rules, gradients.Kept, dBias, space, compute);
        }

        if (Rotary is not null)
            AttentionShapes.Turn(Rotary, gradients, sizes, context.BatchScratch, false, compute);
        Parameters(in context, parts.Context, Out, dy);
        Parameters(in context, context.Input(0), Query, gradients.Queries);
        if (IsProjected)
        {
            Input(in context, context.InputGradient(0), Query, gradients.Queries);
            context.InputGradient(inputs.Key).Copy(gradients.Keys.Span[..context.Input(inputs.Key).Length]);
            context.InputGradient(inputs.Value).Copy(gradients.Values.Span[..context.Input(inputs.Value).Length]);
            return;
        }

        Parameters(in context, context.Input(inputs.Key), Key, gradients.Keys);
        Parameters(in context, context.Input(inputs.Value), Value, gradients.Values);

        // Gradients are written in the order of the inputs. An input with several roles gets the sum of their gradients.
        Input(in context, context.InputGradient(0), Query, gradients.Queries);
        Input(in context, inputs.Key == 0 ? context.InputGradient(0).Adding : context.InputGradient(inputs.Key), Key, gradients.Keys);
        Input(in context, inputs.Value == inputs.Key ? context.InputGradient(inputs.Key).Adding : context.InputGradient(inputs.Value), Value, gradients.Values);
    }

    private AttentionSizes Sizes(int rows, Shape queries, Shape keys) => new(rows, queries[0], keys[0], queries[1] / Heads, Heads, KeyValueHeads, HasWeights);

    private static void Project<T>(in ForwardContext<T> context, int input, int parameter, Matrix<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var w = context.ParameterMatrix(parameter);
        Gemm.MultiplyAddRow(new(context.Input(input), destination.Rows, w.Rows), w, context.Parameter(parameter + 1), destination, context.Compute);
    }

    private void Parameters<T>(in BackwardContext<T> context, ReadOnlyMatrix<T> x, int parameter, ReadOnlyMatrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        context.ParameterGradient(parameter).Product(x.Transposed, d);
        var db = context.ParameterGradient(parameter + 1);
        if (parameter == Key && !IsProjected && Rotary is null)
            db.Zero();
        else
            db.ColumnSums(d);
    }

    private void Parameters<T>(in BackwardContext<T> context, ReadOnlySpan<T> x, int parameter, Matrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Parameters(in context, new ReadOnlyMatrix<T>(x, d.Rows, x.Length / d.Rows), parameter, d);

    private static void Input<T>(in BackwardContext<T> context, GradientTarget<T> dx, int parameter, Matrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var w = context.ParameterMatrix(parameter);
        dx.Reshape(d.Rows, w.Rows).Product(d, w.Transposed);
    }
}
