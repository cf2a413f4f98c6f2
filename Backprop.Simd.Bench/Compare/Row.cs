namespace Backprop.Simd.Bench;

/// <summary>What was measured for one case.</summary>
/// <param name="Area">gemm, elementwise, step or conv.</param>
/// <param name="Case">The name of the case.</param>
/// <param name="Type">float or double.</param>
/// <param name="Threads">Threads of every side.</param>
/// <param name="Operations">Floating-point operations; 0 where arithmetic is not the limit.</param>
internal sealed record Row(string Area, string Case, string Type, int Threads, double Operations)
{
    /// <summary>By how much a single sample, the best, may pass a limit that is itself the best of samples.</summary>
    private const double Tolerance = 0.02;

    /// <summary>Ours and each peer's, by name.</summary>
    public Dictionary<string, Timing> Sides { get; } = [];

    /// <summary>The same streams without arithmetic, if memory limits the row.</summary>
    public Timing Stream { get; init; } = new();

    /// <summary>Ours on one thread in the same rounds, where the row has more.</summary>
    public Timing OneThread { get; } = new();

    /// <summary>How many times faster ours is with all threads than with one; NaN for one.</summary>
    public double SpeedUp => Ours is { } ours ? OneThread.Median / ours.Median : double.NaN;

    /// <summary>Sides whose result was wrong, and how. They are not timed.</summary>
    public List<(string Side, string Error)> Wrong { get; } = [];

    public string Key => $"{Area} {Case} {Type}";

    public Timing? Ours => Sides.GetValueOrDefault(BackpropPeer.Ours);

    public IEnumerable<KeyValuePair<string, Timing>> Peers => Sides.Where(s => s.Key != BackpropPeer.Ours);

    /// <summary>The peer with the best median.</summary>
    public KeyValuePair<string, Timing>? BestPeer => Peers.Any() ? Peers.MinBy(p => p.Value.Median) : null;

    /// <summary>The median of the best peer over ours: above 1 we are faster.</summary>
    public double Ratio => Ours is { } ours && BestPeer is { } peer ? peer.Value.Median / ours.Median : double.NaN;

    /// <summary>
    /// The lower bound of the time, in nanoseconds: the operations at the FMA peak, or the same streams without arithmetic, whichever
    /// takes longer.
    /// </summary>
    public double LimitNs(double peakGflops) => Math.Max(Operations / peakGflops, Stream.Count == 0 ? 0 : Stream.Best);

    /// <summary>The share of the limit that a time reaches; 1 is the limit.</summary>
    public double Share(double nanoseconds, double peakGflops) => LimitNs(peakGflops) / nanoseconds;

    /// <summary>Whether a side's median is above the limit, or its best by more than the limit may be wrong.</summary>
    public bool IsImpossible(double peakGflops) =>
        Sides.Values.Any(t => Share(t.Median, peakGflops) > 1 || Share(t.Best, peakGflops) > 1 + Tolerance);
}
