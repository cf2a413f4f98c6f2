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
    /// <summary>The batch size, 1 or more.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>The rows of the set to evaluate; null for all. The list is copied.</summary>
    public IReadOnlyList<int>? Rows { get; init; }

    /// <summary>The transforms applied to each batch. Their seed is 0.</summary>
    public IReadOnlyList<BatchTransform<T>> Transforms { get; init; } = [];

    /// <summary>The threads to use; null for <see cref="ComputeContext.Default"/>.</summary>
    public ComputeContext? Compute { get; init; }
}

/// <summary>Computes the loss and the metrics of a network over a set, in inference. Equal parameters and state give equal bits.</summary>
/// <remarks>
/// Only one thread at a time may use an evaluator. Whatever the batch size, the loss is, within rounding, the loss of all rows in one batch:
/// for a mean, numerators and denominators of all batches are added before the division; sums are added.
/// </remarks>
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

    /// <summary>Makes an evaluator and allocates its buffers.</summary>
    /// <param name="network">The network. With metrics, it must have outputs.</param>
    /// <param name="set">The set, with a column for each input. Columns that only the losses need may be missing; then the loss is NaN.</param>
    /// <param name="metrics">The metrics. Their names must differ.</param>
    /// <param name="options">How to read the set.</param>
    /// <exception cref="ArgumentException">There are no rows, a column is missing or does not fit, two metrics have the same name, or a metric's
    /// output or target does not exist.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is below 1, or a row does not exist.</exception>
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
        _binding = BatchBinding<T>.Of(network.Definition, set, losses);
        _targets = [.. _metrics.Select(TargetOf)];
        _givesProbabilities = [.. _metrics.Select(metric =>
            network.Definition.MeaningOf(metric.Output ?? network.Definition.OutputNames.First()) == OutputMeaning.Distribution)];
        _losses = losses || network.Definition.Graph.Losses.Length == 0 ? new LossSums(network.Definition) : null;
        _rows = options.Rows?.ToArray();
        foreach (var row in _rows ?? [])
        {
            if ((uint)row >= (uint)set.Count)
                throw new ArgumentOutOfRangeException(nameof(options), row, $"The set has the rows 0 to {set.Count - 1}.");
        }

        Rows = _rows?.Length ?? set.Count;
        if (Rows == 0)
            throw new ArgumentException("There are no rows to evaluate. A small part of a split may be empty.", _rows is null ? nameof(set) : nameof(options));
        var capacity = Math.Min(Rows, options.BatchSize);
        _batch = set.CreateBatch(capacity);
        _batchRows = new int[capacity];
        _transforms = [.. options.Transforms];
        _scratch = [.. _transforms.Select(t => new T[t.ScratchFor(set.Columns)])];
        _workspace = network.CreateWorkspace(capacity, new WorkspaceOptions { Mode = WorkspaceMode.Inference, Losses = losses }, options.Compute);
    }

    /// <summary>The number of rows to evaluate.</summary>
    public int Rows { get; }

    /// <summary>The metrics, with the values of the last run.</summary>
    public IReadOnlyList<Metric<T>> Metrics => _metrics;

    /// <summary>Evaluates the network as it is.</summary>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <returns>The loss and the metrics.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
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
            name == "loss"
                ? "The validation set lacks a column that the loss needs."
                : $"The validation has no metric '{name}'; it has: {string.Join(", ", _metrics.Select(m => m.Name).Prepend("loss"))}.", argument);
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
                $"The name '{metric.Name}' is taken ('loss' always is). Pass another 'name' to {metric.GetType().Name.Split('`')[0]}.", "metrics");
        }

        var outputs = _network.Definition.OutputNames.ToList();
        if (metric.Output is null ? outputs.Count == 0 : !outputs.Contains(metric.Output))
        {
            throw new ArgumentException($"Metric '{metric.Name}' needs the output '{metric.Output ?? "(the first)"}'; "
                + $"the network's outputs are: {string.Join(", ", outputs)}.", "metrics");
        }

        for (var c = 0; c < _set.Columns.Length; c++)
        {
            var name = _set.Columns[c].Name;
            if (metric.Target is null ? name is "labels" or "targets" : name == metric.Target)
                return c;
        }

        throw new ArgumentException($"Metric '{metric.Name}' needs the column '{metric.Target ?? "labels or targets"}'; "
            + $"the set has: {string.Join(", ", _set.Columns.ToArray().Select(c => c.Name))}.", "metrics");
    }
}
