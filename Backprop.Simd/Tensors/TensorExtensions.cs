using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Execution;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tensors;

/// <summary>
/// The numbers of networks, workspaces and predictors as tensors of System.Numerics.Tensors, and such tensors as their inputs, without copies
/// where the strides allow it.
/// </summary>
/// <remarks>
/// <para>The tensors that these methods return are views of the very memory that the methods without <c>Tensor</c> in their names return as
/// spans, and live by the same rules: managed memory, so that a view never outlives it. The first size of a batch is its rows. A single number is
/// a tensor [1]: a tensor has no rank 0.</para>
/// <para>A view of up to five sizes allocates nothing; with more, System.Numerics.Tensors puts them into an array.</para>
/// </remarks>
public static class TensorExtensions
{
    /// <summary>The buffer of an input as a tensor [rows, ...]: fill it before a forward pass. Ends a binding of this input.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The input's name; null for the first input of numbers.</param>
    /// <returns>The tensor; without rows if the input is shared.</returns>
    /// <exception cref="ArgumentException">There is no such input, or it takes indices.</exception>
    public static TensorSpan<T> InputTensor<T>(this Workspace<T> workspace, string? name = null) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Over(workspace.Input(name), workspace, name is null ? FirstInput(workspace, indices: false) : workspace.TypeOf(name));
    }

    /// <summary>The buffer of an input of indices as a tensor [rows, ...]: fill it before a forward pass, which copies it. Ends a binding of this
    /// input.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The input's name; null for the first input of indices.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">There is no such input, or it takes numbers.</exception>
    public static TensorSpan<int> IndexInputTensor<T>(this Workspace<T> workspace, string? name = null) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Over(workspace.IndexInput(name), workspace, name is null ? FirstInput(workspace, indices: true) : workspace.TypeOf(name));
    }

    /// <summary>Copies a tensor into an input, whatever its strides.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The input's name.</param>
    /// <param name="values">The tensor, of the sizes of <see cref="InputTensor"/>.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes indices, or the tensor has other sizes.</exception>
    public static void SetInput<T>(this Workspace<T> workspace, string name, in ReadOnlyTensorSpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(name);
        RequireSizes(values.Lengths, workspace.TypeOf(name), workspace.Rows, nameof(values));
        values.FlattenTo(workspace.Input(name));
    }

    /// <summary>Lets steps read an input from a tensor, without a copy, until the next Bind, Set or Input. The workspace keeps the tensor alive.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The input's name.</param>
    /// <param name="values">A dense tensor of the sizes of <see cref="InputTensor"/>. Do not change it until backward is done.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes indices, the tensor has other sizes or is not dense.</exception>
    public static void BindInput<T>(this Workspace<T> workspace, string name, Tensor<T> values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(values);
        RequireSizes(values.Lengths, workspace.TypeOf(name), workspace.Rows, nameof(values));
        workspace.BindInput(name, Dense(values, nameof(values)));
    }

    /// <summary>An output of the last forward pass as a tensor [rows, ...].</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">Its name; null for the first output.</param>
    /// <returns>The tensor; without rows if the output is shared.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">There was no forward pass.</exception>
    public static ReadOnlyTensorSpan<T> OutputTensor<T>(this Workspace<T> workspace, string? name = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        var values = workspace.Output(name);
        return Over(values, workspace, name is null ? workspace.Executor.Edges[workspace.Network.Definition.Graph.Outputs[0]].Type : workspace.TypeOf(name));
    }

    /// <summary>The gradient that backward starts from at an output, as a tensor [rows, ...]: see <see cref="Workspace{T}.OutputGradient"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The output's name; null for the first output.</param>
    /// <returns>The tensor; without rows if the output is shared.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">Backward does not start from outputs in this workspace.</exception>
    public static TensorSpan<T> OutputGradientTensor<T>(this Workspace<T> workspace, string? name = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        var values = workspace.OutputGradient(name);
        return Over(values, workspace, name is null ? workspace.Executor.Edges[workspace.Network.Definition.Graph.Outputs[0]].Type : workspace.TypeOf(name));
    }

    /// <summary>The value of a node in the last forward pass as a tensor [rows, ...]: see <see cref="Workspace{T}.ValueOf"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The name of an input, output, loss, parameter of the graph, or retained node.</param>
    /// <returns>The tensor; without rows if the node is shared.</returns>
    /// <exception cref="ArgumentException">There is no such node, or it carries indices.</exception>
    /// <exception cref="InvalidOperationException">The node is not retained or was not computed, or there was no forward pass.</exception>
    public static ReadOnlyTensorSpan<T> ValueTensor<T>(this Workspace<T> workspace, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Over(workspace.ValueOf(name), workspace, workspace.TypeOf(name));
    }

    /// <summary>The gradient of the loss with respect to a node as a tensor [rows, ...]: see <see cref="Workspace{T}.GradientOf"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">The name of an input, output, loss, parameter of the graph, or retained node.</param>
    /// <returns>The tensor; without rows if the node is shared.</returns>
    /// <exception cref="ArgumentException">There is no such node, or it carries indices.</exception>
    /// <exception cref="InvalidOperationException">The node is not retained or has no gradient, or there was no backward pass.</exception>
    public static ReadOnlyTensorSpan<T> GradientTensor<T>(this Workspace<T> workspace, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Over(workspace.GradientOf(name), workspace, workspace.TypeOf(name));
    }

    /// <summary>The gradient of one parameter as a tensor of the parameter's sizes.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">The workspace.</param>
    /// <param name="name">Its name: <c>affine1.weight</c>.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public static TensorSpan<T> ParameterGradientTensor<T>(this Workspace<T> workspace, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Over(workspace.ParameterGradientOf(name), new(EdgeKind.Shared, workspace.Network.Definition.Parameters[name].Shape), rows: 1);
    }

    /// <summary>One parameter as a tensor of its sizes.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network.</param>
    /// <param name="name">Its name: <c>affine1.weight</c>.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    public static TensorSpan<T> ParameterTensor<T>(this Network<T> network, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        return Over(network.ParameterOf(name), new(EdgeKind.Shared, network.Definition.Parameters[name].Shape), rows: 1);
    }

    /// <summary>One piece of state as a tensor of its sizes.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network.</param>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">There is no such state.</exception>
    public static TensorSpan<T> StateTensor<T>(this Network<T> network, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        return Over(network.StateOf(name), new(EdgeKind.Shared, network.Definition.State[name].Shape), rows: 1);
    }

    /// <summary>Computes the outputs of a batch. Dense tensors are read and written where they lie; others go through rented memory, a piece of
    /// <see cref="Predictor{T}.MaximumRows"/> rows at a time, with the same bits.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="predictor">The predictor.</param>
    /// <param name="inputs">The inputs, [rows, ...] with the sizes of <see cref="Predictor{T}.InputShape"/>.</param>
    /// <param name="outputs">Receives the outputs, [rows, ...] with the sizes of <see cref="Predictor{T}.OutputShape"/>. It must not overlap the
    /// inputs, nor have two indices for one place.</param>
    /// <exception cref="ArgumentException">A tensor has other sizes, or the two overlap.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input: see <see cref="Predictor{T}.Rent(int)"/>.</exception>
    public static void Predict<T>(this Predictor<T> predictor, in ReadOnlyTensorSpan<T> inputs, in TensorSpan<T> outputs)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(predictor);
        var rows = RowsOf(inputs.Lengths, predictor.InputShape, nameof(inputs));
        RequireSizes(outputs.Lengths, new(EdgeKind.Values, predictor.OutputShape), rows, nameof(outputs));
        for (var i = 0; i < outputs.Rank; i++)
        {
            if (outputs.Strides[i] == 0 && outputs.Lengths[i] > 1)
                throw new ArgumentException($"'{nameof(outputs)}' has one place for all indices of size {i}: its stride is 0.", nameof(outputs));
        }

        var from = TensorValues.Span(inputs);
        var to = TensorValues.Span(outputs);
        if (from.Overlaps(to))
            throw new ArgumentException($"'{nameof(outputs)}' must not overlap the inputs.", nameof(outputs));
        if (rows == 0)
            return;
        if (inputs.IsDense && outputs.IsDense)
            predictor.Predict(from, to);
        else
            PredictPieces(predictor, inputs, outputs, rows);
    }

    /// <summary>Computes the outputs of a batch into a new tensor.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="predictor">The predictor.</param>
    /// <param name="inputs">The inputs, [rows, ...] with the sizes of <see cref="Predictor{T}.InputShape"/>.</param>
    /// <returns>The outputs, [rows, ...] with the sizes of <see cref="Predictor{T}.OutputShape"/>.</returns>
    /// <exception cref="ArgumentException">The tensor has other sizes.</exception>
    /// <exception cref="InvalidOperationException">The network needs more than rows of one input.</exception>
    public static Tensor<T> Predict<T>(this Predictor<T> predictor, Tensor<T> inputs) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(inputs);
        var rows = RowsOf(inputs.Lengths, predictor.InputShape, nameof(inputs));
        Span<nint> lengths = stackalloc nint[Shape.MaxRank + 1];
        var outputs = Tensor.CreateFromShape<T>(Lengths(new(EdgeKind.Values, predictor.OutputShape), rows, lengths));
        predictor.Predict(inputs.AsReadOnlyTensorSpan(), outputs.AsTensorSpan());
        return outputs;
    }

    /// <summary>A dense tensor as memory, without a copy, for all that takes memory: <c>Columns.Values("x", shape, tensor.AsMemory())</c>. The memory
    /// keeps the tensor alive.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="tensor">The tensor, without gaps and in C order.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="ArgumentException">The tensor is not dense.</exception>
    public static Memory<T> AsMemory<T>(this Tensor<T> tensor) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Dense(tensor, nameof(tensor));
    }

    private static Memory<T> Dense<T>(Tensor<T> tensor, string parameter) where T : unmanaged => tensor.IsEmpty ? Memory<T>.Empty
        : tensor.IsDense ? new TensorMemory<T>(tensor).Memory
        : throw new ArgumentException($"The tensor {Text(tensor.Lengths)} has the strides {Text(tensor.Strides)}; only a dense one is memory. "
            + "ToDenseTensor copies.", parameter);

    private static void PredictPieces<T>(Predictor<T> predictor, in ReadOnlyTensorSpan<T> inputs, in TensorSpan<T> outputs, int rows)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (inputSize, outputSize, most) = (predictor.InputShape.Size, predictor.OutputShape.Size, Math.Min(rows, predictor.MaximumRows));
        SpanGuard.ArrayLength((long)most * inputSize, nameof(inputs));
        SpanGuard.ArrayLength((long)most * outputSize, nameof(outputs));
        var (from, to) = (ArrayPool<T>.Shared.Rent(most * inputSize), ArrayPool<T>.Shared.Rent(most * outputSize));
        Span<NRange> inputRanges = stackalloc NRange[inputs.Rank], outputRanges = stackalloc NRange[outputs.Rank];
        inputRanges.Fill(NRange.All);
        outputRanges.Fill(NRange.All);
        Span<nint> lengths = stackalloc nint[Shape.MaxRank + 1];
        for (var first = 0; first < rows; first += most)
        {
            var count = Math.Min(most, rows - first);
            inputRanges[0] = outputRanges[0] = new NRange(first, first + count);
            var piece = from.AsSpan(0, count * inputSize);
            var result = to.AsSpan(0, count * outputSize);
            inputs.Slice(inputRanges).FlattenTo(piece);
            predictor.Predict(piece, result);
            new ReadOnlyTensorSpan<T>(result, Lengths(new(EdgeKind.Values, predictor.OutputShape), count, lengths)).CopyTo(outputs.Slice(outputRanges));
        }

        ArrayPool<T>.Shared.Return(from);
        ArrayPool<T>.Shared.Return(to);
    }

    private static EdgeType FirstInput<T>(Workspace<T> workspace, bool indices) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var edges = workspace.Network.Definition.Graph.Edges;
        for (var e = 0; ; e++)
        {
            if (edges[e].Role == EdgeRole.Input && (edges[e].Type.Kind == EdgeKind.Indices) == indices)
                return workspace.Executor.Edges[e].Type;
        }
    }

    private static int RowsOf(ReadOnlySpan<nint> lengths, Shape shape, string parameter)
    {
        var rows = lengths.Length > 0 && lengths[0] <= int.MaxValue ? (int)lengths[0] : 0;
        RequireSizes(lengths, new(EdgeKind.Values, shape), rows, parameter);
        return rows;
    }

    private static void RequireSizes(ReadOnlySpan<nint> actual, EdgeType type, int rows, string parameter)
    {
        Span<nint> lengths = stackalloc nint[Shape.MaxRank + 1];
        if (!actual.SequenceEqual(Lengths(type, rows, lengths)))
            throw new ArgumentException($"'{parameter}' is a tensor {Text(actual)}; expected {Text(Lengths(type, rows, lengths))}.", parameter);
    }

    private static TensorSpan<TElement> Over<TElement, T>(Span<TElement> values, Workspace<T> workspace, EdgeType type)
        where T : unmanaged, IFloatingPointIeee754<T> => Over(values, type, workspace.Rows);

    private static ReadOnlyTensorSpan<T> Over<T>(ReadOnlySpan<T> values, Workspace<T> workspace, EdgeType type)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<nint> lengths = stackalloc nint[Shape.MaxRank + 1];
        return new(values, Lengths(type, workspace.Rows, lengths));
    }

    private static TensorSpan<T> Over<T>(Span<T> values, EdgeType type, int rows)
    {
        Span<nint> lengths = stackalloc nint[Shape.MaxRank + 1];
        return new(values, Lengths(type, rows, lengths));
    }

    private static ReadOnlySpan<nint> Lengths(EdgeType type, int rows, Span<nint> lengths)
    {
        var rank = 0;
        if (type.Kind != EdgeKind.Shared)
            lengths[rank++] = rows;
        for (var i = 0; i < type.Shape.Rank; i++)
            lengths[rank++] = type.Shape[i];
        if (rank == 0)
            lengths[rank++] = 1;
        return lengths[..rank];
    }

    private static string Text(ReadOnlySpan<nint> sizes) => "[" + string.Join(", ", sizes.ToArray()) + "]";
}
