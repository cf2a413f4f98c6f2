using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Serialization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>What a training did not write it does not delete, and one training alone saves into a directory.</summary>
[Collection(RunAlone.Name)]
public sealed class CheckpointDirectoryTests : IDisposable
{
    private const string Copied = "checkpoint-999999999999.safetensors";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void After_going_on_from_an_older_file_the_newer_ones_are_set_aside_and_told()
    {
        var options = Options(keep: 10);
        TrainingProblem.Everything(options).Run();
        var files = Checkpoints();
        Assert.True(files.Length > 4);
        var newer = files[2..].Select(File.ReadAllBytes).ToArray();
        var resumed = TrainingProblem.Everything(options, callback: new Recorder { OnStep = (t, s) => t.Stop() });
        resumed.Resume(files[1]);
        Assert.Empty(resumed.Rejected);
        Assert.Equal(files, Checkpoints());
        resumed.Run();

        // The one of the name that it has written too: it is of the run that was given up.
        Assert.Equal(files[..3], Checkpoints());
        Assert.Equal(files[2..], resumed.Rejected.Select(r => r.Path).Order(StringComparer.Ordinal));
        Assert.All(resumed.Rejected, r => Assert.Contains($"is now '{r.Path}.rejected'", r.Reason, StringComparison.Ordinal));
        Assert.Equal(newer, files[2..].Select(path => File.ReadAllBytes(path + ".rejected")));

        // A second time, they do not replace those that were set aside first.
        var again = TrainingProblem.Everything(options, callback: new Recorder { OnStep = (t, s) => t.Stop() });
        var second = File.ReadAllBytes(files[2]);
        again.Resume(files[1]);
        again.Run();
        Assert.Equal(newer[0], File.ReadAllBytes(files[2] + ".rejected"));
        Assert.Equal(second, File.ReadAllBytes(files[2] + ".rejected.2"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_somebody_copied_there_survives(bool fromOlder)
    {
        var options = Options(keep: 2);
        TrainingProblem.Everything(options, epochs: 2).Run();
        var files = Checkpoints();
        Assert.Equal(2, files.Length);
        byte[][] content = ["old"u8.ToArray(), "of a step to come"u8.ToArray(), "far away"u8.ToArray()];
        string[] copies = [_directory["checkpoint-000000000001.safetensors"], _directory["checkpoint-000000000011.safetensors"], _directory[Copied]];
        foreach (var (path, bytes) in copies.Zip(content))
            File.WriteAllBytes(path, bytes);
        var resumed = TrainingProblem.Everything(options, epochs: 4);
        if (fromOlder)
            resumed.Resume(files[0]);
        else
            Assert.True(resumed.TryResume());
        resumed.Run();
        Assert.Equal(content[0], File.ReadAllBytes(copies[0]));
        Assert.Equal(content[1], File.ReadAllBytes(copies[1] + ".rejected"));
        Assert.Equal(content[2], File.ReadAllBytes(copies[2] + ".rejected"));
        Assert.Contains(copies[2], resumed.Rejected.Select(r => r.Path));

        // Two of this training are kept beside them: what its first process has written counts, what it has not does not.
        Assert.Equal([copies[0], _directory["checkpoint-000000000015.safetensors"], _directory["checkpoint-000000000016.safetensors"]], Checkpoints());
    }

    [Fact]
    public void A_copy_of_a_file_that_it_deleted_is_not_its_own_again()
    {
        var options = Options(keep: 1);
        byte[] first = [];
        TrainingProblem.Everything(options, epochs: 2,
            callback: new Recorder { OnStep = (_, s) => first = s.Step == 1 ? File.ReadAllBytes(Checkpoints().Single()) : first }).Run();
        var copy = _directory["checkpoint-000000000001.safetensors"];
        File.WriteAllBytes(copy, first);
        var resumed = TrainingProblem.Everything(options, epochs: 3);
        Assert.True(resumed.TryResume());
        resumed.Run();
        Assert.Equal(first, File.ReadAllBytes(copy));
    }

    [Fact]
    public void A_file_put_later_under_the_name_of_one_that_is_gone_is_not_its_own()
    {
        var options = Options(keep: 2);
        var older = _directory["older"];
        TrainingProblem.Everything(options, epochs: 2, callback: new Recorder { OnStep = (_, s) => { if (s.Step == 4) File.Copy(Checkpoints()[^1], older); } })
            .Run();
        var resumed = TrainingProblem.Everything(options, epochs: 3);
        resumed.Resume(older);
        var gone = _directory["checkpoint-000000000003.safetensors"];
        Assert.False(File.Exists(gone));
        File.WriteAllText(gone, "mine");
        resumed.Run();
        Assert.Equal("mine", File.ReadAllText(gone));
    }

    [Fact]
    public void A_write_that_fails_sets_no_newer_file_aside()
    {
        var options = Options(keep: 10);
        TrainingProblem.Everything(options).Run();
        var files = Checkpoints();
        var metadata = new Dictionary<string, string> { ["key"] = "\ud800" };
        var failing = TrainingProblem.Everything(options with { Metadata = metadata }, callback: new Recorder { OnStep = (t, s) => t.Stop() });
        failing.Resume(files[0]);
        Assert.ThrowsAny<Exception>(() => failing.Run());

        // What has the very name alone had to move.
        Assert.Equal([files[0], .. files[2..]], Checkpoints());
        Assert.Equal(files[1], Assert.Single(failing.Rejected).Path);
    }

    [Fact]
    public void Where_all_is_set_aside_the_training_does_not_begin_anew_in_silence()
    {
        var options = Options(keep: 2);
        TrainingProblem.Everything(options, epochs: 1).Run();
        foreach (var file in Checkpoints())
            CheckpointDirectory.SetAside(file);
        var trainer = TrainingProblem.Everything(options);
        var message = Assert.Throws<CheckpointException>(() => trainer.TryResume()).Message;
        Assert.Contains("checkpoint-000000000004.safetensors.rejected", message, StringComparison.Ordinal);
        Assert.Contains("delete them", message, StringComparison.Ordinal);
        File.Move(_directory["checkpoint-000000000004.safetensors.rejected"], _directory["checkpoint-000000000004.safetensors"]);
        Assert.True(trainer.TryResume());
        Assert.Equal(4, trainer.Step);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_directory_of_the_name_of_a_checkpoint_to_come_is_set_aside(bool link)
    {
        var options = Options(keep: 2);
        var place = _directory["checkpoint-000000000003.safetensors"];
        var folder = link ? _directory["folder"] : place;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "file"), "mine");
        if (link)
            Directory.CreateSymbolicLink(place, "folder");
        var trainer = TrainingProblem.Everything(options, epochs: 1);
        trainer.Run();
        Assert.Equal("mine", File.ReadAllText(Path.Combine(place + ".rejected", "file")));
        Assert.Equal(place, Assert.Single(trainer.Rejected).Path);
        Assert.Equal([place, _directory["checkpoint-000000000004.safetensors"]], Checkpoints());
    }

    [Fact]
    public void A_pipe_in_the_place_of_the_lock_is_told()
    {
        if (OperatingSystem.IsWindows())
            return; // There are no such things.
        Pipe.Make(_directory[".checkpoints.lock"]);
        var trainer = TrainingProblem.Everything(Options(keep: 2));
        foreach (var attempt in (Action[])[() => trainer.Run(), () => trainer.TryResume()])
            Assert.Contains(".checkpoints.lock' is a pipe or a device", Assert.Throws<IOException>(attempt).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_it_goes_on_in_is_not_the_one_it_wrote_to()
    {
        TrainingProblem.Everything(Options(keep: 3), epochs: 2).Run();
        var other = new CheckpointOptions { Directory = _directory["other"], EverySteps = 1, Keep = 1 };
        Directory.CreateDirectory(other.Directory);
        var names = Checkpoints().Select(path => Path.Combine(other.Directory, Path.GetFileName(path))).ToArray();
        foreach (var name in names)
            File.WriteAllText(name, "another's");
        var resumed = TrainingProblem.Everything(other, epochs: 3);
        resumed.Resume(Checkpoints()[^1]);
        resumed.Run();
        Assert.All(names, name => Assert.Equal("another's", File.ReadAllText(name)));
    }

    [Fact]
    public void A_second_training_of_one_process_is_refused_while_the_first_runs()
    {
        var options = Options(keep: 3);
        var refused = 0;
        TrainingProblem.Everything(options, epochs: 1, callback: new Recorder { OnStep = (_, _) => refused += Refused(options) }).Run();
        Assert.Equal(4, refused);
        Assert.True(TrainingProblem.Everything(options).TryResume());
    }

    [Fact]
    public async Task A_second_training_of_another_process_is_refused_until_the_first_is_killed()
    {
        var options = new CheckpointOptions { Directory = _directory["place"], EverySteps = 1 };
        using var process = ProbeProcess.Start(new Dictionary<string, string>(), "stand", options.Directory);
        try
        {
            var errors = process.StandardError.ReadToEndAsync();
            Assert.True(await process.StandardOutput.ReadLineAsync() == "running", "The first did not start.");
            var files = Directory.GetFiles(options.Directory);
            Assert.Equal(1, Refused(options));
            Assert.Equal(files, Directory.GetFiles(options.Directory));
            process.Kill();
            await process.WaitForExitAsync();
            _ = await errors;
        }
        finally
        {
            process.Kill();
        }

        // The file that was locked is still there, and stops nobody.
        Assert.Contains("holds checkpoints of an earlier training",
            Assert.Throws<CheckpointException>(() => TrainingProblem.Everything(options).Run()).Message, StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(options.Directory, "checkpoint-*"))
            File.Delete(file);
        TrainingProblem.Everything(options).Run();
    }

    [Fact]
    public void A_place_that_cannot_be_written_to_is_told()
    {
        File.WriteAllText(_directory["file"], "");
        foreach (var place in (string[])[_directory["file"], Path.Combine(_directory["file"], "below")])
        {
            var trainer = TrainingProblem.Everything(new CheckpointOptions { Directory = place });
            Assert.Contains($"No checkpoint can be written into '{place}'", Assert.ThrowsAny<IOException>(() => trainer.Run()).Message,
                StringComparison.Ordinal);
            Assert.Equal(0, trainer.Step);
        }
    }

    private static int Refused(CheckpointOptions options)
    {
        var second = TrainingProblem.Everything(options);
        foreach (var attempt in (Action[])[() => second.Run(), () => second.TryResume()])
            Assert.Contains("Another running training saves into", Assert.Throws<CheckpointException>(attempt).Message, StringComparison.Ordinal);
        Assert.Equal(0, second.Step);
        return 1;
    }

    private CheckpointOptions Options(int keep) => new() { Directory = _directory[""], EverySteps = 1, Keep = keep };

    private string[] Checkpoints() => [.. Directory.GetFiles(_directory[""], "checkpoint-*.safetensors").Order(StringComparer.Ordinal)];
}
