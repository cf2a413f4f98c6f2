using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

public static partial class Elementwise
{
    /// <summary>destination[i] = -x[i].</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The operand.</param>
    /// <param name="destination">The result, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The destination is too short or overlaps the input shifted.</exception>
    public static void Negate<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(NegateOperator<T>), x, destination, ArithmeticCost, context);

    /// <summary>destination[i] = 1 / x[i], correctly rounded.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Reciprocal<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(ReciprocalOperator<T>), x, destination, ArithmeticCost, context);

    /// <summary>The gradient of <see cref="Reciprocal"/>, from its output: dx[i] = -dy[i] y[i]^2, or dx[i] += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output, 1 / x.</param>
    /// <param name="dx">The gradient of the input, at least as long as <paramref name="dy"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or <paramref name="dx"/> is too short or overlaps an input shifted.</exception>
    public static void ReciprocalBackward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        Check(dy, y, dx);
        Map.Binary(default(ReciprocalBackwardOperator<T>), dy, y, dx, ArithmeticCost, context);
    }

    /// <summary>destination[i] = e^x[i], over the whole range; see <see cref="VectorMath.Exp"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Exp<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(ExpOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = ln x[i]; see <see cref="VectorMath.Log"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Log<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(LogOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = 1 / (1 + e^-x[i]); see <see cref="VectorMath.Sigmoid"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Sigmoid<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(SigmoidOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = tanh x[i]; see <see cref="VectorMath.Tanh"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Tanh<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(TanhOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = the error function of x[i]; see <see cref="VectorMath.Erf"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Erf<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(ErfOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = x[i] Phi(x[i]), the Gaussian error linear unit; see <see cref="VectorMath.Gelu"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Gelu<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(GeluOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = the tanh form of <see cref="Gelu"/>, another function; see <see cref="VectorMath.GeluTanh"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void GeluTanh<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(GeluTanhOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = x[i] / (1 + e^-x[i]); see <see cref="VectorMath.Silu"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Silu<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(SiluOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = ln(1 + e^x[i]); see <see cref="VectorMath.Softplus"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Softplus<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(SoftplusOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = x[i]^y[i], as C99's pow; see <see cref="VectorMath.Pow"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The bases.</param>
    /// <param name="y">The exponents, as many.</param>
    /// <param name="destination">The result, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or the destination is too short or overlaps an input shifted.</exception>
    public static void Pow<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Binary(default(PowOperator<T>), x, y, destination, PowerCost, context);

    /// <summary>destination[i] = x[i]^exponent, as C99's pow; see <see cref="VectorMath.Pow"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The bases.</param>
    /// <param name="exponent">The exponent of all.</param>
    /// <param name="destination">The result, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The destination is too short or overlaps the input shifted.</exception>
    public static void Pow<T>(ReadOnlySpan<T> x, T exponent, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(new ConstantPowOperator<T>(exponent), x, destination, PowerCost, context);

    /// <summary>destination[i] = sin x[i], in radians; see <see cref="VectorMath.Sin"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Sin<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(SinOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = cos x[i], in radians; see <see cref="VectorMath.Cos"/>.</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Cos<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(CosOperator<T>), x, destination, FunctionCost, context);

    /// <summary>destination[i] = the largest integer that is not above x[i].</summary>
    /// <inheritdoc cref="Negate"/>
    public static void Floor<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(default(FloorOperator<T>), x, destination, ArithmeticCost, context);

    internal readonly struct NegateOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => -x;
    }

    internal readonly struct ReciprocalOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => 1 / x;
    }

    internal readonly struct ReciprocalBackwardOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => -(x * y) * y;
    }

    internal readonly struct ExpOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Exp(x);
    }

    internal readonly struct LogOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Log(x);
    }

    internal readonly struct SigmoidOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Sigmoid(x);
    }

    internal readonly struct TanhOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Tanh(x);
    }

    internal readonly struct ErfOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Erf(x);
    }

    internal readonly struct GeluOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Gelu(x);
    }

    internal readonly struct GeluTanhOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.GeluTanh(x);
    }

    internal readonly struct SiluOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Silu(x);
    }

    internal readonly struct SoftplusOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Softplus(x);
    }

    internal readonly struct PowOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Pow(x, y);
    }

    internal readonly struct ConstantPowOperator<T>(T exponent) : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Pow(x, TVector.Create(exponent));
    }

    internal readonly struct SinOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Sin(x);
    }

    internal readonly struct CosOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Cos(x);
    }

    internal readonly struct FloorOperator<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.Floor(x);
    }
}
