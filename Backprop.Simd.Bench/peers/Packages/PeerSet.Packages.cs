namespace Backprop.Simd.Bench;

internal sealed partial class PeerSet
{
    static partial void AddPackages(List<(string Name, Func<IPeer> Create)> candidates)
    {
        candidates.Add((TorchPeer.LibTorch, () => new TorchPeer()));
        candidates.Add((OnnxRuntimePeer.Onnx, () => new OnnxRuntimePeer()));
        candidates.Add((MathNetPeer.MathNet, () => new MathNetPeer()));
        candidates.Add((NumSharpPeer.NumSharp, () => new NumSharpPeer()));
    }
}
