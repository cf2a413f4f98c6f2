namespace Backprop.Simd.Bench;

/// <summary>One side of a case, ready to run: what is timed, and how to read what it computed.</summary>
/// <param name="run">The timed work, once.</param>
/// <param name="result">The outcome of the last run, in the order that the problem documents.</param>
/// <param name="owned">What to dispose of afterwards.</param>
internal sealed class Call(Action run, Func<double[]> result, params IReadOnlyList<IDisposable> owned) : IDisposable
{
    public Action Run { get; } = run;

    public double[] Result() => result();

    public void Dispose()
    {
        foreach (var item in owned)
            item.Dispose();
    }
}
