using System.Globalization;
using System.Numerics;
using System.Text;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Training;

/// <summary>Writes one line per epoch to a CSV file, for spreadsheets and plots.</summary>
/// <remarks>
/// Columns: epoch, steps, rows, skipped, loss, learning_rate, rows_per_second, seconds, and with a validation also validation_loss and its
/// metrics. Numbers read back to the same bits; a missing value is empty. When a training begins or is resumed, the file is written again
/// from <see cref="Trainer{T}.History"/>, so that no epoch occurs twice. It is written to a temporary file and then moved, so that a killed
/// process leaves the old file or the new one.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="path">The file; its directory must exist.</param>
public sealed class CsvLog<T>(string path) : ITrainingCallback<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly string _path = !string.IsNullOrEmpty(path) ? path : throw new ArgumentException("The path is empty.", nameof(path));
    private string[] _metrics = [];

    /// <inheritdoc/>
    public void Started(Trainer<T> trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        _metrics = [.. trainer.Options.Validation?.Metrics.Select(m => m.Name) ?? []];
        var text = new StringBuilder("epoch,steps,rows,skipped,loss,learning_rate,rows_per_second,seconds");
        if (trainer.Options.Validation is not null)
            text.AppendJoin("", _metrics.Select(name => "," + Quoted("validation_" + name)).Prepend(",validation_loss"));
        text.Append('\n');
        foreach (var epoch in trainer.History)
            text.Append(Line(epoch, trainer.Options.Validation is not null));
        AtomicFile.Write(_path, file => file.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <inheritdoc/>
    public void EpochDone(Trainer<T> trainer, EpochRecord epoch)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(epoch);
        File.AppendAllText(_path, Line(epoch, trainer.Options.Validation is not null));
    }

    private static string Quoted(string name) =>
        name.AsSpan().IndexOfAny("\",\r\n") < 0 ? name : '"' + name.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    private string Line(EpochRecord epoch, bool validates)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{epoch.Epoch},{epoch.Steps},{epoch.Rows},{epoch.Skipped},");
        line.AppendJoin(',', Number(epoch.Loss), Number(epoch.LearningRate), Number(epoch.RowsPerSecond), Number(epoch.Elapsed.TotalSeconds));
        if (validates)
        {
            line.Append(',').Append(epoch.Validation is { } v ? Number(v.Loss) : "");
            foreach (var name in _metrics)
                line.Append(',').Append(epoch.Validation is { } validation && validation.Metrics.Any(m => m.Name == name) ? Number(validation[name]) : "");
        }

        return line.Append('\n').ToString();
    }
}
