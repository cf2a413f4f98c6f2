using System.Diagnostics;
using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Training;

/// <summary>How an <see cref="Evaluator{T}"/> reads its set.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed record EvaluatorOptions<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The rows of a batch, 1 or more.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>The rows of the set that are evaluated, copied; null for all.</summary>
    public IReadOnlyList<int>? Rows { get; init; }

    /// <summary>What is done to a batch before the network sees it: normalization. They get the seed 0.</summary>
    public IReadOnlyList<BatchTransform<T>> Transforms { get; init; } = [];

    /// <summary>The threads; <see cref="ComputeContext.Default"/> if null.</summary>
    public ComputeContext? Compute { get; init; }
}

/// <summary>Computes loss and metrics of a network over a set, in inference: the same bits whenever parameters and state are the same.</summary>
/// <remarks>One thread at a time uses it. The loss is that of all rows in one batch, within rounding, whatever the size of the batches: a mean
/// divides by what all batches together divide by, a sum adds up.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Evaluator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly Dataset<T> _set;
    private readonly Workspace<T> _workspace;
    private readonly BatchBinding<T> _binding;
    private readonly Batch<T> _batch;
    private readonly BatchTransform<T>[] _transforms;
    private readonly T[][] _scratch;
    private readonly Metric<T>[] _metrics;
    private readonly int[] _targets;
    private readonly bool[] _givesProbabilities;
    private readonly LossSums? _losses;
    private readonly int[]? _rows;
    private readonly int[] _batchRows;

    /// <summary>Makes an evaluator, its buffers included.</summary>
    /// <param name="network">The network; it must have outputs if there are metrics.</param>
    /// <param name="set">The set: a column for each input. What only the losses need may be missing; the loss is NaN then.</param>
    /// <param name="metrics">The metrics, each with a name of its own.</param>
    /// <param name="options">How the set is read.</param>
    /// <exception cref="ArgumentException">There are no rows, a column is missing or does not fit, two metrics have one name, or a metric's
    /// output or target does not exist.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is below 1, or a row names no example.</exception>
    public Evaluator(Network<T> network, Dataset<T> set, IEnumerable<Metric<T>>? metrics = null, EvaluatorOptions<T>? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(set);
        options ??= new EvaluatorOptions<T>();
        NullGuard.Filled(options.Transforms, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1, nameof(options));
        _network = network;
        _set = set;
        _metrics = [.. metrics ?? []];
        var losses = BatchBinding<T>.HasLosses(network.Definition, set);
        _binding = new BatchBinding<T>(network.Definition, set, losses);
        _targets = [.. _metrics.Select(TargetOf)];
        _givesProbabilities = [.. _metrics.Select(m => network.Definition.MeaningOf(m.Output ?? network.Definition.OutputNames.First()) == OutputMeaning.Distribution)];
        _losses = losses || network.Definition.Graph.Losses.Length == 0 ? new LossSums(network.Definition) : null;
        _rows = options.Rows?.ToArray();
        foreach (var row in _rows ?? [])
        {
            if ((uint)row >= (uint)set.Count)
                throw new ArgumentOutOfRangeException(nameof(options), row, $"The set has the rows 0 to {set.Count - 1}.");
        }

        Rows = _rows?.Length ?? set.Count;
        if (Rows == 0)
            throw new ArgumentException("There are no rows to evaluate: a small part of a split may have none.", _rows is null ? nameof(set) : nameof(options));
        var capacity = Math.Min(Rows, options.BatchSize);
        _batch = set.CreateBatch(capacity);
        _batchRows = new int[capacity];
        _transforms = [.. options.Transforms];
        _scratch = [.. _transforms.Select(t => new T[t.ScratchFor(set.Columns)])];
        _workspace = network.CreateWorkspace(capacity, new WorkspaceOptions { Mode = WorkspaceMode.Inference, Losses = losses }, options.Compute);
    }

    /// <summary>The rows that are evaluated.</summary>
    public int Rows { get; }

    /// <summary>The metrics, as the last run has left them.</summary>
    public IReadOnlyList<Metric<T>> Metrics => _metrics;

    /// <summary>Evaluates the network as it is.</summary>
    /// <param name="cancellation">Looked at before each batch.</param>
    /// <returns>Loss and metrics.</returns>
    /// <exception cref="OperationCanceledException">The token was set.</exception>
    public Evaluation Run(CancellationToken cancellation = default)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var metric in _metrics)
            metric.Reset();
        _losses?.Clear();
        for (var first = 0; first < Rows; first += _batch.Capacity)
        {
            cancellation.ThrowIfCancellationRequested();
            var rows = _batchRows.AsSpan(0, Math.Min(_batch.Capacity, Rows - first));
            for (var i = 0; i < rows.Length; i++)
                rows[i] = _rows is null ? first + i : _rows[first + i];
            _set.Read(rows, _batch);
            _batch.Cursor = new DataCursor(0, first / _batch.Capacity);
            for (var t = 0; t < _transforms.Length; t++)
                _transforms[t].Apply(_batch, _scratch[t], 0);
            _binding.Bind(_workspace, _batch);
            _network.Forward(_workspace);
            _losses?.Add(_workspace);
            for (var m = 0; m < _metrics.Length; m++)
                Add(m);
        }

        return new Evaluation(
            Rows, _losses is { TakesPart: true } losses ? losses.Value : double.NaN,
            [.. _metrics.Select(m => new MetricValue(m.Name, m.Value))], Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    internal void RequireMetric(string name, string argument)
    {
        if (name == "loss" ? BatchBinding<T>.HasLosses(_network.Definition, _set) : _metrics.Any(m => m.Name == name))
            return;
        throw new ArgumentException(
            name == "loss" ? "The validation set has not what the loss needs." : $"The validation has no metric '{name}'; it has: {string.Join(", ", _metrics.Select(m => m.Name).Prepend("loss"))}.", argument);
    }

    internal bool LargerIsBetter(string name) => name != "loss" && _metrics.First(m => m.Name == name).LargerIsBetter;

    internal bool Evaluates(Network<T> network) => ReferenceEquals(_network, network);

    private void Add(int metric)
    {
        var (outputs, target, probabilities) = (_metrics[metric].Output, _targets[metric], _givesProbabilities[metric]);
        _metrics[metric].Add(_set.Columns[target] is IndexColumn
            ? new MetricBatch<T>(_batch.Rows, _workspace.Output(outputs), _batch.Indices(target)) { GivesProbabilities = probabilities }
            : new MetricBatch<T>(_batch.Rows, _workspace.Output(outputs), (ReadOnlySpan<T>)_batch.Values(target)) { GivesProbabilities = probabilities });
    }

    private int TargetOf(Metric<T> metric)
    {
        ArgumentNullException.ThrowIfNull(metric, "metrics");
        if (metric.Name == "loss" || _metrics.Count(m => m?.Name == metric.Name) > 1)
        {
            throw new ArgumentException(
                $"The name '{metric.Name}' is taken: give {metric.GetType().Name.Split('`')[0]} another one by its argument 'name'; 'loss' is the loss.", "metrics");
        }

        var outputs = _network.Definition.OutputNames.ToList();
        if (metric.Output is null ? outputs.Count == 0 : !outputs.Contains(metric.Output))
            throw new ArgumentException($"Metric '{metric.Name}' looks at the output '{metric.Output ?? "(the first)"}'; the network's outputs are: {string.Join(", ", outputs)}.", "metrics");
        for (var c = 0; c < _set.Columns.Length; c++)
        {
            var name = _set.Columns[c].Name;
            if (metric.Target is null ? name is "labels" or "targets" : name == metric.Target)
                return c;
        }

        throw new ArgumentException($"Metric '{metric.Name}' compares with the column '{metric.Target ?? "labels or targets"}'; the set has: {string.Join(", ", _set.Columns.ToArray().Select(c => c.Name))}.", "metrics");
    }
}
