using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>
/// Where a gradient goes. A layer gives a formula, and the target does what the pass needs: it overwrites, adds, or does nothing if
/// the gradient is not needed. In a training step it may also update the parameter at once and never store the gradient.
/// </summary>
/// <remarks>
/// <code>
/// context.InputGradient(0).Product(dy, w.Transposed);
/// context.ParameterGradient(0).Product(x.Transposed, dy);
/// context.ParameterGradient(1).ColumnSums(dy);
/// </code>
/// <para>A gradient is written once. If it is a sum of several parts, write the first part, and the others through
/// <see cref="Adding"/>. For kernels, a target converts to a <see cref="Destination{T}"/>.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct GradientTarget<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Span<T> _span;
    private readonly int _rows, _columns, _rowStride;
    private readonly ComputeContext? _compute;
    private readonly StepUpdates<T>? _updates;
    private readonly BlockRange _range;

    /// <summary>A dense gradient; -1 rows and columns if it is not a matrix.</summary>
    internal GradientTarget(Span<T> span, bool adds, int rows, int columns, ComputeContext? compute, StepUpdates<T>? updates = null, BlockRange range = default)
        : this(span, adds, (rows, columns, columns), compute)
    {
        _updates = updates;
        _range = range;
    }

    private GradientTarget(Span<T> span, bool adds, (int Rows, int Columns, int Stride) sizes, ComputeContext? compute)
    {
        _span = span;
        Adds = adds;
        (_rows, _columns, _rowStride) = sizes;
        _compute = compute;
    }

    /// <summary>The gradient; empty if it is not needed. In a slice of columns, elements of other columns lie between the rows.</summary>
    public Span<T> Span
    {
        get
        {
            _updates?.Store(_range);
            return _span;
        }
    }

    /// <summary>True: add to the span. False: overwrite it, whatever it holds.</summary>
    public bool Adds { get; }

    /// <summary>True if no gradient is needed: skip the work.</summary>
    public bool IsEmpty => _span.IsEmpty;

    /// <summary>The gradient as a matrix: [rows, size] of values, or the shape of a parameter or shared edge of rank 2.</summary>
    /// <exception cref="InvalidOperationException">The gradient has another rank.</exception>
    public Matrix<T> Matrix
    {
        get
        {
            _updates?.Store(_range);
            return Whole;
        }
    }

    /// <summary>The same gradient; what is written next is added to what was written before.</summary>
    public GradientTarget<T> Adding
    {
        get
        {
            _updates?.Reopen(_range);
            return IsEmpty ? default : new(Span, adds: true, (_rows, _columns, _rowStride), _compute);
        }
    }

    private bool HasGaps => _columns != _rowStride && _rows != 1;

    private Matrix<T> Whole => IsEmpty ? default : _columns < 0
        ? throw new InvalidOperationException("Only a gradient of rank 2 is a matrix.")
        : new Matrix<T>(_span, _rows, _columns, _rowStride);

    /// <summary>The gradient as kernels take it.</summary>
    /// <param name="target">The gradient.</param>
    public static implicit operator Destination<T>(GradientTarget<T> target) => target.ToDestination();

    /// <summary>The gradient as kernels take it.</summary>
    /// <returns>Where to write, and how; nowhere if no gradient is needed.</returns>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public Destination<T> ToDestination() => IsEmpty ? default : new(Dense(), Adds);

    /// <summary>The gradient under another shape.</summary>
    /// <param name="rows">The number of rows.</param>
    /// <param name="columns">The number of columns.</param>
    /// <returns>The same elements as a matrix.</returns>
    /// <exception cref="ArgumentException">The gradient has another number of elements.</exception>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public GradientTarget<T> Reshape(int rows, int columns)
    {
        if (IsEmpty)
            return default;
        var span = Dense();
        if (rows < 0 || columns < 0 || (long)rows * columns != _span.Length)
            throw new ArgumentException($"[{rows}, {columns}] does not have the {_span.Length} elements of the gradient.", nameof(rows));
        return new(span, Adds, (rows, columns, columns), _compute);
    }

    /// <summary>Some adjacent elements of the gradient.</summary>
    /// <param name="start">The first element.</param>
    /// <param name="length">The number of elements.</param>
    /// <returns>The part, as a row.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The part lies outside the gradient.</exception>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public GradientTarget<T> Slice(int start, int length)
    {
        if (IsEmpty)
            return default;
        var span = Dense();
        MatrixLayout.CheckSlice(start, length, span.Length, nameof(start));
        return new(span.Slice(start, length), Adds, (1, length, length), _compute);
    }

    /// <summary>Some columns of the gradient.</summary>
    /// <param name="start">The first column.</param>
    /// <param name="count">The number of columns.</param>
    /// <returns>The part, a matrix whose rows have gaps between them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The columns lie outside the gradient.</exception>
    /// <exception cref="InvalidOperationException">The gradient is not a matrix.</exception>
    public GradientTarget<T> SliceColumns(int start, int count)
    {
        if (IsEmpty)
            return default;
        var part = Matrix.SliceColumns(start, count);
        return new(part.Span, Adds, (part.Rows, part.Columns, part.RowStride), _compute);
    }

    /// <summary>The gradient is A B.</summary>
    /// <param name="a">A [m, k].</param>
    /// <param name="b">B [k, n].</param>
    /// <exception cref="ArgumentException">The gradient is not [m, n].</exception>
    /// <exception cref="InvalidOperationException">The gradient is not a matrix.</exception>
    public void Product(ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b)
    {
        if (IsEmpty)
            return;
        var c = Whole;
        if (_updates is not null && a.Columns == 1 && a.Rows == c.Rows && b.Rows == 1 && b.Columns == c.Columns && _updates.TakeOuter(_range, a, b))
            return;
        if (Adds)
            Gemm.MultiplyAdd(a, b, c, _compute);
        else
            Gemm.Multiply(a, b, c, _compute);
    }

    /// <summary>The gradient is the sum of rows.</summary>
    /// <param name="rows">The rows [n, m].</param>
    /// <exception cref="ArgumentException">The gradient does not have m elements.</exception>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public void ColumnSums(ReadOnlyMatrix<T> rows)
    {
        if (IsEmpty)
            return;
        var span = Dense();
        SpanGuard.SameLength(span.Length, rows.Columns, nameof(rows));
        Reductions.ColumnSums(rows, new Destination<T>(span, Adds), _compute);
    }

    /// <summary>The gradient is x.</summary>
    /// <param name="x">As many numbers as the gradient has.</param>
    /// <exception cref="ArgumentException">x has another length.</exception>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public void Copy(ReadOnlySpan<T> x)
    {
        if (!Takes(x.Length))
            return;
        if (Adds)
            Elementwise.Add(x, Dense(), Dense(), _compute);
        else
            x.CopyTo(Dense());
    }

    /// <summary>The gradient is a x.</summary>
    /// <param name="x">As many numbers as the gradient has.</param>
    /// <param name="a">The factor.</param>
    /// <exception cref="ArgumentException">x has another length.</exception>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public void Scale(ReadOnlySpan<T> x, T a)
    {
        if (!Takes(x.Length))
            return;
        if (Adds)
            Elementwise.Axpy(a, x, Dense(), _compute);
        else
            Elementwise.Scale(x, a, Dense(), _compute);
    }

    /// <summary>The gradient is x y, element by element.</summary>
    /// <param name="x">As many numbers as the gradient has.</param>
    /// <param name="y">As many numbers as x.</param>
    /// <exception cref="ArgumentException">x or y has another length.</exception>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public void Multiply(ReadOnlySpan<T> x, ReadOnlySpan<T> y)
    {
        if (!Takes(x.Length))
            return;
        if (Adds)
            Elementwise.MultiplyAccumulate(x, y, Dense(), _compute);
        else
            Elementwise.Multiply(x, y, Dense(), _compute);
    }

    /// <summary>The gradient is 0.</summary>
    /// <exception cref="InvalidOperationException">This is a slice of columns, whose rows have gaps between them.</exception>
    public void Zero()
    {
        if (!IsEmpty && !Adds)
            Dense().Clear();
    }

    /// <summary>
    /// The gradient is 0 except for some rows: row r is the sum of the rows of dy whose index is r. If the optimizer of a step does
    /// not change parameters whose gradient is 0, this updates the rows at once and touches no others.
    /// </summary>
    /// <param name="dy">One row of gradients for each index.</param>
    /// <param name="indices">The row of the gradient for each row of dy.</param>
    /// <param name="skippedRow">A row whose gradient is always 0; -1 for none.</param>
    /// <param name="order">Room for two integers per index: <see cref="LayerDeclaration.UseScatter"/>.</param>
    /// <exception cref="ArgumentException">An index is not a row, dy has the wrong length, the order is too short, or it shares memory with
    /// the indices; or dy shares memory with the gradient.</exception>
    /// <exception cref="InvalidOperationException">The gradient is not a matrix, or its rows have gaps between them.</exception>
    public void ScatterRows(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int skippedRow, Span<int> order)
    {
        if (IsEmpty)
            return;
        var table = Whole;
        if ((long)indices.Length * table.Columns != dy.Length)
            throw new ArgumentException($"{indices.Length} indices need as many rows of {table.Columns} numbers; got {dy.Length} numbers.", nameof(dy));
        SpanGuard.AtLeast(2 * indices.Length, order.Length, nameof(order));
        SpanGuard.Apart<int, int>(indices, order, nameof(order));
        SpanGuard.Disjoint(_span, dy);
        foreach (var index in indices)
        {
            if ((uint)index >= (uint)table.Rows)
                throw new ArgumentException($"Indices are rows of the gradient, 0 to {table.Rows - 1}; got {index}.", nameof(indices));
        }

        var keys = MemoryMarshal.Cast<int, ulong>(order);
        if (_updates is null || !_updates.TryRows(_range, dy, indices, table.Columns, skippedRow, keys, _compute!))
            Embeddings.Scatter(dy, indices, table.Columns, skippedRow, ToDestination(), keys, _compute!);
    }

    /// <summary>Adds or stores one element; nothing where no gradient is needed.</summary>
    /// <param name="index">The element. The elements of a matrix are counted row by row, those of a slice of columns too.</param>
    /// <param name="value">Its gradient.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    public void Put(int index, T value)
    {
        if (IsEmpty)
            return;
        var count = HasGaps ? _rows * _columns : _span.Length;
        if ((uint)index >= (uint)count)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The gradient has {count} elements.");
        ref var element = ref Span[HasGaps ? index / _columns * _rowStride + index % _columns : index];
        element = Adds ? element + value : value;
    }

    /// <summary>Whether there is anything to write, after a check of its length.</summary>
    private bool Takes(int length)
    {
        if (IsEmpty)
            return false;
        SpanGuard.SameLength(Dense().Length, length, "x");
        return true;
    }

    /// <summary>The span of a gradient without gaps.</summary>
    private Span<T> Dense() => !HasGaps ? Span
        : throw new InvalidOperationException("This gradient has gaps between its rows: write it as a product, or with Put.");
}
