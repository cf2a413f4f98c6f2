using System.Diagnostics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

/// <summary>What is measured on the process or on its threads, with no other test beside it.</summary>
[Collection(RunAlone.Name)]
public sealed class ComputeContextAloneTests
{
    [Fact]
    public void An_idle_team_uses_no_processor()
    {
        using var context = TestThreads.Create(8);
        for (var i = 0; i < 100; i++)
            context.For(8, 1, 1, new DelegateBody((_, _) => { }));
        Thread.Sleep(200); // The runtime's own work, such as compiling, comes to an end.
        var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        Thread.Sleep(1000);
        process.Refresh();
        var used = process.TotalProcessorTime - before;

        // One thread that spun on would take a second, seven on two processors two.
        Assert.True(used < TimeSpan.FromMilliseconds(500), $"Eight idle threads used {used.TotalMilliseconds} ms of processor time in a second.");
    }

    [Fact]
    public void Threads_without_a_part_sleep_while_others_work()
    {
        if (Environment.ProcessorCount < 2)
            return; // The two that work would hide a third that spins.
        using var context = TestThreads.Create(6);
        var counts = new long[6];
        var body = new ReadProcessorTime(counts);
        context.For(6, 1, 1, body);
        var before = (long[])counts.Clone();
        var until = Stopwatch.StartNew();
        while (until.ElapsedMilliseconds < 1000)
            context.For(2, 1, 1, new DelegateBody((_, _) => { }));
        context.For(6, 1, 1, body);
        for (var worker = 2; worker < 6; worker++)
            Assert.True(counts[worker] - before[worker] < 100,
                $"Worker {worker} had no part for a second and used {counts[worker] - before[worker]} ms of processor time.");
    }

    [Fact]
    public void A_loop_allocates_nothing_on_any_thread()
    {
        using var context = TestThreads.Create(4);
        var bytes = new long[4];
        AssertNoAllocation(bytes, 2000, count => Loops(context, bytes, count));

        static void Loops(ComputeContext context, long[] bytes, int count)
        {
            Span<int> values = stackalloc int[4];
            for (var i = 0; i < count; i++)
                context.For(4, 1, 1, new ReadAllocatedBytes { Bytes = bytes, Values = values });
        }
    }

    [Fact]
    public void A_product_allocates_nothing_on_any_thread()
    {
        using var context = TestThreads.Create(3);
        float[] a = new float[300 * 400], b = new float[400 * 200], c = new float[300 * 200];
        var bytes = new long[3];
        AssertNoAllocation(bytes, 100, Products);

        void Products(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Gemm.Multiply(new ReadOnlyMatrix<float>(a, 300, 400), new(b, 400, 200), new Matrix<float>(c, 300, 200), context);
                Gemm.MultiplyAdd(new ReadOnlyMatrix<float>(a, 400, 300).Transposed, new ReadOnlyMatrix<float>(b, 200, 400).Transposed,
                    new Matrix<float>(c, 300, 200), context);
                Gemm.Multiply(2, new ReadOnlyMatrix<float>(a, 7, 9), new(b, 9, 11), 3, new Matrix<float>(c, 11, 7).Transposed, context);
                Gemm.Multiply(new ReadOnlyMatrix<float>(a, 1, 400), new(b, 400, 200), new Matrix<float>(c, 1, 200));
            }

            context.For(3, 1, 1, new ReadAllocatedBytes { Bytes = bytes });
        }
    }

    /// <summary>
    /// Fails if every one of several rounds allocates: the runtime itself does so now and then, when it recompiles a method or
    /// first touches a lock, but an allocation in the code under test is there in each round.
    /// </summary>
    private static void AssertNoAllocation(long[] bytes, int count, Action<int> run)
    {
        var report = "";
        var before = new long[bytes.Length];
        for (var round = 0; round < 8; round++)
        {
            run(1);
            bytes.CopyTo(before, 0);
            run(count);
            if (bytes.AsSpan().SequenceEqual(before))
                return;
            report = string.Join(", ", bytes.Zip(before, static (now, then) => now - then));
        }

        Assert.Fail($"Bytes allocated by each thread in {count} rounds: {report}.");
    }

    private ref struct ReadAllocatedBytes : IRangeBody
    {
        public Span<long> Bytes;
        public Span<int> Values;

        public readonly void Execute(int start, int limit)
        {
            for (var part = start; part < limit; part++)
                Bytes[part] = GC.GetAllocatedBytesForCurrentThread();
        }
    }

    /// <summary>Milliseconds that the thread of each part has been on a processor, as the kernel of the system counts them.</summary>
    private readonly struct ReadProcessorTime(long[] milliseconds) : IRangeBody
    {
        public void Execute(int start, int limit)
        {
            if (!OperatingSystem.IsLinux())
                return;
            var text = File.ReadAllText("/proc/thread-self/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            // utime and stime, in hundredths of a second.
            milliseconds[start] = (long.Parse(fields[11]) + long.Parse(fields[12])) * 10;
        }
    }
}
