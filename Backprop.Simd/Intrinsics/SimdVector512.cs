using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Formulas and matrix kernels on <see cref="Vector512{T}"/>.</summary>
internal unsafe struct SimdVector512<T> : ISimdVector<SimdVector512<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>vgetmant: the interval [3/4, 3/2), NaN for negative numbers.</summary>
    private const byte NearOne = 0b1011;

    private Vector512<T> _lanes;

    public static int Count => Vector512<T>.Count;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    public static bool HasManyRegisters => true;

    public static bool HasMasks => Avx512F.IsSupported;

    public static SimdVector512<T> Zero => default;

    public static SimdVector512<T> One
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector512<T>.One };
    }

    public static SimdVector512<T> Indices
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector512<T>.Indices };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Create(T value) => new() { _lanes = Vector512.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Create(double value) => new() { _lanes = Broadcast(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Create(float narrow, double wide) => Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
        ? Vector512.Create(narrow).As<float, T>()
        : Vector512.Create(wide).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Load(T* source) => new() { _lanes = Vector512.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, SimdVector512<T> value) => Vector512.Store(value._lanes, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> LoadPartial(T* source, int count) => !Avx512F.IsSupported
        ? SimdBits.LoadPartial<SimdVector512<T>, T>(source, count)
        : Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Avx512F.MaskLoad((float*)source, SingleMask(count), Vector512<float>.Zero).As<float, T>()
            : Avx512F.MaskLoad((double*)source, DoubleMask(count), Vector512<double>.Zero).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(T* destination, SimdVector512<T> value, int count)
    {
        if (!Avx512F.IsSupported)
            SimdBits.StorePartial(destination, value, count);
        else if (typeof(T) == typeof(float))
            Avx512F.MaskStore((float*)destination, SingleMask(count), value._lanes.As<T, float>());
        else
            Avx512F.MaskStore((double*)destination, DoubleMask(count), value._lanes.As<T, double>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator +(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator +(SimdVector512<T> left, double right) => new() { _lanes = left._lanes + Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator +(double left, SimdVector512<T> right) => new() { _lanes = Broadcast(left) + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator -(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator -(SimdVector512<T> left, double right) => new() { _lanes = left._lanes - Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator -(double left, SimdVector512<T> right) => new() { _lanes = Broadcast(left) - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator *(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator *(SimdVector512<T> left, double right) => new() { _lanes = left._lanes * Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator *(double left, SimdVector512<T> right) => new() { _lanes = Broadcast(left) * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator /(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator /(SimdVector512<T> left, double right) => new() { _lanes = left._lanes / Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator /(double left, SimdVector512<T> right) => new() { _lanes = Broadcast(left) / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator -(SimdVector512<T> value) => new() { _lanes = -value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator &(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes & right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator |(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes | right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator ^(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = left._lanes ^ right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator ~(SimdVector512<T> value) => new() { _lanes = ~value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator <(SimdVector512<T> left, SimdVector512<T> right) =>
        new() { _lanes = Vector512.LessThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator <(SimdVector512<T> left, double right) => new() { _lanes = Vector512.LessThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator >(SimdVector512<T> left, SimdVector512<T> right) =>
        new() { _lanes = Vector512.GreaterThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator >(SimdVector512<T> left, double right) => new() { _lanes = Vector512.GreaterThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator <=(SimdVector512<T> left, SimdVector512<T> right) =>
        new() { _lanes = Vector512.LessThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator <=(SimdVector512<T> left, double right) =>
        new() { _lanes = Vector512.LessThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator >=(SimdVector512<T> left, SimdVector512<T> right) =>
        new() { _lanes = Vector512.GreaterThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> operator >=(SimdVector512<T> left, double right) =>
        new() { _lanes = Vector512.GreaterThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Equal(SimdVector512<T> left, SimdVector512<T> right) => new() { _lanes = Vector512.Equals(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> IsNaN(SimdVector512<T> value) => new() { _lanes = Vector512.IsNaN(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Select(SimdVector512<T> mask, SimdVector512<T> whenSet, SimdVector512<T> otherwise) =>
        new() { _lanes = Vector512.ConditionalSelect(mask._lanes, whenSet._lanes, otherwise._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> AndNot(SimdVector512<T> value, SimdVector512<T> mask) => new() { _lanes = Vector512.AndNot(value._lanes, mask._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> MultiplyAdd(SimdVector512<T> left, SimdVector512<T> right, SimdVector512<T> addend) =>
        Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Vector512.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), addend._lanes.As<T, float>()).As<float, T>()
            : Vector512.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), addend._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> MultiplyAdd(SimdVector512<T> left, SimdVector512<T> right, double addend) =>
        Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Vector512.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), Vector512.Create((float)addend)).As<float, T>()
            : Vector512.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), Vector512.Create(addend)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> MultiplyAdd(SimdVector512<T> left, double right, SimdVector512<T> addend) =>
        Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Vector512.MultiplyAddEstimate(left._lanes.As<T, float>(), Vector512.Create((float)right), addend._lanes.As<T, float>()).As<float, T>()
            : Vector512.MultiplyAddEstimate(left._lanes.As<T, double>(), Vector512.Create(right), addend._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> MultiplyAdd(SimdVector512<T> left, double right, double addend) =>
        Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Vector512.MultiplyAddEstimate(left._lanes.As<T, float>(), Vector512.Create((float)right), Vector512.Create((float)addend)).As<float, T>()
            : Vector512.MultiplyAddEstimate(left._lanes.As<T, double>(), Vector512.Create(right), Vector512.Create(addend)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> ProductError(SimdVector512<T> left, SimdVector512<T> right, SimdVector512<T> product) => Avx512F.IsSupported
        ? Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Avx512F.FusedMultiplySubtract(left._lanes.As<T, float>(), right._lanes.As<T, float>(), product._lanes.As<T, float>()).As<float, T>()
            : Avx512F.FusedMultiplySubtract(left._lanes.As<T, double>(), right._lanes.As<T, double>(), product._lanes.As<T, double>()).As<double, T>())
        : SimdBits.ProductError<SimdVector512<T>, T>(left, right, product);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Min(SimdVector512<T> bound, SimdVector512<T> value) => new() { _lanes = Vector512.MinNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Min(double bound, SimdVector512<T> value) => new() { _lanes = Vector512.MinNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Max(SimdVector512<T> bound, SimdVector512<T> value) => new() { _lanes = Vector512.MaxNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Max(double bound, SimdVector512<T> value) => new() { _lanes = Vector512.MaxNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Abs(SimdVector512<T> value) => new() { _lanes = Vector512.Abs(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Sqrt(SimdVector512<T> value) => new() { _lanes = Vector512.Sqrt(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector512<T> sum, SimdVector512<T> left, SimdVector512<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector512.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector512.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector512<T> sum, T left, SimdVector512<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector512.MultiplyAddEstimate(
                Vector512.Create(left).As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector512.MultiplyAddEstimate(
                Vector512.Create(left).As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector512<T> first, ref SimdVector512<T> second, T left, SimdVector512<T> a, SimdVector512<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector512.Create(left).As<T, float>();
            first._lanes = Vector512.MultiplyAddEstimate(x, a._lanes.As<T, float>(), first._lanes.As<T, float>()).As<float, T>();
            second._lanes = Vector512.MultiplyAddEstimate(x, b._lanes.As<T, float>(), second._lanes.As<T, float>()).As<float, T>();
        }
        else
        {
            var x = Vector512.Create(left).As<T, double>();
            first._lanes = Vector512.MultiplyAddEstimate(x, a._lanes.As<T, double>(), first._lanes.As<T, double>()).As<double, T>();
            second._lanes = Vector512.MultiplyAddEstimate(x, b._lanes.As<T, double>(), second._lanes.As<T, double>()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector512<T> first, ref SimdVector512<T> second, ref SimdVector512<T> third, T left,
        SimdVector512<T> a, SimdVector512<T> b, SimdVector512<T> c)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector512.Create(left).As<T, float>();
            first._lanes = Vector512.MultiplyAddEstimate(x, a._lanes.As<T, float>(), first._lanes.As<T, float>()).As<float, T>();
            second._lanes = Vector512.MultiplyAddEstimate(x, b._lanes.As<T, float>(), second._lanes.As<T, float>()).As<float, T>();
            third._lanes = Vector512.MultiplyAddEstimate(x, c._lanes.As<T, float>(), third._lanes.As<T, float>()).As<float, T>();
        }
        else
        {
            var x = Vector512.Create(left).As<T, double>();
            first._lanes = Vector512.MultiplyAddEstimate(x, a._lanes.As<T, double>(), first._lanes.As<T, double>()).As<double, T>();
            second._lanes = Vector512.MultiplyAddEstimate(x, b._lanes.As<T, double>(), second._lanes.As<T, double>()).As<double, T>();
            third._lanes = Vector512.MultiplyAddEstimate(x, c._lanes.As<T, double>(), third._lanes.As<T, double>()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector512<T> sum, T* left, SimdVector512<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector512.MultiplyAddEstimate(
                Vector512.Load(left).As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector512.MultiplyAddEstimate(
                Vector512.Load(left).As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ref SimdVector512<T> sum, T* addend) => sum._lanes = Vector512.Load(addend) + sum._lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(SimdVector512<T> value) => Vector512.Sum(value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SumHalves(SimdVector512<T> value)
    {
        var half = value._lanes.GetLower() + value._lanes.GetUpper();
        return Vector128.Sum(half.GetLower() + half.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> AddBits(SimdVector512<T> left, SimdVector512<T> right) =>
        Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? (left._lanes.As<T, int>() + right._lanes.As<T, int>()).As<int, T>()
            : (left._lanes.As<T, long>() + right._lanes.As<T, long>()).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> ShiftBitsLeft(SimdVector512<T> value, int count) => Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
        ? Vector512.ShiftLeft(value._lanes.As<T, int>(), count).As<int, T>()
        : Vector512.ShiftLeft(value._lanes.As<T, long>(), count).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> ShiftBitsRight(SimdVector512<T> value, int count) =>
        Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Vector512.ShiftRightLogical(value._lanes.As<T, int>(), count).As<int, T>()
            : Vector512.ShiftRightLogical(value._lanes.As<T, long>(), count).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> ScaleByPowerOfTwo(SimdVector512<T> value, SimdVector512<T> exponent) => !Avx512F.IsSupported
        ? SimdBits.ScaleByPowerOfTwo<SimdVector512<T>, T>(value, exponent)
        : Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Avx512F.Scale(value._lanes.As<T, float>(), exponent._lanes.As<T, float>()).As<float, T>()
            : Avx512F.Scale(value._lanes.As<T, double>(), exponent._lanes.As<T, double>()).As<double, T>());

    // vgetexp is floor(log2): the significand's own exponent, 0 or -1, tells where 3/2 was passed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Exponent(SimdVector512<T> value) => !Avx512F.IsSupported
        ? SimdBits.Exponent<SimdVector512<T>, T>(value)
        : Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? (Avx512F.GetExponent(value._lanes.As<T, float>())
                - Avx512F.GetExponent(Avx512F.GetMantissa(value._lanes.As<T, float>(), NearOne))).As<float, T>()
            : (Avx512F.GetExponent(value._lanes.As<T, double>())
                - Avx512F.GetExponent(Avx512F.GetMantissa(value._lanes.As<T, double>(), NearOne))).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Significand(SimdVector512<T> value) => !Avx512F.IsSupported
        ? SimdBits.Significand<SimdVector512<T>, T>(value)
        : Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
            ? Avx512F.GetMantissa(value._lanes.As<T, float>(), NearOne).As<float, T>()
            : Avx512F.GetMantissa(value._lanes.As<T, double>(), NearOne).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector512<T> Floor(SimdVector512<T> value) => Unsafe.BitCast<Vector512<T>, SimdVector512<T>>(typeof(T) == typeof(float)
        ? Vector512.Floor(value._lanes.As<T, float>()).As<float, T>()
        : Vector512.Floor(value._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnySet(SimdVector512<T> mask) => mask._lanes.AsByte() != Vector512<byte>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> MultiplyAdd(Vector512<T> left, Vector512<T> right, Vector512<T> addend) => typeof(T) == typeof(float)
        ? Vector512.MultiplyAddEstimate(left.As<T, float>(), right.As<T, float>(), addend.As<T, float>()).As<float, T>()
        : Vector512.MultiplyAddEstimate(left.As<T, double>(), right.As<T, double>(), addend.As<T, double>()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Broadcast(double value) => typeof(T) == typeof(float)
        ? Vector512.Create((float)value).As<float, T>()
        : Vector512.Create(value).As<double, T>();

    /// <summary>A mask of the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SingleMask(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    /// <inheritdoc cref="SingleMask"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> DoubleMask(int count) => Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count)).AsDouble();
}
