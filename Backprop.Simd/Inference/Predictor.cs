using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Inference;

/// <summary>
/// Inference for many threads at once. Any thread may call any member at any time. Each call borrows a workspace from a pool and waits if none
/// is free. No lock is held during the computation.
/// </summary>
/// <remarks>
/// <para>A batch of up to <see cref="MaximumRows"/> rows gives the same bits as in a workspace of its own, whatever other threads do. A longer
/// batch is cut into pieces of <see cref="MaximumRows"/> rows. A row alone and the same row in a batch agree only within rounding.</para>
/// <para>Nothing is allocated once the workspaces exist and each thread has its packing space: see
/// <see cref="PredictorOptions.Preallocate"/>. A slot of the pool has a workspace for one row and one for <see cref="MaximumRows"/> rows. Each
/// is made at its first use, so that a service for single rows holds no large buffers. There is nothing to dispose.</para>
/// <para>A predictor reads the network's own parameters. If another thread trains the network, calls see a mix of old and new numbers. With
/// <see cref="PredictorOptions.Snapshot"/> the predictor has its own copy, and <see cref="Update"/> replaces it.</para>
/// <para>Do not call the predictor while you hold a lease: if no other workspace is free, the call waits for ever.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed partial class Predictor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PredictorOptions _options;
    private volatile WorkspacePool<T> _pool;

    /// <summary>Makes a predictor.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">Sizes, threads and names; null for the defaults.</param>
    /// <exception cref="ArgumentException">The network has no output, or it lacks an input or output named in the options.</exception>
    /// <exception cref="ArgumentOutOfRangeException">With <see cref="PredictorOptions.Preallocate"/>: the buffers for
    /// <see cref="PredictorOptions.MaximumRows"/> rows are too large. Without it, the first large batch throws.</exception>
    public Predictor(Network<T> network, PredictorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        _options = options ?? new PredictorOptions();
        _pool = new WorkspacePool<T>(Own(network), _options);
    }

    /// <summary>The network in use: the given one, or its copy.</summary>
    public Network<T> Network => _pool.Network;

    /// <summary>The largest number of rows computed at once.</summary>
    public int MaximumRows => _options.MaximumRows;

    /// <summary>The largest number of callers that compute at once.</summary>
    public int MaximumConcurrency => _options.MaximumConcurrency;

    /// <summary>The bytes of all workspaces made so far.</summary>
    public long Bytes => _pool.Bytes;

    /// <summary>The shape of an input row.</summary>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input.</exception>
    public Shape InputShape => Rows(_pool).InputType.Shape;

    /// <summary>The shape of an output row.</summary>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input.</exception>
    public Shape OutputShape => Rows(_pool).OutputType.Shape;

    /// <summary>Computes the outputs of a batch.</summary>
    /// <param name="inputs">rows x size numbers; may be empty.</param>
    /// <param name="outputs">Receives rows x size numbers. It must not overlap <paramref name="inputs"/>. The rest of a longer span is not
    /// changed.</param>
    /// <exception cref="ArgumentException">The inputs are not whole rows, the outputs are too short, or the two overlap.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input: see <see cref="Rent(int)"/>.</exception>
    public void Predict(ReadOnlySpan<T> inputs, Span<T> outputs)
    {
        var pool = _pool;
        var rows = RowsOf(pool, inputs);
        CheckDestination(inputs, outputs, rows, pool.Form.OutputSize, nameof(outputs));
        Run(pool, inputs, rows, new CopySink<T>(outputs));
    }

    /// <summary>
    /// Computes the class probabilities of a batch: the softmax over the output's last dimension, or the output itself if it comes from a
    /// <see cref="Softmax"/> layer.
    /// </summary>
    /// <param name="inputs">rows x size numbers.</param>
    /// <param name="probabilities">Receives rows x size numbers. It must not overlap <paramref name="inputs"/>. The rest of a longer span is not
    /// changed.</param>
    /// <exception cref="ArgumentException">As for <see cref="Predict(ReadOnlySpan{T}, Span{T})"/>.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input, or its output has one number per
    /// position.</exception>
    public void PredictProbabilities(ReadOnlySpan<T> inputs, Span<T> probabilities)
    {
        var pool = _pool;
        var rows = RowsOf(pool, inputs);
        pool.Form.RequireClasses();
        CheckDestination(inputs, probabilities, rows, pool.Form.OutputSize, nameof(probabilities));
        Run(pool, inputs, rows, new SoftmaxSink<T>(probabilities));
    }

    /// <summary>
    /// Computes the classes of a batch: for each row, or each position of a sequence, the index of the largest output along the last
    /// dimension. Of equal outputs the first counts; the first NaN counts as the largest.
    /// </summary>
    /// <param name="inputs">rows x size numbers.</param>
    /// <param name="classes">Receives rows x positions classes. The rest of a longer span is not changed.</param>
    /// <exception cref="ArgumentException">The inputs are not whole rows, or <paramref name="classes"/> is too short.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input, or its output has one number per
    /// position.</exception>
    public void PredictClasses(ReadOnlySpan<T> inputs, Span<int> classes)
    {
        var pool = _pool;
        var rows = RowsOf(pool, inputs);
        pool.Form.RequireClasses();
        CheckLength(classes.Length, rows, pool.Form.Positions, nameof(classes));
        Run(pool, inputs, rows, new ClassSink<T>(classes));
    }

    /// <summary>Computes the class of one row: the index of its largest output.</summary>
    /// <param name="row">The numbers of one row.</param>
    /// <returns>The class, from 0.</returns>
    /// <exception cref="ArgumentException">The numbers are not one row.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input, its output has one number, or a row
    /// has several classes.</exception>
    public int PredictClass(ReadOnlySpan<T> row)
    {
        var pool = _pool;
        var form = Rows(pool);
        if (row.Length != form.InputSize)
            throw new ArgumentException($"A row of input '{form.Input}' {form.InputType.Shape} takes {form.InputSize} numbers; got {row.Length}.", nameof(row));
        form.RequireClasses();
        if (form.Positions != 1)
        {
            throw new InvalidOperationException(
                $"The output '{form.Output}' {form.OutputType.Shape} has {form.Positions} classes per row. Use PredictClasses.");
        }

        var result = 0;
        Run(pool, row, 1, new ClassSink<T>(new Span<int>(ref result)));
        return result;
    }

    /// <summary>
    /// Borrows a workspace, for networks with several inputs or outputs. Fill its inputs, call
    /// <see cref="PredictorLease{T}.Forward"/>, read its outputs, and dispose the lease. Waits if no workspace is free.
    /// </summary>
    /// <param name="rows">The rows of the batch, 1 to <see cref="MaximumRows"/>.</param>
    /// <returns>The lease.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is outside that range.</exception>
    public PredictorLease<T> Rent(int rows)
    {
        if (rows < 1 || rows > MaximumRows)
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"The number of rows must be 1 to {MaximumRows}.");
        return Rent(_pool, rows);
    }

    private static PredictorLease<T> Rent(WorkspacePool<T> pool, int rows)
    {
        var slot = pool.Take();
        try
        {
            var workspace = pool.WorkspaceOf(slot, rows);
            workspace.Rows = rows;
            return new PredictorLease<T>(pool, slot, workspace);
        }
        catch
        {
            pool.Return(slot);
            throw;
        }
    }

    /// <summary>
    /// Replaces the network for all later calls. Running calls finish with the old network. New workspaces are made. Until the old calls are
    /// done, up to twice <see cref="MaximumConcurrency"/> calls may compute.
    /// </summary>
    /// <param name="network">The network; its input and output must have the same shapes as before. With
    /// <see cref="PredictorOptions.Snapshot"/> it is copied, and must not be trained meanwhile.</param>
    /// <exception cref="ArgumentException">The shapes differ, or the network lacks an input or output named in the options.</exception>
    public void Update(Network<T> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var old = _pool.Form;
        var form = new RowForm(network.Definition, _options.Input, _options.Output);
        if (form.InputType != old.InputType || form.OutputType != old.OutputType)
        {
            throw new ArgumentException(
                $"The network must turn {old.InputType} into {old.OutputType}, like the current one; it turns {form.InputType} into {form.OutputType}.",
                nameof(network));
        }

        _pool = new WorkspacePool<T>(Own(network), _options);
    }

    private static void Run<TSink>(WorkspacePool<T> pool, ReadOnlySpan<T> inputs, int rows, in TSink sink)
        where TSink : struct, IRowSink<T>, allows ref struct
    {
        if (rows == 0)
            return;
        var (form, slot) = (pool.Form, pool.Take());
        try
        {
            var workspace = pool.WorkspaceOf(slot, rows);
            for (var first = 0; first < rows; first += workspace.Capacity)
            {
                workspace.Rows = Math.Min(workspace.Capacity, rows - first);
                inputs.Slice(first * form.InputSize, workspace.Rows * form.InputSize).CopyTo(workspace.Input(form.Input));
                pool.Network.Forward(workspace);
                sink.Take(pool, workspace.Output(form.Output), first, workspace.Rows);
            }
        }
        finally
        {
            pool.Return(slot);
        }
    }

    private static RowForm Rows(WorkspacePool<T> pool)
    {
        pool.Form.RequireRows();
        return pool.Form;
    }

    private static int RowsOf(WorkspacePool<T> pool, ReadOnlySpan<T> inputs)
    {
        var form = Rows(pool);
        var (rows, rest) = Math.DivRem(inputs.Length, form.InputSize);
        if (rest != 0)
        {
            throw new ArgumentException($"Each row of input '{form.Input}' {form.InputType.Shape} takes {form.InputSize} numbers; got {inputs.Length}: "
                + $"{rows} rows and {rest} numbers more.", nameof(inputs));
        }
        return rows;
    }

    private static void CheckDestination(ReadOnlySpan<T> inputs, ReadOnlySpan<T> destination, int rows, int size, string name)
    {
        CheckLength(destination.Length, rows, size, name);
        if (inputs.Overlaps(destination[..(rows * size)]))
            throw new ArgumentException($"'{name}' must not overlap the inputs.", name);
    }

    private static void CheckLength(int length, int rows, int size, string name)
    {
        if (length < (long)rows * size)
            throw new ArgumentException($"The results of {rows} rows take {(long)rows * size} places, {size} each; '{name}' has {length}.", name);
    }

    private Network<T> Own(Network<T> network) => _options.Snapshot ? network.ConvertTo<T>() : network;
}
