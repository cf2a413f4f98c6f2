using System.Buffers;
using System.Numerics;
using System.Text.Json;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Training;

/// <summary>Writes one line of JSON per epoch, and optionally per step, to a file that other programs can follow while it grows.</summary>
/// <remarks>
/// <code>
/// {"event":"step","step":0,"epoch":0,"rows":100,"loss":2.3,"learning_rate":0.001,"gradient_norm":1.2,"skipped":false}
/// {"event":"epoch","epoch":0,"steps":600,"rows":60000,"skipped":0,"loss":0.31,"learning_rate":0.001,
///  "rows_per_second":4e5,"seconds":0.2,"validation":{"loss":0.2,"accuracy":0.94}}
/// </code>
/// (The second line is broken here only.) A number that is not finite is null. When a training is resumed, the lines of later steps are
/// removed, so that no step occurs twice. The other lines are copied to a temporary file that is then moved, so that a killed process
/// leaves the old file or the new one.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class JsonLinesLog<T> : ITrainingCallback<T>, IDisposable where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int BlockBytes = 1 << 16, LongestLine = 1 << 18;

    private readonly string _path;
    private readonly int _stepPeriod;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private FileStream? _file;

    /// <summary>Makes the callback.</summary>
    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="stepPeriod">The number of steps between two step lines; 0 for epoch lines only.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="stepPeriod"/> is negative.</exception>
    public JsonLinesLog(string path, int stepPeriod = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(stepPeriod);
        _path = path;
        _stepPeriod = stepPeriod;
    }

    /// <inheritdoc/>
    public void Started(Trainer<T> trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        AtomicFile.Write(_path, kept => KeepDone(trainer.Step, kept));
        _file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
    }

    /// <inheritdoc/>
    public void StepDone(Trainer<T> trainer, in StepRecord step)
    {
        if (_stepPeriod == 0 || step.Step % _stepPeriod != 0)
            return;
        using (var json = Begin("step"))
        {
            json.WriteNumber("step", step.Step);
            json.WriteNumber("epoch", step.Epoch);
            json.WriteNumber("rows", step.Rows);
            Write(json, "loss", step.Loss);
            Write(json, "learning_rate", step.LearningRate);
            Write(json, "gradient_norm", step.GradientNorm);
            json.WriteBoolean("skipped", step.Skipped);
            json.WriteEndObject();
        }

        End();
    }

    /// <inheritdoc/>
    public void EpochDone(Trainer<T> trainer, EpochRecord epoch)
    {
        ArgumentNullException.ThrowIfNull(epoch);
        using (var json = Begin("epoch"))
        {
            json.WriteNumber("epoch", epoch.Epoch);
            json.WriteNumber("steps", epoch.Steps);
            json.WriteNumber("rows", epoch.Rows);
            json.WriteNumber("skipped", epoch.Skipped);
            Write(json, "loss", epoch.Loss);
            Write(json, "learning_rate", epoch.LearningRate);
            Write(json, "rows_per_second", epoch.RowsPerSecond);
            Write(json, "seconds", epoch.Elapsed.TotalSeconds);
            if (epoch.Validation is { } validation)
            {
                json.WriteStartObject("validation");
                Write(json, "loss", validation.Loss);
                foreach (var metric in validation.Metrics)
                    Write(json, metric.Name, metric.Value);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        End();
    }

    /// <inheritdoc/>
    public void Finished(Trainer<T> trainer, StopReason? reason) => Dispose();

    /// <summary>Closes the file. The end of a training does so too.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

    /// <summary>Copies the lines of steps that are done. A line longer than any line of this class is dropped, and never held in memory.</summary>
    private void KeepDone(long step, Stream kept)
    {
        if (step == 0 || !File.Exists(_path))
            return;
        using var old = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var block = new byte[BlockBytes];
        ArrayBufferWriter<byte> line = new(), output = new();
        for (var isTooLong = false; old.Read(block) is > 0 and var read;)
        {
            for (var rest = block.AsSpan(0, read); !rest.IsEmpty;)
            {
                var end = rest.IndexOf((byte)'\n');
                isTooLong |= line.WrittenCount > LongestLine;
                if (!isTooLong)
                    line.Write(end < 0 ? rest : rest[..end]);
                if (end < 0)
                    break;
                Keep(isTooLong);
                isTooLong = false;
                rest = rest[(end + 1)..];
            }

            kept.Write(output.WrittenSpan);
            output.ResetWrittenCount();
        }

        Keep(isTooLong: line.WrittenCount > LongestLine); // The last line may only lack its line end.
        kept.Write(output.WrittenSpan);

        void Keep(bool isTooLong)
        {
            if (!isTooLong && IsBefore(line.WrittenSpan, step))
            {
                output.Write(line.WrittenSpan);
                output.Write("\n"u8);
            }

            line.ResetWrittenCount();
        }
    }

    /// <summary>Whether a line belongs to steps that are done. An incomplete line is not kept; a killed process may leave one.</summary>
    private static bool IsBefore(ReadOnlySpan<byte> line, long step)
    {
        (long? Done, long? Own) steps = default;
        try
        {
            var json = new Utf8JsonReader(line);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var (isDone, isOwn) = (json.ValueTextEquals("steps"u8), json.ValueTextEquals("step"u8));
                json.Read();
                if (isDone)
                    steps.Done = json.GetInt64();
                else if (isOwn)
                    steps.Own = json.GetInt64();
                else
                    json.Skip();
            }

            json.Read(); // Throws if more text follows.
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }

        return steps.Done is { } done ? done <= step : steps.Own < step;
    }

    private Utf8JsonWriter Begin(string kind)
    {
        _buffer.ResetWrittenCount();
        var json = new Utf8JsonWriter(_buffer);
        json.WriteStartObject();
        json.WriteString("event", kind);
        return json;
    }

    private void End()
    {
        _buffer.Write("\n"u8);
        _file?.Write(_buffer.WrittenSpan);
        _file?.Flush();
    }
}
