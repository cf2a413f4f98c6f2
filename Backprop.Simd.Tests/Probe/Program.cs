using System.Globalization;
using System.Runtime;
using Backprop.Simd.Tests.Probe;

// Backprop.Simd.Tests.Probe train DIRECTORY EPOCHS schedule|plateau: a training that goes on from the checkpoints of the directory.
if (args is ["train", var directory, var epochs, var rate])
    return LongTraining.Run(directory, epochs, rate);

// Backprop.Simd.Tests.Probe stand DIRECTORY: a training that stands still, with the checkpoints of the directory, until it is killed.
if (args is ["stand", var place])
    return LongTraining.Stand(place);

// Backprop.Simd.Tests.Probe soak SECONDS [STEPS]: trains for so long, and fails where memory grows or bits differ.
if (args is ["soak", var seconds, .. var stepsOfRound])
    return Soak.Run(seconds, stepsOfRound);

// Backprop.Simd.Tests.Probe digests: the bits of many trainings, for a change that must not change a number.
if (args is ["digests"])
    return Digests.Run();

// Backprop.Simd.Tests.Probe SCENARIO THREADS STEPS: prints the bytes that STEPS steps of a scenario allocated.
if (args is not [var scenario, var threads, var steps] || !Scenarios.All.TryGetValue(scenario, out var make))
{
    Console.Error.WriteLine(
        "usage: train DIRECTORY EPOCHS schedule|plateau, stand DIRECTORY, soak SECONDS [STEPS], digests, or SCENARIO THREADS STEPS with one of: "
        + string.Join(", ", Scenarios.All.Keys));
    return 2;
}

var count = int.Parse(steps, CultureInfo.InvariantCulture);
var step = make(int.Parse(threads, CultureInfo.InvariantCulture));

// Until tiering has settled: the runtime's own background work must not be charged to a step. On a busy machine that takes long.
for (var (attempt, quiet) = (0, 0); attempt < 60 && quiet < 3; attempt++)
{
    var compiled = JitInfo.GetCompiledMethodCount();
    for (var i = 0; i < 200; i++)
        step(i);
    Thread.Sleep(150);
    quiet = JitInfo.GetCompiledMethodCount() == compiled ? quiet + 1 : 0;
}

// What it loads to compile a method again it allocates once: a round during which it compiled one says nothing, and is repeated.
var bytes = 0L;
for (var (round, settled) = (0, false); round < 20 && !settled; round++)
{
    var compiled = JitInfo.GetCompiledMethodCount();
    var before = GC.GetTotalAllocatedBytes(precise: true);
    for (var i = 0; i < count; i++)
        step(i);
    bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
    Thread.Sleep(50);
    settled = JitInfo.GetCompiledMethodCount() == compiled;
}

Console.WriteLine(bytes.ToString(CultureInfo.InvariantCulture));
return 0;
