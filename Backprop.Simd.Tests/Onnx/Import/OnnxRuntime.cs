using Backprop.Simd.Interchange;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>ONNX Runtime on its CPU provider, one thread: the reference of what a model computes.</summary>
internal static class OnnxRuntime
{
    /// <summary>Runs a model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="outputs">The outputs wanted.</param>
    /// <param name="inputs">The inputs by name: floats or 64-bit integers.</param>
    /// <returns>The outputs, of floats.</returns>
    public static OnnxTensor[] Run(string path, IReadOnlyList<string> outputs, params (string Name, OnnxTensor Values)[] inputs)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        return Run(session, outputs, inputs);
    }

    /// <inheritdoc cref="Run(string, IReadOnlyList{string}, ValueTuple{string, OnnxTensor}[])"/>
    public static OnnxTensor[] Run(InferenceSession session, IReadOnlyList<string> outputs, params (string Name, OnnxTensor Values)[] inputs)
    {
        OrtValue[] values = [.. inputs.Select(i => ValueOf(i.Values))];
        try
        {
            using var run = new RunOptions();
            using var results = session.Run(run, [.. inputs.Select(i => i.Name)], values, [.. outputs]);
            return [.. results.Select(TensorOf)];
        }
        finally
        {
            foreach (var value in values)
                value.Dispose();
        }
    }

    private static OrtValue ValueOf(OnnxTensor x)
    {
        long[] shape = [.. x.Shape.Select(d => (long)d)];
        return x.Type switch
        {
            OnnxType.Float => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(x.Numbers, v => (float)v), shape),
            OnnxType.Double => OrtValue.CreateTensorValueFromMemory(x.Numbers, shape),
            OnnxType.Int64 => OrtValue.CreateTensorValueFromMemory(x.Integers, shape),
            OnnxType.Int32 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(x.Integers, v => (int)v), shape),
            _ => throw new ArgumentException($"No input of {x.Type} is given here.", nameof(x)),
        };
    }

    private static OnnxTensor TensorOf(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        int[] shape = [.. info.Shape.Select(d => checked((int)d))];
        return (OnnxType)(int)info.ElementDataType switch
        {
            OnnxType.Float => OnnxTensor.Of(OnnxType.Float, shape, [.. value.GetTensorDataAsSpan<float>().ToArray().Select(v => (double)v)]),
            OnnxType.Double => OnnxTensor.Of(OnnxType.Double, shape, value.GetTensorDataAsSpan<double>().ToArray()),
            OnnxType.Int64 => OnnxTensor.OfIntegers(OnnxType.Int64, shape, value.GetTensorDataAsSpan<long>().ToArray()),
            var type => throw new InvalidDataException($"The model gives {type}."),
        };
    }
}
