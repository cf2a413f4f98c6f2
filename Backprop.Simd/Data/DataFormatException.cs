namespace Backprop.Simd.Data;

/// <summary>A data file is not what its format says, or not what was expected of it. Raised before anything is allocated on the file's word.</summary>
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
    /// <param name="innerException">The failure behind it.</param>
    public DataFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
