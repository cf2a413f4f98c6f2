using Backprop.Simd.Activations;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Inference;

/// <summary>The input and the output of a predictor, per row, and whether the network needs more than them.</summary>
internal sealed class RowForm
{
    private readonly string? _problem;

    public RowForm(NetworkDefinition definition, string? input, string? output)
    {
        if (!definition.OutputNames.Any())
            throw new ArgumentException("The network has no output.", "network");
        if (input is not null && !definition.InputNames.Contains(input))
            throw new ArgumentException($"'{input}' is not an input; the inputs are: {string.Join(", ", definition.InputNames)}.", nameof(input));
        if (output is not null && !definition.OutputNames.Contains(output))
            throw new ArgumentException($"'{output}' is not an output; the outputs are: {string.Join(", ", definition.OutputNames)}.", nameof(output));

        Output = output ?? definition.OutputNames.First();
        OutputType = definition.TypeOf(Output);
        Input = input ?? definition.InputNames.FirstOrDefault(name => definition.TypeOf(name).Kind == EdgeKind.Values) ?? "";
        InputType = Input.Length == 0 ? default : definition.TypeOf(Input);
        var further = definition.RequiredInputs(WorkspaceOptions.Inference).Where(name => name != Input).ToArray();
        _problem = Input.Length == 0 || InputType.Kind != EdgeKind.Values ? $"no input of numbers per row, but {Inputs(definition)}"
            : OutputType.Kind != EdgeKind.Values ? $"an output '{Output}' of {OutputType}, not of numbers per row"
            : further.Length > 0 ? $"outputs that depend on {string.Join(", ", further)} beside '{Input}'"
            : null;

        InputSize = InputType.Shape.Size;
        OutputSize = OutputType.Shape.Size;
        Classes = OutputType.Shape.Rank == 0 ? 1 : OutputType.Shape[OutputType.Shape.Rank - 1];
        var producer = definition.Graph.Edges[definition.EdgeOf(Output)].Producer;
        GivesProbabilities = producer >= 0 && definition.Graph.Nodes[producer].Declaration.Meaning == OutputMeaning.Distribution;
    }

    public string Input { get; }

    public EdgeType InputType { get; }

    public string Output { get; }

    public EdgeType OutputType { get; }

    public int InputSize { get; }

    public int OutputSize { get; }

    /// <summary>The last dimension of the output.</summary>
    public int Classes { get; }

    /// <summary>How many classes a row has: 1, or the number of positions of a sequence.</summary>
    public int Positions => OutputSize / Classes;

    public bool GivesProbabilities { get; }

    /// <summary>Throws if a row of the output needs more than a row of the input.</summary>
    public void RequireRows()
    {
        if (_problem is not null)
        {
            throw new InvalidOperationException(
                $"The network has {_problem}: use PredictFromIndices, Predict with a data set, or rent a workspace, fill its inputs and run it.");
        }
    }

    /// <summary>Throws if a position has one number only: every answer would be class 0 with probability 1.</summary>
    public void RequireClasses()
    {
        if (Classes == 1)
        {
            throw new InvalidOperationException(
                $"The output '{Output}' {OutputType.Shape} has one number per position; classes need two. "
                + "Use Predict: the class is 1 if a logit is above 0, or a probability above 0.5.");
        }
    }

    private static string Inputs(NetworkDefinition definition) =>
        string.Join(", ", definition.InputNames.Select(name => $"'{name}' of {definition.TypeOf(name)}"));
}
