using Backprop.Simd.Execution;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <summary>What a workspace is for.</summary>
public enum WorkspaceMode
{
    /// <summary>Forward and backward: values and caches are kept, gradients have buffers.</summary>
    Training,

    /// <summary>Forward alone: buffers are reused as soon as their readers are done.</summary>
    Inference,
}

/// <summary>Which nodes keep their value and gradient for the caller. Inputs, outputs and losses always do.</summary>
public sealed class Retain
{
    private readonly HashSet<string> _names;

    private Retain(bool all, IEnumerable<string> names)
    {
        IsAll = all;
        _names = [.. names];
    }

    /// <summary>No further node.</summary>
    public static Retain None { get; } = new(false, []);

    /// <summary>Every node.</summary>
    public static Retain All { get; } = new(true, []);

    internal bool IsAll { get; }

    internal IReadOnlyCollection<string> Names => _names;

    /// <summary>The named nodes.</summary>
    /// <param name="names">The names.</param>
    /// <returns>The choice.</returns>
    /// <exception cref="ArgumentException">The names are null, or one of them is.</exception>
    public static Retain Nodes(params IEnumerable<string> names) => new(false, NullGuard.Filled(names));
}

/// <summary>How a workspace is made.</summary>
public sealed record WorkspaceOptions
{
    /// <summary>Training with nothing retained.</summary>
    public static WorkspaceOptions Training { get; } = new();

    /// <summary>Inference: outputs only.</summary>
    public static WorkspaceOptions Inference { get; } = new() { Mode = WorkspaceMode.Inference };

    /// <summary>Training or inference.</summary>
    public WorkspaceMode Mode { get; init; } = WorkspaceMode.Training;

    /// <summary>The nodes whose values and gradients can be read afterwards.</summary>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public Retain Retain
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = Retain.None;

    /// <summary>True to compute the gradients by the inputs, and so dX of the first layer.</summary>
    public bool InputGradients { get; init; }

    /// <summary>
    /// True to start backward from the outputs too, with gradients that the caller writes. Always so in a network without a
    /// loss, where they start as ones: the gradient of the sum of the outputs.
    /// </summary>
    public bool OutputGradients { get; init; }

    /// <summary>
    /// True to keep the parameters' gradients readable after <see cref="Network{T}.Step"/>. Otherwise a step may apply them as
    /// it makes them, without storing them, and reading them after a step throws. After
    /// <see cref="Network{T}.Backward"/> they are always there.
    /// </summary>
    public bool KeepGradients { get; init; }

    /// <summary>True to compute the losses in inference as well; training always does.</summary>
    public bool Losses { get; init; }

    /// <summary>
    /// False for gradients that pass through the network and stop at no parameter: those of inputs and nodes, with
    /// <see cref="InputGradients"/>. Backward then computes no gradient of a parameter, there is no memory for them, and what reads or
    /// applies them throws. A part of a larger program that is not trained itself needs no more.
    /// </summary>
    public bool ParameterGradients { get; init; } = true;

    /// <summary>The options with edges for names.</summary>
    internal PlanOptions ToPlan(NetworkDefinition definition)
    {
        var retained = new bool[definition.Graph.Edges.Length];
        if (Retain.IsAll)
            Array.Fill(retained, true);
        foreach (var name in Retain.Names)
            retained[definition.EdgeOf(name)] = true;
        return new PlanOptions
        {
            Training = Mode == WorkspaceMode.Training,
            Losses = Losses,
            InputGradients = InputGradients,
            OutputGradients = OutputGradients,
            ParameterGradients = ParameterGradients,
            KeepGradients = KeepGradients,
            Retained = retained,
        };
    }
}
