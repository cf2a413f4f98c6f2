namespace Backprop.Simd.Threading;

/// <summary>A loop body over a range of independent items, run by <see cref="ComputeContext.For"/>.</summary>
/// <remarks>Implement it as a struct, so that nothing is boxed or allocated. A ref struct may hold spans.</remarks>
public interface IRangeBody
{
    /// <summary>Runs items <paramref name="start"/> up to, not including, <paramref name="limit"/>.</summary>
    /// <param name="start">The first item.</param>
    /// <param name="limit">One past the last item.</param>
    void Execute(int start, int limit);
}
