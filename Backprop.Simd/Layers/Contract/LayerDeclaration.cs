using System.Runtime.CompilerServices;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>A parameter as a layer declares it.</summary>
/// <param name="Name">Its name within the node: <c>weight</c>, <c>bias</c>.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="FanIn">Inputs that one unit sums over.</param>
/// <param name="FanOut">Units that one input feeds.</param>
/// <param name="Initializer">How the parameter starts; if null, the layer that follows decides.</param>
internal sealed record DeclaredParameter(string Name, Shape Shape, int FanIn, int FanOut, Initializer? Initializer);

/// <summary>State as a layer declares it: kept with the network, never trained.</summary>
/// <param name="Name">Its name within the node.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Initial">The value every element starts at.</param>
internal sealed record DeclaredState(string Name, Shape Shape, double Initial);

/// <summary>What a layer says about itself when it is placed in a graph.</summary>
public sealed partial class LayerDeclaration
{
    private const LayerTraits AllTraits =
        LayerTraits.ReadsInput | LayerTraits.ReadsOutput | LayerTraits.InPlace | LayerTraits.StridedRows | LayerTraits.View | LayerTraits.StopsGradient;

    private readonly EdgeType[] _inputs;
    private EdgeType[] _outputs = [];
    private double _operations = -1;
    private readonly List<DeclaredParameter> _parameters = [];
    private readonly List<DeclaredState> _states = [];

    internal LayerDeclaration(string kind, EdgeType[] inputs)
    {
        Kind = kind;
        _inputs = inputs;
    }

    /// <summary>The types of the inputs.</summary>
    public IReadOnlyList<EdgeType> Inputs => _inputs;

    /// <summary>The layer's kind, for messages.</summary>
    public string Kind { get; }

    /// <summary>How the layer uses the memory of inputs and outputs. By default backward reads both.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value has an unknown flag.</exception>
    public LayerTraits Traits
    {
        get;
        set
        {
            if ((value & ~AllTraits) != 0)
                throw new ArgumentOutOfRangeException(nameof(value), value, $"The traits are {AllTraits}.");
            field = value;
        }
    } = LayerTraits.ReadsInput | LayerTraits.ReadsOutput;

    /// <summary>What the numbers of the output mean, for losses that follow. By default they may mean anything.</summary>
    public OutputMeaning Meaning { get; set; }

    /// <summary>What a loss divides by, if it is known before a pass. For losses.</summary>
    public LossDivisor Divisor { get; set; }

    internal EdgeType[] Outputs => _outputs;

    internal List<DeclaredParameter> Parameters => _parameters;

    internal List<DeclaredState> States => _states;

    /// <summary>The element of a row of input 0 that a view starts at.</summary>
    internal int ViewStart { get; private set; }

    internal int CachePerRow { get; private set; }

    internal int CachePerBatch { get; private set; }

    internal int IndexCachePerRow { get; private set; }

    internal bool AsksForCache { get; private set; }

    internal bool AsksForIndexCache { get; private set; }

    internal int ScratchPerRow { get; private set; }

    internal int ScratchPerBatch { get; private set; }

    /// <summary>Operations of the forward pass per row.</summary>
    internal double OperationsPerRow
    {
        get
        {
            if (_operations >= 0)
                return _operations;
            var sum = 0.0;
            foreach (var output in _outputs)
                sum += output.Shape.Size;
            return sum;
        }
    }

    /// <summary>Bytes of packing space that the layer's kernels take on each thread.</summary>
    internal long ThreadScratchBytes { get; private set; }

    /// <summary>Throws unless there are exactly <paramref name="count"/> inputs.</summary>
    /// <param name="count">The number of inputs the layer takes.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public void RequireInputs(int count)
    {
        if (_inputs.Length != count)
            throw new ArgumentException($"{Kind} takes {count} input(s); it got {_inputs.Length}.", "inputs");
    }

    /// <summary>Throws unless an input is of a kind and rank.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <param name="kind">The kind it must have.</param>
    /// <param name="rank">The rank it must have; -1 for any.</param>
    /// <returns>The shape of the input.</returns>
    /// <exception cref="ArgumentException">The input has another kind or rank.</exception>
    public Shape Require(int input, EdgeKind kind, int rank = -1) => Require(input, kind, rank, "");

    /// <summary>Throws unless an input is a sequence, values [T, D].</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>Its shape.</returns>
    /// <exception cref="ArgumentException">The input has another kind or rank.</exception>
    public Shape RequireSequence(int input) => Require(input, EdgeKind.Values, 2, ", a sequence [T, D]");

    /// <summary>Throws unless an input is an image, values [H, W, C].</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>Its shape.</returns>
    /// <exception cref="ArgumentException">The input has another kind or rank.</exception>
    public Shape RequireImage(int input) => Require(input, EdgeKind.Values, 3, ", an image [H, W, C]");

    private Shape Require(int input, EdgeKind kind, int rank, string layout)
    {
        var type = ContextGuard.At(_inputs, input);
        if (type.Kind != kind || rank >= 0 && type.Shape.Rank != rank)
        {
            var expected = rank < 0 ? "" : $" of rank {rank}{layout}";
            throw new ArgumentException($"Input {input} of {Kind} must be {kind.ToString().ToLowerInvariant()}{expected}; it is {type}.", "inputs");
        }

        return type.Shape;
    }

    /// <summary>Throws unless an input carries numbers: values or shared.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The type of the input.</returns>
    /// <exception cref="ArgumentException">The input carries indices.</exception>
    public EdgeType RequireNumbers(int input)
    {
        var type = ContextGuard.At(_inputs, input);
        if (type.Kind == EdgeKind.Indices)
            throw new ArgumentException($"Input {input} of {Kind} must be numbers; it is {type}.", "inputs");
        return type;
    }

    /// <summary>Throws unless an input carries numbers with a last dimension: rank 1 or more.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The type of the input.</returns>
    /// <exception cref="ArgumentException">The input carries indices or is a scalar.</exception>
    public EdgeType RequireLastDimension(int input)
    {
        var type = RequireNumbers(input);
        return type.Shape.Rank > 0 ? type
            : throw new ArgumentException($"Input {input} of {Kind} must have a last dimension; it is {type}.", "inputs");
    }

    /// <summary>Throws unless two inputs have the same type.</summary>
    /// <param name="first">An input, from 0.</param>
    /// <param name="second">Another.</param>
    /// <exception cref="ArgumentException">They differ.</exception>
    public void RequireSame(int first, int second)
    {
        if (ContextGuard.At(_inputs, first) != ContextGuard.At(_inputs, second))
            throw new ArgumentException($"Inputs {first} and {second} of {Kind} must be alike; they are {_inputs[first]} and {_inputs[second]}.", "inputs");
    }

    /// <summary>Declares the next output.</summary>
    /// <param name="type">Its type: values or shared.</param>
    /// <exception cref="ArgumentException">The type is indices, which no layer computes.</exception>
    public void AddOutput(EdgeType type)
    {
        if (type.Kind == EdgeKind.Indices)
            throw new ArgumentException($"An output of {Kind} must be values or shared.", nameof(type));
        var outputs = new EdgeType[_outputs.Length + 1];
        Array.Copy(_outputs, outputs, _outputs.Length);
        outputs[^1] = type;
        _outputs = outputs;
    }

    /// <summary>Declares the next output: values of a shape per row.</summary>
    /// <param name="shape">The shape per row.</param>
    public void AddOutput(Shape shape) => AddOutput(new EdgeType(EdgeKind.Values, shape));

    /// <summary>Declares the next trained parameter.</summary>
    /// <param name="name">Its name within the node, unique there.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="fanIn">Inputs that one unit sums over.</param>
    /// <param name="fanOut">Units that one input feeds.</param>
    /// <param name="initializer">How the parameter starts; if null, the layer that follows decides.</param>
    /// <exception cref="ArgumentException">The name is taken or empty.</exception>
    public void AddParameter(string name, Shape shape, int fanIn, int fanOut, Initializer? initializer)
    {
        CheckName(name);
        _parameters.Add(new DeclaredParameter(name, shape, fanIn, fanOut, initializer));
    }

    /// <summary>Declares the next piece of state.</summary>
    /// <param name="name">Its name within the node, unique there.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="initial">The value every element starts at.</param>
    /// <exception cref="ArgumentException">The name is taken or empty.</exception>
    public void AddState(string name, Shape shape, double initial = 0)
    {
        CheckName(name);
        _states.Add(new DeclaredState(name, shape, initial));
    }

    /// <summary>Asks for a cache that lives from forward to backward.</summary>
    /// <param name="perRow">Elements per row of the batch.</param>
    /// <param name="perBatch">Elements once per batch.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    /// <exception cref="ArgumentException">A size is beyond what one buffer holds, 2^31 elements.</exception>
    public void UseCache(long perRow, long perBatch = 0) => (CachePerRow, CachePerBatch, AsksForCache) = (Fitting(perRow), Fitting(perBatch), true);

    /// <summary>Asks for a cache of 32-bit integers that lives from forward to backward.</summary>
    /// <param name="perRow">Integers per row of the batch.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is negative.</exception>
    /// <exception cref="ArgumentException">The size is beyond what one buffer holds, 2^31 integers.</exception>
    public void UseIndexCache(long perRow) => (IndexCachePerRow, AsksForIndexCache) = (Fitting(perRow), true);

    /// <summary>Asks for scratch space that lives through one call of forward or backward.</summary>
    /// <param name="perRow">Elements per row of the batch.</param>
    /// <param name="perBatch">Elements once per batch.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    /// <exception cref="ArgumentException">A size is beyond what one buffer holds, 2^31 elements.</exception>
    public void UseScratch(long perRow, long perBatch = 0) => (ScratchPerRow, ScratchPerBatch) = (Fitting(perRow), Fitting(perBatch));

    /// <summary>Says how many multiplications and additions the forward pass takes per row, for <see cref="Networks.Network{T}.Summary"/>.
    /// By default a layer counts one for each element of its outputs; a view counts none.</summary>
    /// <param name="perRow">The operations per row of the batch; a multiply-add is two.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void UseOperations(double perRow)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(perRow);
        _operations = perRow;
    }

    /// <summary>Makes the output a view: the elements of each row of input 0 from <paramref name="start"/> on, as many as the output
    /// has. Sets <see cref="LayerTraits.View"/> and no other trait. Forward and backward must copy: they run if memory cannot be shared.</summary>
    /// <param name="start">The first element of a row.</param>
    /// <exception cref="ArgumentOutOfRangeException">The start is negative.</exception>
    public void UseView(int start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        Traits = LayerTraits.View;
        Meaning = OutputMeaning.SameAsInput;
        ViewStart = start;
    }

    /// <summary>Asks for what <see cref="GradientTarget{T}.ScatterRows"/> needs: an index cache for its order, and space on each
    /// thread.</summary>
    /// <param name="indicesPerRow">Indices per row of the batch.</param>
    /// <param name="columns">Elements of a row of the table.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of indices is negative, or there are no columns.</exception>
    /// <exception cref="ArgumentException">A size is beyond what one buffer holds.</exception>
    public void UseScatter(long indicesPerRow, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(indicesPerRow);
        (IndexCachePerRow, AsksForIndexCache) = (Fitting(indicesPerRow > int.MaxValue ? long.MaxValue : 2 * indicesPerRow, nameof(indicesPerRow)), true);
        UseThreadScratch(RowsUpdate<double>.ThreadBytes(columns));
    }

    /// <summary>Asks for packing space on each thread, if the layer needs more than the products of the network's operands.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void UseThreadScratch(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ThreadScratchBytes = bytes;
    }

    /// <summary>Throws unless the outputs and traits agree. Called after the layer has declared them.</summary>
    internal void Check()
    {
        if (_outputs.Length == 0)
            throw new ArgumentException($"{Kind} declares no output.", "layer");
        CheckEachStep();
        if ((Traits & (LayerTraits.View | LayerTraits.InPlace)) == 0)
            return;
        if (_inputs.Length == 0 || _outputs.Length != 1)
        {
            throw new ArgumentException(
                $"{Kind} declares {Traits}: that needs an input and exactly one output; it has {_inputs.Length} and {_outputs.Length}.", "layer");
        }

        var (input, output) = (_inputs[0], _outputs[0]);
        if (input.Kind != output.Kind || (long)ViewStart + output.Shape.Size > input.Shape.Size)
        {
            throw new ArgumentException(
                $"{Kind} declares {Traits} from element {ViewStart}: its output {output} does not lie inside its input {input}.", "layer");
        }
    }

    /// <summary>Whether parameters and state have the names and shapes of another declaration's.</summary>
    internal bool HasParametersOf(LayerDeclaration other)
    {
        var isAlike = _parameters.Count == other._parameters.Count && _states.Count == other._states.Count;
        for (var i = 0; isAlike && i < _parameters.Count; i++)
            isAlike = _parameters[i].Name == other._parameters[i].Name && _parameters[i].Shape == other._parameters[i].Shape;
        for (var i = 0; isAlike && i < _states.Count; i++)
            isAlike = _states[i].Name == other._states[i].Name && _states[i].Shape == other._states[i].Shape;
        return isAlike;
    }

    /// <summary>Checks a size. Sizes are 64-bit numbers, so that large sizes are refused and never wrap around.</summary>
    private int Fitting(long elements, [CallerArgumentExpression(nameof(elements))] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elements, name);
        return elements <= Array.MaxLength - 64 ? (int)elements
            : throw new ArgumentException(
                $"{Kind} of {string.Join(", ", _inputs)} would need {elements} elements in one buffer; a buffer holds at most 2^31.", name);
    }

    private void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var isTaken = false;
        foreach (var parameter in _parameters)
            isTaken |= parameter.Name == name;
        foreach (var state in _states)
            isTaken |= state.Name == name;
        if (isTaken)
            throw new ArgumentException($"{Kind} declares '{name}' twice.", nameof(name));
    }
}
