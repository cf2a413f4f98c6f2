namespace Backprop.Simd.Datasets;

/// <summary>
/// A data file breaks its format: a wrong magic number, a header that contradicts the length, a truncated or corrupt body, a
/// value out of range. It is thrown before memory is allocated for sizes that the file merely claims.
/// </summary>
public sealed class DatasetFormatException : Exception
{
    /// <summary>Creates the exception with a general message.</summary>
    public DatasetFormatException()
        : base("The data file does not have the expected format.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was expected and what was found.</param>
    public DatasetFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was expected and what was found.</param>
    /// <param name="innerException">The failure behind it.</param>
    public DatasetFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
