namespace Backprop.Simd.Data;

/// <summary>
/// Thrown when a data file breaks its format or is not what was expected. No size from the file is trusted before it is checked.
/// </summary>
public sealed class DataFormatException : IOException
{
    /// <summary>Creates the exception with a general message.</summary>
    public DataFormatException()
        : base("The data file does not have the expected format.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The file, what was expected and what was found.</param>
    public DataFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The file, what was expected and what was found.</param>
    /// <param name="innerException">The cause.</param>
    public DataFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
