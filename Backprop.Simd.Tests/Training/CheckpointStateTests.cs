using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Serialization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>A checkpoint is looked at as a whole before anything is changed, also where its checksum is right.</summary>
public sealed class CheckpointStateTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, string> Impossible => new()
    {
        { "LearningRate", "\"NaN\"" }, { "LearningRate", "-0.1" }, { "LearningRate", "\"Infinity\"" }, { "LearningRate", "1e999" }, { "LearningRate", "1e39" },
        { "OptimizerSteps", "-1" }, { "OptimizerSteps", "9223372036854775807" }, { "Step", "-1" }, { "Step", "9223372036854775807" }, { "StepNumber", "-1" },
        { "NetworkSeed", "2" }, { "Loader/Seed", "8" }, { "Epoch", "-1" }, { "Epoch", "2147483647" }, { "Batch", "-1" }, { "Batch", "7" },
        { "EpochIsOpen", "true" },
        { "EpochLosses/0/Numerator", "\"NaN\"" }, { "EpochLosses/0/Denominator", "\"NaN\"" }, { "EpochLosses/0", "null" }, { "EpochLosses", "[]" },
        { "EpochLosses/0/Numerator", "\"Infinity\"" }, { "EpochLosses/0/Denominator", "\"Infinity\"" }, { "EpochLosses/0/Denominator", "-1" },
        { "EpochLosses/0/IsSum", "true" },
        { "EpochLosses/0", "{\"Numerator\":1,\"Denominator\":0,\"IsSum\":true}" },
        { "EpochLosses", "[{\"Numerator\":1,\"Denominator\":1,\"IsSum\":false},{\"Numerator\":1,\"Denominator\":1,\"IsSum\":false}]" },
        { "EpochRows", "-1" }, { "EpochSkipped", "-1" }, { "EpochSeconds", "-1" }, { "EpochSeconds", "\"NaN\"" }, { "SkippedInARow", "-1" },
        { "Elapsed", "\"-00:00:01\"" }, { "Elapsed", "\"10675199.02:48:05.4775807\"" }, { "Frozen", "[\"none\"]" }, { "Frozen", "[null]" },
        { "Evaluating", "[\"none\"]" }, { "Evaluating", "[null]" },
        { "AverageUpdates", "-1" },
        { "Plateau/Rate", "-1" }, { "Plateau/Rate", "\"NaN\"" }, { "Plateau/Rate", "\"Infinity\"" }, { "Plateau/Rate", "1e300" },
        { "Plateau/Best", "\"NaN\"" }, { "Plateau/BadRecords", "-1" }, { "Plateau/CoolDown", "-1" },
        { "Best/Value", "\"NaN\"" }, { "Best/BadValidations", "-1" }, { "Best/BadValidations", "2147483647" }, { "Best/Monitor", "null" },
        { "History", "[null]" }, { "History", "null" }, { "History/0/Epoch", "-1" }, { "History/0/Steps", "-1" }, { "History/0/Steps", "1000000" },
        { "History/0/Rows", "-1" }, { "History/0/Skipped", "-1" },
        { "History/0/LearningRate", "\"NaN\"" }, { "History/0/Elapsed", "\"-00:00:01\"" }, { "History/0/Validation/Rows", "-1" },
        { "History/0/Validation/Metrics/0/Name", "null" }, { "History/0/Validation/Metrics", "null" },
        { "Written/Names", "[\"../file\"]" }, { "Written/Names", "[null]" }, { "Written/Names", "[\"training.jsonl\"]" }, { "Written/Directory", "null" },
    };

    [Theory, MemberData(nameof(Impossible))]
    public void A_state_that_cannot_be_is_refused_before_anything_is_changed(string path, string value)
    {
        var options = Saved(out var files);
        Change(files[1], path, value);
        AssertRefused(options, files);
    }

    [Theory]
    [InlineData("affine1.weight", float.NaN)]
    [InlineData("batchnormalization", float.PositiveInfinity)]
    [InlineData("@optimizer/", float.NegativeInfinity)]
    [InlineData("@average", float.NaN)]
    [InlineData("@best/parameters", float.PositiveInfinity)]
    [InlineData("@best/state", float.NaN)]
    public void Numbers_that_are_not_finite_are_refused_before_anything_is_changed(string tensor, float value)
    {
        var options = Saved(out var files);
        Change(files[1], "LearningRate", "0.5", tensor, value);
        AssertRefused(options, files);
    }

    private static void AssertRefused(CheckpointOptions options, string[] files)
    {
        var trainer = TrainingProblem.Everything(options, plateau: true);
        trainer.Network.Freeze("affine2.bias");
        trainer.Network.SetTraining("affine1", false);
        var before = Snapshot(trainer);
        Assert.Throws<CheckpointException>(() => trainer.Resume(files[1]));
        Assert.Equal(before, Snapshot(trainer));
        Assert.True(trainer.TryResume());
        Assert.Equal(files[1], Assert.Single(trainer.Rejected).Path);
        Assert.Equal(CheckpointDirectory.StepOf(files[0]), trainer.Step);
    }

    [Fact]
    public void What_the_test_writes_is_a_checkpoint()
    {
        var options = Saved(out var files);
        Change(files[1], "LearningRate", "0.5");
        var trainer = TrainingProblem.Everything(options, plateau: true);
        Assert.True(trainer.TryResume());
        Assert.Equal((0.5, CheckpointDirectory.StepOf(files[1])), (trainer.Optimizer.LearningRate, trainer.Step));
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("link to a pipe")]
    [InlineData("device")]
    [InlineData("circle")]
    [InlineData("nothing")]
    [InlineData("folder")]
    [InlineData("not to be read")]
    public void What_is_no_file_is_passed_over(string what)
    {
        if (OperatingSystem.IsWindows())
            return; // There are no such things.
        var options = Saved(out var files);
        var newest = _directory["checkpoint-000000000099.safetensors"];
        FileStream? held = null;
        switch (what)
        {
            case "pipe": Pipe.Make(newest); break;
            case "link to a pipe": Pipe.Make(_directory["pipe"]); File.CreateSymbolicLink(newest, "pipe"); break;
            case "device": File.CreateSymbolicLink(newest, "/dev/zero"); break;
            case "circle": File.CreateSymbolicLink(newest, newest); break;
            case "nothing": File.CreateSymbolicLink(newest, "none"); break;
            case "folder": Directory.CreateDirectory(newest); break;
            default:
                // Held by another, so that the administrator cannot read it either.
                File.Copy(files[1], newest);
                held = new FileStream(newest, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                break;
        }

        var trainer = TrainingProblem.Everything(options, plateau: true);
        using (held)
            Assert.True(trainer.TryResume());
        Assert.Equal(CheckpointDirectory.StepOf(files[1]), trainer.Step);

        Assert.Equal(newest, Assert.Single(trainer.Rejected).Path);
    }

    private CheckpointOptions Saved(out string[] files)
    {
        var options = new CheckpointOptions { Directory = _directory[""], EverySteps = 1, Keep = 2 };
        var trainer = TrainingProblem.Everything(options, plateau: true, callback: new Recorder { OnStep = (t, s) => { if (s.Step == 5) t.Stop(); } });
        trainer.Network.SetTraining("affine2", false);
        trainer.Run();
        files = [.. Directory.GetFiles(_directory[""], "checkpoint-*.safetensors").Order(StringComparer.Ordinal)];
        Assert.Equal(2, files.Length);
        return options;
    }

    /// <summary>Writes the file anew with another value at a place of its state, and the checksum that belongs to it.</summary>
    private static void Change(string path, string place, string value, string? tensorStart = null, float last = 0)
    {
        var writer = new SafetensorsWriter { Checksum = true };
        using (var file = SafetensorsFile.Open(path))
        {
            foreach (var (key, text) in file.Metadata.Where(entry => entry.Key != "sha256"))
                writer.AddMetadata(key, key == "training" ? Changed(text, place, value) : text);
            Assert.True(tensorStart is null || file.Tensors.Any(t => t.Name.StartsWith(tensorStart, StringComparison.Ordinal)),
                string.Join(" ", file.Tensors.Select(t => t.Name)));
            foreach (var tensor in file.Tensors)
            {
                var values = tensor.ToArray<float>();
                if (tensorStart is not null && tensor.Name.StartsWith(tensorStart, StringComparison.Ordinal))
                    values[^1] = last;
                writer.Add<float>(tensor.Name, tensor.Shape, values);
            }
        }

        writer.Write(path);
    }

    private static string Changed(string json, string place, string value)
    {
        var root = JsonNode.Parse(json)!;
        var (node, keys) = (root, place.Split('/'));
        foreach (var key in keys[..^1])
            node = int.TryParse(key, out var index) ? node[index]! : node[key]!;

        // 1e999 is no number of a node: put in as text.
        if (int.TryParse(keys[^1], out var last))
        {
            Assert.NotNull(node[last]);
            node[last] = "@value";
        }
        else
        {
            Assert.NotNull(node[keys[^1]]);
            node[keys[^1]] = "@value";
        }

        return root.ToJsonString().Replace("\"@value\"", value, StringComparison.Ordinal);
    }

    private static string Snapshot(Trainer<float> trainer)
    {
        var blocks = trainer.Optimizer.StateNames.Select(name => trainer.Optimizer.State(name).ToArray())
            .Append(trainer.Network.Parameters.ToArray()).Append(trainer.Network.State.ToArray()).Append(trainer.Options.Average!.Average.ToArray());
        var bytes = string.Join(" ", blocks.Select(block => Convert.ToHexString(MemoryMarshal.AsBytes<float>(block))));
        var frozen = string.Join(" ", trainer.Network.Definition.Parameters.Entries.Where(e => trainer.Network.IsFrozen(e.Name)).Select(e => e.Name));
        frozen += trainer.Network.IsTraining("affine1");
        return $"{bytes} {frozen} {trainer.Optimizer.Steps} {trainer.Optimizer.LearningRate} {trainer.Batches.Cursor} {trainer.Step} "
            + $"{trainer.Elapsed} {trainer.History.Count} {trainer.Options.Plateau!.State} {trainer.Options.Average.Updates}";
    }
}
