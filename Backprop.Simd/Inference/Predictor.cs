using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Inference;

/// <summary>
/// Inference for many threads at once: any thread may call any member at any time. Each call borrows a workspace from a pool;
/// callers wait while all are lent, and no lock is held while one computes.
/// </summary>
/// <remarks>
/// <para>A batch of up to <see cref="MaximumRows"/> rows gives the same bits as the same batch in a workspace of its own, whoever
/// else computes; a longer one gives those of its pieces of so many rows. A row alone and the same row in a batch agree within
/// rounding only.</para>
/// <para>Nothing is allocated once the workspaces are made, and a thread has its packing space: see
/// <see cref="PredictorOptions.Preallocate"/>. A slot of the pool makes a workspace for one row and one for
/// <see cref="MaximumRows"/>, each at its first use, so that a service of single rows holds no large buffers. There is nothing to
/// dispose.</para>
/// <para>A predictor reads the network's own parameters. Calls while another thread trains it see old and new numbers mixed; with
/// <see cref="PredictorOptions.Snapshot"/> the predictor has a copy, and <see cref="Update"/> brings it the trained numbers.</para>
/// <para>A caller that holds a lease and asks for another workspace can wait for itself.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Predictor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PredictorOptions _options;
    private volatile WorkspacePool<T> _pool;

    /// <summary>Makes a predictor.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">Sizes, threads, names; the defaults if null.</param>
    /// <exception cref="ArgumentException">The network has no output, or no input or output of a name in the options.</exception>
    /// <exception cref="ArgumentOutOfRangeException">With <see cref="PredictorOptions.Preallocate"/>: the buffers of
    /// <see cref="PredictorOptions.MaximumRows"/> rows are too large. Otherwise the first batch tells.</exception>
    public Predictor(Network<T> network, PredictorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        _options = options ?? new PredictorOptions();
        _pool = new WorkspacePool<T>(Own(network), _options);
    }

    /// <summary>The network that answers: the given one, or the copy of it.</summary>
    public Network<T> Network => _pool.Network;

    /// <summary>The most rows that are computed at once.</summary>
    public int MaximumRows => _options.MaximumRows;

    /// <summary>The most callers that compute at once.</summary>
    public int MaximumConcurrency => _options.MaximumConcurrency;

    /// <summary>The bytes of all workspaces made so far.</summary>
    public long Bytes => _pool.Bytes;

    /// <summary>The shape of a row that goes in.</summary>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input.</exception>
    public Shape InputShape => Rows(_pool).InputType.Shape;

    /// <summary>The shape of a row that comes out.</summary>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input.</exception>
    public Shape OutputShape => Rows(_pool).OutputType.Shape;

    /// <summary>Computes the outputs of a batch.</summary>
    /// <param name="inputs">rows x size numbers; none is a batch of no rows.</param>
    /// <param name="outputs">rows x size numbers, apart from <paramref name="inputs"/>; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentException">The inputs are no whole rows, the outputs are too short, or the two overlap.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input: see <see cref="Rent"/>.</exception>
    public void Predict(ReadOnlySpan<T> inputs, Span<T> outputs)
    {
        var pool = _pool;
        var rows = RowsOf(pool, inputs);
        CheckDestination(inputs, outputs, rows, pool.Form.OutputSize, nameof(outputs));
        Run(pool, inputs, rows, new CopySink<T>(outputs));
    }

    /// <summary>Computes the class probabilities of a batch: the softmax of the output's last dimension, or the output itself where
    /// it comes from a <see cref="Softmax"/> layer.</summary>
    /// <param name="inputs">rows x size numbers.</param>
    /// <param name="probabilities">rows x size numbers, apart from <paramref name="inputs"/>; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentException">As for <see cref="Predict"/>.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input, or its output has one number a position.</exception>
    public void PredictProbabilities(ReadOnlySpan<T> inputs, Span<T> probabilities)
    {
        var pool = _pool;
        var rows = RowsOf(pool, inputs);
        pool.Form.RequireClasses();
        CheckDestination(inputs, probabilities, rows, pool.Form.OutputSize, nameof(probabilities));
        Run(pool, inputs, rows, new SoftmaxSink<T>(probabilities));
    }

    /// <summary>The classes of a batch: for each row, or each position of a sequence, the place of the largest output along the
    /// last dimension. Of equal ones it is the first, and the first NaN counts as the largest.</summary>
    /// <param name="inputs">rows x size numbers.</param>
    /// <param name="classes">rows x positions classes; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentException">The inputs are no whole rows, or there are too few places for classes.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input, or its output has one number a position.</exception>
    public void PredictClasses(ReadOnlySpan<T> inputs, Span<int> classes)
    {
        var pool = _pool;
        var rows = RowsOf(pool, inputs);
        pool.Form.RequireClasses();
        CheckLength(classes.Length, rows, pool.Form.Positions, nameof(classes));
        Run(pool, inputs, rows, new ClassSink<T>(classes));
    }

    /// <summary>The class of one row: the place of its largest output.</summary>
    /// <param name="row">The numbers of one row.</param>
    /// <returns>The class, from 0.</returns>
    /// <exception cref="ArgumentException">It is not one row.</exception>
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
            throw new InvalidOperationException($"The output '{form.Output}' {form.OutputType.Shape} has {form.Positions} classes per row: use PredictClasses.");
        var result = 0;
        Run(pool, row, 1, new ClassSink<T>(new Span<int>(ref result)));
        return result;
    }

    /// <summary>Borrows a workspace, for what rows of one input cannot say: fill its inputs, <see cref="PredictorLease{T}.Forward"/>,
    /// read its outputs, and dispose the lease.</summary>
    /// <param name="rows">The rows of the batch, 1 to <see cref="MaximumRows"/>.</param>
    /// <returns>The lease; waits while all workspaces are lent.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is outside that range.</exception>
    public PredictorLease<T> Rent(int rows)
    {
        if (rows < 1 || rows > MaximumRows)
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"Rows lie in 1 to the maximum, {MaximumRows}.");
        var pool = _pool;
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
    /// Puts another network in place, at once for all later calls; those in progress finish with the old one. Workspaces are made
    /// anew. Until old calls are done there may be twice the <see cref="MaximumConcurrency"/> at work.
    /// </summary>
    /// <param name="network">The network, copied if the options say <see cref="PredictorOptions.Snapshot"/>: not to be trained while
    /// this runs. Its input and output have the shapes of the old one's.</param>
    /// <exception cref="ArgumentException">The shapes differ, or the network has no input or output of a name in the options.</exception>
    public void Update(Network<T> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var old = _pool.Form;
        var form = new RowForm(network.Definition, _options.Input, _options.Output);
        if (form.InputType != old.InputType || form.OutputType != old.OutputType)
        {
            throw new ArgumentException(
                $"The network must turn {old.InputType} into {old.OutputType}, as the present one does; it turns {form.InputType} into {form.OutputType}.", nameof(network));
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
                var input = workspace.Input(form.Input);
                inputs.Slice(first * form.InputSize, workspace.Rows * form.InputSize).CopyTo(input);
                pool.Normalization?.Apply(input, workspace.Rows, pool.Compute);
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
            throw new ArgumentException($"Rows of input '{form.Input}' {form.InputType.Shape} take {form.InputSize} numbers each; got {inputs.Length} numbers, {rows} rows and {rest}.", nameof(inputs));
        return rows;
    }

    private static void CheckDestination(ReadOnlySpan<T> inputs, ReadOnlySpan<T> destination, int rows, int size, string name)
    {
        CheckLength(destination.Length, rows, size, name);
        if (inputs.Overlaps(destination[..(rows * size)]))
            throw new ArgumentException($"'{name}' overlaps the inputs; keep them apart.", name);
    }

    private static void CheckLength(int length, int rows, int size, string name)
    {
        if (length < (long)rows * size)
            throw new ArgumentException($"The results of {rows} rows take {(long)rows * size} places, {size} each; '{name}' has {length}.", name);
    }

    private Network<T> Own(Network<T> network) => _options.Snapshot ? network.ConvertTo<T>() : network;
}
