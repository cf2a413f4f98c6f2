using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>What attention is tried on: the layer, the sizes, and its masks.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Rows">The rows of the batch.</param>
/// <param name="Queries">T and D.</param>
/// <param name="Keys">S and K; null for self-attention.</param>
/// <param name="Values">The columns of the values; 0 for the keys.</param>
internal sealed record AttentionCase(MultiHeadAttention Layer, int Rows, (int Steps, int Size) Queries, (int Length, int Size)? Keys = null, int Values = 0)
{
    /// <summary>The type of what is added to the scores.</summary>
    public EdgeType? Bias { get; init; }

    /// <summary>The part of what is added that is -infinity.</summary>
    public double Hidden { get; init; }

    /// <summary>The rank of the mask; 0 for none.</summary>
    public int MaskRank { get; init; }

    public int[]? Lengths { get; init; }

    public int Length => Keys?.Length ?? Queries.Steps;

    public override string ToString() => $"{Queries} x {Keys} {Values}, {Layer.Heads}/{Layer.KeyValueHeads} heads, bias {Bias}, mask {MaskRank}, "
        + $"{(Layer.IsCausal ? "causal" : "")}, dropout {Layer.Dropout}, lengths {(Lengths is null ? "" : string.Join(",", Lengths))}";
}

/// <summary>One attention layer, forward and backward, with all that goes in and comes out.</summary>
internal sealed class AttentionRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public const string Name = "multiheadattention1";

    private static readonly string[] Names = ["query", "key", "value", "output"];

    public AttentionRun(AttentionCase of, ComputeContext? compute = null)
    {
        Case = of;
        var (steps, length) = (of.Queries.Steps, of.Length);
        var graph = new GraphBuilder();
        List<Node> nodes = [graph.Input("x0", steps, of.Queries.Size)];
        if (of.Keys is { } keys)
            nodes.Add(graph.Input("x1", length, keys.Size));
        if (of.Values > 0)
            nodes.Add(graph.Input("x2", length, of.Values));
        Sequences = nodes.Count;
        if (of.Bias is { } type)
            nodes.Add(type.Kind == EdgeKind.Shared ? graph.SharedInput("bias", [.. Sizes(type.Shape)]) : graph.Input("bias", type.Shape));
        if (of.MaskRank > 0)
            nodes.Add(of.MaskRank == 1 ? graph.IndexInput("mask", length) : graph.IndexInput("mask", steps, length));
        if (of.Lengths is not null)
            nodes.Add(graph.IndexInput("lengths"));
        foreach (var output in graph.ApplyAll(of.Layer, [.. nodes]))
            graph.Output(output);
        Network = graph.Build().CreateNetwork<T>(seed: 3);
        Workspace = Network.CreateWorkspace(of.Rows, new WorkspaceOptions { InputGradients = true, OutputGradients = true },
            compute ?? ComputeContext.SingleThreaded);
        var random = new TestRandom(5);
        Fill(ref random, Network.Parameters);
        for (var i = 0; i < Sequences; i++)
            Fill(ref random, Workspace.Input($"x{i}"));
        foreach (var output in Network.Definition.OutputNames)
            Fill(ref random, Workspace.OutputGradient(output));
        if (of.Bias is not null)
            FillBias(ref random, Workspace.Input("bias"), of.Hidden);
        for (var i = 0; of.MaskRank > 0 && i < Workspace.IndexInput("mask").Length; i++)
            Workspace.IndexInput("mask")[i] = random.Integer(-1, 1);
        if (of.Lengths is not null)
            Workspace.SetIndexInput("lengths", of.Lengths);
        Network.Forward(Workspace);
        Network.Backward(Workspace);
    }

    public AttentionCase Case { get; }

    public int Sequences { get; }

    public Network<T> Network { get; }

    public Workspace<T> Workspace { get; }

    private string[] Outputs => [.. Network.Definition.OutputNames];

    /// <summary>All outputs and gradients.</summary>
    public T[] Numbers()
    {
        List<T> all = [.. Workspace.Gradients];
        foreach (var output in Network.Definition.OutputNames)
            all.AddRange(Workspace.Output(output));
        foreach (var input in Network.Definition.InputNames.Where(n => Network.Definition.TypeOf(n).Kind != EdgeKind.Indices))
            all.AddRange(Workspace.GradientOf(input));
        return [.. all];
    }

    /// <summary>The same by the definition.</summary>
    public AttentionReference.Result Expected(Action<double[], int, bool>? turn = null)
    {
        var (steps, length, heads) = (Case.Queries.Steps, Case.Length, Case.Layer.Heads);
        var mask = Case.MaskRank > 0 ? Workspace.IndexInput("mask").ToArray() : [];
        double[] bias = Case.Bias is null ? [] : Doubles(Workspace.Input("bias"));
        return AttentionReference.Run(new(Case.Rows, steps, length, Case.Queries.Size, heads, Case.Layer.IsCausal,
            [.. new[] { 0, Math.Min(1, Sequences - 1), Sequences - 1 }.Select(i => Doubles(Workspace.Input($"x{i}")))],
            [.. Names.Select(n => Doubles(Network.ParameterOf($"{Name}.{n}Weight")))], [.. Names.Select(n => Doubles(Network.ParameterOf($"{Name}.{n}Bias")))],
            Case.Lengths ?? [.. Enumerable.Repeat(length, Case.Rows)], Doubles(Workspace.OutputGradient(Outputs[0])))
        {
            KeyHeads = Case.Layer.KeyValueHeads,
            Sees = (row, t, s) => Case.MaskRank == 0 || mask[(row * (Case.MaskRank == 1 ? 1 : steps) + (Case.MaskRank == 1 ? 0 : t)) * length + s] != 0,
            Bias = (row, head, t, s) => Case.Bias is null ? 0 : bias[BiasAt(row, head, t, s)],
            Keeps = (row, head, t, s) => Factor(((row * heads + head) * steps + t) * (long)length + s),
            Turn = turn ?? ((_, _, _) => { }),
            DWeightsOutput = Outputs.Length > 1 ? Doubles(Workspace.OutputGradient(Outputs[1])) : null,
        });
    }

    /// <summary>Throws unless all outputs and gradients are those of the definition.</summary>
    public void AssertFollows(AttentionReference.Result expected)
    {
        RecurrentTests.AssertClose(expected.Output, Doubles(Workspace.Output(Outputs[0])), "y");
        for (var i = 0; i < 4; i++)
        {
            RecurrentTests.AssertClose(expected.DWeights[i], Doubles(Workspace.ParameterGradientOf($"{Name}.{Names[i]}Weight")), Names[i] + " weight");
            RecurrentTests.AssertClose(expected.DBiases[i], Doubles(Workspace.ParameterGradientOf($"{Name}.{Names[i]}Bias")), Names[i] + " bias");
        }

        for (var input = 0; input < Sequences; input++)
        {
            var dx = new double[Workspace.Input($"x{input}").Length];
            for (var i = 0; i < 3; i++)
            {
                for (var j = 0; Math.Min(i, Sequences - 1) == input && j < dx.Length && (i < 2 || Sequences != 2 || input == 1); j++)
                    dx[j] += expected.Dx[i][j];
            }

            RecurrentTests.AssertClose(dx, Doubles(Workspace.GradientOf($"x{input}")), $"dx{input}");
        }

        if (Case.Layer.HasWeights)
            RecurrentTests.AssertClose(expected.Probabilities, Doubles(Workspace.Output(Outputs[1])), "weights");
        if (Case.Bias is null)
            return;
        var db = new double[Workspace.Input("bias").Length];
        var (steps, length, heads) = (Case.Queries.Steps, Case.Length, Case.Layer.Heads);
        for (var i = 0; i < expected.DScores.Length; i++)
            db[BiasAt(i / length / steps / heads, i / length / steps % heads, i / length % steps, i % length)] += expected.DScores[i];
        RecurrentTests.AssertClose(db, Doubles(Workspace.GradientOf("bias")), "dbias");
    }

    /// <summary>0 or 1 / (1 - p), from the generator's words.</summary>
    private double Factor(long position)
    {
        var p = Case.Layer.Dropout;
        if (p == 0)
            return 1;
        var stream = WordStream.Of(3, 0, 0);
        var (x, y, z, w) = Philox.Block((ulong)position / 4, stream.CounterHigh, stream.Key);
        var word = (position % 4) switch { 0 => x, 1 => y, 2 => z, _ => w };
        return (word >> 9) < Math.Round(p * (1 << 23)) ? 0 : 1 / (1 - p);
    }

    private int BiasAt(int row, int head, int t, int s)
    {
        var type = Case.Bias!.Value;
        var (heads, steps) = (type.Shape.Rank > 2 ? type.Shape[0] : 1, type.Shape.Rank > 1 ? type.Shape[type.Shape.Rank - 2] : 1);
        return (((type.Kind == EdgeKind.Shared ? 0 : row) * heads + head % heads) * steps + t % steps) * Case.Length + s;
    }

    private static IEnumerable<int> Sizes(Shape shape) => Enumerable.Range(0, shape.Rank).Select(i => shape[i]);

    private static double[] Doubles(ReadOnlySpan<T> values)
    {
        var doubles = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            doubles[i] = double.CreateTruncating(values[i]);
        return doubles;
    }

    private static void Fill(ref TestRandom random, Span<T> values)
    {
        foreach (ref var value in values)
            value = random.Signed<T>();
    }

    private static void FillBias(ref TestRandom random, Span<T> values, double hidden)
    {
        foreach (ref var value in values)
            value = Math.Abs(random.Signed<double>()) < hidden ? T.NegativeInfinity : random.Signed<T>();
    }
}
