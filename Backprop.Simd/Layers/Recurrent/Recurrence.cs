using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>One pass of a recurrent layer over a batch: its sizes and inputs, and views of sequences [rows, T, columns].</summary>
internal readonly ref struct Recurrence<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public Recurrence(in ForwardContext<T> context, string kind, bool reverse)
        : this(context.Rows, context.InputType(0).Shape, context.InputCount, context.InputCount > 1 ? context.InputType(1).Kind : EdgeKind.Values)
    {
        IsReverse = reverse;
        Lengths = FirstState == 2 ? context.Indices(1) : [];
        SequenceInputs.CheckLengths(kind, Lengths, 1, Steps);
        InitialHidden = HasState ? context.Input(FirstState) : [];
        InitialCell = context.InputCount > FirstState + 1 ? context.Input(FirstState + 1) : [];
    }

    public Recurrence(in BackwardContext<T> context, bool reverse)
        : this(context.Rows, context.InputType(0).Shape, context.InputCount, context.InputCount > 1 ? context.InputType(1).Kind : EdgeKind.Values)
    {
        IsReverse = reverse;
        Lengths = FirstState == 2 ? context.Indices(1) : [];
        InitialHidden = HasState ? context.Input(FirstState) : [];
        InitialCell = context.InputCount > FirstState + 1 ? context.Input(FirstState + 1) : [];
    }

    private Recurrence(int rows, Shape sequence, int inputs, EdgeKind second)
    {
        (Rows, Steps, Columns) = (rows, sequence[0], sequence[1]);
        FirstState = second == EdgeKind.Indices ? 2 : 1;
        HasState = inputs > FirstState;
    }

    public int Rows { get; }

    /// <summary>T, the steps of the longest sequence.</summary>
    public int Steps { get; }

    /// <summary>D, the columns of the input.</summary>
    public int Columns { get; }

    /// <summary>Whether each row is read from its last valid position to its first.</summary>
    public bool IsReverse { get; }

    /// <summary>The length of each row's sequence; empty if all have T.</summary>
    public ReadOnlySpan<int> Lengths { get; }

    /// <summary>The input that is the initial h, if <see cref="HasState"/>.</summary>
    public int FirstState { get; }

    public bool HasState { get; }

    /// <summary>h before the first step, [rows, H]; empty if it is 0.</summary>
    public ReadOnlySpan<T> InitialHidden { get; }

    /// <summary>c before the first step; empty if it is 0 or the layer has no cells.</summary>
    public ReadOnlySpan<T> InitialCell { get; }

    /// <summary>All positions of the input, [rows x T, D].</summary>
    public ReadOnlyMatrix<T> Input(ReadOnlySpan<T> values) => new(values, Rows * Steps, Columns);

    /// <summary>All positions of a sequence, [rows x T, columns].</summary>
    public Matrix<T> All(Span<T> values, int columns) => new(values, Rows * Steps, columns);

    /// <summary>The position that is read after <paramref name="count"/> others.</summary>
    public int Position(int count) => IsReverse ? Steps - 1 - count : count;

    /// <summary>One position of all rows, [rows, columns].</summary>
    public Matrix<T> Step(Span<T> values, int step, int columns) => SequenceRows.Step(values, step, Rows, Steps, columns);

    /// <inheritdoc cref="Step(Span{T}, int, int)"/>
    public ReadOnlyMatrix<T> Step(ReadOnlySpan<T> values, int step, int columns) => SequenceRows.Step(values, step, Rows, Steps, columns);

    /// <summary>The states before the position that is read after <paramref name="count"/> others, or the initial states.</summary>
    public ReadOnlyMatrix<T> Before(ReadOnlySpan<T> states, int count, ReadOnlySpan<T> initial, int columns) =>
        count > 0 ? Step(states, Position(count - 1), columns) : new(initial, Rows, columns);

    /// <summary>Which rows take part in a position.</summary>
    public TimeStep At(int step) => new(Lengths, step);

    /// <summary>
    /// Rows that are read backward and end before this position find their initial state here, where the padding begins, or zeros where it is
    /// empty. <see cref="Leave"/> puts zeros back.
    /// </summary>
    public void Enter(Span<T> states, int step, ReadOnlySpan<T> initial, int columns)
    {
        for (var row = 0; IsReverse && row < Lengths.Length; row++)
        {
            if (Lengths[row] == step)
                SequenceRows.Set(states.Slice((row * Steps + step) * columns, columns), initial, row);
        }
    }

    /// <summary>Clears what <see cref="Enter"/> has written to the padding.</summary>
    public void Leave(Span<T> states, int columns)
    {
        for (var row = 0; IsReverse && row < Lengths.Length; row++)
        {
            if (Lengths[row] < Steps)
                states.Slice((row * Steps + Lengths[row]) * columns, columns).Clear();
        }
    }

    /// <summary>Copies the last state of each row: at its end, or at its beginning if it is read backward.</summary>
    public void Last(ReadOnlySpan<T> states, Span<T> destination, int columns)
    {
        for (var row = 0; row < Rows; row++)
        {
            var last = IsReverse ? 0 : (Lengths.IsEmpty ? Steps : Lengths[row]) - 1;
            states.Slice((row * Steps + last) * columns, columns).CopyTo(destination[(row * columns)..]);
        }
    }

    /// <summary>h before each position is read, [rows, T, H]. In the padding stand zeros, or the states after it, which are zeros.</summary>
    public void Shift(ReadOnlySpan<T> hidden, Span<T> destination, int columns)
    {
        var size = Steps * columns;
        for (var row = 0; row < Rows; row++)
        {
            ReadOnlySpan<T> from = hidden.Slice(row * size, size);
            var to = destination.Slice(row * size, size);
            if (!IsReverse)
            {
                SequenceRows.Set(to[..columns], InitialHidden, row);
                from[..^columns].CopyTo(to[columns..]);
                continue;
            }

            var last = (Lengths.IsEmpty ? Steps : Lengths[row]) - 1;
            from[columns..].CopyTo(to);
            to[^columns..].Clear();
            SequenceRows.Set(to.Slice(last * columns, columns), InitialHidden, row);
        }
    }

    /// <summary>Writes the gradients by the input, its weight and the bias, each for all steps at once.</summary>
    /// <param name="context">The pass.</param>
    /// <param name="d">The gradients by the sums before the functions, [rows x T, gates H].</param>
    public void WriteInputGradients(in BackwardContext<T> context, ReadOnlyMatrix<T> d)
    {
        var x = Input(context.Input(0));
        context.InputGradient(0).Reshape(x.Rows, x.Columns).Product(d, context.ParameterMatrix(0).Transposed);
        context.ParameterGradient(0).Product(x.Transposed, d);
        context.ParameterGradient(2).ColumnSums(d);
    }
}
