using Backprop.Simd.Gradients;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>Every layer, on every sample: against central differences in double, and float against double.</summary>
public sealed class LayerGradientTests
{
    /// <summary>Central differences with h = 1e-4 of functions of order 1 are good to about 1e-8.</summary>
    private const double NumericalTolerance = 5e-8;

    /// <summary>Some tens of float roundings.</summary>
    private const double FloatTolerance = 4e-6;

    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count)];

    [Theory, MemberData(nameof(Samples))]
    public void Backward_equals_the_central_difference(int sample)
    {
        var network = new SampleNetwork(LayerSamples.All[sample]);
        AssertPasses(LayerSamples.All[sample], GradientCheck.Run(network.Double, network.Workspace(network.Double)));
    }

    [Theory, MemberData(nameof(Samples))]
    public void Backward_equals_the_central_difference_when_inputs_fan_out(int sample)
    {
        var network = new SampleNetwork(LayerSamples.All[sample], fanOut: true);
        AssertPasses(LayerSamples.All[sample], GradientCheck.Run(network.Double, network.Workspace(network.Double)));
    }

    [Theory, MemberData(nameof(Samples))]
    public void Backward_equals_the_central_difference_along_random_directions(int sample)
    {
        var network = new SampleNetwork(LayerSamples.All[sample]);
        AssertPasses(LayerSamples.All[sample], GradientCheck.Run(network.Double, network.Workspace(network.Double),
            new GradientCheckOptions { Mode = GradientCheckMode.RandomDirections }));
    }

    [Theory, MemberData(nameof(Samples))]
    public void Parameter_gradients_accumulate_and_input_gradients_do_not(int sample)
    {
        var network = new SampleNetwork(LayerSamples.All[sample]);
        var workspace = network.Workspace(network.Double);
        network.Double.Forward(workspace);
        network.Double.Backward(workspace);
        var once = workspace.Gradients.ToArray();
        var inputs = Inputs(network.Double).ToDictionary(i => i, i => workspace.GradientOf(i).ToArray());
        network.Double.Backward(workspace, accumulate: true);
        for (var i = 0; i < once.Length; i++)
            Assert.Equal(2 * once[i], workspace.Gradients[i], 1e-12 * (1 + Math.Abs(once[i])));
        foreach (var (name, gradient) in inputs)
            Assert.Equal(gradient, workspace.GradientOf(name).ToArray());
        network.Double.Backward(workspace);
        Assert.Equal(once, workspace.Gradients.ToArray());
    }

    [Theory, MemberData(nameof(Samples))]
    public void Overwriting_reads_nothing_of_what_the_gradients_held(int sample)
    {
        var network = new SampleNetwork(LayerSamples.All[sample]);
        var workspace = network.Workspace(network.Double);
        network.Double.Forward(workspace);
        network.Double.Backward(workspace);
        var expected = network.Double.Definition.Parameters.Entries.ToDictionary(p => p.Name, p => workspace.ParameterGradientOf(p.Name).ToArray());
        workspace.Gradients.Fill(double.NaN);
        network.Double.Forward(workspace);
        network.Double.Backward(workspace);
        foreach (var (name, gradient) in expected)
            Assert.Equal(gradient, workspace.ParameterGradientOf(name).ToArray());
    }

    [Theory, MemberData(nameof(Samples))]
    public void Float_agrees_with_double(int sample)
    {
        foreach (var fanOut in (bool[])[false, true])
        {
            var network = new SampleNetwork(LayerSamples.All[sample], fanOut);
            var (single, twice) = (network.Workspace(network.Float), network.Workspace(network.Double));
            network.Float.Forward(single);
            network.Float.Backward(single);
            network.Double.Forward(twice);
            network.Double.Backward(twice);
            foreach (var output in network.Double.Definition.OutputNames)
                AssertClose(output, twice.Output(output), single.Output(output));
            foreach (var parameter in network.Double.Definition.Parameters.Entries)
                AssertClose(parameter.Name, twice.ParameterGradientOf(parameter.Name), single.ParameterGradientOf(parameter.Name));
            foreach (var input in Inputs(network.Double))
                AssertClose(input, twice.GradientOf(input), single.GradientOf(input));
        }
    }

    private static IEnumerable<string> Inputs(Network<double> network) =>
        network.Definition.InputNames.Where(i => network.Definition.TypeOf(i).Kind != Backprop.Simd.Layers.EdgeKind.Indices);

    private static void AssertPasses(LayerSample sample, GradientCheckReport report)
    {
        Assert.True(report.Passes(NumericalTolerance, 1e-9), $"{sample}\n{report}");
        var inputs = sample.Inputs.Count(i => i.Kind != Backprop.Simd.Layers.EdgeKind.Indices);
        Assert.Equal(inputs, report.Entries.Count(e => e.Of == GradientOf.Input));
    }

    private static void AssertClose(string what, ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        var largest = 0.0;
        foreach (var value in expected)
            largest = Math.Max(largest, Math.Abs(value));
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= FloatTolerance * largest, $"{what}[{i}]: {actual[i]} in float, {expected[i]} in double.");
    }
}
