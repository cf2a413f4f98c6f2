using System.Globalization;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Bench;

/// <summary>
/// From the start of a process to the end of the first step of its first network: publishes Backprop.Simd.Bench.ColdStart in
/// several forms and starts each several times, in turn.
/// </summary>
internal static class ColdStartCommand
{
    public const string Usage = """
          cold-start [--runs 11] [--peers]
                              process start to the end of the first step: JIT, ReadyToRun, Native AOT (--peers: LibTorch too)
        """;

    /// <summary>What 784-50-10 on a batch of 100 should take: milliseconds from process start to the end of the first step.</summary>
    private const double JitTarget = 80, AotTarget = 12;

    /// <summary>Losses of different instruction sets agree to this, relatively: they round differently.</summary>
    private const double Tolerance = 1e-5;

    public static int Run(string[] arguments)
    {
        var runs = 11;
        var withPeers = false;
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--peers")
                withPeers = true;
            else if (arguments[i] != "--runs" || ++i == arguments.Length || !int.TryParse(arguments[i], CultureInfo.InvariantCulture, out runs) || runs <= 0)
                return Fail();
        }

        var folder = Directory.CreateTempSubdirectory("backprop-cold-start-");
        try
        {
            return Measure(folder.FullName, runs, withPeers);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Fail()
    {
        Console.Error.WriteLine("usage: Backprop.Simd.Bench " + Usage.Trim());
        return 2;
    }

    private static int Measure(string folder, int runs, bool withPeers)
    {
        var forms = Forms();
        if (withPeers)
            forms.Add(new("LibTorch, JIT", null, "-r", RuntimeInformation.RuntimeIdentifier, "--no-self-contained", "-p:Peer=LibTorch") { IsPeer = true });
        forms.RemoveAll(form => !form.Publish(folder));
        if (forms.Count == 0)
            return 1;
        foreach (var form in forms)
            form.Start(measured: false); // Files into memory.
        for (var run = 0; run < runs; run++)
        {
            foreach (var form in forms)
                form.Start(measured: true);
        }

        Console.WriteLine($"784-50-10, sigmoid, SGD, batch 100; {runs} runs, best / median, milliseconds from the start of the process");
        Console.WriteLine($"{"",-24}{"Main",16}{"built",16}{"filled",16}{"first step done",18}{"exit",16}{"step alone",16}{"target",8}");
        foreach (var form in forms)
        {
            Console.Write($"{form.Name,-24}{Text(form.Main),16}{Text(form.Built),16}{Text(form.Filled),16}");
            Console.WriteLine($"{Text(form.Done),18}{Text(form.Exit),16}{Text(form.Step),16}{form.Target,8}");
        }

        var expected = forms[0].Loss;
        foreach (var form in forms)
        {
            if (form.IsPeer || Math.Abs(form.Loss - expected) <= Tolerance * Math.Abs(expected))
                continue;
            Console.Error.WriteLine($"{form.Name}: the loss is {form.Loss}, and {expected} in the form {forms[0].Name}.");
            return 1;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"all forms of this library agree on the loss: {expected:F6}"));
        return 0;
    }

    private static List<ColdStartForm> Forms()
    {
        var runtime = RuntimeInformation.RuntimeIdentifier;
        List<ColdStartForm> forms =
        [
            new("JIT", JitTarget),
            new("ReadyToRun", null, "-r", runtime, "--no-self-contained", "-p:PublishReadyToRun=true"),
        ];
        if (!HasLinker())
        {
            Console.WriteLine("Native AOT: skipped, there is neither clang nor gcc to link it (Debian: apt-get install clang zlib1g-dev)");
            return forms;
        }

        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
            forms.Add(new("Native AOT, x86-64-v3", AotTarget, "-r", runtime, "-p:PublishAot=true", "-p:IlcInstructionSet=x86-64-v3"));
        forms.Add(new("Native AOT, default", null, "-r", runtime, "-p:PublishAot=true"));
        return forms;
    }

    private static bool HasLinker() => OperatingSystem.IsWindows() || (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "clang")) || File.Exists(Path.Combine(folder, "gcc")));

    private static string Text(List<double> samples)
    {
        var sorted = samples.Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[0]:F1} / {sorted[sorted.Count / 2]:F1}");
    }
}
