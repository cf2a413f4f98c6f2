using System.CommandLine;
using Backprop.Simd.Datasets;

namespace Backprop.Simd.Samples;

/// <summary>Runs every example of the notebook on the library and compares the numbers; ends with 1 if one is off.</summary>
internal static class Program
{
    private const int BadOption = 2;

    private static int Main(string[] args)
    {
        var mnist = new Option<string?>("--mnist")
        {
            Description = "Directory with the four MNIST files: the first example then runs on its images",
            HelpName = "directory",
        };
        var pictures = new Option<string?>("--pictures")
        {
            Description = "Directory to write each graph's picture to, as Graphviz (.dot) and Mermaid (.mmd) text",
            HelpName = "directory",
        };
        var command = new RootCommand("Reproduces, number by number, a notebook on back-propagation through computational graphs "
            + "(after Stanford's CS231n and the book Deep Learning from Scratch).") { mnist, pictures };
        command.SetAction(parsed => Run(parsed.GetValue(mnist), parsed.GetValue(pictures)));
        var result = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count == 0)
            return result.Invoke();
        Console.Error.WriteLine($"error: {result.Errors[0].Message.ReplaceLineEndings(" ")} The options are --mnist <directory> and --pictures <directory>.");
        return BadOption;
    }

    private static int Run(string? mnist, string? pictures)
    {
        LabeledImages images;
        try
        {
            images = mnist is null ? Digits.Resize28x28(Digits.Split().Train) : Mnist.Load(mnist).Train;
            if (images.Count < TwoLayerNetwork.Images)
                throw new ArgumentException($"The first example takes {TwoLayerNetwork.Images} images; the files hold {images.Count}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DatasetFormatException or ArgumentException)
        {
            Console.Error.WriteLine($"error: {e.Message.ReplaceLineEndings(" ")}");
            return BadOption;
        }

        if (!OutputPath.CanWriteInto("--pictures", pictures, ["graph.dot"], out var problem))
        {
            Console.Error.WriteLine($"error: {problem}");
            return BadOption;
        }

        var report = new Report(Console.Out, pictures);
        TwoLayerNetwork.Run(report, images, isMnist: mnist is not null);
        AddMultiply.Run(report);
        SigmoidNeuron.Run(report);
        GateRoles.Run(report);
        ReluJacobian.Run(report);
        VectorExample.Run(report);
        return report.End() ? 0 : 1;
    }
}
