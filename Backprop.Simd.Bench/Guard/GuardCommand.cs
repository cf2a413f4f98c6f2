using System.Globalization;

namespace Backprop.Simd.Bench;

/// <summary>
/// <c>guard</c>: two minutes that tell whether speed was lost. It compares some rows with a yardstick of the same run: OpenBLAS, or the
/// row's limit where there is no OpenBLAS.
/// </summary>
internal static class GuardCommand
{
    public const string Usage = """
          guard [--update] [--file FILE]
                              some rows against OpenBLAS and the limits, and against the ratios stored for this processor;
                              fails where both best and median fall by more than noise; --update stores the ratios of this run
        """;

    /// <summary>The loss that noise explains on a shared machine: ratios of interleaved samples repeat within about 10 %.</summary>
    private const double Noise = 0.2;

    /// <summary>A row that has fallen is measured again so often.</summary>
    private const int Retries = 3;

    private static readonly HashSet<string> _cases =
    [
        "gemm NN 16x16x16 float", "gemm NN 64x64x64 float", "gemm NN 128x128x128 float", "gemm NN 255x255x255 float",
        "gemm NN 512x512x512 float", "gemm NN 1024x1024x1024 float", "gemm NN 100x50x784 float", "gemm TN 784x50x100 float",
        "gemm NT 100x50x10 float", "gemm NN 1x1024x1024 float", "gemm NN 1000x10x1000 float", "gemm NN 256x256x256 double",
        "elementwise exp 4096 float", "elementwise tanh 4096 float", "elementwise sigmoid 65536 float", "elementwise sum 4096 float",
        "elementwise dot 4096 float", "elementwise cross-entropy with gradient 100x10 float", "elementwise softmax 128x1000 float",
        "elementwise sgd 535818 float", "elementwise adam 535818 float",
        "step 784-50-10 sigmoid sgd B=1 float", "step 784-50-10 sigmoid sgd B=100 float", "step 784-50-10 sigmoid sgd B=1000 float",
        "step 4-16-16-3 relu adam B=64 float", "step 784-512-256-10 relu adam B=128 float", "step 784-50-10 sigmoid inference B=1 float",
    ];

    public static int Run(ReadOnlySpan<string> args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var (update, path) = (false, Baseline.DefaultPath());
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--update")
            {
                update = true;
            }
            else if (args[i] == "--file" && i + 1 < args.Length)
            {
                path = args[++i];
            }
            else
            {
                Console.Error.WriteLine($"Unknown argument: {args[i]}\nusage:\n{Usage}");
                return 2;
            }
        }

        using var peers = new PeerSet(threads: 1, [BackpropPeer.Ours, OpenBlasPeer.OpenBlas]);
        foreach (var (name, reason) in peers.Missing)
            Console.WriteLine($"{name}: {reason}; its rows are held against the limit alone, and not compared with stored ratios");
        var openBlas = peers.Peers.OfType<OpenBlasPeer>().SingleOrDefault();
        var processor = $"{MachineInfo.Processor()}; OpenBLAS {openBlas?.Core ?? "none"}";
        var all = Baseline.Read(path);
        var stored = all.GetValueOrDefault(processor) ?? [];
        Console.WriteLine($"{processor}: {(stored.Count == 0 ? "no ratios are stored for this processor" : $"{stored.Count} stored ratios")}");

        using var runner = new Runner(peers.Peers, threads: 1, rounds: 11);
        var measured = new SortedDictionary<string, StoredRatio>(StringComparer.Ordinal);
        var failures = 0;
        Console.WriteLine($"\n{"case",-54}{"ours",10}{"yardstick",12}{"ratio",8}{"best",8}{"stored",8}");
        foreach (var c in CompareOptions.AllCases().Where(c => _cases.Contains(c.ToString())))
            failures += Check(runner, c, stored, measured) ? 0 : 1;

        if (update)
        {
            all[processor] = measured;
            Baseline.Write(path, all);
            Console.WriteLine($"\nstored in {path}");
            return 0;
        }

        Console.WriteLine(failures == 0
            ? "\nnothing has become slower"
            : $"\n{failures} row(s) have become slower by more than {100 * Noise:F0} %, or are wrong");
        return failures == 0 ? 0 : 1;
    }

    private static bool Check(Runner runner, Case c, SortedDictionary<string, StoredRatio> stored, SortedDictionary<string, StoredRatio> measured)
    {
        var before = stored.GetValueOrDefault(c.ToString());
        for (var attempt = 0; ; attempt++)
        {
            if (runner.Measure(c) is not { } row)
                return true;
            if (row.Ours is not { } ours)
            {
                foreach (var (side, error) in row.Wrong)
                    Console.WriteLine($"{c,-54}WRONG RESULT: {side}: {error}");
                return false;
            }

            var limit = row.LimitNs(runner.PeakGflops(row.Type));
            var blas = row.Sides.GetValueOrDefault(OpenBlasPeer.OpenBlas);
            var ratio = blas is null
                ? new StoredRatio(limit / ours.Best, limit / ours.Median)
                : new StoredRatio(blas.Best / ours.Best, blas.Median / ours.Median);
            ratio = new StoredRatio(Math.Round(ratio.Best, 5), Math.Round(ratio.Median, 5));
            var fell = before is not null && ratio.Best < before.Best * (1 - Noise) && ratio.Median < before.Median * (1 - Noise);
            if (fell && attempt < Retries)
                continue;
            measured[c.ToString()] = ratio;
            Console.WriteLine($"{c,-54}{ConsoleTable.Time(ours.Median),10}{(blas is null ? "limit" : "OpenBLAS"),12}"
                + $"{ratio.Median,8:F2}{ratio.Best,8:F2}{before?.Median,8:F2}{(fell ? "  SLOWER" : "")}");
            return !fell;
        }
    }
}
