using System.Buffers;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Backprop.Simd.Training;

/// <summary>Writes a line of JSON per epoch, and per step if wanted, into a file that other programs can follow while it grows.</summary>
/// <remarks>
/// <c>{"event":"epoch","epoch":0,"steps":600,"rows":60000,"skipped":0,"loss":0.31,"learning_rate":0.001,"rows_per_second":4e5,"seconds":0.2,"validation":{"loss":0.2,"accuracy":0.94}}</c>
/// and <c>{"event":"step","step":0,"epoch":0,"rows":100,"loss":2.3,"learning_rate":0.001,"gradient_norm":1.2,"skipped":false}</c>. What is not
/// finite is null. When a training begins, lines of steps not done yet are dropped: of a resumed training no step is there twice.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class JsonLinesLog<T> : ITrainingCallback<T>, IDisposable where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly string _path;
    private readonly int _stepPeriod;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private FileStream? _file;

    /// <summary>Makes the callback.</summary>
    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="stepPeriod">A line every so many steps; 0 for epochs alone.</param>
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
        var kept = trainer.Step > 0 && File.Exists(_path) ? File.ReadLines(_path).Where(line => IsBefore(line, trainer.Step)).ToList() : [];
        File.WriteAllLines(_path, kept, new UTF8Encoding(false));
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

    /// <summary>Closes the file, as the end of a training does.</summary>
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

    /// <summary>Whether a line tells of steps that are done. One that is cut off, as by a kill, is dropped.</summary>
    private static bool IsBefore(string line, long step)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return root.TryGetProperty("steps", out var steps) ? steps.GetInt64() <= step : root.GetProperty("step").GetInt64() < step;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
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
