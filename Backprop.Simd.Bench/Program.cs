using BenchmarkDotNet.Running;

namespace Backprop.Simd.Bench;

internal static class Program
{
    private const string Usage = $"""
        usage: Backprop.Simd.Bench COMMAND

          peak [--quick]      the FMA peak of one core and of all cores, and Gemm as a percentage of it
        {ColdStartCommand.Usage}
        {CompareCommand.Usage}
        {GuardCommand.Usage}
        {LoopCommand.Usage}
        {OnnxCommand.Usage}
        {PeersCommand.Usage}
        {UlpCommand.Usage}
          bench [ARGS...]     the BenchmarkDotNet classes; ARGS go to BenchmarkDotNet (--filter *Gemm*, --list flat, ...)
        """;

    private static int Main(string[] args)
    {
        switch (args)
        {
            case ["peak"]:
                return PeakCommand.Run(quick: false);
            case ["peak", "--quick"]:
                return PeakCommand.Run(quick: true);
            case ["cold-start", .. var rest]:
                return ColdStartCommand.Run(rest);
            case ["compare", .. var rest]:
                return CompareCommand.Run(rest);
            case ["guard", .. var rest]:
                return GuardCommand.Run(rest);
            case ["loop", .. var rest]:
                return LoopCommand.Run(rest);
            case ["onnx", .. var rest]:
                return OnnxCommand.Run(rest);
            case ["peers", "prepare"]:
                return PeersCommand.Prepare();
            case ["peers", "prepare", var version]:
                return PeersCommand.Prepare(version);
            case ["ulp", .. var options]:
                return UlpCommand.Run(options);
            case ["bench", .. var rest]:
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest);
                return 0;
            case []:
                Console.Error.WriteLine(Usage);
                return 2;
            case [.., "--help" or "-h"]:
                Console.WriteLine(Usage);
                return 0;
            default:
                Console.Error.WriteLine($"Unknown command: {string.Join(' ', args)}");
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }
}
