using System.Globalization;
using Backprop.Simd.Tests.Serialization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>A log that a resumed training goes on with is replaced as a whole: a kill leaves the old content or the new.</summary>
public sealed class LogFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("json")]
    [InlineData("csv")]
    public void What_was_in_a_log_is_there_until_the_new_one_is(string kind)
    {
        var (log, checkpoints) = (_directory["log"], new CheckpointOptions { Directory = _directory["checkpoints"] });
        ITrainingCallback<float> Log() => kind == "csv" ? new CsvLog<float>(log) : new JsonLinesLog<float>(log, stepPeriod: 1);
        TrainingProblem.Everything(checkpoints, epochs: 2, callback: Log()).Run();
        var before = File.ReadAllText(log);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(log, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var old = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var resumed = TrainingProblem.Everything(checkpoints, epochs: 4, callback: Log());
        Assert.True(resumed.TryResume());
        resumed.Run();

        // Whoever had the old file open still has all of it: nothing was cut.
        Assert.Equal(before, old.ReadToEnd());
        Assert.StartsWith(before, File.ReadAllText(log), StringComparison.Ordinal);
        Assert.Equal(["log"], _directory.Files);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(log));
    }

    [Fact]
    public void A_long_log_is_copied_in_little_memory()
    {
        var (log, checkpoints) = (_directory["log"], new CheckpointOptions { Directory = _directory["checkpoints"] });
        TrainingProblem.Everything(checkpoints, epochs: 1).Run();
        var resumed = TrainingProblem.Everything(checkpoints, epochs: 1);
        Assert.True(resumed.TryResume());
        string[] done = [.. Enumerable.Range(0, 100_000).Select(i =>
            string.Create(CultureInfo.InvariantCulture, $$$"""{"event":"step","step":{{{i % 4}}},"note":{"step":9,"of":[{{{i}}}]}}"""))];
        string[] dropped = ["""{"event":"step","step":4}""", """{"event":"epoch","epoch":1,"steps":5,"step":0}""", """{"step":1""", """{"step":1}}""",
            """{"step":1.5}""", """{"steps":"1"}""", "[1]", "", new string('x', 3_000_000)];
        File.WriteAllLines(log, [.. dropped, .. done, .. dropped, """{"event":"epoch","steps":4,"step":100}"""]);
        File.AppendAllText(log, """{"event":"step","step":3}"""); // Without its end of line.
        using var callback = new JsonLinesLog<float>(log);
        var before = GC.GetAllocatedBytesForCurrentThread();
        callback.Started(resumed);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        callback.Dispose();
        Assert.Equal([.. done, """{"event":"epoch","steps":4,"step":100}""", """{"event":"step","step":3}"""], File.ReadAllLines(log));
        Assert.InRange(allocated, 1, 2_000_000); // The longest line that is held has 256 KB, in a buffer that doubles.
    }
}
