using Backprop.Simd.Execution;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <summary>What a workspace is for.</summary>
public enum WorkspaceMode
{
    /// <summary>Forward and backward: the workspace keeps values and caches, and has buffers for gradients.</summary>
    Training,

    /// <summary>Forward only: a buffer is reused when nothing reads its values any more.</summary>
    Inference,
}

/// <summary>Which nodes keep their values and gradients for the caller. Inputs, outputs and losses always do.</summary>
public sealed class Retain
{
    private readonly HashSet<string> _names;

    private Retain(bool all, IEnumerable<string> names)
    {
        IsAll = all;
        _names = [.. names];
    }

    /// <summary>No other node.</summary>
    public static Retain None { get; } = new(false, []);

    /// <summary>Every node.</summary>
    public static Retain All { get; } = new(true, []);

    internal bool IsAll { get; }

    internal IReadOnlyCollection<string> Names => _names;

    /// <summary>The named nodes.</summary>
    /// <param name="names">The names.</param>
    /// <returns>The choice.</returns>
    /// <exception cref="ArgumentException">The names, or one name, are null.</exception>
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

    /// <summary>The nodes whose values and gradients can be read after a pass.</summary>
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

    /// <summary>True to compute the gradients of the inputs.</summary>
    public bool InputGradients { get; init; }

    /// <summary>
    /// True to start backward from the outputs as well, with gradients that the caller writes. A network without a loss always does;
    /// its output gradients start as ones, which gives the gradient of the sum of the outputs.
    /// </summary>
    public bool OutputGradients { get; init; }

    /// <summary>
    /// True if the gradients of parameters can be read after <see cref="Network{T}.Step"/>. Otherwise a step may apply them
    /// without storing them, and reading them after it throws. After <see cref="Network{T}.Backward"/> they can always be read.
    /// </summary>
    public bool KeepGradients { get; init; }

    /// <summary>True to compute the losses in inference as well. Training always computes them.</summary>
    public bool Losses { get; init; }

    /// <summary>
    /// False to compute no gradients of parameters and to allocate no memory for them; reading or applying them throws. Set
    /// <see cref="InputGradients"/> too: gradients then pass through the network to its inputs. This suits a network that is part of
    /// a larger model and is not trained itself.
    /// </summary>
    public bool ParameterGradients { get; init; } = true;

    /// <summary>The options, with edges instead of names.</summary>
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
