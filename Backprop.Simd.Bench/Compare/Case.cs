using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>One row of the comparison: a problem that every peer may offer a call for.</summary>
internal abstract class Case
{
    /// <summary>gemm, elementwise, array, step, conv or model.</summary>
    public abstract string Area { get; }

    /// <summary>The name of the row, unique in its area and type.</summary>
    public abstract string Name { get; }

    /// <summary>float or double.</summary>
    public abstract string Type { get; }

    /// <summary>Floating-point operations, the dense count; 0 where arithmetic is not what limits the row.</summary>
    public virtual double Operations => 0;

    public sealed override string ToString() => $"{Area} {Name} {Type}";

    /// <summary>Makes the data. Everything else is called on the result.</summary>
    public abstract PreparedCase Prepare();
}

/// <summary>A case with its data in memory.</summary>
internal abstract class PreparedCase
{
    /// <summary>The call of a peer, or null if it has none.</summary>
    public abstract Call? CallOf(IPeer peer);

    /// <summary>Null if a call's result is right, else what is wrong.</summary>
    public abstract string? Verify(double[] result);

    /// <summary>Forms of the same streams without arithmetic; none for a row that memory does not limit.</summary>
    public virtual IEnumerable<Action> Streams(ComputeContext? context) => [];
}
