using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>The upper half of a float: a number of type BF16.</summary>
internal readonly record struct UpperHalf(ushort Bits)
{
    /// <summary>The nearest number, of two the even one; NaN stays NaN.</summary>
    public static UpperHalf Nearest(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return new((ushort)(float.IsNaN(value) ? bits >> 16 | 0x40 : bits + 0x7FFF + (bits >> 16 & 1) >> 16));
    }

    public bool IsFinite => (Bits & 0x7F80) != 0x7F80;
}

/// <summary>Writes the parameters of a network as numbers of fewer bits.</summary>
internal static class NarrowTensors
{
    /// <exception cref="ArgumentException">The type has no numbers with a point, or a finite parameter is too large for it.</exception>
    public static void Add<T>(SafetensorsWriter writer, TensorType type, ParameterInfo entry, ReadOnlyMemory<T> values)
        where T : unmanaged, IFloatingPointIeee754<T> => Add(writer, type, entry.Name, SafetensorsWriter.Dimensions(entry.Shape), () => values.Span);

    /// <param name="writer">Takes the tensor.</param>
    /// <param name="type">Its type there.</param>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="values">Makes its numbers; called here, unless the type is that of the numbers, and again when they are written.</param>
    /// <exception cref="ArgumentException">The type has no numbers with a point, or a finite number is too large for it.</exception>
    public static void Add<T>(SafetensorsWriter writer, TensorType type, string name, ReadOnlySpan<long> shape, Func<ReadOnlySpan<T>> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (type == TensorTypes.Of<T>())
        {
            writer.Add(name, shape, values);
            return;
        }

        switch (type)
        {
            case TensorType.F16:
                Check(values(), static x => Half.IsFinite(Half.CreateTruncating(x)));
                writer.Add(name, shape, () => Converted(values(), Half.CreateTruncating));
                break;
            case TensorType.BF16:
                Check(values(), static x => UpperHalf.Nearest(float.CreateTruncating(x)).IsFinite);
                writer.Add(name, shape, () => Converted(values(), static x => UpperHalf.Nearest(float.CreateTruncating(x))));
                break;
            case TensorType.F32:
                Check(values(), static x => float.IsFinite(float.CreateTruncating(x)));
                writer.Add(name, shape, () => Converted(values(), float.CreateTruncating));
                break;
            case TensorType.F64:
                writer.Add(name, shape, () => Converted(values(), double.CreateTruncating));
                break;
            default:
                throw new ArgumentException($"Parameters are saved as F16, BF16, F32 or F64, not as {type.Name()}.", "options");
        }

        void Check(ReadOnlySpan<T> span, Func<T, bool> fits)
        {
            foreach (var value in span)
            {
                if (T.IsFinite(value) && !fits(value))
                    throw new ArgumentException($"'{name}' has the number {value}, which {type.Name()} cannot hold.", "options");
            }
        }
    }

    private static ReadOnlySpan<TTo> Converted<T, TTo>(ReadOnlySpan<T> values, Func<T, TTo> convert)
    {
        var result = new TTo[values.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = convert(values[i]);
        return result;
    }
}
