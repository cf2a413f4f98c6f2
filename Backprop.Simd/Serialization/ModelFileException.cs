namespace Backprop.Simd.Serialization;

/// <summary>
/// A file of tensors is damaged, breaks its format, or does not fit what it is read into. It is raised before anything is allocated on the
/// file's word, and before anything is written to what the file is read into.
/// </summary>
public sealed class ModelFileException : IOException
{
    /// <summary>Makes the exception with a general message.</summary>
    public ModelFileException()
        : base("The file is damaged, or not what it is read as.")
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What was expected and what was found.</param>
    public ModelFileException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What was expected and what was found.</param>
    /// <param name="innerException">The failure behind it.</param>
    public ModelFileException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
