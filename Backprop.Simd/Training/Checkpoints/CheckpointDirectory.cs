using System.Globalization;
using System.Security.Cryptography;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Training;

/// <summary>
/// The directory of the checkpoints of one training, claimed for it until disposal: <c>checkpoint-000000001200.safetensors</c> is that behind
/// step 1200.
/// </summary>
/// <remarks>
/// The claim is a lock on the file <c>.checkpoints.lock</c>, which ends with the process. The file stays: were it deleted, one training could
/// lock the deleted file and another a new one of that name. In it is a random number, by which a training knows the directory again.
/// </remarks>
internal sealed class CheckpointDirectory : IDisposable
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors", LockName = ".checkpoints.lock", Rejected = ".rejected";
    private const int Digits = 12, IdBytes = 16;

    // What an exclusive open of a file says that another has open: on Windows, on Linux, on macOS.
    private const int SharingViolation = unchecked((int)0x80070020), WouldBlockLinux = 11, WouldBlockMac = 35;

    private readonly string _path;
    private readonly FileStream _claim;

    private CheckpointDirectory(string path, FileStream claim)
    {
        _path = path;
        _claim = claim;
        var id = new byte[IdBytes];
        if (claim.Length == id.Length)
        {
            claim.ReadExactly(id);
        }
        else
        {
            RandomNumberGenerator.Fill(id);
            claim.SetLength(0);
            claim.Write(id);
        }

        Id = Convert.ToHexStringLower(id);
    }

    /// <summary>Tells this directory from all others.</summary>
    public string Id { get; }

    /// <summary>Makes the directory where it is missing, and claims it.</summary>
    /// <exception cref="CheckpointException">A training that is running has claimed it.</exception>
    /// <exception cref="IOException">It cannot be made or written to.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made or written to.</exception>
    public static CheckpointDirectory Claim(string path)
    {
        FileStream? claim = null;
        try
        {
            Directory.CreateDirectory(path);
            var place = Path.Combine(path, LockName);
            claim = new FileStream(place, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            if (!claim.CanSeek)
                throw new IOException($"'{place}' is a pipe or a device: delete it.");
            AtomicFile.RequireWritable(Path.Combine(path, Prefix + Suffix)); // The lock may be there where no file can be made.
            return new CheckpointDirectory(path, claim);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            claim?.Dispose();
            if (error.HResult is SharingViolation or WouldBlockLinux or WouldBlockMac)
                throw new CheckpointException(
                    $"A training that is running saves into '{path}': wait for its end, or give this one a directory of its own.", error);
            var message = $"No checkpoint can be written into '{path}': {error.Message}";
            throw error is IOException ? new IOException(message, error) : new UnauthorizedAccessException(message, error);
        }
    }

    /// <summary>The name of the checkpoint behind a step.</summary>
    public static string NameOf(long step) =>
        Prefix + step.ToString("D" + Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + Suffix;

    /// <summary>The step in a file's name; -1 where it is another name.</summary>
    public static long StepOf(string path)
    {
        var name = Path.GetFileName(path.AsSpan());
        return name.Length >= Prefix.Length + Digits + Suffix.Length && name.StartsWith(Prefix, StringComparison.Ordinal)
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }

    /// <summary>The path of a file of this name.</summary>
    public string PathOf(string name) => Path.Combine(_path, name);

    /// <summary>All that has the name of a checkpoint, directories too, whoever made it, newest first.</summary>
    public List<string> Files() =>
        [.. Directory.EnumerateFileSystemEntries(_path, Prefix + "*" + Suffix).Where(path => StepOf(path) >= 0).OrderByDescending(StepOf)];

    /// <summary>A checkpoint that was set aside; null where there is none.</summary>
    public string? FindSetAside() => Directory.EnumerateFiles(_path, Prefix + "*" + Suffix + Rejected + "*")
        .Where(path => StepOf(path[..path.LastIndexOf(Rejected, StringComparison.Ordinal)]) >= 0).Max(StringComparer.Ordinal);

    /// <summary>Deletes what killed processes were about to write.</summary>
    public void DeleteAbandoned() => AtomicFile.DeleteAbandoned(_path, Prefix + "*" + Suffix);

    /// <summary>Renames a file to a name that no training reads, writes or deletes.</summary>
    /// <returns>Its new path; null where it cannot be renamed, and stays.</returns>
    public static string? SetAside(string path)
    {
        try
        {
            var aside = path + Rejected;
            for (var number = 2; Path.Exists(aside); number++)
                aside = string.Create(CultureInfo.InvariantCulture, $"{path}{Rejected}.{number}");
            if (Directory.Exists(path))
                Directory.Move(path, aside);
            else
                File.Move(path, aside);
            return aside;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose() => _claim.Dispose();
}
