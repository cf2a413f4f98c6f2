using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>One normalization on its own, with random numbers: output and gradients, and what they come from in double.</summary>
internal sealed class NormalizationRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public NormalizationRun(Layer layer, Shape shape, int rows, ComputeContext? compute = null, Func<int, double, double>? change = null)
    {
        Network = new GraphBuilder().Input("x", shape).Apply(layer).Named("n").Build<T>();
        Workspace = Network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true, OutputGradients = true },
            compute ?? ComputeContext.SingleThreaded);
        var random = new TestRandom(5);
        Fill(ref random, Workspace.Input("x"));
        for (var i = 0; change is not null && i < Workspace.Input("x").Length; i++)
            Workspace.Input("x")[i] = T.CreateTruncating(change(i, double.CreateTruncating(Workspace.Input("x")[i])));
        Fill(ref random, Workspace.OutputGradient());
        foreach (var entry in Network.Definition.Parameters.Entries)
            Fill(ref random, Network.Parameters.Slice(entry.Range.Start, entry.Range.Length));
        Network.Forward(Workspace);
        Network.Backward(Workspace);
    }

    public Network<T> Network { get; }

    public Workspace<T> Workspace { get; }

    public double[] X => Doubles(Workspace.Input("x"));

    public double[] Dy => Doubles(Workspace.OutputGradient());

    public T[] Y => Workspace.Output().ToArray();

    public T[] Dx => Workspace.GradientOf("x").ToArray();

    /// <summary>A parameter; the default in all places where the layer has none.</summary>
    public double[] Parameter(string name, int length, double missing) => Has(name) ? Doubles(Network.ParameterOf(name))
        : [.. Enumerable.Repeat(missing, length)];

    public bool Has(string name) => Network.Definition.Parameters.Entries.Any(e => e.Name == name);

    public T[] Gradient(string name) => Workspace.ParameterGradientOf(name).ToArray();

    /// <summary>All that came out, for a comparison of bits.</summary>
    public T[] Everything => [.. Y, .. Dx, .. Workspace.Gradients];

    public static double[] Doubles(ReadOnlySpan<T> values) => [.. values.ToArray().Select(double.CreateTruncating)];

    private static void Fill(ref TestRandom random, Span<T> values)
    {
        foreach (ref var value in values)
            value = random.Signed<T>();
    }
}

/// <summary>Comparisons with a reference in double.</summary>
internal static class Near
{
    /// <summary>Fails unless all elements are within a tolerance relative to the largest, or to the terms of order 1 that it is the difference of.</summary>
    public static void Assert<T>(double[] expected, ReadOnlySpan<T> actual, double tolerance, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Xunit.Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
        {
            var value = double.CreateTruncating(actual[i]);
            Xunit.Assert.True(Math.Abs(expected[i] - value) <= tolerance * Math.Max(largest, 0.05), $"{what}[{i}] is {value}, expected {expected[i]}.");
        }
    }
}
