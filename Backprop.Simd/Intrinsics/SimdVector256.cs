using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Formulas and matrix kernels on <see cref="Vector256{T}"/>.</summary>
internal unsafe struct SimdVector256<T> : ISimdVector<SimdVector256<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Vector256<T> _lanes;

    public static int Count => Vector256<T>.Count;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    public static bool HasManyRegisters => false;

    public static bool HasMasks => Avx.IsSupported;

    public static SimdVector256<T> Zero => default;

    public static SimdVector256<T> One
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector256<T>.One };
    }

    public static SimdVector256<T> Indices
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector256<T>.Indices };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Create(T value) => new() { _lanes = Vector256.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Create(double value) => new() { _lanes = Broadcast(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Create(float narrow, double wide) => Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
        ? Vector256.Create(narrow).As<float, T>()
        : Vector256.Create(wide).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Load(T* source) => new() { _lanes = Vector256.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, SimdVector256<T> value) => Vector256.Store(value._lanes, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> LoadPartial(T* source, int count) => !Avx.IsSupported
        ? SimdBits.LoadPartial<SimdVector256<T>, T>(source, count)
        : Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Avx.MaskLoad((float*)source, SingleMask(count)).As<float, T>()
            : Avx.MaskLoad((double*)source, DoubleMask(count)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(T* destination, SimdVector256<T> value, int count)
    {
        if (!Avx.IsSupported)
            SimdBits.StorePartial(destination, value, count);
        else if (typeof(T) == typeof(float))
            Avx.MaskStore((float*)destination, SingleMask(count), value._lanes.As<T, float>());
        else
            Avx.MaskStore((double*)destination, DoubleMask(count), value._lanes.As<T, double>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator +(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator +(SimdVector256<T> left, double right) => new() { _lanes = left._lanes + Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator +(double left, SimdVector256<T> right) => new() { _lanes = Broadcast(left) + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator -(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator -(SimdVector256<T> left, double right) => new() { _lanes = left._lanes - Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator -(double left, SimdVector256<T> right) => new() { _lanes = Broadcast(left) - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator *(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator *(SimdVector256<T> left, double right) => new() { _lanes = left._lanes * Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator *(double left, SimdVector256<T> right) => new() { _lanes = Broadcast(left) * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator /(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator /(SimdVector256<T> left, double right) => new() { _lanes = left._lanes / Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator /(double left, SimdVector256<T> right) => new() { _lanes = Broadcast(left) / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator -(SimdVector256<T> value) => new() { _lanes = -value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator &(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes & right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator |(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes | right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator ^(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = left._lanes ^ right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator ~(SimdVector256<T> value) => new() { _lanes = ~value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator <(SimdVector256<T> left, SimdVector256<T> right) =>
        new() { _lanes = Vector256.LessThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator <(SimdVector256<T> left, double right) => new() { _lanes = Vector256.LessThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator >(SimdVector256<T> left, SimdVector256<T> right) =>
        new() { _lanes = Vector256.GreaterThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator >(SimdVector256<T> left, double right) => new() { _lanes = Vector256.GreaterThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator <=(SimdVector256<T> left, SimdVector256<T> right) =>
        new() { _lanes = Vector256.LessThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator <=(SimdVector256<T> left, double right) =>
        new() { _lanes = Vector256.LessThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator >=(SimdVector256<T> left, SimdVector256<T> right) =>
        new() { _lanes = Vector256.GreaterThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> operator >=(SimdVector256<T> left, double right) =>
        new() { _lanes = Vector256.GreaterThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Equal(SimdVector256<T> left, SimdVector256<T> right) => new() { _lanes = Vector256.Equals(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> IsNaN(SimdVector256<T> value) => new() { _lanes = Vector256.IsNaN(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Select(SimdVector256<T> mask, SimdVector256<T> whenSet, SimdVector256<T> otherwise) =>
        new() { _lanes = Vector256.ConditionalSelect(mask._lanes, whenSet._lanes, otherwise._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> AndNot(SimdVector256<T> value, SimdVector256<T> mask) => new() { _lanes = Vector256.AndNot(value._lanes, mask._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> MultiplyAdd(SimdVector256<T> left, SimdVector256<T> right, SimdVector256<T> addend) =>
        Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Vector256.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), addend._lanes.As<T, float>()).As<float, T>()
            : Vector256.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), addend._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> MultiplyAdd(SimdVector256<T> left, SimdVector256<T> right, double addend) =>
        Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Vector256.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), Vector256.Create((float)addend)).As<float, T>()
            : Vector256.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), Vector256.Create(addend)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> MultiplyAdd(SimdVector256<T> left, double right, SimdVector256<T> addend) =>
        Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Vector256.MultiplyAddEstimate(left._lanes.As<T, float>(), Vector256.Create((float)right), addend._lanes.As<T, float>()).As<float, T>()
            : Vector256.MultiplyAddEstimate(left._lanes.As<T, double>(), Vector256.Create(right), addend._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> MultiplyAdd(SimdVector256<T> left, double right, double addend) =>
        Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Vector256.MultiplyAddEstimate(left._lanes.As<T, float>(), Vector256.Create((float)right), Vector256.Create((float)addend)).As<float, T>()
            : Vector256.MultiplyAddEstimate(left._lanes.As<T, double>(), Vector256.Create(right), Vector256.Create(addend)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> ProductError(SimdVector256<T> left, SimdVector256<T> right, SimdVector256<T> product) => Fma.IsSupported
        ? Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Fma.MultiplySubtract(left._lanes.As<T, float>(), right._lanes.As<T, float>(), product._lanes.As<T, float>()).As<float, T>()
            : Fma.MultiplySubtract(left._lanes.As<T, double>(), right._lanes.As<T, double>(), product._lanes.As<T, double>()).As<double, T>())
        : SimdBits.ProductError<SimdVector256<T>, T>(left, right, product);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Min(SimdVector256<T> bound, SimdVector256<T> value) => new() { _lanes = Vector256.MinNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Min(double bound, SimdVector256<T> value) => new() { _lanes = Vector256.MinNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Max(SimdVector256<T> bound, SimdVector256<T> value) => new() { _lanes = Vector256.MaxNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Max(double bound, SimdVector256<T> value) => new() { _lanes = Vector256.MaxNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Abs(SimdVector256<T> value) => new() { _lanes = Vector256.Abs(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Sqrt(SimdVector256<T> value) => new() { _lanes = Vector256.Sqrt(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector256<T> sum, SimdVector256<T> left, SimdVector256<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector256.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector256.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector256<T> sum, T left, SimdVector256<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector256.MultiplyAddEstimate(
                Vector256.Create(left).As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector256.MultiplyAddEstimate(
                Vector256.Create(left).As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector256<T> first, ref SimdVector256<T> second, T left, SimdVector256<T> a, SimdVector256<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector256.Create(left).As<T, float>();
            first._lanes = Vector256.MultiplyAddEstimate(x, a._lanes.As<T, float>(), first._lanes.As<T, float>()).As<float, T>();
            second._lanes = Vector256.MultiplyAddEstimate(x, b._lanes.As<T, float>(), second._lanes.As<T, float>()).As<float, T>();
        }
        else
        {
            var x = Vector256.Create(left).As<T, double>();
            first._lanes = Vector256.MultiplyAddEstimate(x, a._lanes.As<T, double>(), first._lanes.As<T, double>()).As<double, T>();
            second._lanes = Vector256.MultiplyAddEstimate(x, b._lanes.As<T, double>(), second._lanes.As<T, double>()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector256<T> first, ref SimdVector256<T> second, ref SimdVector256<T> third, T left,
        SimdVector256<T> a, SimdVector256<T> b, SimdVector256<T> c)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector256.Create(left).As<T, float>();
            first._lanes = Vector256.MultiplyAddEstimate(x, a._lanes.As<T, float>(), first._lanes.As<T, float>()).As<float, T>();
            second._lanes = Vector256.MultiplyAddEstimate(x, b._lanes.As<T, float>(), second._lanes.As<T, float>()).As<float, T>();
            third._lanes = Vector256.MultiplyAddEstimate(x, c._lanes.As<T, float>(), third._lanes.As<T, float>()).As<float, T>();
        }
        else
        {
            var x = Vector256.Create(left).As<T, double>();
            first._lanes = Vector256.MultiplyAddEstimate(x, a._lanes.As<T, double>(), first._lanes.As<T, double>()).As<double, T>();
            second._lanes = Vector256.MultiplyAddEstimate(x, b._lanes.As<T, double>(), second._lanes.As<T, double>()).As<double, T>();
            third._lanes = Vector256.MultiplyAddEstimate(x, c._lanes.As<T, double>(), third._lanes.As<T, double>()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector256<T> sum, T* left, SimdVector256<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector256.MultiplyAddEstimate(
                Vector256.Load(left).As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector256.MultiplyAddEstimate(
                Vector256.Load(left).As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ref SimdVector256<T> sum, T* addend) => sum._lanes = Vector256.Load(addend) + sum._lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(SimdVector256<T> value) => Vector256.Sum(value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SumHalves(SimdVector256<T> value) => Vector128.Sum(value._lanes.GetLower() + value._lanes.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> AddBits(SimdVector256<T> left, SimdVector256<T> right) =>
        Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? (left._lanes.As<T, int>() + right._lanes.As<T, int>()).As<int, T>()
            : (left._lanes.As<T, long>() + right._lanes.As<T, long>()).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> ShiftBitsLeft(SimdVector256<T> value, int count) => Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
        ? Vector256.ShiftLeft(value._lanes.As<T, int>(), count).As<int, T>()
        : Vector256.ShiftLeft(value._lanes.As<T, long>(), count).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> ShiftBitsRight(SimdVector256<T> value, int count) =>
        Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
            ? Vector256.ShiftRightLogical(value._lanes.As<T, int>(), count).As<int, T>()
            : Vector256.ShiftRightLogical(value._lanes.As<T, long>(), count).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> ScaleByPowerOfTwo(SimdVector256<T> value, SimdVector256<T> exponent) =>
        SimdBits.ScaleByPowerOfTwo<SimdVector256<T>, T>(value, exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Exponent(SimdVector256<T> value) => SimdBits.Exponent<SimdVector256<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Significand(SimdVector256<T> value) => SimdBits.Significand<SimdVector256<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector256<T> Floor(SimdVector256<T> value) => Unsafe.BitCast<Vector256<T>, SimdVector256<T>>(typeof(T) == typeof(float)
        ? Vector256.Floor(value._lanes.As<T, float>()).As<float, T>()
        : Vector256.Floor(value._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnySet(SimdVector256<T> mask) => mask._lanes.AsByte() != Vector256<byte>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> MultiplyAdd(Vector256<T> left, Vector256<T> right, Vector256<T> addend) => typeof(T) == typeof(float)
        ? Vector256.MultiplyAddEstimate(left.As<T, float>(), right.As<T, float>(), addend.As<T, float>()).As<float, T>()
        : Vector256.MultiplyAddEstimate(left.As<T, double>(), right.As<T, double>(), addend.As<T, double>()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Broadcast(double value) => typeof(T) == typeof(float)
        ? Vector256.Create((float)value).As<float, T>()
        : Vector256.Create(value).As<double, T>();

    /// <summary>A mask of the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> SingleMask(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    /// <inheritdoc cref="SingleMask"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> DoubleMask(int count) => Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count)).AsDouble();
}
