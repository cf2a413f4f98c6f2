using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Inference;

/// <summary>
/// The workspaces of one network, each lent to one caller. To take or return one is a single exchange. A caller waits only if
/// all are lent.
/// </summary>
internal sealed class WorkspacePool<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The distance between places, in references: 128 bytes, so that threads do not share a cache line.</summary>
    private const int Stride = 16;

    private readonly object _gate = new();
    private readonly WorkspaceSlot<T>?[] _free;
    private readonly int _limit;
    private long _bytes;
    private int _made;
    private int _waiting;

    public WorkspacePool(Network<T> network, PredictorOptions options)
    {
        Network = network;
        Form = new RowForm(network.Definition, options.Input, options.Output);
        MaximumRows = options.MaximumRows;
        Compute = options.Compute ?? ComputeContext.SingleThreaded;
        _limit = options.MaximumConcurrency;
        _free = new WorkspaceSlot<T>?[checked(_limit * Stride)];
        if (!options.Preallocate)
            return;
        for (; _made < _limit; _made++)
        {
            var slot = new WorkspaceSlot<T>(_made);
            WorkspaceOf(slot, 1);
            WorkspaceOf(slot, MaximumRows);
            _free[_made * Stride] = slot;
        }
    }

    public Network<T> Network { get; }

    public RowForm Form { get; }

    public int MaximumRows { get; }

    public ComputeContext Compute { get; }

    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Takes a slot. Nobody else has it until <see cref="Return"/>.</summary>
    public WorkspaceSlot<T> Take()
    {
        if (TryTake() is { } slot)
            return slot;
        lock (_gate)
        {
            // Count first, then look again: whoever returns a slot after this look sees the count and wakes a caller.
            Interlocked.Increment(ref _waiting);
            try
            {
                while (true)
                {
                    slot = TryTake();
                    if (slot is not null)
                        return slot;
                    Monitor.Wait(_gate);
                }
            }
            catch
            {
                Monitor.Pulse(_gate); // Interrupted: pass the wake-up on to another caller.
                throw;
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }
    }

    public void Return(WorkspaceSlot<T> slot)
    {
        Interlocked.Exchange(ref _free[slot.Place * Stride], slot);
        if (Volatile.Read(ref _waiting) == 0)
            return;
        lock (_gate)
            Monitor.Pulse(_gate);
    }

    /// <summary>The slot's workspace for a batch, made at its first use: the workspace for one row if the batch has one row, else the large one.</summary>
    public Workspace<T> WorkspaceOf(WorkspaceSlot<T> slot, int rows)
    {
        ref var workspace = ref rows == 1 || MaximumRows == 1 ? ref slot.Single : ref slot.Batch;
        if (workspace is null)
        {
            workspace = Network.CreateWorkspace(rows == 1 ? 1 : MaximumRows, WorkspaceOptions.Inference, Compute);
            Interlocked.Add(ref _bytes, workspace.Bytes);
        }

        return workspace;
    }

    /// <summary>Looks first at the place of the caller's processor. Makes a new slot if all existing slots are taken.</summary>
    private WorkspaceSlot<T>? TryTake()
    {
        while (true)
        {
            var made = Volatile.Read(ref _made);
            var at = made > 1 ? (int)((uint)Thread.GetCurrentProcessorId() % (uint)made) : 0;
            for (var i = 0; i < made; i++)
            {
                ref var place = ref _free[at * Stride];
                if (Volatile.Read(ref place) is not null && Interlocked.Exchange(ref place, null) is { } slot)
                    return slot;
                at = at + 1 == made ? 0 : at + 1;
            }

            if (made == _limit)
                return null;
            if (Interlocked.CompareExchange(ref _made, made + 1, made) == made)
                return new WorkspaceSlot<T>(made);
        }
    }
}

/// <summary>A place in the pool with its workspaces, for the exclusive use of its taker.</summary>
internal sealed class WorkspaceSlot<T>(int place)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly int Place = place;

    /// <summary>Counts leases, so that a second Dispose of a lease does nothing.</summary>
    public long Lease;

    public Workspace<T>? Single, Batch;
}
