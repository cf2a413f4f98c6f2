using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Ops = Backprop.Simd.Kernels.Elementwise;

namespace Backprop.Simd.Bench;

/// <summary>
/// The error of every float function over all 2^32 floats, against a reference in double, in units in the last place of the
/// exact result.
/// </summary>
internal static class UlpCommand
{
    /// <summary>What the command does, for the program's help.</summary>
    public const string Usage = """
          ulp [--function NAME] [--quick] [--markdown FILE]
                              the error of each float function over all 2^32 floats (--quick: one block in 61); fails beyond a bound
        """;

    /// <summary>Consecutive floats evaluated at once: what the caches hold with their results.</summary>
    private const int BlockSize = 1 << 12;

    private delegate void Kernel(ReadOnlySpan<float> x, Span<float> y);

    private static readonly (string Name, Kernel Kernel)[] Functions =
    [
        ("exp", (x, y) => Ops.Exp(x, y)),
        ("log", (x, y) => Ops.Log(x, y)),
        ("sigmoid", (x, y) => Ops.Sigmoid(x, y)),
        ("tanh", (x, y) => Ops.Tanh(x, y)),
        ("erf", (x, y) => Ops.Erf(x, y)),
        ("gelu", (x, y) => Ops.Gelu(x, y)),
        ("geluTanh", (x, y) => Ops.GeluTanh(x, y)),
        ("silu", (x, y) => Ops.Silu(x, y)),
        ("softplus", (x, y) => Ops.Softplus(x, y)),
        ("sin", (x, y) => Ops.Sin(x, y)),
        ("cos", (x, y) => Ops.Cos(x, y)),
    ];

    /// <summary>Sweeps the functions and prints a table. Options: --function NAME, --quick, --markdown FILE.</summary>
    public static int Run(string[] options)
    {
        string? only = null, file = null;
        var quick = false;
        for (var i = 0; i < options.Length; i++)
        {
            if (options[i] == "--quick")
                quick = true;
            else if (options[i] == "--function" && i + 1 < options.Length)
                only = options[++i];
            else if (options[i] == "--markdown" && i + 1 < options.Length)
                file = options[++i];
            else
                return Fail($"Unknown or incomplete option: {options[i]}");
        }

        var functions = Functions.Where(function => only is null || function.Name == only).ToArray();
        if (functions.Length == 0)
            return Fail($"Unknown function: {only}. Known: {string.Join(", ", Functions.Select(function => function.Name))}");

        var lines = new List<string>
        {
            "| function | worst, ULP | bound | at x | mean, ULP | floats | seconds |",
            "|---|---:|---:|---:|---:|---:|---:|",
        };
        lines.ForEach(Console.WriteLine);
        var isWithin = true;
        foreach (var (name, kernel) in functions)
        {
            var (line, worst) = Sweep(name, kernel, quick);
            Console.WriteLine(line);
            lines.Add(line);
            isWithin &= worst <= UlpTable.Bound<float>(name);
        }

        if (file is not null)
            File.WriteAllLines(file, lines);
        if (isWithin)
            return 0;
        Console.Error.WriteLine("A function is beyond its bound.");
        return 1;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 2;
    }

    private static (string Line, double Worst) Sweep(string name, Kernel kernel, bool quick)
    {
        const int blocks = (int)((1L << 32) / BlockSize);
        var step = quick ? 61 : 1; // A prime, so that all exponents and mantissas are met.
        var reference = ElementaryFunctions.ByName[name];
        var watch = Stopwatch.StartNew();
        var total = new Tally();
        var done = 0;
        Parallel.For(0, blocks / step, () => new Tally(), (block, _, tally) =>
        {
            tally.Add(kernel, reference, (uint)block * (uint)step * BlockSize);
            var count = Interlocked.Increment(ref done);
            if (!Console.IsErrorRedirected && count % (blocks / step / 50) == 0)
                Console.Error.Write($"\r{name} {100L * count / (blocks / step)} % ");
            return tally;
        }, tally =>
        {
            lock (total)
                total.Merge(tally);
        });
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\r                    \r");
        var line = string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {total.Worst:F3} | {UlpTable.Bound<float>(name):F1} | {total.WorstAt:G9} | {total.Sum / total.Count:F4} "
            + $"| {total.Count} | {watch.Elapsed.TotalSeconds:F0} |");
        return (line, total.Worst);
    }

    /// <summary>The errors of the floats seen by one thread.</summary>
    private sealed class Tally
    {
        private readonly float[] _x = new float[BlockSize], _y = new float[BlockSize];

        public double Worst { get; private set; } = -1;

        public float WorstAt { get; private set; }

        public double Sum { get; private set; }

        public long Count { get; private set; }

        public void Add(Kernel kernel, Func<double, double> reference, uint firstBits)
        {
            for (var i = 0; i < BlockSize; i++)
                _x[i] = BitConverter.UInt32BitsToSingle(firstBits + (uint)i);
            kernel(_x, _y);
            var sum = 0.0;
            for (var i = 0; i < BlockSize; i++)
            {
                var error = UlpTable.Error(_y[i], reference(_x[i]));
                sum += error;
                if (error > Worst)
                    (Worst, WorstAt) = (error, _x[i]);
            }

            Sum += sum;
            Count += BlockSize;
        }

        public void Merge(Tally other)
        {
            if (other.Worst > Worst)
                (Worst, WorstAt) = (other.Worst, other.WorstAt);
            Sum += other.Sum;
            Count += other.Count;
        }
    }
}
