using System.Globalization;
using System.Runtime.InteropServices;
using Backprop.Simd.Tests.Fuzz;
using SharpFuzz;
using SharpFuzz.Common;

const string Usage = """
    usage: list
           seeds TARGET DIRECTORY           writes the files that a fuzzer starts from
           afl TARGET                       the process that afl-fuzz starts
           replay TARGET FILE...            reads files again
           --seconds N|--trials N [TARGET]  reads changed files, of all targets or one
    """;

// Where instrumented assemblies count branches until the fuzzer gives them its own memory.
unsafe
{
    Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(1 << 16);
}

switch (args)
{
    case ["list"]:
        foreach (var target in Target.All)
            Console.WriteLine(target.Name);
        return 0;

    case ["seeds", var name, var directory] when Find(name) is { } target:
        Directory.CreateDirectory(directory);
        foreach (var (i, seed) in target.Seeds().Index())
            File.WriteAllBytes(Path.Combine(directory, $"seed{i}"), seed);
        return 0;

    case ["afl", var name] when Find(name) is { } target:
        // What a seed needs is made before the fuzzer counts branches.
        foreach (var seed in target.Seeds())
            target.Read(seed);
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            target.Read(memory.ToArray());
        });
        return 0;

    case ["replay", var name, .. var files] when Find(name) is { } target:
        foreach (var file in files)
        {
            Console.WriteLine(file);
            Console.WriteLine(target.Read(File.ReadAllBytes(file)) ? "taken" : "refused");
        }

        return 0;

    case ["--seconds" or "--trials", var number, .. var names] when names.All(name => Find(name) is not null)
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count):
        IReadOnlyList<Target> targets = names.Length == 0 ? Target.All : [.. names.Select(name => Find(name)!)];
        var trials = args[0] == "--trials" ? count : long.MaxValue;
        int? seconds = args[0] == "--seconds" ? count : null;
        return targets.Select(target => Mutations.Run(target, trials, seconds)).ToArray().Contains(false) ? 1 : 0;

    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

static Target? Find(string name) => name == Target.Broken.Name ? Target.Broken : Target.All.FirstOrDefault(target => target.Name == name);
