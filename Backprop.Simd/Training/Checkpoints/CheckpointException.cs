namespace Backprop.Simd.Training;

/// <summary>A checkpoint cannot be used: it is damaged, of another format, or of another training. Nothing was changed.</summary>
public sealed class CheckpointException : IOException
{
    /// <summary>Creates it.</summary>
    /// <param name="message">The file, what was expected and what was found.</param>
    /// <param name="inner">What was thrown by the reader, if anything.</param>
    public CheckpointException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A file that was passed over when a training was resumed.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why.</param>
public sealed record RejectedCheckpoint(string Path, string Reason);
