using System.Globalization;
using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Group normalization: the channels, the last dimension, in groups of adjacent channels; each group is normalized over all positions of its row;
/// y = weight (x - mean) / sqrt(variance + epsilon) + bias, with a weight and a bias per channel.
/// </summary>
/// <remarks>
/// <para>Wu, He, "Group Normalization" (2018), section 3. As many groups as channels is instance normalization, one group is a layer
/// normalization over positions and channels. The variance divides by the number of values, and is computed without cancellation. Training and inference
/// are the same.</para>
/// <para>Backward, with g = dy weight, xhat = (x - mean) / sigma and means over the group: dx = (g - mean(g) - xhat mean(g xhat)) / sigma,
/// dweight = sum dy xhat, dbias = sum dy.</para>
/// <para>Squares are summed in the type of the network: inputs may be as large as 1e15 in float and 1e150 in double. Where squares
/// overflow (beyond 1.8e19 and 1.3e154 at the latest) the output is the bias and the input gradient is 0.</para>
/// </remarks>
public sealed class GroupNormalization : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="groups">The number of groups; it divides the channels.</param>
    /// <param name="epsilon">The number added to the variance, 1e-30 to 1e30.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="groups"/> or <paramref name="epsilon"/> is outside its range.</exception>
    public GroupNormalization(int groups, double epsilon = 1e-5, bool affine = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        NormalizationLayers.CheckEpsilon(epsilon);
        (Groups, Epsilon, IsAffine) = (groups, epsilon, affine);
    }

    /// <summary>The number of groups.</summary>
    public int Groups { get; }

    /// <summary>The number added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>Whether there are a weight and a bias per channel.</summary>
    public bool IsAffine { get; }

    /// <inheritdoc/>
    public override string Kind => "groupnormalization";

    /// <summary>The layer with its options.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} (groups {Groups}, epsilon {Epsilon}, affine {IsAffine})");

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The groups do not divide the channels, or a group has one value.</exception>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireChannels(this);
        var channels = new Shape(type.Shape.Last);
        if (channels.Size % Groups != 0)
            throw new ArgumentException($"The groups of {this} must divide the channels of its input; it is {type}.", "inputs");
        if (type.Shape.Size == Groups)
            throw new ArgumentException($"{this} needs at least 2 values per group, or all are 0; its input is {type}.", "inputs");
        if (IsAffine)
        {
            declaration.AddParameter("weight", channels, 1, 1, Initialize.Constant(1));
            declaration.AddParameter("bias", channels, 1, 1, Initialize.Zeros);
        }

        declaration.UseCache(perRow: (long)GroupNormalizationKernels.CachePerGroup * Groups);
        declaration.UseScratch(perRow: (long)GroupNormalizationKernels.Tables * ChannelPlan.TableLength(channels.Size));
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var form = FormOf(shape, IsAffine ? context.Parameter(0) : [], IsAffine ? context.Parameter(1) : []);
        GroupNormalizationKernels.Forward(
            in form, context.Input(0), context.Training ? context.Cache : [], context.Scratch, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        var dw = IsAffine ? context.ParameterGradient(0) : default;
        var db = IsAffine ? context.ParameterGradient(1) : default;
        if (dx.IsEmpty && dw.IsEmpty && db.IsEmpty)
            return;
        var shape = context.InputType(0).Shape;
        var channels = shape.Last;
        var form = FormOf(shape, IsAffine ? context.Parameter(0) : [], []);
        GroupNormalizationKernels.Backward(
            in form, context.Input(0), context.OutputGradient(), context.Cache, context.Scratch, dx, context.Compute);
        var length = ChannelPlan.TableLength(channels);
        Reductions.ColumnSums<T>(new(context.Scratch, context.Rows, channels, GroupNormalizationKernels.Tables * length), dw, context.Compute);
        Reductions.ColumnSums<T>(new(context.Scratch[length..], context.Rows, channels, GroupNormalizationKernels.Tables * length), db, context.Compute);
    }

    private GroupForm<T> FormOf<T>(Shape shape, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var channels = shape.Last;
        return new() { Positions = shape.Size / channels, Channels = channels, Groups = Groups, Weight = weight, Bias = bias, Epsilon = Epsilon };
    }
}
