using System.Diagnostics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>A text, and how sure the model is of it: the mean probability of its characters.</summary>
internal sealed record Reading(string Text, double Confidence, bool WasTurned, double AngleConfidence)
{
    /// <summary>The character of which the model is least sure, and its probability.</summary>
    public (string Character, double Probability)? LeastSure { get; init; }

    /// <summary>What the recognition saw, [height, width, 3], and what it gave, [steps, characters].</summary>
    public required (int Width, float[] Pixels, float[] Probabilities) Seen { get; init; }

    public required TimeSpan Angle { get; init; }

    public required TimeSpan Recognition { get; init; }
}

/// <summary>
/// Reads one line of printed text with PP-OCRv4 (Du et al. 2020-2023): whether the line stands upside down, then its characters.
/// The models come as ONNX. A picture becomes what they take inside the network: scaled to -1 .. 1, resized, padded.
/// </summary>
internal sealed class LineReader(string folder, ComputeContext compute)
{
    private const int LineHeight = 48, AngleWidth = 192, LeastWidth = 320, LargestWidth = 8192;

    private const double SureEnoughToTurn = 0.9;

    private readonly OnnxFile _angle = OnnxFile.Open(Path.Combine(folder, AngleModel)), _recognition = OnnxFile.Open(Path.Combine(folder, RecognitionModel));

    private readonly Alphabet _alphabet = Alphabet.Read(Path.Combine(folder, Characters));

    public const string AngleModel = "ch_ppocr_mobile_v2.0_cls_infer.onnx", RecognitionModel = "ch_PP-OCRv4_rec_infer.onnx", Characters = "ppocr_keys_v1.txt";

    /// <exception cref="InvalidDataException">The picture is too wide for a line.</exception>
    public Reading Read(Picture picture)
    {
        var clock = Stopwatch.StartNew();
        var (_, sides) = Run(_angle, picture, AngleWidth);
        var isTurned = sides[1] > SureEnoughToTurn;
        var angle = clock.Elapsed;

        clock.Restart();
        var width = (int)Math.Max(LeastWidth, (long)LineHeight * picture.Width / picture.Height);
        if (width > LargestWidth)
            throw new InvalidDataException($"it is {picture.Width} x {picture.Height}: too wide for a line of text");
        var (pixels, probabilities) = Run(_recognition, isTurned ? picture.Turned() : picture, width);
        var letters = _alphabet.Decode(probabilities);
        return new(string.Concat(letters.Select(l => l.Character)).Trim(), letters.Count == 0 ? 0 : letters.Average(l => l.Probability), isTurned, sides.Max())
        {
            LeastSure = letters.Count == 0 ? null : letters.MinBy(l => l.Probability),
            Seen = (width, pixels, probabilities),
            Angle = angle,
            Recognition = clock.Elapsed,
        };
    }

    /// <summary>What a model gives for a picture that is resized to its height, and padded to its width with the middle of all values.</summary>
    private (float[] Seen, float[] Output) Run(OnnxFile model, Picture picture, int width)
    {
        var own = (int)Math.Clamp(((long)LineHeight * picture.Width + picture.Height - 1) / picture.Height, 1, width);
        var graph = new GraphBuilder();
        var line = graph.Input("pixels", picture.Height, picture.Width, 3) * (1 / 127.5) - 1;
        line = line.Upsample(outputs: new Extent(LineHeight, own), mode: ResizeMode.Bilinear);
        if (own < width)
            line = line.Pad([0, 0, 0], [0, width - own, 0]);
        var name = model.InputNames.Single();
        var added = model.AddTo(graph, new()
        {
            Fold = true,
            Sizes = new Dictionary<string, int[]> { [name] = [1, 3, LineHeight, width] },
            Inputs = new Dictionary<string, Node> { [name] = line },
        });
        var result = added[added.OutputNames[0]];
        graph.Output(line);
        graph.Output(result);
        var network = graph.Build().CreateNetwork<float>();
        added.CopyTo(network);

        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference, compute);
        workspace.SetInput("pixels", picture.Pixels);
        network.Forward(workspace);
        return (workspace.Output(line.Name).ToArray(), workspace.Output(result.Name).ToArray());
    }
}
