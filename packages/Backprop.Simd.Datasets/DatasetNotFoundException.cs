namespace Backprop.Simd.Datasets;

/// <summary>
/// A set is neither in the folders looked at nor to be had from a mirror. The message names the files to put there by hand, the
/// folder, and each mirror with what it answered.
/// </summary>
public sealed class DatasetNotFoundException : IOException
{
    /// <summary>Creates the exception with a general message.</summary>
    public DatasetNotFoundException()
        : base("The data set was not found.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was looked for, and where.</param>
    public DatasetNotFoundException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was looked for, and where.</param>
    /// <param name="innerException">The failures behind it.</param>
    public DatasetNotFoundException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
