using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>The names of Python that a pickle of tensors uses, and what stands for them here.</summary>
internal static class PickleCalls
{
    /// <summary>PyTorch allows more dimensions; no layer here has them.</summary>
    private const int MostDimensions = 16;

    /// <summary>A tensor that repeats its elements by strides of 0 may have this many elements, or as many as its storage.</summary>
    private const long MostRepeated = 1 << 20;

    private static readonly Dictionary<string, TensorType> Storages = new()
    {
        ["FloatStorage"] = TensorType.F32,
        ["DoubleStorage"] = TensorType.F64,
        ["HalfStorage"] = TensorType.F16,
        ["BFloat16Storage"] = TensorType.BF16,
        ["LongStorage"] = TensorType.I64,
        ["IntStorage"] = TensorType.I32,
        ["ShortStorage"] = TensorType.I16,
        ["CharStorage"] = TensorType.I8,
        ["ByteStorage"] = TensorType.U8,
        ["BoolStorage"] = TensorType.BOOL,
    };

    /// <summary>Whether a name is known.</summary>
    public static bool Knows(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => true,
        ("torch._utils", "_rebuild_tensor_v2" or "_rebuild_parameter") => true,
        ("torch", _) => Storages.ContainsKey(name),
        _ => false,
    };

    /// <summary>The type of a storage; null for other names.</summary>
    public static TensorType? TypeOf(PickleName name) => name.Module == "torch" && Storages.TryGetValue(name.Name, out var type) ? type : null;

    /// <summary>The name of the storages of a type.</summary>
    public static string StorageOf(TensorType type) => Storages.First(s => s.Value == type).Key;

    /// <summary>A tensor, if all of it lies in its storage and no two elements share a place, except in dimensions of stride 0.</summary>
    public static PickleTensor? Tensor(PickleStorage storage, long offset, List<object?> sizes, List<object?> strides)
    {
        if (sizes.Count != strides.Count || sizes.Count > MostDimensions || offset < 0)
            return null;
        long[] size = new long[sizes.Count], stride = new long[sizes.Count];
        for (var d = 0; d < size.Length; d++)
        {
            if (sizes[d] is not (long and >= 0) || strides[d] is not (long and >= 0))
                return null;
            (size[d], stride[d]) = ((long)sizes[d]!, (long)strides[d]!);
        }

        return Fits(storage.Count, offset, size, stride) ? new(storage, offset, size, stride) : null;
    }

    private static bool Fits(long count, long offset, long[] sizes, long[] strides)
    {
        if (sizes.Contains(0))
            return sizes.All(static n => n <= int.MaxValue);
        Int128 elements = 1, span = 0;
        foreach (var d in Enumerable.Range(0, sizes.Length).OrderBy(d => strides[d]))
        {
            elements *= sizes[d];
            if (sizes[d] > 1 && strides[d] > 0 && strides[d] <= span)
                return false;
            span += (Int128)(sizes[d] - 1) * strides[d];
            if (span >= count || elements > Math.Max(count, MostRepeated))
                return false;
        }

        return offset + span < count;
    }
}
