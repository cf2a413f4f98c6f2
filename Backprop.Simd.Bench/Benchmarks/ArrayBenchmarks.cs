using BenchmarkDotNet.Attributes;

namespace Backprop.Simd.Bench;

/// <summary>Broadcasting, reductions over axes, permutations, picking, scans, resizing, batches of products.</summary>
[Config(typeof(LimitsConfig))]
public class ArrayBenchmarks : IHasWork
{
    private ArrayProblem? _problem;

    public static IEnumerable<string> Names => ArrayCases.Operations.Select(operation => operation.ToString());

    [ParamsSource(nameof(Names))]
    public string Operation { get; set; } = "";

    private ArrayOperation Chosen => ArrayCases.Operations.Single(operation => operation.ToString() == Operation);

    public Work WorkOf(string method) =>
        new(Chosen.Operations, sizeof(float) * ((double)ArrayOperation.Size(Chosen.X) + ArrayOperation.Size(Chosen.Y) + ArrayOperation.Size(Chosen.Z)));

    [GlobalSetup]
    public void Setup() => _problem = new ArrayProblem(Chosen);

    [Benchmark]
    public void Run() => _problem!.Run(null);
}
