namespace Backprop.Simd.Tests.Fuzz;

/// <summary>A reader of files.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Read">Reads bytes, and tells whether they were taken: false for a documented exception. All others come out.</param>
/// <param name="Seeds">Small files that are right, from which changed ones are made.</param>
internal sealed record Target(string Name, Func<byte[], bool> Read, Func<IEnumerable<byte[]>> Seeds)
{
    /// <summary>All readers of the library and its package for interchange.</summary>
    public static IReadOnlyList<Target> All { get; } =
    [
        TensorTargets.Safetensors, TensorTargets.Model, TrainingTarget.Checkpoint, PyTorchTarget.Pickle, ArrayTargets.Npy, ArrayTargets.Npz, OnnxTarget.Onnx,
    ];

    /// <summary>A reader with a fault, by name alone: what finds no fault in it finds none at all.</summary>
    public static Target Broken { get; } = new("broken",
        static bytes => bytes.Length <= 2 || bytes[2] != 0x7F || bytes[bytes.Length] == 0, static () => [new byte[8]]);
}
