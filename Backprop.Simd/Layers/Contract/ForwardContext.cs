using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>What a layer's forward pass reads and writes.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct ForwardContext<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NodePass<T> _pass;

    internal ForwardContext(NodeBuffers<T> node, in PassState pass, int firstRow, int rows, ComputeContext compute) =>
        _pass = new(node, in pass, firstRow, rows, compute);

    private ForwardContext(NodePass<T> pass) => _pass = pass;

    /// <summary>The rows of the batch.</summary>
    public int Rows => _pass.Rows;

    /// <summary>The threads to hand to kernels.</summary>
    public ComputeContext Compute => _pass.Compute;

    /// <summary>True in training: a backward pass may follow, and forward fills the cache. False in inference.</summary>
    public bool Training => _pass.State.Training;

    /// <summary>True where the node draws nothing and moves no statistics: in inference, and in training if
    /// <see cref="Networks.Network{T}.SetTraining(string, bool)"/> says so. Forward fills the cache by <see cref="Training"/> all the same.</summary>
    public bool Evaluating => _pass.IsEvaluating;

    /// <summary>The key of this node's random numbers in this step.</summary>
    public RandomKey RandomKey => _pass.RandomKey;

    /// <summary>The number of inputs.</summary>
    public int InputCount => _pass.Node.Inputs.Length;

    /// <summary>The type of an input.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>Its kind and shape.</returns>
    public EdgeType InputType(int input) => _pass.InputEdge(input).Type;

    /// <summary>The numbers of an input: rows x size, or size if shared.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="InvalidOperationException">The layer declared <see cref="LayerTraits.StridedRows"/>, and the input has rows.</exception>
    public ReadOnlySpan<T> Input(int input) => _pass.Input(input);

    /// <summary>An input as a matrix: [rows, size], or the shape of a shared input of rank 2.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> InputMatrix(int input) => _pass.InputMatrix(input);

    /// <summary>An input as an array of one more dimension than the largest rank: the rows of the batch (1 if shared), and the shape
    /// behind as many sizes of 1 as it lacks. Arrays of two inputs broadcast to each other.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The array.</returns>
    public ShapedSpan<T> InputArray(int input) => _pass.InputArray(input, isRead: true);

    /// <summary>The integers of an input: rows x size.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The integers.</returns>
    public ReadOnlySpan<int> Indices(int input) => _pass.Indices(input);

    /// <summary>An output to write: rows x size, or size if shared. Its contents are undefined before.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The numbers.</returns>
    public Span<T> Output(int output = 0) => _pass.WritableOutput(output);

    /// <summary>An output to write, as a matrix [rows, size].</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The matrix.</returns>
    public Matrix<T> OutputMatrix(int output = 0) => _pass.AsMatrix(Output(output), _pass.OutputEdge(output).Type);

    /// <summary>A parameter, in order of declaration.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<T> Parameter(int parameter) => _pass.Parameter(parameter);

    /// <summary>A parameter of rank 2 as a matrix.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> ParameterMatrix(int parameter) => _pass.ParameterMatrix(parameter);

    /// <summary>The committed state, in order of declaration.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<T> State(int state) => _pass.CommittedState(state);

    /// <summary>Whether a piece of state is frozen, by itself or because the node is <see cref="Evaluating"/> while the network trains: it is
    /// used as in inference, and does not change.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <returns>True if it is frozen.</returns>
    public bool IsStateFrozen(int state) => _pass.IsStateFrozen(state);

    /// <summary>The state that this training step proposes. It starts as a copy of the committed state, and is committed with the step.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public Span<T> ProposedState(int state) => _pass.ProposedState(state);

    /// <summary>The cache of these rows; empty in inference.</summary>
    public Span<T> Cache => _pass.Cache;

    /// <summary>The cache of the whole batch; empty in inference.</summary>
    public Span<T> BatchCache => _pass.BatchCache;

    /// <summary>The integer cache of these rows; empty in inference.</summary>
    public Span<int> IndexCache => _pass.IndexCache;

    /// <summary>Scratch space for these rows. Its contents are undefined.</summary>
    public Span<T> Scratch => _pass.Scratch;

    /// <summary>Scratch space of the whole batch. Its contents are undefined.</summary>
    public Span<T> BatchScratch => _pass.Node.Scratch.Batch;

    /// <summary>The context of the layer that computes each step, <see cref="LayerDeclaration.UseEachStep"/>: its rows are the steps of all
    /// rows, its inputs and outputs have no first dimension.</summary>
    /// <returns>What that layer's forward pass reads and writes.</returns>
    /// <exception cref="InvalidOperationException">The layer did not declare it.</exception>
    public ForwardContext<T> EachStep() => new(_pass.EachStep());

    /// <summary>Reports a loss in double, beside the output in <typeparamref name="T"/>. For losses.</summary>
    /// <param name="loss">The parts of the loss of the batch.</param>
    public void ReportLoss(LossParts loss) => _pass.Node.Loss = loss;
}
