using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Backprop.Simd.Bench;

/// <summary>What one call of a benchmark does, so that its time can be held against the machine.</summary>
/// <param name="Operations">Floating-point operations; 0 if they do not limit it.</param>
/// <param name="Bytes">Bytes that it must read and write; 0 if memory does not limit it.</param>
/// <param name="IsDouble">Whether the operations are of doubles.</param>
public readonly record struct Work(double Operations, double Bytes = 0, bool IsDouble = false);

/// <summary>A benchmark class whose methods have a limit.</summary>
public interface IHasWork
{
    /// <summary>Threads that it uses.</summary>
    int Threads => 1;

    /// <summary>The work of a method with the parameters that are set.</summary>
    Work WorkOf(string method);
}

/// <summary>Allocations, disassembly where the system can do it, and the share of the limits.</summary>
public sealed class LimitsConfig : ManualConfig
{
    public LimitsConfig()
    {
        AddColumn(new LimitColumn("% of peak", "Operations as a share of the FMA peak", Share),
            new LimitColumn("GB/s", "Bytes that must be read and written, per nanosecond", Bandwidth));
        AddDiagnoser(MemoryDiagnoser.Default);
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            AddDiagnoser(new DisassemblyDiagnoser(new DisassemblyDiagnoserConfig(maxDepth: 4)));
    }

    private static string Share(Work work, double nanoseconds, int threads) => work.Operations == 0
        ? "-"
        : $"{100 * work.Operations / nanoseconds / (work.IsDouble ? Peaks<double>.Gflops(threads) : Peaks<float>.Gflops(threads)):F1}";

    private static string Bandwidth(Work work, double nanoseconds, int threads) => work.Bytes == 0 ? "-" : $"{work.Bytes / nanoseconds:F1}";

    private static class Peaks<T>
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        private static readonly Dictionary<int, double> _byThreads = [];

        public static double Gflops(int threads)
        {
            if (!_byThreads.TryGetValue(threads, out var gflops))
            {
                using var meter = new PeakMeter<T>(threads);
                _byThreads[threads] = gflops = meter.Gflops;
            }

            return gflops;
        }
    }

    private sealed class LimitColumn(string name, string legend, Func<Work, double, int, string> format) : IColumn
    {
        public string Id => name;

        public string ColumnName => name;

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string Legend => legend;

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            if (summary[benchmarkCase]?.ResultStatistics is not { } statistics
                || Activator.CreateInstance(benchmarkCase.Descriptor.Type) is not IHasWork benchmark)
                return "-";
            foreach (var parameter in benchmarkCase.Parameters.Items)
                benchmarkCase.Descriptor.Type.GetProperty(parameter.Name)?.SetValue(benchmark, parameter.Value);
            return format(benchmark.WorkOf(benchmarkCase.Descriptor.WorkloadMethod.Name), statistics.Median, benchmark.Threads);
        }
    }
}
