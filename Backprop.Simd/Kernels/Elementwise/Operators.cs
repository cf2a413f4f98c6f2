using System.Numerics;

namespace Backprop.Simd.Kernels;

/// <summary>One output from one input, lane by lane: what <see cref="Map"/> runs over spans.</summary>
internal interface IUnaryOperator<T> where T : unmanaged
{
    /// <summary>f(x).</summary>
    Vector<T> Invoke(Vector<T> x);
}

/// <summary>One output from two inputs, lane by lane.</summary>
internal interface IBinaryOperator<T> where T : unmanaged
{
    /// <summary>f(x, y).</summary>
    Vector<T> Invoke(Vector<T> x, Vector<T> y);
}

/// <summary>One output from three inputs, lane by lane.</summary>
internal interface ITernaryOperator<T> where T : unmanaged
{
    /// <summary>f(x, y, z).</summary>
    Vector<T> Invoke(Vector<T> x, Vector<T> y, Vector<T> z);
}

/// <summary>One output from four inputs, lane by lane: a ternary operator that adds to its destination.</summary>
internal interface IQuaternaryOperator<T> where T : unmanaged
{
    /// <summary>f(x, y, z, w).</summary>
    Vector<T> Invoke(Vector<T> x, Vector<T> y, Vector<T> z, Vector<T> w);
}

/// <summary>A gradient changes a parameter and one value of state in place, lane by lane: an optimizer's step.</summary>
internal interface IUpdateOperator<T> where T : unmanaged
{
    /// <summary>Replaces the parameter and its state.</summary>
    void Invoke(Vector<T> gradient, ref Vector<T> parameter, ref Vector<T> state);
}

/// <summary>d + f(x) for the destination d.</summary>
internal readonly struct AddUnary<T, TOperator>(TOperator f) : IBinaryOperator<T>
    where T : unmanaged
    where TOperator : struct, IUnaryOperator<T>
{
    public Vector<T> Invoke(Vector<T> x, Vector<T> destination) => destination + f.Invoke(x);
}

/// <summary>d + f(x, y) for the destination d.</summary>
internal readonly struct AddBinary<T, TOperator>(TOperator f) : ITernaryOperator<T>
    where T : unmanaged
    where TOperator : struct, IBinaryOperator<T>
{
    public Vector<T> Invoke(Vector<T> x, Vector<T> y, Vector<T> destination) => destination + f.Invoke(x, y);
}

/// <summary>d + f(x, y, z) for the destination d.</summary>
internal readonly struct AddTernary<T, TOperator>(TOperator f) : IQuaternaryOperator<T>
    where T : unmanaged
    where TOperator : struct, ITernaryOperator<T>
{
    public Vector<T> Invoke(Vector<T> x, Vector<T> y, Vector<T> z, Vector<T> destination) => destination + f.Invoke(x, y, z);
}

/// <summary>A loop of two inputs over spans of one length.</summary>
internal interface ISpanOperator<T> where T : unmanaged
{
    void Invoke(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination);
}
