using System.Globalization;
using System.Security.Cryptography;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Training;

/// <summary>
/// The directory with the checkpoints of one training, claimed until it is disposed. <c>checkpoint-000000001200.safetensors</c> was saved after
/// step 1200.
/// </summary>
/// <remarks>
/// The claim is a lock on the file <c>.checkpoints.lock</c>; it ends with the process. The file is never deleted: otherwise one training could
/// lock the deleted file and another a new file of that name. It holds a random number that identifies the directory.
/// </remarks>
internal sealed class CheckpointDirectory : IDisposable
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors", LockName = ".checkpoints.lock", Rejected = ".rejected";
    private const int Digits = 12, IdBytes = 16;

    // The errors of opening a locked file: on Windows, on Linux, on macOS.
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

    /// <summary>A number that no other directory has.</summary>
    public string Id { get; }

    /// <summary>Claims the directory, and creates it if it does not exist.</summary>
    /// <exception cref="CheckpointException">Another running training has claimed it.</exception>
    /// <exception cref="IOException">The directory cannot be created or written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be created or written to.</exception>
    public static CheckpointDirectory Claim(string path)
    {
        FileStream? claim = null;
        try
        {
            Directory.CreateDirectory(path);
            var place = Path.Combine(path, LockName);
            claim = new FileStream(place, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            if (!claim.CanSeek)
                throw new IOException($"'{place}' is a pipe or a device. Delete it.");
            AtomicFile.RequireWritable(Path.Combine(path, Prefix + Suffix)); // The lock may exist in a directory where no file can be created.
            return new CheckpointDirectory(path, claim);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            claim?.Dispose();
            if (error.HResult is SharingViolation or WouldBlockLinux or WouldBlockMac)
                throw new CheckpointException(
                    $"Another running training saves into '{path}'. Wait until it ends, or use another directory.", error);
            var message = $"No checkpoint can be written into '{path}': {error.Message}";
            throw error is IOException ? new IOException(message, error) : new UnauthorizedAccessException(message, error);
        }
    }

    /// <summary>The name of the checkpoint after a step.</summary>
    public static string NameOf(long step) =>
        Prefix + step.ToString("D" + Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + Suffix;

    /// <summary>The step in a file's name; -1 for any other name.</summary>
    public static long StepOf(string path)
    {
        var name = Path.GetFileName(path.AsSpan());
        return name.Length >= Prefix.Length + Digits + Suffix.Length && name.StartsWith(Prefix, StringComparison.Ordinal)
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }

    /// <summary>The path of a file of this name.</summary>
    public string PathOf(string name) => Path.Combine(_path, name);

    /// <summary>All files and directories that are named like a checkpoint, whoever made them, newest first.</summary>
    public List<string> Files() =>
        [.. Directory.EnumerateFileSystemEntries(_path, Prefix + "*" + Suffix).Where(path => StepOf(path) >= 0).OrderByDescending(StepOf)];

    /// <summary>A checkpoint that was set aside; null if there is none.</summary>
    public string? FindSetAside() => Directory.EnumerateFiles(_path, Prefix + "*" + Suffix + Rejected + "*")
        .Where(path => StepOf(path[..path.LastIndexOf(Rejected, StringComparison.Ordinal)]) >= 0).Max(StringComparer.Ordinal);

    /// <summary>Deletes the temporary files of killed processes.</summary>
    public void DeleteAbandoned() => AtomicFile.DeleteAbandoned(_path, Prefix + "*" + Suffix);

    /// <summary>Renames a file, so that no training reads, writes or deletes it.</summary>
    /// <returns>Its new path; null if it cannot be renamed.</returns>
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
