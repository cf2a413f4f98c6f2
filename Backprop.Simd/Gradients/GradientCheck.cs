using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Gradients;

/// <summary>How a gradient check compares.</summary>
public enum GradientCheckMode
{
    /// <summary>Every element of every parameter and input: two forward passes each.</summary>
    Full,

    /// <summary>A few random directions per parameter and input: for large networks.</summary>
    RandomDirections,
}

/// <summary>How a gradient check runs.</summary>
public sealed record GradientCheckOptions
{
    /// <summary>Every element, or random directions.</summary>
    public GradientCheckMode Mode { get; init; }

    /// <summary>The h of the central difference.</summary>
    public double Step { get; init; } = NumericalGradient.DefaultStep;

    /// <summary>Directions per parameter and input, in that mode.</summary>
    public int Directions { get; init; } = 4;

    /// <summary>The seed of the directions, and of the data that a layer is checked on.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>Where the check puts a layer.</summary>
internal enum LayerSetting
{
    /// <summary>Between inputs and outputs alone.</summary>
    Alone,

    /// <summary>Between other nodes.</summary>
    Between,

    /// <summary>Between other nodes, with its gradients added to earlier ones.</summary>
    Adding,
}

/// <summary>
/// Compares the gradients that backward computes with numerical ones, in double. It differentiates the loss plus each
/// output times its output gradient, where the workspace has them.
/// </summary>
public static class GradientCheck
{
    /// <summary>Checks a network on the inputs of a workspace.</summary>
    /// <param name="network">The network; <see cref="Network{T}.ConvertTo{TOther}"/> makes one of a float network.</param>
    /// <param name="workspace">A training workspace with its inputs filled. With <see cref="WorkspaceOptions.InputGradients"/>
    /// the inputs are checked too. Bound inputs stay bound and unchanged.</param>
    /// <param name="options">How; all elements if null.</param>
    /// <returns>The report. Parameters, inputs and gradients are as after one forward and backward pass.</returns>
    /// <exception cref="ArgumentException">The workspace belongs to another network.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public static GradientCheckReport Run(Network<double> network, Workspace<double> workspace, GradientCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(workspace);
        return Run(network, workspace, options ?? new GradientCheckOptions(), accumulates: false);
    }

    /// <summary>With <paramref name="accumulates"/>, it checks the gradients of parameters that a second pass adds.</summary>
    private static GradientCheckReport Run(Network<double> network, Workspace<double> workspace, GradientCheckOptions options, bool accumulates)
    {
        SpanGuard.PositiveFinite(options.Step, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Directions, 1, nameof(options));

        // All analytic gradients first: every comparison below runs forward again, after which there are none.
        network.Forward(workspace);
        network.Backward(workspace);
        var parameters = network.Definition.Parameters.Entries.Where(p => !network.IsFrozen(p.Name)).ToArray();
        var inputs = workspace.InputsWithGradients().ToArray();
        var once = workspace.Gradients.ToArray();
        if (accumulates)
        {
            network.Backward(workspace, accumulate: true);
            for (var i = 0; i < once.Length; i++)
                workspace.Gradients[i] -= once[i];
        }

        var byParameters = Array.ConvertAll(parameters, p => workspace.ParameterGradientOf(p.Name).ToArray());
        var byInputs = Array.ConvertAll(inputs, i => workspace.GradientOf(i).ToArray());
        double Objective()
        {
            network.Forward(workspace);
            return workspace.Objective();
        }

        var random = new Philox(options.Seed, stream: 0x67726164);
        var entries = new List<GradientCheckEntry>();
        for (var i = 0; i < parameters.Length; i++)
        {
            entries.Add(Compare(parameters[i].Name, GradientOf.Parameter, parameters[i].Shape,
                network.ParameterOf(parameters[i].Name), byParameters[i], Objective, options, ref random));
        }

        for (var i = 0; i < inputs.Length; i++)
        {
            var wasBound = workspace.OwnInput(inputs[i], out var values);
            try
            {
                entries.Add(Compare(inputs[i], GradientOf.Input, workspace.TypeOf(inputs[i]).Shape,
                    values, byInputs[i], Objective, options, ref random));
            }
            finally
            {
                workspace.RestoreInput(inputs[i], wasBound);
            }
        }

        network.Forward(workspace);
        network.Backward(workspace);
        return new GradientCheckReport(entries);
    }

    /// <summary>
    /// Checks one layer, yours or the library's, on random parameters and inputs, with random gradients at its
    /// outputs: alone; between other nodes, where buffers are shared as far as its traits allow; and where its gradients
    /// are added to earlier ones.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">The types of its inputs.</param>
    /// <param name="rows">The rows of the batch.</param>
    /// <param name="options">How; all elements if null.</param>
    /// <param name="indices">The exclusive bound of random indices, for inputs of indices.</param>
    /// <param name="scale">The inputs are normal with this standard deviation.</param>
    /// <returns>The report, with an entry for each parameter and input: the worst of the three places. Parameters start normal with
    /// deviation 0.5, so that no zero hides an error.</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    public static GradientCheckReport Layer(Layer layer, IReadOnlyList<EdgeType> inputs, int rows, GradientCheckOptions? options = null, int indices = 1,
        double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(inputs);
        options ??= new GradientCheckOptions();
        var reports = Enum.GetValues<LayerSetting>()
            .Select(setting => Layer(layer, inputs, rows, options, indices, scale, setting)).ToArray();
        return new GradientCheckReport([.. reports[0].Entries.Select((_, i) => reports.Select(r => r.Entries[i]).MaxBy(e => e.Badness)!)]);
    }

    private static GradientCheckReport Layer(Layer layer, IReadOnlyList<EdgeType> inputs, int rows, GradientCheckOptions options, int indices, double scale,
        LayerSetting setting)
    {
        var graph = new GraphBuilder();
        var nodes = new Node[inputs.Count];
        for (var i = 0; i < nodes.Length; i++)
        {
            var dimensions = Enumerable.Range(0, inputs[i].Shape.Rank).Select(d => inputs[i].Shape[d]).ToArray();
            nodes[i] = inputs[i].Kind switch
            {
                EdgeKind.Values => graph.Input($"input{i}", inputs[i].Shape),
                EdgeKind.Indices => graph.IndexInput($"input{i}", dimensions),
                _ => graph.SharedInput($"input{i}", dimensions),
            };

            // A node before the layer, whose output the layer may overwrite if it works in place.
            if (setting != LayerSetting.Alone && inputs[i].Kind != EdgeKind.Indices)
                nodes[i] *= 0.5;
        }

        // A node behind the layer, which may overwrite its outputs if backward does not read them.
        foreach (var output in graph.ApplyAll(layer, nodes))
            graph.Output(setting == LayerSetting.Alone ? output : output * 2);

        // A second consumer behind the layer, so that backward comes to the layer second, and its gradients are added.
        foreach (var node in nodes)
        {
            if (setting == LayerSetting.Adding && node.Type.Kind != EdgeKind.Indices)
                graph.Output(node * 3);
        }

        var network = graph.Build().CreateNetwork<double>(options.Seed);
        var workspace = network.CreateWorkspace(rows,
            new WorkspaceOptions { InputGradients = true, OutputGradients = true }, ComputeContext.SingleThreaded);

        var random = new Philox(options.Seed, stream: 0x6c617965);
        foreach (var parameter in network.Definition.Parameters.Entries)
            FillNormal(network.ParameterOf(parameter.Name), 0.5, ref random);
        for (var i = 0; i < inputs.Count; i++)
        {
            if (inputs[i].Kind != EdgeKind.Indices)
            {
                // Twice as large where the node before the layer halves them.
                FillNormal(workspace.Input($"input{i}"), setting == LayerSetting.Alone ? scale : 2 * scale, ref random);
                continue;
            }

            foreach (ref var index in workspace.IndexInput($"input{i}"))
                index = (int)(random.NextDouble() * indices);
        }

        foreach (var output in network.Definition.OutputNames)
            FillNormal(workspace.OutputGradient(output), 1, ref random);
        return Run(network, workspace, options, accumulates: setting == LayerSetting.Adding);
    }

    private static GradientCheckEntry Compare(string name, GradientOf of, Shape shape, Span<double> variables, ReadOnlySpan<double> gradient,
        Func<double> objective, GradientCheckOptions options, ref Philox random)
    {
        var full = options.Mode == GradientCheckMode.Full;
        var analytic = full ? gradient.ToArray() : new double[options.Directions];
        var numerical = new double[analytic.Length];
        if (full)
        {
            NumericalGradient.Compute(objective, variables, numerical, options.Step);
        }
        else
        {
            var direction = new double[variables.Length];
            for (var d = 0; d < analytic.Length; d++)
            {
                FillNormal(direction, 1, ref random);
                var norm = Math.Sqrt(direction.Sum(x => x * x));
                for (var i = 0; i < direction.Length; i++)
                {
                    direction[i] /= norm;
                    analytic[d] += direction[i] * gradient[i];
                }

                numerical[d] = NumericalGradient.Directional(objective, variables, direction, options.Step);
            }
        }

        var (worst, sum, difference, left, right) = (0, 0.0, 0.0, 0.0, 0.0);
        for (var i = 0; i < analytic.Length; i++)
        {
            var distance = Math.Abs(analytic[i] - numerical[i]);
            if (double.IsNaN(distance) || distance > Math.Abs(analytic[worst] - numerical[worst]))
                worst = i;
            sum += distance;
            difference += distance * distance;
            left += analytic[i] * analytic[i];
            right += numerical[i] * numerical[i];
        }

        var norms = Math.Sqrt(left) + Math.Sqrt(right);
        return new GradientCheckEntry(name, of, shape, analytic.Length, worst, analytic[worst], numerical[worst],
            sum / analytic.Length, norms == 0 ? 0 : Math.Sqrt(difference) / norms);
    }

    private static void FillNormal(Span<double> values, double deviation, ref Philox random)
    {
        foreach (ref var value in values)
            value = deviation * random.NextNormal();
    }
}
