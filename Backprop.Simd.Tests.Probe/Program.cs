using System.Globalization;
using Backprop.Simd.Tests.Probe;

// Backprop.Simd.Tests.Probe SCENARIO THREADS STEPS: prints the bytes that STEPS steps of a scenario allocated.
if (args is not [var scenario, var threads, var steps] || !Scenarios.All.TryGetValue(scenario, out var make))
{
    Console.Error.WriteLine($"usage: SCENARIO THREADS STEPS, with one of: {string.Join(", ", Scenarios.All.Keys)}");
    return 2;
}

var count = int.Parse(steps, CultureInfo.InvariantCulture);
var step = make(int.Parse(threads, CultureInfo.InvariantCulture));

// Until tiering has settled: the runtime's own background work must not be charged to a step. On a busy machine that takes long.
for (var attempt = 0; attempt < 20; attempt++)
{
    var start = GC.GetTotalAllocatedBytes(precise: true);
    for (var i = 0; i < 200; i++)
        step(i);
    if (attempt > 1 && GC.GetTotalAllocatedBytes(precise: true) == start)
        break;
    Thread.Sleep(300);
}

// The least of three rounds: what steps allocate, they allocate in every round; what the runtime allocates once for itself, while
// it compiles again what has become hot, in one of them.
var bytes = long.MaxValue;
for (var round = 0; round < 3 && bytes > 0; round++)
{
    var before = GC.GetTotalAllocatedBytes(precise: true);
    for (var i = 0; i < count; i++)
        step(i);
    bytes = Math.Min(bytes, GC.GetTotalAllocatedBytes(precise: true) - before);
}

Console.WriteLine(bytes.ToString(CultureInfo.InvariantCulture));
return 0;
