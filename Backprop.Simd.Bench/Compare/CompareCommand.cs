using System.Globalization;

namespace Backprop.Simd.Bench;

/// <summary><c>compare</c>: this library beside every peer, on the same data, in one run.</summary>
internal static class CompareCommand
{
    public const string Usage = """
          compare [gemm|elementwise|step|all] [--threads N] [--json FILE] [--markdown FILE] [--plot FILE.svg]
                  [--separate] [--filter TEXT] [--rounds N | --quick] [--side NAME]...
                              this library beside its peers (build with -p:Peers=true for all of them; peers/README.md)
        """;

    public static int Run(ReadOnlySpan<string> args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        CompareOptions options;
        try
        {
            options = CompareOptions.Parse(args);
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            Console.Error.WriteLine("usage:\n" + Usage);
            return 2;
        }

        using var peers = new PeerSet(options.Threads, options.Sides);
        foreach (var peer in peers.Peers)
            Console.WriteLine($"{peer.Name}: {peer.Description}");
        foreach (var (name, reason) in peers.Missing)
            Console.WriteLine($"{name}: skipped: {reason}");

        using var runner = new Runner(peers.Peers, options.Threads, options.Rounds);
        Console.WriteLine($"FMA peak {runner.FloatPeak.Gflops:F1} GFLOP/s float ({runner.FloatPeak.Gflops256:F1} with 256 bits), {runner.DoublePeak.Gflops:F1} double");
        var rows = new List<Row>();
        ConsoleTable.Header(Console.Out);
        foreach (var c in options.Cases())
        {
            Console.Error.Write($"\r{c.Area} {c.Name} {c.Type}".PadRight(60) + "\r");
            var row = runner.Measure(c);
            rows.Add(row);
            ConsoleTable.Write(Console.Out, row, runner.PeakGflops(row.Type));
        }

        return 0;
    }
}
