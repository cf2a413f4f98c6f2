using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>Connectionist temporal classification: L = mean over rows of -ln p(target | logits) / n, for logits [T, C] of the steps of a
/// sequence and a target of n labels whose steps are not known.</summary>
/// <remarks><para>Graves, Fernandez, Gomez, Schmidhuber, Connectionist Temporal Classification, 2006; the same as PyTorch's <c>ctc_loss</c> behind a
/// log softmax, which this loss applies itself. An alignment gives each step a class; without repetitions and then without blanks it is the
/// target; p sums over all alignments. dx = softmax(x) - the probability that a step of an alignment of the target is a class.</para>
/// <para>Inputs: logits [T, C]; labels [S], indices from 0 to C - 1, but the blank; the row's steps, an index from 0 to T; its labels n, an
/// index from 0 to S; weights of rows, if any. What lies behind a row's lengths is not read, and has gradient 0.</para>
/// <para>The mean divides a row's loss by its labels, at least 1, and then by the rows, or by the sum of their weights. The sum and the losses
/// of rows are not divided by labels.</para></remarks>
public sealed class Ctc : ReducedLoss
{
    private const int Targets = 1, InputLengths = 2, TargetLengths = 3;

    /// <summary>Makes the loss.</summary>
    /// <param name="blank">The class that stands for no label, 0 or more.</param>
    /// <param name="zeroInfinity">True: a row without an alignment costs 0 and has gradient 0. False: it costs infinity, and its gradient is
    /// NaN.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">The blank is negative, or there is no such reduction.</exception>
    public Ctc(int blank = 0, bool zeroInfinity = false, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(blank);
        (Blank, ZeroInfinity) = (blank, zeroInfinity);
    }

    /// <summary>The class that stands for no label.</summary>
    public int Blank { get; }

    /// <summary>Whether a row without an alignment costs 0.</summary>
    public bool ZeroInfinity { get; }

    /// <inheritdoc/>
    public override string Kind => "ctc";

    internal override LossInput Takes => LossInput.Logits;

    private protected override int WeightInput => 4;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        var logits = declaration.RequireSequence(0);
        var targets = declaration.Require(Targets, EdgeKind.Indices, 1);
        declaration.Require(InputLengths, EdgeKind.Indices, 0);
        declaration.Require(TargetLengths, EdgeKind.Indices, 0);
        if (Blank >= logits[1])
            throw new ArgumentException($"{Kind} has the blank {Blank}, but input 0 has {logits[1]} classes.", "inputs");
        var shape = new CtcShape(1, logits[0], logits[1], targets[0], Blank) { HasGradient = true };
        declaration.UseThreadScratch(Math.Max(shape.ScratchBytes, (shape with { HasGradient = false }).ScratchBytes));

        // Gradients of the rows' losses; with weights, what their gradients need.
        declaration.UseCache((HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0) + (long)logits.Size, CachePerBatch);
        declaration.UseScratch(perRow: DoublesPerRow);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var rows = context.Rows;
        var shape = context.InputType(0).Shape;
        var x = new ReadOnlyMatrix<T>(context.Input(0), rows * shape[0], shape[1]);
        ReadOnlySpan<int> targets = context.Indices(Targets), steps = context.Indices(InputLengths), lengths = context.Indices(TargetLengths);
        var doubles = Doubles(context.Scratch, 2 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles[rows..];
        var gradients = context.Training ? context.Cache[^context.Input(0).Length..] : [];
        if (context.Training)
            CtcKernels.CtcWithGradient(x, targets, steps, lengths, losses, new Matrix<T>(gradients, x.Rows, x.Columns), Blank, context.Compute);
        else
            CtcKernels.Ctc(x, targets, steps, lengths, losses, Blank, context.Compute);
        for (var row = 0; row < rows; row++)
        {
            if (ZeroInfinity && double.IsPositiveInfinity(losses[row]))
            {
                losses[row] = 0;
                if (context.Training)
                    gradients.Slice(row * shape.Size, shape.Size).Clear();
            }

            losses[row] /= Divisor(lengths[row]);
        }

        denominators.Fill(1);
        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        var dx = context.InputGradient(0);
        if (dx.IsEmpty)
            return;
        var size = context.Input(0).Length / context.Rows;
        var gradients = context.Cache[^context.Input(0).Length..];
        var lengths = context.Indices(TargetLengths);
        var scales = context.Scratch[..context.Rows];
        Scales(in context, scales);
        for (var row = 0; row < scales.Length; row++)
        {
            var part = dx.Slice(row * size, size);
            if (T.IsZero(scales[row]))
                part.Zero();
            else
                part.Scale(gradients.Slice(row * size, size), scales[row] / T.CreateTruncating(Divisor(lengths[row])));
        }
    }

    /// <summary>What a row's loss is divided by.</summary>
    private int Divisor(int length) => Reduction == LossReduction.Mean ? Math.Max(1, length) : 1;
}
