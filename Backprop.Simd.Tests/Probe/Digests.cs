using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Probe;

/// <summary>
/// Prints a digest of the bits of each of a set of trainings: parameters, state, losses, outputs. A change of the code that must
/// not change a number prints the same lines before and after, at each register width (<c>DOTNET_EnableAVX512=0</c>,
/// <c>DOTNET_EnableAVX2=0</c>).
/// </summary>
internal static class Digests
{
    private const int Steps = 6;

    public static int Run()
    {
        foreach (var training in DigestTrainings.All)
        {
            foreach (var threads in new[] { 1, 3 })
            {
                Print<float>(training, threads);
                Print<double>(training, threads);
            }
        }

        return 0;
    }

    private static void Print<T>(DigestTraining training, int threads) where T : unmanaged, IFloatingPointIeee754<T> => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{training.Name} {typeof(T).Name} {threads} ")
        + Convert.ToHexStringLower(Train<T>(training, threads))[..16]);

    private static byte[] Train<T>(DigestTraining training, int threads) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        training.Define(graph);
        var network = graph.Build().CreateNetwork<T>(seed: 7);
        if (training.Frozen is { } frozen)
            network.Freeze(frozen);
        var optimizer = training.Optimizer is { } make ? make.Make<T>(network.Parameters.Length) : new Sgd<T>(network.Parameters.Length, 0.05);
        var workspace = network.CreateWorkspace(training.Rows, training.Options, new ComputeContext(threads));
        var accumulator = training.MicroBatches > 1 ? new GradientAccumulator<T>(network, workspace) : null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var step = 0; step < Steps; step++)
        {
            workspace.Rows = step % 3 == 2 ? Math.Max(1, training.Rows / 2) : training.Rows;
            double loss;
            if (accumulator is null)
            {
                Fill(network.Definition, workspace, training, step);
                loss = network.Step(workspace, optimizer);
            }
            else
            {
                for (var micro = 0; micro < training.MicroBatches; micro++)
                {
                    Fill(network.Definition, workspace, training, step * training.MicroBatches + micro);
                    accumulator.Add();
                }

                loss = accumulator.Average();
                network.Update(workspace, optimizer);
            }

            hash.AppendData(MemoryMarshal.AsBytes<double>([loss]));
            foreach (var output in network.Definition.OutputNames)
                hash.AppendData(MemoryMarshal.AsBytes(workspace.Output(output)));
        }

        hash.AppendData(MemoryMarshal.AsBytes(network.Parameters));
        hash.AppendData(MemoryMarshal.AsBytes(network.State));
        return hash.GetHashAndReset();
    }

    /// <summary>Numbers in (-1, 1) for inputs of numbers, positive ones for sample weights and distributions; integers below their bound.</summary>
    private static void Fill<T>(NetworkDefinition definition, Workspace<T> workspace, DigestTraining training, int step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var state = (ulong)step * 1_000_003 + 12345;
        foreach (var name in definition.InputNames)
        {
            if (definition.TypeOf(name).Kind == EdgeKind.Indices)
            {
                var (low, high) = training.Bounds[name];
                foreach (ref var index in workspace.IndexInput(name))
                    index = low + (int)(Next(ref state) * (high - low + 1));
                continue;
            }

            foreach (ref var value in workspace.Input(name))
            {
                var u = Next(ref state);
                value = T.CreateTruncating(name is "weights" or "distribution" ? u : 2 * u - 1);
            }
        }
    }

    /// <summary>In [0, 1), exact in float.</summary>
    private static double Next(ref ulong state)
    {
        state = state * 6364136223846793005 + 1442695040888963407;
        return (state >> 44) / (double)(1 << 20);
    }
}

/// <summary>Makes an optimizer of either element type.</summary>
internal abstract class OptimizerMaker
{
    public abstract Optimizer<T> Make<T>(int length) where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>A network, how it is trained, and the bounds of its integers.</summary>
internal sealed record DigestTraining(string Name, Action<GraphBuilder> Define)
{
    public int Rows { get; init; } = 16;

    public OptimizerMaker? Optimizer { get; init; }

    public WorkspaceOptions? Options { get; init; }

    public string? Frozen { get; init; }

    public int MicroBatches { get; init; } = 1;

    /// <summary>The least and the largest integer of each input of indices.</summary>
    public IReadOnlyDictionary<string, (int Low, int High)> Bounds { get; init; } =
        new Dictionary<string, (int, int)> { ["labels"] = (0, 9), ["tokens"] = (0, 29), ["lengths"] = (1, 7) };
}
