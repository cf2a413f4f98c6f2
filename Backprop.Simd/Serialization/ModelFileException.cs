namespace Backprop.Simd.Serialization;

/// <summary>
/// Thrown when a file of tensors is damaged, breaks its format, or does not fit the network it is loaded into. No size from the file is
/// trusted before it is checked, and the network is not changed.
/// </summary>
public sealed class ModelFileException : IOException
{
    /// <summary>Makes the exception with a general message.</summary>
    public ModelFileException()
        : base("The file is damaged or has an unexpected format.")
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
    /// <param name="innerException">The cause.</param>
    public ModelFileException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
