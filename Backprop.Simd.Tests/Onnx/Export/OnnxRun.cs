using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>An exported network in ONNX Runtime, on the inputs of a workspace.</summary>
internal sealed class OnnxRun : IDisposable
{
    private readonly InferenceSession _session;

    private OnnxRun(byte[] model)
    {
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new(model, options);
    }

    public IReadOnlyList<string> Inputs => [.. _session.InputMetadata.Keys];

    public IReadOnlyList<string> Outputs => _session.OutputNames;

    public static byte[] Model<T>(Network<T> network, OnnxSaveOptions? options = null) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var stream = new MemoryStream();
        network.SaveOnnx(stream, options);
        return stream.ToArray();
    }

    public static OnnxRun Of(byte[] model) => new(model);

    public static OnnxRun Of<T>(Network<T> network, OnnxSaveOptions? options = null) where T : unmanaged, IFloatingPointIeee754<T> =>
        new(Model(network, options));

    /// <summary>The largest difference from the outputs of the workspace after a pass, relative to the largest number; sizes and names are held too.</summary>
    public double Difference<T>(Workspace<T> workspace) where T : unmanaged, IFloatingPointIeee754<T>
    {
        workspace.Network.Forward(workspace);
        return Run(workspace, results => _session.OutputNames.Select((name, i) => Difference(workspace, name, results[i])).Max());
    }

    /// <summary>The outputs on the inputs of a workspace.</summary>
    public T[][] Run<T>(Workspace<T> workspace) where T : unmanaged, IFloatingPointIeee754<T> =>
        Run(workspace, results => results.Select(r => r.GetTensorDataAsSpan<T>().ToArray()).ToArray());

    private TResult Run<T, TResult>(Workspace<T> workspace, Func<IDisposableReadOnlyCollection<OrtValue>, TResult> use)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var inputs = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var name in _session.InputMetadata.Keys)
                inputs[name] = Value(workspace, name);
            using var options = new RunOptions();
            using var results = _session.Run(options, inputs, _session.OutputNames);
            return use(results);
        }
        finally
        {
            foreach (var value in inputs.Values)
                value.Dispose();
        }
    }

    /// <summary>The shapes of the outputs of a batch without rows.</summary>
    public long[][] ShapesWithoutRows(NetworkDefinition definition)
    {
        using var x = OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [0, .. Sizes(definition.TypeOf(Inputs.Single()))]);
        using var options = new RunOptions();
        using var results = _session.Run(options, new Dictionary<string, OrtValue> { [Inputs.Single()] = x }, _session.OutputNames);
        return [.. results.Select(r => r.GetTensorTypeAndShape().Shape)];
    }

    /// <summary>The largest relative difference on random numbers, with some rows; of indices from 0 to 3 or as given.</summary>
    public double Difference<T>(Network<T> network, int rows, (string Name, int Size)[]? sizes = null, Func<string, (int Least, int Most)>? indices = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var workspace = network.CreateWorkspace(rows, WorkspaceOptions.Inference);
        workspace.SetSizes(sizes ?? []);
        var random = new TestRandom((ulong)rows + 7);
        foreach (var name in network.Definition.InputNames)
        {
            if (network.Definition.TypeOf(name).Kind == EdgeKind.Indices)
            {
                var (least, most) = indices?.Invoke(name) ?? (0, 3);
                foreach (ref var index in workspace.IndexInput(name))
                    index = random.Integer(least, most);
                continue;
            }

            foreach (ref var value in workspace.Input(name))
                value = T.CreateTruncating((float)random.Signed<double>());
        }

        return Difference(workspace);
    }

    public void Dispose() => _session.Dispose();

    private static double Difference<T>(Workspace<T> workspace, string name, OrtValue result) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(ShapeOf(workspace, name), result.GetTensorTypeAndShape().Shape);
        ReadOnlySpan<T> expected = workspace.ValueOf(name), actual = result.GetTensorDataAsSpan<T>();
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, difference = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            double e = double.CreateTruncating(expected[i]), a = double.CreateTruncating(actual[i]);
            if (double.IsNaN(e) && double.IsNaN(a) || e == a)
                continue;
            (largest, difference) = (Math.Max(largest, Math.Abs(e)), Math.Max(difference, Math.Abs(e - a)));
            if (double.IsNaN(difference))
                return double.PositiveInfinity;
        }

        return difference / Math.Max(largest, 1e-3);
    }

    private static OrtValue Value<T>(Workspace<T> workspace, string name) where T : unmanaged, IFloatingPointIeee754<T> =>
        workspace.TypeOf(name).Kind == EdgeKind.Indices
            ? OrtValue.CreateTensorValueFromMemory(workspace.IndexInput(name).ToArray(), ShapeOf(workspace, name))
            : OrtValue.CreateTensorValueFromMemory(workspace.Input(name).ToArray(), ShapeOf(workspace, name));

    private static long[] ShapeOf<T>(Workspace<T> workspace, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var type = workspace.TypeOf(name);
        return type.Kind == EdgeKind.Shared ? Sizes(type) : [workspace.Rows, .. Sizes(type)];
    }

    private static long[] Sizes(EdgeType type) => [.. Enumerable.Range(0, type.Shape.Rank).Select(d => (long)type.Shape[d])];
}
