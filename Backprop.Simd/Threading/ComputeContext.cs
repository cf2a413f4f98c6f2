using System.Runtime.CompilerServices;

namespace Backprop.Simd.Threading;

/// <summary>
/// A team of threads that kernels run on: the caller and <see cref="Threads"/> - 1 persistent background threads.
/// </summary>
/// <remarks>
/// <para>Only independent outputs are split among threads, so that every result has the same bits for any number of threads. Small work runs
/// on the caller alone.</para>
/// <para>A team serves one caller at a time. A nested or concurrent call runs on its own thread, with the same bits. A caller that has
/// finished its own part takes over the parts that no thread has started, so that a busy machine is never slower than one thread. An idle
/// thread spins for 50 microseconds, or for a millisecond if it woke too late for a job, and then sleeps. An exception in a thread
/// reaches the caller.</para>
/// </remarks>
public sealed class ComputeContext : IDisposable
{
    /// <summary>
    /// The least work that a thread gets, in nanoseconds on one thread. A fork and join costs 0.2 microseconds while the threads spin;
    /// waking a sleeping thread takes 20 to 90. For less work, sharing gains less than it risks.
    /// </summary>
    private const double DefaultInlineNanoseconds = 4_000;

    private readonly WorkerTeam? _team;

    /// <summary>Starts a team.</summary>
    /// <param name="threads">The number of threads, the caller included: 1 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is outside 1 to 1024.</exception>
    public ComputeContext(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, 1024);
        Threads = threads;
        _team = threads > 1 ? new WorkerTeam(threads) : null;
    }

    /// <summary>
    /// The team that the whole process shares. It has one thread for each processor that the process may use (affinity and container quota
    /// count). It lives as long as the process; disposing it does nothing.
    /// </summary>
    public static ComputeContext Default => Shared.Default;

    /// <summary>The context without a team: everything runs on the caller.</summary>
    public static ComputeContext SingleThreaded => Shared.SingleThreaded;

    /// <summary>The number of threads, the caller included.</summary>
    public int Threads { get; }

    /// <summary>
    /// The least nanoseconds of work for a thread. Tests set 0: then every thread takes part, and the caller takes over no part.
    /// </summary>
    internal double InlineNanoseconds { get; set; } = DefaultInlineNanoseconds;

    /// <summary>How often each thread has run a part; index 0 is the caller. Empty without a team.</summary>
    internal ReadOnlySpan<long> PartsRun => _team is null ? [] : _team.PartsRun;

    /// <summary>Runs <paramref name="body"/> over <c>[0, count)</c>, split into one contiguous range per thread.</summary>
    /// <typeparam name="TBody">A struct, so that nothing is boxed. It may be a ref struct.</typeparam>
    /// <param name="count">The number of items.</param>
    /// <param name="granularity">Every range starts at a multiple of this number, so that no block of a kernel is cut.</param>
    /// <param name="nanoseconds">The estimated time of the whole loop on one thread. It decides how many threads take part.</param>
    /// <param name="body">The loop body. Its items must not depend on each other.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative or <paramref name="granularity"/>
    /// is not positive.</exception>
    public void For<TBody>(int count, int granularity, double nanoseconds, in TBody body)
        where TBody : struct, IRangeBody, allows ref struct
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(granularity);
        if (count == 0)
            return;
        if (_team is not null)
        {
            var parts = PartsFor(count, granularity, nanoseconds);
            if (parts > 1)
            {
                _team.Run(count, granularity, parts, takesOver: InlineNanoseconds > 0, in body);
                GC.KeepAlive(this); // The finalizer ends the threads.
                return;
            }
        }

        Unsafe.AsRef(in body).Execute(0, count);
    }

    /// <summary>Runs a body once on each thread of the team, or only on the caller if the team is busy.</summary>
    internal void RunOnEveryThread<TBody>(in TBody body)
        where TBody : struct, IRangeBody
    {
        if (_team is null)
            Unsafe.AsRef(in body).Execute(0, 1);
        else
            _team.Run(Threads, 1, Threads, takesOver: false, in body);
        GC.KeepAlive(this);
    }

    /// <summary>Whether a loop of this cost always runs on its caller.</summary>
    internal bool RunsInline(double nanoseconds) => PartsFor(int.MaxValue, 1, nanoseconds) == 1;

    /// <summary>How many threads a loop of this size and cost gets.</summary>
    internal int PartsFor(int count, int granularity, double nanoseconds)
    {
        if (_team is null)
            return 1;
        var blocks = (count - 1) / granularity + 1;
        var parts = Math.Min(Threads, blocks);
        if (InlineNanoseconds > 0)
            parts = (int)Math.Clamp(nanoseconds / InlineNanoseconds, 1, parts);
        return parts;
    }

    /// <summary>Ends the threads of this team. Work given to a disposed context runs on the caller.</summary>
    public void Dispose()
    {
        if (!ReferenceEquals(this, Shared.DefaultOrNull))
            _team?.Shutdown();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the threads of a team that is no longer referenced.</summary>
    ~ComputeContext() => _team?.Shutdown();

    private static class Shared
    {
        public static readonly ComputeContext SingleThreaded = new(1);
        public static ComputeContext? DefaultOrNull;
        private static readonly Lock Gate = new();

        public static ComputeContext Default
        {
            get
            {
                var context = Volatile.Read(ref DefaultOrNull);
                if (context is not null)
                    return context;
                lock (Gate)
                {
                    DefaultOrNull ??= new ComputeContext(Math.Clamp(Environment.ProcessorCount, 1, 1024));
                    return DefaultOrNull;
                }
            }
        }
    }
}
