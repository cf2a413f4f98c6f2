using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Inference;

/// <summary>Opens a model file to serve it.</summary>
public static class Predictor
{
    /// <summary>Opens a model and makes a predictor of it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="path">A file that <see cref="Model{T}"/> or <see cref="NetworkFiles"/> wrote.</param>
    /// <param name="options">Sizes, threads and names; null for the defaults.</param>
    /// <returns>The predictor.</returns>
    /// <exception cref="ModelFileException">The file is damaged, holds no graph, or has a layer whose kind is not registered.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static Predictor<T> Load<T>(string path, PredictorOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => new(Model.Load<T>(path), options);
}

/// <content>Names of classes and columns, rows of indices, and whole sets.</content>
public sealed partial class Predictor<T>
{
    private readonly Model<T>? _model;

    /// <summary>Makes a predictor of a model, with its names.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Sizes, threads and names; null for the defaults.</param>
    /// <exception cref="ArgumentException">The network has no output, or it lacks an input or output named in the options.</exception>
    public Predictor(Model<T> model, PredictorOptions? options = null)
        : this((model ?? throw new ArgumentNullException(nameof(model))).Network, options) => _model = model;

    /// <summary>The names of the classes of the output, from the model; empty if there are none.</summary>
    public IReadOnlyList<string> ClassNames => _model?.ClassNames.TryGetValue(_pool.Form.Output, out var names) == true ? names : [];

    /// <summary>The names of the columns of the input, from the model; empty if there are none.</summary>
    public IReadOnlyList<string> ColumnNames => _model?.ColumnNames.TryGetValue(_pool.Form.Input, out var names) == true ? names : [];

    /// <summary>Computes the name of the class of one row: <see cref="PredictClass"/>, in words.</summary>
    /// <param name="row">The numbers of one row.</param>
    /// <returns>The name.</returns>
    /// <exception cref="ArgumentException">The numbers are not one row.</exception>
    /// <exception cref="InvalidOperationException">The model has no class names for the output, or as for <see cref="PredictClass"/>.</exception>
    public string PredictName(ReadOnlySpan<T> row)
    {
        var names = Names();
        return names[PredictClass(row)];
    }

    /// <summary>Computes the name of the class of one row of indices: a network whose only input are indices.</summary>
    /// <param name="row">The integers of one row.</param>
    /// <returns>The name.</returns>
    /// <exception cref="ArgumentException">The integers are not one row, or one is out of range.</exception>
    /// <exception cref="InvalidOperationException">The model has no class names for the output, a row has several classes, or as for
    /// <see cref="PredictFromIndices"/>.</exception>
    public string PredictNameFromIndices(ReadOnlySpan<int> row)
    {
        var (names, form) = (Names(), _pool.Form);
        if (form.Positions != 1)
            throw new InvalidOperationException($"The output '{form.Output}' {form.OutputType.Shape} has {form.Positions} classes per row.");
        var size = _pool.Network.Definition.TypeOf(IndexInput(_pool)).Shape.Size;
        if (row.Length != size)
            throw new ArgumentException($"A row takes {size} integers; got {row.Length}.", nameof(row));
        var outputs = new T[form.OutputSize];
        PredictFromIndices(row, outputs);
        return names[TensorPrimitives.IndexOfMax<T>(outputs)];
    }

    /// <summary>Computes the outputs of one row whose columns are given by name, in any order: <c>Predict(("age", 41), ("rooms", 3))</c>.</summary>
    /// <param name="row">A number for each column of each input that the output depends on. The columns of an input [n] have the names that the
    /// model gives them (<see cref="Model{T}.ColumnNames"/>); an input of one number, or of one index, is a column of its own name.</param>
    /// <returns>The outputs.</returns>
    /// <exception cref="ArgumentException">A column is missing, given twice, or not known, or an index is no integer.</exception>
    /// <exception cref="InvalidOperationException">The model has no column names for an input, two inputs have a column of the same name, or the
    /// output is not numbers per row.</exception>
    public T[] Predict(params ReadOnlySpan<(string Column, double Value)> row)
    {
        var pool = _pool;
        var form = pool.Form;
        if (form.OutputType.Kind != EdgeKind.Values)
            throw new InvalidOperationException($"The output '{form.Output}' is {form.OutputType}, not numbers per row.");
        var columns = ColumnsOf(pool.Network.Definition);
        var values = new double?[columns.Count];
        foreach (var (column, value) in row)
        {
            var at = columns.FindIndex(known => known.Name == column);
            if (at < 0)
                throw new ArgumentException($"There is no column '{column}'; the columns are: {string.Join(", ", columns.Select(c => c.Name))}.", nameof(row));
            if (values[at] is not null)
                throw new ArgumentException($"The column '{column}' is given twice.", nameof(row));
            if (columns[at].IsIndex && value != (int)value)
                throw new ArgumentException($"The column '{column}' is an index, an integer; got {value}.", nameof(row));
            values[at] = value;
        }

        if (Array.IndexOf(values, null) is >= 0 and var missing)
            throw new ArgumentException($"The column '{columns[missing].Name}' is missing.", nameof(row));
        using var lease = Rent(pool, 1);
        for (var i = 0; i < values.Length; i++)
        {
            var (input, place) = (columns[i].Input, columns[i].Place);
            if (columns[i].IsIndex)
                lease.Workspace.IndexInput(input)[place] = (int)values[i]!.Value;
            else
                lease.Workspace.Input(input)[place] = T.CreateSaturating(values[i]!.Value);
        }

        lease.Forward();
        return lease.Workspace.Output(form.Output).ToArray();
    }

    /// <summary>Computes the outputs of a batch of rows of indices: a network whose only input are indices.</summary>
    /// <param name="indices">rows x size integers; may be empty.</param>
    /// <param name="outputs">Receives rows x size numbers. The rest of a longer span is not changed.</param>
    /// <exception cref="ArgumentException">The indices are not whole rows, one is out of range, or the outputs are too short.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input of indices: see <see cref="Rent(int)"/>.</exception>
    public void PredictFromIndices(ReadOnlySpan<int> indices, Span<T> outputs)
    {
        var (pool, form, input) = (_pool, _pool.Form, IndexInput(_pool));
        var type = pool.Network.Definition.TypeOf(input);
        var size = type.Shape.Size;
        var (rows, rest) = Math.DivRem(indices.Length, size);
        if (rest != 0)
            throw new ArgumentException($"Each row of '{input}' {type.Shape} takes {size} integers; got {indices.Length}.", nameof(indices));
        CheckLength(outputs.Length, rows, form.OutputSize, nameof(outputs));
        for (var first = 0; first < rows; first += MaximumRows)
        {
            using var lease = Rent(pool, Math.Min(MaximumRows, rows - first));
            var count = lease.Workspace.Rows;
            indices.Slice(first * size, count * size).CopyTo(lease.Workspace.IndexInput(input));
            lease.Forward();
            lease.Workspace.Output(form.Output).CopyTo(outputs[(first * form.OutputSize)..]);
        }
    }

    /// <summary>Computes the outputs of all rows of a set, whose columns are named as the network's inputs: several inputs, also of indices.</summary>
    /// <param name="set">The set; it needs a column for each input that the output depends on.</param>
    /// <param name="outputs">Receives rows x size numbers. The rest of a longer span is not changed.</param>
    /// <exception cref="ArgumentException">A column is missing or of another shape, or the outputs are too short.</exception>
    /// <exception cref="InvalidOperationException">The output is not numbers per row, or the network has shared inputs.</exception>
    public void Predict(Dataset<T> set, Span<T> outputs)
    {
        ArgumentNullException.ThrowIfNull(set);
        var pool = _pool;
        var form = pool.Form;
        if (form.OutputType.Kind != EdgeKind.Values)
            throw new InvalidOperationException($"The output '{form.Output}' is {form.OutputType}, not numbers per row.");
        CheckLength(outputs.Length, set.Count, form.OutputSize, nameof(outputs));
        var batch = set.CreateBatch(Math.Min(MaximumRows, Math.Max(1, set.Count)));
        var rows = new int[batch.Capacity];
        for (var first = 0; first < set.Count; first += rows.Length)
        {
            var count = Math.Min(rows.Length, set.Count - first);
            for (var i = 0; i < count; i++)
                rows[i] = first + i;
            set.Read(rows.AsSpan(0, count), batch);
            using var lease = Rent(pool, count);
            lease.Workspace.Bind(batch);
            lease.Forward();
            lease.Workspace.Output(form.Output).CopyTo(outputs[(first * form.OutputSize)..]);
        }
    }

    /// <summary>The names of the classes; throws if there are none.</summary>
    private IReadOnlyList<string> Names() => ClassNames is { Count: > 0 } names ? names
        : throw new InvalidOperationException($"There are no class names for '{_pool.Form.Output}': set {nameof(Model<>.ClassNames)} of the model, or "
            + $"{nameof(PredictorOptions.Output)} to the output that has them.");

    /// <summary>The only input that the outputs depend on; throws unless it is of indices.</summary>
    private static string IndexInput(WorkspacePool<T> pool)
    {
        var definition = pool.Network.Definition;
        var inputs = definition.RequiredInputs(WorkspaceOptions.Inference).ToArray();
        return inputs is [var input] && definition.TypeOf(input).Kind == EdgeKind.Indices && pool.Form.OutputType.Kind == EdgeKind.Values ? input
            : throw new InvalidOperationException(
                $"The outputs depend on {string.Join(", ", inputs.Select(i => $"'{i}' {definition.TypeOf(i)}"))}, not on one input of indices per row.");
    }

    /// <summary>The columns of all inputs that the outputs depend on.</summary>
    private List<(string Name, string Input, int Place, bool IsIndex)> ColumnsOf(NetworkDefinition definition)
    {
        var columns = new List<(string Name, string Input, int Place, bool IsIndex)>();
        foreach (var input in definition.RequiredInputs(WorkspaceOptions.Inference))
        {
            var type = definition.TypeOf(input);
            IReadOnlyList<string> names = _model?.ColumnNames.TryGetValue(input, out var given) == true ? given : type.Shape.Size == 1 ? [input] : [];
            if (type.Kind == EdgeKind.Shared || names.Count == 0)
            {
                var way = type is { Kind: EdgeKind.Values, Shape.Rank: 1 } ? $"set {nameof(Model<>.ColumnNames)} of the model"
                    : "use Predict with a data set, or rent a workspace";
                throw new InvalidOperationException($"The columns of '{input}' {type} have no names: {way}.");
            }

            for (var i = 0; i < names.Count; i++)
            {
                if (columns.Find(column => column.Name == names[i]) is { Name: not null } twice)
                    throw new InvalidOperationException($"The inputs '{twice.Input}' and '{input}' both have a column '{names[i]}'.");
                columns.Add((names[i], input, i, type.Kind == EdgeKind.Indices));
            }
        }

        return columns;
    }
}
