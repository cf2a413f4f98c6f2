using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Inference;

/// <summary>A workspace of a <see cref="Predictor{T}"/>, lent until it is disposed: for networks with several inputs or outputs, or
/// with inputs of indices.</summary>
/// <remarks>Do not use the workspace after <see cref="Dispose"/>: another caller may have it. A second Dispose does nothing.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct PredictorLease<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly WorkspacePool<T> _pool;
    private readonly WorkspaceSlot<T> _slot;
    private readonly Workspace<T> _workspace;
    private readonly long _lease;

    internal PredictorLease(WorkspacePool<T> pool, WorkspaceSlot<T> slot, Workspace<T> workspace)
    {
        _pool = pool;
        _slot = slot;
        _workspace = workspace;
        _lease = slot.Lease;
    }

    /// <summary>The workspace. Its inputs hold arbitrary numbers at first: set each input that the outputs depend on.</summary>
    /// <exception cref="ObjectDisposedException">The lease was disposed, or never rented.</exception>
    public Workspace<T> Workspace => _slot is not null && Interlocked.Read(ref _slot.Lease) == _lease
        ? _workspace
        : throw new ObjectDisposedException(nameof(PredictorLease<>), "The workspace was given back: rent another.");

    /// <summary>Computes the outputs of the workspace's inputs.</summary>
    /// <exception cref="ObjectDisposedException">The lease was disposed.</exception>
    /// <exception cref="ArgumentException">A bound input is too short for the rows, or a layer refuses its input.</exception>
    public void Forward()
    {
        var workspace = Workspace;
        workspace.Network.Forward(workspace);
    }

    /// <summary>Gives the workspace back, with the largest of free sizes, and ends all bindings to the caller's memory.</summary>
    public void Dispose()
    {
        if (_slot is null || Interlocked.CompareExchange(ref _slot.Lease, _lease + 1, _lease) != _lease)
            return;
        _workspace.Executor.Restore();
        _pool.Return(_slot);
    }
}
