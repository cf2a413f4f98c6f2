namespace Backprop.Simd.Bench;

/// <summary>The peers that can be loaded here, this library first, and the names of those that cannot, with the reason.</summary>
internal sealed partial class PeerSet : IDisposable
{
    /// <summary>The peers that come as packages.</summary>
    private static readonly string[] _packages = ["LibTorch", "ONNX Runtime", "MathNet", "NumSharp"];

    private readonly List<IPeer> _peers = [];
    private readonly List<(string Name, string Reason)> _missing = [];

    /// <param name="threads">Threads of every peer.</param>
    /// <param name="only">The names to load; all if empty.</param>
    public PeerSet(int threads, IReadOnlyCollection<string> only)
    {
        var candidates = new List<(string Name, Func<IPeer> Create)>
        {
            (BackpropPeer.Ours, () => new BackpropPeer()),
            (OpenBlasPeer.OpenBlas, () => new OpenBlasPeer()),
            ("BLIS", () => new BlisPeer()),
            (TensorPrimitivesPeer.Tensors, () => new TensorPrimitivesPeer()),
        };
        AddPackages(candidates);
        foreach (var (name, create) in candidates)
        {
            if (only.Count != 0 && !only.Contains(name))
                continue;
            try
            {
                var peer = create();
                peer.UseThreads(threads);
                _peers.Add(peer);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException or NotSupportedException
                or TypeInitializationException or FileNotFoundException)
            {
                _missing.Add((name, e.Message.ReplaceLineEndings(" ")));
            }
        }

        foreach (var name in _packages)
        {
            if (only.Count == 0 && candidates.All(c => c.Name != name))
                _missing.Add((name, "not built in; build with -p:Peers=true"));
        }
    }

    public IReadOnlyList<IPeer> Peers => _peers;

    public IReadOnlyList<(string Name, string Reason)> Missing => _missing;

    public void Dispose() => _peers.ForEach(p => p.Dispose());

    /// <summary>Adds the peers that come as packages, where the build has them.</summary>
    static partial void AddPackages(List<(string Name, Func<IPeer> Create)> candidates);
}
