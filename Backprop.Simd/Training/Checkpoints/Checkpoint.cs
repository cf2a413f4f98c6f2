using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Training;

/// <summary>The names in a checkpoint.</summary>
internal static class Checkpoint
{
    public const string FormatKey = "format", Format = "backprop.simd.checkpoint", VersionKey = "version", Version = "1", StateKey = "training";

    /// <summary>The prefix of tensors that are not parameters or state of the network.</summary>
    public const char Mark = '@';

    public const string Average = "@average", BestParameters = "@best/parameters", BestState = "@best/state", Optimizer = "@optimizer/", User = "user.";

    public static string NameOf(Type optimizer)
    {
        var name = optimizer.Name;
        var end = name.IndexOf('`', StringComparison.Ordinal);
        return end < 0 ? name : name[..end];
    }
}

/// <summary>
/// A checkpoint in memory. On disk it is a safetensors file with a checksum: parameters and state under their names, other tensors under
/// names with a prefix, and the rest as JSON in the metadata.
/// </summary>
internal sealed class Checkpoint<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly string _path;
    private readonly Dictionary<string, T[]> _tensors = [];

    /// <summary>The graph with all settings; null if the network has layers that are not registered, or an earlier version wrote the file.</summary>
    private readonly string? _graph;

    private Checkpoint(string path, TrainingState state, string? graph)
    {
        _path = path;
        _graph = graph;
        State = state;
    }

    public TrainingState State { get; }

    public T[] Tensor(string name) => _tensors[name];

    public static void Write(string path, Trainer<T> trainer, TrainingState state)
    {
        var writer = new SafetensorsWriter { Checksum = true };
        writer.AddMetadata(Checkpoint.FormatKey, Checkpoint.Format);
        writer.AddMetadata(Checkpoint.VersionKey, Checkpoint.Version);
        writer.AddMetadata(Checkpoint.StateKey, JsonSerializer.Serialize(state, TrainingStateJson.Default.TrainingState));
        if (GraphText.TryWrite(trainer.Network.Definition) is { } graph)
        {
            writer.AddMetadata(NetworkFiles.GraphKey, graph);
            writer.AddMetadata(NetworkFiles.SeedKey, trainer.Network.Seed.ToString(CultureInfo.InvariantCulture));
        }

        foreach (var (key, value) in trainer.Options.Checkpoints?.Metadata ?? new Dictionary<string, string>())
            writer.AddMetadata(Checkpoint.User + key, value);
        foreach (var (name, shape, values) in Expected(trainer, state))
            writer.Add(name, shape, values());
        writer.Write(path);
    }

    /// <summary>Reads the whole file and compares it with its checksum.</summary>
    public static Checkpoint<T> Read(string path)
    {
        try
        {
            using var file = SafetensorsFile.Open(path);
            file.VerifyChecksum();
            if (file.FindMetadata(Checkpoint.FormatKey) != Checkpoint.Format)
            {
                throw new CheckpointException($"'{path}' is not a checkpoint: its metadata has the format '{file.FindMetadata(Checkpoint.FormatKey)}' "
                    + $"instead of '{Checkpoint.Format}'.");
            }

            if (file.FindMetadata(Checkpoint.VersionKey) is var version && version != Checkpoint.Version)
                throw new CheckpointException($"'{path}' has version '{version}'; this library reads version {Checkpoint.Version}.");
            var state = JsonSerializer.Deserialize(file.FindMetadata(Checkpoint.StateKey) ?? "null", TrainingStateJson.Default.TrainingState)
                ?? throw new CheckpointException($"'{path}' has no '{Checkpoint.StateKey}' in its metadata.");
            if (state.ElementType != typeof(T).Name)
            {
                throw new CheckpointException(
                    $"'{path}' belongs to another training: its element type is {state.ElementType}; this training uses {typeof(T).Name}.");
            }

            if (NormalizationTensors.Columns(file) is { } columns)
            {
                throw new CheckpointException($"'{path}' belongs to a training that normalized {columns} outside the network, as an earlier version of "
                    + "this library did. It cannot be resumed; its network can be loaded.");
            }

            var checkpoint = new Checkpoint<T>(path, state, file.FindMetadata(NetworkFiles.GraphKey));
            foreach (var tensor in file.Tensors)
                checkpoint._tensors.Add(tensor.Name, tensor.ToArray<T>());
            return checkpoint;
        }
        catch (Exception error) when (error is ModelFileException or JsonException)
        {
            throw new CheckpointException($"'{path}' is damaged: {error.Message}", error);
        }
    }

    /// <summary>Checks that the checkpoint belongs to this training.</summary>
    public void Require(string graph, LoaderState loader, Trainer<T> trainer)
    {
        Same("graph", State.Graph, graph);
        Same("seed of the network", State.NetworkSeed, trainer.Network.Seed);
        Same("batches", State.Loader, loader);
        Same("number of losses", State.EpochLosses.Length, trainer.Network.Definition.Graph.Losses.Length);
        Same("optimizer", State.Optimizer, Checkpoint.NameOf(trainer.Optimizer.GetType()));
        Same("moving average", State.AverageUpdates is not null, trainer.Options.Average is not null);
        Same("reduction on a plateau", State.Plateau is not null, trainer.Options.Plateau is not null);
        Same("monitor of the plateau", State.PlateauMonitor, trainer.Options.Plateau is null ? null : trainer.Options.PlateauMonitor);
        if (State.Best is { } best && trainer.Options.EarlyStopping is { } early)
        {
            Same("monitor of early stopping", best.Monitor, early.Monitor);
            Same("direction of early stopping (larger is better)", best.LargerIsBetter, trainer.LargerIsBetter(early));
        }

        var expected = Expected(trainer, State).ToDictionary(e => e.Name, e => e.Shape.Aggregate(1L, (product, size) => product * size));
        foreach (var (name, length) in expected)
        {
            if (!_tensors.TryGetValue(name, out var values))
                throw new CheckpointException($"'{_path}' belongs to another training: it has no '{name}'.");
            if (values.Length != length)
                throw new CheckpointException($"'{_path}' belongs to another training: '{name}' has {values.Length} elements; expected {length}.");
        }

        foreach (var name in _tensors.Keys)
        {
            if (!expected.ContainsKey(name))
                throw new CheckpointException($"'{_path}' belongs to another training: it has '{name}', which this training does not have.");
        }

        if (_graph is not null && GraphText.TryWrite(trainer.Network.Definition) is { } own && Difference(own, trainer.Network.Definition) is { } difference)
            throw new CheckpointException($"'{_path}' belongs to another training: its graph differs. {difference}");

        foreach (var (name, values) in _tensors)
        {
            if (!Reductions.AllFinite<T>(values))
                throw new CheckpointException($"'{_path}' is damaged: '{name}' has numbers that are infinite or NaN.");
        }

        if (TrainingStateRules.Fault<T>(State, trainer.Batches.BatchesPerEpoch, trainer.Network.Definition) is { } fault)
            throw new CheckpointException($"'{_path}' is damaged: it has {fault}.");
    }

    /// <summary>Writes parameters, state and the optimizer's blocks.</summary>
    public void CopyWeights(Trainer<T> trainer)
    {
        var network = trainer.Network;
        network.Parameters.Clear();
        network.State.Clear();
        foreach (var entry in network.Definition.Parameters.Entries)
            Tensor(entry.Name).CopyTo(network.ParameterOf(entry.Name));
        foreach (var entry in network.Definition.State.Entries)
            Tensor(entry.Name).CopyTo(network.StateOf(entry.Name));
        foreach (var name in trainer.Optimizer.StateNames)
            Tensor(Checkpoint.Optimizer + name).CopyTo(trainer.Optimizer.State(name));
    }

    /// <summary>All tensors of a training in this state, with their current values.</summary>
    private static List<(string Name, long[] Shape, Func<ReadOnlyMemory<T>> Values)> Expected(Trainer<T> trainer, TrainingState state)
    {
        var network = trainer.Network;
        var all = new List<(string, long[], Func<ReadOnlyMemory<T>>)>();
        foreach (var entry in network.Definition.Parameters.Entries)
            all.Add((Unmarked(entry.Name), Dimensions(entry.Shape), () => network.Blocks.Parameters.Memory.Slice(entry.Range.Start, entry.Range.Length)));
        foreach (var entry in network.Definition.State.Entries)
            all.Add((Unmarked(entry.Name), Dimensions(entry.Shape), () => network.Blocks.State.Memory.Slice(entry.Range.Start, entry.Range.Length)));
        foreach (var name in trainer.Optimizer.StateNames)
            all.Add((Checkpoint.Optimizer + name, [trainer.Optimizer.StateMemory(name).Length], () => trainer.Optimizer.StateMemory(name)));
        if (trainer.Options.Average is { } average)
            all.Add((Checkpoint.Average, [average.ParameterCount], () => average.Memory));
        if (state.Best is { HasWeights: true })
        {
            all.Add((Checkpoint.BestParameters, [network.Parameters.Length], () => trainer.BestParameters));
            all.Add((Checkpoint.BestState, [network.State.Length], () => trainer.BestState));
        }

        return all;
    }

    private static string Unmarked(string name) => name[0] != Checkpoint.Mark
        ? name
        : throw new NotSupportedException($"'{name}' cannot be saved: in a checkpoint, names that start with '{Checkpoint.Mark}' are reserved.");

    private static long[] Dimensions(Shape shape) => [.. Enumerable.Range(0, shape.Rank).Select(i => (long)shape[i])];

    private string? Difference(string own, NetworkDefinition network)
    {
        try
        {
            return GraphComparison.Difference(_graph!, own, network);
        }
        catch (ModelFileException error)
        {
            throw new CheckpointException($"'{_path}' is damaged: {error.Message}", error);
        }
    }

    private void Same<TValue>(string what, TValue saved, TValue here)
    {
        if (!EqualityComparer<TValue>.Default.Equals(saved, here))
            throw new CheckpointException($"'{_path}' belongs to another training: its {what}: {saved}; here: {here}.");
    }
}
