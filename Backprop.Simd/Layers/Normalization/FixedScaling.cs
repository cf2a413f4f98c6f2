using System.Globalization;
using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>What <see cref="Normalize"/> and <see cref="Denormalize"/> share: fixed offsets and factors, in both element types.</summary>
internal sealed class FixedScaling
{
    private readonly RowPattern<float> _single;
    private readonly RowPattern<double> _double;

    public FixedScaling(ReadOnlySpan<double> offsets, ReadOnlySpan<double> factors, bool restores)
    {
        if (offsets.IsEmpty)
            throw new ArgumentException("There must be one offset or more; there are none.", nameof(offsets));
        if (factors.Length != offsets.Length)
            throw new ArgumentException($"There are {offsets.Length} offsets, but {factors.Length} factors.", nameof(factors));
        for (var i = 0; i < offsets.Length; i++)
        {
            if (!(Math.Abs(offsets[i]) <= 1e30))
                throw new ArgumentException(Beyond($"Offset {i}", offsets[i], "at most 1e30 in size"), nameof(offsets));
            if (!(Math.Abs(factors[i]) is >= 1e-30 and <= 1e30) && (restores || factors[i] != 0))
                throw new ArgumentException(Beyond($"Factor {i}", factors[i], $"{(restores ? "" : "0 or ")}between 1e-30 and 1e30 in size"), nameof(factors));
        }

        (Offsets, Factors) = (Array.AsReadOnly(offsets.ToArray()), Array.AsReadOnly(factors.ToArray()));
        (_single, _double) = (new(offsets, factors, restores), new(offsets, factors, restores));
        if (_single.BeyondRange() is >= 0 and var at)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Offset {at} is {offsets[at]} and factor {at} is {factors[at]}: float cannot hold their product."), nameof(factors));
        }
    }

    public IReadOnlyList<double> Offsets { get; }

    public IReadOnlyList<double> Factors { get; }

    public void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        var perChannel = Offsets.Count == 1 || type.Shape.Rank > 0 && Offsets.Count == type.Shape.Last;
        if (!perChannel && Offsets.Count != type.Shape.Size)
        {
            throw new ArgumentException($"{declaration.Kind} has {Offsets.Count} offsets: its input must have as many channels (the last dimension) "
                + $"or elements; it is {type}.", "inputs");
        }

        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.Numbers;
        if (perChannel)
            declaration.UsePositions();
        declaration.Traits = LayerTraits.InPlace;
    }

    public void Forward<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T> =>
        PatternOf<T>().Apply(context.Input(0), context.Output(), context.Compute);

    public void Backward<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T> =>
        PatternOf<T>().Gradient(context.OutputGradient(), context.InputGradient(0), context.Compute);

    public string Describe(string kind) => Offsets.Count > 1 ? $"{kind} ({Offsets.Count} offsets)"
        : string.Create(CultureInfo.InvariantCulture, $"{kind} (offset {Offsets[0]}, factor {Factors[0]})");

    private RowPattern<T> PatternOf<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        return typeof(T) == typeof(float) ? (RowPattern<T>)(object)_single : (RowPattern<T>)(object)_double;
    }

    private static string Beyond(string what, double value, string range) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} is {value}; it must be {range}, so that float holds it.");
}
