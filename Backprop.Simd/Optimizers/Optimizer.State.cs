using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <content>The state that an optimizer keeps from step to step, by name. Checkpoints save and restore it.</content>
public abstract partial class Optimizer<T>
{
    private (string Name, AlignedBuffer<T> Block)[] _state = [];

    /// <summary>The names of the blocks that the optimizer keeps from step to step, in the order in which they were made.</summary>
    public IEnumerable<string> StateNames => _state.Select(s => s.Name);

    /// <summary>A block that the optimizer keeps from step to step. It can be read and restored.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The block: <see cref="ParameterCount"/> elements, laid out like the parameters, unless the optimizer says otherwise.</returns>
    /// <exception cref="ArgumentException">There is no such block.</exception>
    public Span<T> State(string name) => BlockOf(name).Span;

    internal ReadOnlyMemory<T> StateMemory(string name) => BlockOf(name).Memory;

    /// <summary>Sets <see cref="Steps"/> to its value when the state was saved. Every block must be restored as well.</summary>
    /// <param name="steps">The number of finished steps.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is negative.</exception>
    public void RestoreSteps(long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        Steps = steps;
    }

    /// <summary>For constructors: makes a block that is kept from step to step, and saved and restored by its name.</summary>
    /// <remarks>Everything else that a step depends on must be a function of <see cref="Steps"/> and the constructor's arguments:
    /// nothing else is saved, and <see cref="Steps"/> may go back.</remarks>
    /// <param name="name">The name, unique within the optimizer.</param>
    /// <returns>The block, <see cref="ParameterCount"/> zeros.</returns>
    /// <exception cref="ArgumentException">There is already a block with this name.</exception>
    protected AlignedBuffer<T> AddState(string name) => AddState(name, ParameterCount);

    /// <summary>The same, with a length of its own.</summary>
    private protected AlignedBuffer<T> AddState(string name, int length)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        foreach (var (key, _) in _state)
        {
            if (key == name)
                throw new ArgumentException($"Two blocks are named '{name}'.", nameof(name));
        }

        var block = new AlignedBuffer<T>(length);
        _state = [.. _state, (name, block)];
        return block;
    }

    private AlignedBuffer<T> BlockOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var (key, block) in _state)
        {
            if (key == name)
                return block;
        }

        var names = _state.Length == 0 ? "nothing" : string.Join(", ", StateNames);
        throw new ArgumentException($"There is no state '{name}'; {GetType().Name} keeps: {names}.", nameof(name));
    }
}
