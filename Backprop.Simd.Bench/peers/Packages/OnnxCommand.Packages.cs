using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Bench;

internal static partial class OnnxCommand
{
    private const int Rounds = 60;

    static partial void Measure(string[] arguments, ref int code)
    {
        code = 2;
        if (arguments is not [var path, ..] || !File.Exists(path))
        {
            Console.Error.WriteLine($"A model is expected.{Environment.NewLine}{Usage}");
            return;
        }

        var sizes = arguments.Where(a => a.Contains('=', StringComparison.Ordinal)).Select(a => a.Split('=')).ToDictionary(a => a[0],
            a => a[1].Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture)).ToArray());
        var file = OnnxFile.Open(path);
        var network = file.CreateNetwork<float>(new() { Sizes = sizes, Fold = arguments.Contains("--fold") });
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
        using var session = new InferenceSession(path, options);
        var input = file.InputNames.Single();
        int[] shape = sizes.TryGetValue(input, out var given) ? given : session.InputMetadata[input].Dimensions;
        var random = new Random(1);
        float[] numbers = [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ => random.NextSingle())];
        numbers.CopyTo(workspace.Input(network.Definition.InputNames.Single()));
        using var value = OrtValue.CreateTensorValueFromMemory(numbers, [.. shape.Select(d => (long)d)]);
        using var run = new RunOptions();
        using var binding = session.CreateIoBinding();
        binding.BindInput(input, value);
        binding.BindOutputToDevice(session.OutputNames[0], OrtMemoryInfo.DefaultInstance);

        List<double> ours = [], theirs = [];
        for (var round = -3; round < Rounds; round++)
        {
            var own = Time(() => network.Forward(workspace));
            var other = Time(() => session.RunWithBinding(run, binding));
            if (round < 0)
                continue;
            ours.Add(own);
            theirs.Add(other);
        }

        ours.Sort();
        theirs.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            {Path.GetFileName(path)}, [{string.Join(", ", shape)}], one thread, {Rounds} rounds in turn, ms
                          best   median
            ours      {ours[0],8:F2} {ours[Rounds / 2],8:F2}
            theirs    {theirs[0],8:F2} {theirs[Rounds / 2],8:F2}
            ratio     {theirs[0] / ours[0],8:F2} {theirs[Rounds / 2] / ours[Rounds / 2],8:F2}   above 1: ours is faster
            """));
        code = 0;
    }

    private static double Time(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
