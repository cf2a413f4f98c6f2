using System.Numerics;
using Backprop.Simd.Execution;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Networks;

/// <summary>
/// A graph of layers with its numbers: all parameters in one flat block, all state in another. Forward and backward run in a
/// <see cref="Workspace{T}"/>. Any number of threads may run inference on one network, each in its own workspace.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Network<T> : ITrainable<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal Network(NetworkDefinition definition, ulong seed)
    {
        SpanGuard.Supported<T>();
        Definition = definition;
        Blocks = new NetworkBlocks<T>(definition.Graph, seed);
    }

    /// <summary>The graph.</summary>
    public NetworkDefinition Definition { get; }

    /// <summary>The seed of parameters and random layers.</summary>
    public ulong Seed => Blocks.Seed;

    /// <summary>All parameters, laid out by <see cref="NetworkDefinition.Parameters"/>, with zeros between them.</summary>
    public Span<T> Parameters => Blocks.Parameters.Span;

    /// <summary>All state: numbers that are kept but not trained, laid out by <see cref="NetworkDefinition.State"/>.</summary>
    public Span<T> State => Blocks.State.Span;

    /// <summary>The ranges that optimizers may change: all that is not frozen.</summary>
    public ReadOnlySpan<BlockRange> TrainableRanges => Blocks.Trainable;

    IReadOnlyList<ParameterMatrix> ITrainable<T>.Matrices => Definition.Parameters.Matrices();

    internal NetworkBlocks<T> Blocks { get; }

    /// <summary>One parameter.</summary>
    /// <param name="name">Its name: <c>affine1.weight</c>.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    public Span<T> ParameterOf(string name)
    {
        var range = Definition.Parameters[name].Range;
        return Parameters.Slice(range.Start, range.Length);
    }

    /// <summary>One piece of state.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="ArgumentException">There is no such state.</exception>
    public Span<T> StateOf(string name)
    {
        var range = Definition.State[name].Range;
        return State.Slice(range.Start, range.Length);
    }

    /// <summary>Freezes a parameter or a piece of state. The gradient of a frozen parameter is not computed and reads as zero, and optimizers
    /// do not change it. Frozen state, such as running statistics, is used in training as in inference and does not change.</summary>
    /// <param name="name">The name of the parameter or state.</param>
    /// <exception cref="ArgumentException">There is no parameter and no state with this name.</exception>
    public void Freeze(string name) => SetFrozen(name, true);

    /// <summary>Freezes parameters, such as the backbone of a network whose last layers are to be trained.</summary>
    /// <param name="which">Which parameters, by name, shape and place.</param>
    /// <param name="statistics">True to freeze the state that <paramref name="which"/> chooses as well, such as running statistics.</param>
    /// <returns>How many it chose.</returns>
    public int Freeze(Func<ParameterInfo, bool> which, bool statistics = false)
    {
        ArgumentNullException.ThrowIfNull(which);
        var count = 0;
        foreach (var entry in statistics ? Definition.Parameters.Entries.Concat(Definition.State.Entries) : Definition.Parameters.Entries)
        {
            if (!which(entry))
                continue;
            SetFrozen(entry.Name, true);
            count++;
        }

        return count;
    }

    /// <summary>Undoes <see cref="Freeze(string)"/>.</summary>
    /// <param name="name">The name of the parameter or state.</param>
    /// <exception cref="ArgumentException">There is no parameter and no state with this name.</exception>
    public void Unfreeze(string name) => SetFrozen(name, false);

    /// <summary>Whether a parameter or a piece of state is frozen.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>True if it is.</returns>
    /// <exception cref="ArgumentException">There is no parameter and no state with this name.</exception>
    public bool IsFrozen(string name) =>
        StateInfo(name) is { } state ? Blocks.IsStateFrozen(state.Range) : Blocks.IsFrozen(Definition.Parameters[name].Range);

    /// <summary>
    /// Says whether a node acts as in training or as in inference while the network trains: PyTorch's <c>module.eval()</c> for a part of a
    /// network, Keras's <c>training=False</c>. In inference dropout and noise rest, in attention too, and batch normalization uses its running
    /// statistics and leaves them alone. Parameters go on learning, unless they are frozen.
    /// </summary>
    /// <param name="node">The name of the node: <c>dropout1</c>.</param>
    /// <param name="training">False to act as in inference.</param>
    /// <remarks>It counts from the next forward pass on. <see cref="Layers.Noise"/> is a part of what the graph computes, and never rests.</remarks>
    /// <exception cref="ArgumentException">There is no such node.</exception>
    public void SetTraining(string node, bool training)
    {
        var nodes = Evaluating();
        nodes[NodeAt(node)] = !training;
        Blocks.Evaluate(nodes);
    }

    /// <summary>Says for several nodes whether they act as in training or as in inference: see <see cref="SetTraining(string, bool)"/>.</summary>
    /// <param name="which">Which nodes, by name. The others keep their mode.</param>
    /// <param name="training">False to act as in inference.</param>
    /// <returns>How many it chose.</returns>
    public int SetTraining(Func<string, bool> which, bool training)
    {
        ArgumentNullException.ThrowIfNull(which);
        var count = 0;
        var nodes = Evaluating();
        for (var n = 0; n < nodes.Length; n++)
        {
            if (!which(Definition.Graph.Nodes[n].Name))
                continue;
            nodes[n] = !training;
            count++;
        }

        Blocks.Evaluate(nodes);
        return count;
    }

    /// <summary>Whether a node acts as in training while the network trains.</summary>
    /// <param name="node">The name of the node.</param>
    /// <returns>True unless <see cref="SetTraining(string, bool)"/> said otherwise.</returns>
    /// <exception cref="ArgumentException">There is no such node.</exception>
    public bool IsTraining(string node) => !Evaluating()[NodeAt(node)];

    /// <summary>The same network in another precision: the same graph, numbers up to rounding, frozen parameters and state, and the modes of
    /// nodes.</summary>
    /// <typeparam name="TOther">float or double.</typeparam>
    /// <returns>A new network.</returns>
    public Network<TOther> ConvertTo<TOther>()
        where TOther : unmanaged, IFloatingPointIeee754<TOther>
    {
        var other = new Network<TOther>(Definition, Seed);
        Convert(Parameters, other.Parameters);
        Convert(State, other.State);
        foreach (var range in Blocks.Frozen)
            other.Blocks.Freeze(range, true);
        foreach (var range in Blocks.FrozenState)
            other.Blocks.FreezeState(range, true);
        other.Blocks.Evaluate(Evaluating());
        return other;
    }

    /// <summary>
    /// The network as a table of text. For each input and node it gives the layer, the output shape, the parameters, the multiplications
    /// and additions per row of a forward pass, and the bytes of values and caches per row in training; the last line gives the sums.
    /// Fused layers are counted one by one.
    /// </summary>
    /// <returns>Lines that end in a line feed.</returns>
    public string Summary() => NetworkSummary.Of(Definition, System.Runtime.CompilerServices.Unsafe.SizeOf<T>());

    /// <summary>Makes a workspace: the buffers in which passes run.</summary>
    /// <param name="rows">The largest number of rows of a batch.</param>
    /// <param name="options">Training or inference, and what is kept; training if null.</param>
    /// <param name="compute">The threads; <see cref="ComputeContext.Default"/> if null.</param>
    /// <returns>The workspace. Using it allocates nothing.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is below 1, or too large for the buffers.</exception>
    /// <exception cref="ArgumentException">A retained name does not exist.</exception>
    public Workspace<T> CreateWorkspace(int rows, WorkspaceOptions? options = null, ComputeContext? compute = null) =>
        new(this, rows, options ?? WorkspaceOptions.Training, compute ?? ComputeContext.Default);

    /// <summary>Computes the outputs for the workspace's inputs, and in training the losses.</summary>
    /// <param name="workspace">A workspace of this network.</param>
    /// <returns>The weighted sum of the losses; 0 if the network has none; NaN if they are not computed, in inference without
    /// <see cref="WorkspaceOptions.Losses"/>.</returns>
    /// <exception cref="ArgumentException">The workspace belongs to another network, a bound input is too short for the rows,
    /// or a layer refuses its input, such as a label that is not a class.</exception>
    public double Forward(Workspace<T> workspace)
    {
        Check(workspace);
        var executor = workspace.Executor;
        if (executor.IsTraining)
            return executor.Forward();

        // Inference repeats only forward.
        executor.BeginPass();
        var loss = executor.Forward();
        executor.EndPass();
        return loss;
    }

    /// <summary>Computes the gradients of <see cref="Workspace{T}.Loss"/> for the last <see cref="Forward"/>.</summary>
    /// <param name="workspace">A training workspace of this network, after forward.</param>
    /// <param name="accumulate">True to add to <see cref="Workspace{T}.Gradients"/> instead of overwriting; other gradients
    /// are always overwritten.</param>
    /// <exception cref="ArgumentException">The workspace belongs to another network.</exception>
    /// <exception cref="InvalidOperationException">There was no forward pass, or the workspace is for inference; or there are no
    /// gradients to add to, because a <see cref="Step"/> applied them without keeping them.</exception>
    public void Backward(Workspace<T> workspace, bool accumulate = false)
    {
        Check(workspace);
        workspace.Executor.Backward(accumulate);
    }

    /// <summary>One training step: forward, backward and update. The state that forward proposed becomes the network's state.</summary>
    /// <param name="workspace">A training workspace of this network, with its inputs filled.</param>
    /// <param name="optimizer">The optimizer that updates the parameters.</param>
    /// <returns>The loss before the update.</returns>
    /// <exception cref="ArgumentException">The workspace belongs to another network, or the optimizer is for another number of parameters.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference, or the network has no loss.</exception>
    public double Step(Workspace<T> workspace, Optimizer<T> optimizer)
    {
        Check(optimizer);
        Check(workspace);
        if (Definition.Graph.Losses.Length == 0)
            throw new InvalidOperationException("The network has no loss to minimize. End its chain with a loss, or call Loss(node) on the graph "
                + "(a loss with reduction None is an output), or run Forward, Backward and Update.");
        return workspace.Executor.Step(optimizer);
    }

    /// <summary>The update alone, the last part of <see cref="Step"/>, for callers who accumulate or change gradients first.</summary>
    /// <param name="workspace">A training workspace of this network, after backward.</param>
    /// <param name="optimizer">The optimizer that updates the parameters.</param>
    /// <exception cref="ArgumentException">The workspace belongs to another network, or the optimizer is for another number of parameters.</exception>
    /// <exception cref="InvalidOperationException">There was no backward pass since the last update.</exception>
    public void Update(Workspace<T> workspace, Optimizer<T> optimizer)
    {
        Check(optimizer);
        Check(workspace);
        workspace.Executor.Update(optimizer);
    }

    private static void Convert<TOther>(ReadOnlySpan<T> source, Span<TOther> destination)
        where TOther : unmanaged, IFloatingPointIeee754<TOther>
    {
        for (var i = 0; i < source.Length; i++)
            destination[i] = TOther.CreateTruncating(source[i]);
    }

    /// <summary>A copy of the modes of all nodes: true for those that act as in inference.</summary>
    private bool[] Evaluating()
    {
        var nodes = new bool[Definition.Graph.Nodes.Length];
        Blocks.Evaluating?.CopyTo(nodes, 0);
        return nodes;
    }

    private int NodeAt(string node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var at = Array.FindIndex(Definition.Graph.Nodes, info => info.Name == node);
        return at >= 0 ? at : throw new ArgumentException($"The network has no node '{node}'.", nameof(node));
    }

    private void SetFrozen(string name, bool isFrozen)
    {
        if (StateInfo(name) is { } state)
            Blocks.FreezeState(state.Range, isFrozen);
        else
            Blocks.Freeze(Definition.Parameters[name].Range, isFrozen);
    }

    /// <summary>A piece of state by its name; null if there is none.</summary>
    private ParameterInfo? StateInfo(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Definition.State.TryFind(name, out var info) ? info : null;
    }

    private void Check(Workspace<T> workspace)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        if (!ReferenceEquals(workspace.Network, this))
            throw new ArgumentException("The workspace belongs to another network.", nameof(workspace));
    }

    private void Check(Optimizer<T> optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        if (optimizer.ParameterCount != Parameters.Length)
        {
            throw new ArgumentException(
                $"The optimizer is for {optimizer.ParameterCount} parameters; the network's Parameters.Length is {Parameters.Length}.",
                nameof(optimizer));
        }
    }
}
