namespace Backprop.Simd.Training;

/// <summary>A checkpoint cannot be used: it is damaged, has another format, or belongs to another training. Nothing was changed.</summary>
public sealed class CheckpointException : IOException
{
    /// <summary>Creates it.</summary>
    /// <param name="message">The file, what was expected and what was found.</param>
    /// <param name="inner">The exception of the reader, if any.</param>
    public CheckpointException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A file that a training could not use when it was resumed or saved.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why not.</param>
public sealed record RejectedCheckpoint(string Path, string Reason);
