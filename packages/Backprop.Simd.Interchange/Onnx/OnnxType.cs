namespace Backprop.Simd.Interchange;

/// <summary>The element types of ONNX's TensorProto, by their numbers there.</summary>
internal enum OnnxType
{
    Float = 1,
    Byte = 2,
    SByte = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Text = 8,
    Bool = 9,
    Half = 10,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
    Complex64 = 14,
    Complex128 = 15,
    BFloat16 = 16,
}
