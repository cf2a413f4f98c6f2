using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>The rectifier with a learned slope: y = x where x &gt; 0, else a x, with one slope per channel or one for all.</summary>
/// <remarks>
/// He, Zhang, Ren and Sun, arXiv:1502.01852, equation 1; channels are the last dimension. dx = dy where x &gt; 0 or x is NaN, else
/// a dy; da = the sum of x dy over the rows and positions where x is not &gt; 0. NaN in, NaN out. The slopes are one parameter,
/// <c>slope</c>: [channels], or [1]. PyTorch advises against weight decay for it.
/// </remarks>
public sealed class PRelu : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="slope">The initial value of every slope: 0, or 1e-30 to 1e30 in size.</param>
    /// <param name="perChannel">False for one slope shared by all channels.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slope"/> is out of range.</exception>
    public PRelu(double slope = 0.25, bool perChannel = true)
    {
        SpanGuard.InFloatRange(slope);
        PerChannel = perChannel;
        Slope = slope;
    }

    /// <summary>The initial value of every slope.</summary>
    public double Slope { get; }

    /// <summary>Whether each channel has its own slope; false if all share one.</summary>
    public bool PerChannel { get; }

    /// <inheritdoc/>
    public override string Kind => "prelu";

    /// <summary>He initialization, as for the rectifier.</summary>
    public override Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        var channels = Channels(type.Shape);
        declaration.AddParameter("slope", new Shape(channels), 1, 1, Initialize.Constant(Slope));
        declaration.UseScratch(perRow: 0, perBatch: SlopeKernels.ScratchLength(channels));
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
        if (type.Shape.Rank > 1 || !PerChannel)
            declaration.UsePositions();
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var slopes = Repeated(context.Parameter(0), context.BatchScratch);
        SlopeKernels.Forward(context.Input(0), slopes, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        ReadOnlySpan<T> x = context.Input(0), dy = context.OutputGradient(), slopes = context.Parameter(0);
        SlopeKernels.Backward(dy, x, Repeated(slopes, context.BatchScratch), context.InputGradient(0), context.Compute);
        var da = context.ParameterGradient(0);
        if (da.IsEmpty)
            return;
        SlopeKernels.Sums(dy, x, slopes.Length, context.BatchScratch, context.Compute);
        da.Copy(context.BatchScratch[..slopes.Length]);
    }

    private int Channels(Shape shape) => PerChannel ? shape.Last : 1;

    /// <summary>The slopes, repeated until they fill the width of the kernels.</summary>
    private static Span<T> Repeated<T>(ReadOnlySpan<T> slopes, Span<T> scratch)
        where T : unmanaged
    {
        var row = scratch[..SlopeKernels.Width(slopes.Length)];
        for (var start = 0; start < row.Length; start += slopes.Length)
            slopes.CopyTo(row[start..]);
        return row;
    }
}
