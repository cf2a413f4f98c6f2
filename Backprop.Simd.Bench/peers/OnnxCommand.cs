namespace Backprop.Simd.Bench;

/// <summary>Times an imported ONNX model beside ONNX Runtime: one row, one thread, both in turn.</summary>
internal static partial class OnnxCommand
{
    public const string Usage = """
          onnx MODEL [INPUT=SIZES] [--fold]
                              an ONNX model beside ONNX Runtime, one thread: onnx model.onnx x=1,3,48,320 (built with -p:Peers=true)
        """;

    public static int Run(string[] arguments)
    {
        var code = -1;
        Measure(arguments, ref code);
        if (code < 0)
            Console.Error.WriteLine("This build has no ONNX Runtime: build Backprop.Simd.Bench with -p:Peers=true.");
        return code < 0 ? 2 : code;
    }

    static partial void Measure(string[] arguments, ref int code);
}
