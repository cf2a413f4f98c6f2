using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Training;

/// <summary>
/// A training whose process is killed again and again, at any moment, ends with the bits of an undisturbed one: parameters, state,
/// optimizer, average, best weights and history. It has all that can go wrong: see LongTraining in Backprop.Simd.Tests.Probe.
/// </summary>
[Collection(RunAlone.Name)]
public sealed class KilledTrainingTests(ITestOutputHelper output) : IDisposable
{
    private const int Kills = 22, Epochs = 24, AttemptLimit = 300;

    private static readonly Dictionary<string, string> _environment = [];
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(5);

    private readonly string _root = Directory.CreateTempSubdirectory("backprop-killed").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("schedule", false)]
    [InlineData("plateau", true)]
    public async Task Killed_at_any_moment_it_ends_with_the_same_bits(string rate, bool damage)
    {
        var undisturbed = await Undisturbed(rate);
        var series = new Series(Path.Combine(_root, "killed"), rate, undisturbed, seed: damage ? 2UL : 1, damage);
        while (series.Killed < Kills)
            await series.Attempt();
        await series.End();
        output.WriteLine($"{undisturbed} {series}");
        Assert.InRange(series.Progressed, 4, Kills);
        Assert.True(series.InStartUp > 0, "No process was killed before it trained.");
        Assert.True(!damage || series.PassedOver > 0, "No damaged file was met.");
    }

    private sealed record Whole(string Line, long Steps, TimeSpan StartUp, TimeSpan StepTime);

    private async Task<Whole> Undisturbed(string rate)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_root, "undisturbed")).FullName;
        var clock = Stopwatch.StartNew();
        using var process = ProbeProcess.Start(_environment, Arguments(directory, rate));
        var (line, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        TimeSpan? startUp = null;
        while (!process.HasExited)
        {
            if (startUp is null && NewestStep(directory) > 0)
                startUp = clock.Elapsed;
            await Task.Delay(5);
        }

        Assert.True(process.ExitCode == 0, await errors);
        Assert.StartsWith("Epochs ", await line, StringComparison.Ordinal);
        var steps = NewestStep(directory);
        Assert.True(startUp is not null && steps > 300);
        return new Whole((await line).Trim(), steps, startUp.Value, (clock.Elapsed - startUp.Value) / steps);
    }

    /// <summary>One training in one directory, in as many processes as it takes.</summary>
    private sealed class Series(string directory, string rate, Whole undisturbed, ulong seed, bool damage)
    {
        private readonly HashSet<string> _damaged = [];
        private TestRandom _random = new(seed);
        private TimeSpan _startUp = undisturbed.StartUp;
        private int _attempts, _leftovers, _ended;
        private string? _waiting;

        /// <summary>Processes that were running when they were killed.</summary>
        public int Killed { get; private set; }

        /// <summary>Of these, those that had trained on.</summary>
        public int Progressed { get; private set; }

        /// <summary>And those that were to be killed before they could, and were.</summary>
        public int InStartUp { get; private set; }

        public int PassedOver { get; private set; }

        public override string ToString() =>
            $"killed {Killed}, in start-up {InStartUp}, behind training {Progressed}, while a file was written {_leftovers}, "
            + $"damaged files passed over {PassedOver}, trainings that ended between {_ended}, start-up {_startUp.TotalMilliseconds:F0} ms";

        /// <summary>Starts the training and kills it; one that came to its end first begins anew.</summary>
        public async Task Attempt()
        {
            Assert.True(++_attempts <= AttemptLimit, $"No end after {AttemptLimit} attempts: {this}.");
            var before = NewestStep(directory);
            var (delay, early) = NextDelay(before);
            var clock = Stopwatch.StartNew();
            using var process = ProbeProcess.Start(_environment, Arguments(directory, rate));
            var (line, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            var ended = process.WaitForExitAsync();
            TimeSpan? trains = null;
            while (delay - clock.Elapsed is var left && left > TimeSpan.Zero && !ended.IsCompleted)
            {
                if (trains is null && NewestStep(directory) > before)
                    trains = clock.Elapsed;
                await Task.WhenAny(ended, Task.Delay(left < _look ? left : _look));
            }

            process.Kill();
            await ended;
            Adapt(trains, early);
            if (process.ExitCode == 0)
            {
                Assert.Equal(undisturbed.Line, (await line).Trim());
                CheckRejected();
                Directory.Delete(directory, recursive: true);
                (_waiting, _ended) = (null, _ended + 1);
                _damaged.Clear();
                return;
            }

            // 128 + 9: by the signal, not by an error of its own.
            Assert.True(process.ExitCode == 137, $"Exit code {process.ExitCode}: {await errors}");
            Killed++;
            var progress = NewestStep(directory) > before;
            Progressed += progress ? 1 : 0;
            InStartUp += early && !progress ? 1 : 0;
            if (Directory.Exists(directory))
                Look();
        }

        /// <summary>Lets the training come to its end.</summary>
        public async Task End()
        {
            Assert.Equal(undisturbed.Line, (await ProbeProcess.Run(_environment, Arguments(directory, rate))).Trim());
            CheckRejected();
            Assert.Empty(Directory.GetFiles(directory, "*.tmp"));
        }

        /// <summary>From the start of the process: into its start-up, or such that the kills to come take it towards its end.</summary>
        private (TimeSpan Delay, bool Early) NextDelay(long step)
        {
            if (_random.Integer(0, 3) == 0)
                return (_startUp * (0.9 * Fraction()), true);
            var share = Math.Max(2, (undisturbed.Steps * 0.9 - step) / (Kills - Killed));
            return (_startUp + (undisturbed.StepTime * (share * 3 * Fraction())), false);
        }

        /// <summary>Start-up takes as long as was seen last; longer where it was not seen to end.</summary>
        private void Adapt(TimeSpan? trains, bool early)
        {
            if (trains is { } seen)
                _startUp = (_startUp + seen) / 2;
            else if (!early)
                _startUp *= 1.1;
        }

        private void Look()
        {
            if (Directory.GetFiles(directory, "*.tmp") is { Length: > 0 } leftovers)
            {
                _leftovers++;
                Assert.All(leftovers, path => Assert.StartsWith(".checkpoint-", Path.GetFileName(path), StringComparison.Ordinal));
            }

            CheckRejected();

            // The one damaged last must have been met first: else its predecessors could go too.
            if (_waiting is not null && File.Exists(_waiting) && !File.Exists(_waiting + ".rejected"))
                return;
            _waiting = null;
            var files = Checkpoints(directory);
            if (!damage || files.Length < 2 || _random.Integer(0, 1) == 0)
                return;
            Damage(files[^1]);
        }

        private void Damage(string path)
        {
            File.Delete(path + ".rejected");
            var bytes = File.ReadAllBytes(path);
            if (_random.Integer(0, 1) == 0)
                bytes = bytes[.._random.Integer(0, bytes.Length - 1)];
            else
                bytes[_random.Integer(0, bytes.Length - 1)] ^= (byte)(1 << _random.Integer(0, 7));
            File.WriteAllBytes(path, bytes);
            _damaged.Add(path);
            _waiting = path;
        }

        /// <summary>What was passed over is what was damaged here: a process that is killed leaves no broken file.</summary>
        private void CheckRejected()
        {
            foreach (var path in Directory.GetFiles(directory, "*.rejected"))
            {
                Assert.Contains(path[..^".rejected".Length], _damaged);
                PassedOver++;
                File.Delete(path);
                _waiting = null;
            }
        }

        private double Fraction() => _random.Integer(0, 1 << 20) / (double)(1 << 20);
    }

    private static string[] Arguments(string directory, string rate) => ["train", directory, Epochs.ToString(CultureInfo.InvariantCulture), rate];

    private static string[] Checkpoints(string directory) => !Directory.Exists(directory)
        ? []
        : [.. Directory.GetFiles(directory, "checkpoint-*.safetensors").Order(StringComparer.Ordinal)];

    private static long NewestStep(string directory) =>
        Checkpoints(directory) is [.., var newest]
            ? long.Parse(Path.GetFileNameWithoutExtension(newest)["checkpoint-".Length..], CultureInfo.InvariantCulture) : 0;
}
