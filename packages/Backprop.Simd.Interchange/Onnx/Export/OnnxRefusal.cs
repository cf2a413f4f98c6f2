namespace Backprop.Simd.Interchange;

/// <summary>ONNX cannot say a layer, for a reason: one sentence without an end. The export lists all refusals at once.</summary>
internal sealed class OnnxRefusal(string reason) : Exception(reason);
