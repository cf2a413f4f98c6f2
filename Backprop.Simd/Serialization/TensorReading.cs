using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Serialization;

/// <summary>Reads elements from a stream and converts them.</summary>
internal static class TensorReading
{
    private const int BlockBytes = 1 << 16;

    /// <summary>Whether elements of a type can be read as <typeparamref name="T"/>, without loss unless narrowing is allowed.</summary>
    public static bool CanRead<T>(TensorType type, bool allowNarrowing)
        where T : unmanaged
    {
        var own = TensorTypes.Of<T>();
        return own == type
            || own == TensorType.U8 && type == TensorType.BOOL
            || own is TensorType.F32 or TensorType.F64 && type is TensorType.F16 or TensorType.BF16 or TensorType.F32
            || own == TensorType.F32 && type == TensorType.F64 && allowNarrowing;
    }

    /// <summary>Reads from the position of a stream. <see cref="CanRead{T}"/> must allow the pair of types.</summary>
    /// <exception cref="EndOfStreamException">The stream is too short.</exception>
    public static void Read<T>(Stream stream, TensorType type, Span<T> destination)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && type != TensorType.F32)
            Convert(stream, type, MemoryMarshal.Cast<T, float>(destination));
        else if (typeof(T) == typeof(double) && type != TensorType.F64)
            Convert(stream, type, MemoryMarshal.Cast<T, double>(destination));
        else
            Copy(stream, destination);
    }

    private static void Copy<T>(Stream stream, Span<T> destination)
        where T : unmanaged
    {
        const int Block = 1 << 17; // Elements; the bytes of a block fit an int.
        for (; destination.Length > Block; destination = destination[Block..])
            stream.ReadExactly(MemoryMarshal.AsBytes(destination[..Block]));
        stream.ReadExactly(MemoryMarshal.AsBytes(destination));
    }

    private static void Convert<T>(Stream stream, TensorType type, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var block = new byte[Math.Min(BlockBytes, (long)destination.Length * type.Size())];
        while (!destination.IsEmpty)
        {
            var count = Math.Min(BlockBytes / type.Size(), destination.Length);
            var bytes = block.AsSpan(0, count * type.Size());
            stream.ReadExactly(bytes);
            switch (type)
            {
                case TensorType.F16:
                    TensorPrimitives.ConvertTruncating<Half, T>(MemoryMarshal.Cast<byte, Half>(bytes), destination);
                    break;
                case TensorType.BF16:
                    var upper = MemoryMarshal.Cast<byte, ushort>(bytes);
                    for (var i = 0; i < upper.Length; i++)
                        destination[i] = T.CreateTruncating(BitConverter.UInt32BitsToSingle((uint)upper[i] << 16));
                    break;
                case TensorType.F32:
                    TensorPrimitives.ConvertTruncating<float, T>(MemoryMarshal.Cast<byte, float>(bytes), destination);
                    break;
                default:
                    TensorPrimitives.ConvertTruncating<double, T>(MemoryMarshal.Cast<byte, double>(bytes), destination);
                    break;
            }

            destination = destination[count..];
        }
    }
}
