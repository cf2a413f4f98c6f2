namespace Backprop.Simd.Datasets;

/// <summary>
/// No folder that was searched has the set, and no mirror gave it. The message names the files to put there by hand, the
/// folder, and the answer of each mirror.
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
