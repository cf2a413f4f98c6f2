using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Formulas and matrix kernels on <see cref="Vector128{T}"/>.</summary>
internal unsafe struct SimdVector128<T> : ISimdVector<SimdVector128<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Vector128<T> _lanes;

    public static int Count => Vector128<T>.Count;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    public static bool HasManyRegisters => AdvSimd.IsSupported;

    public static bool HasMasks => Avx.IsSupported;

    public static SimdVector128<T> Zero => default;

    public static SimdVector128<T> One
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector128<T>.One };
    }

    public static SimdVector128<T> Indices
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector128<T>.Indices };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Create(T value) => new() { _lanes = Vector128.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Create(double value) => new() { _lanes = Broadcast(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Create(float narrow, double wide) => Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
        ? Vector128.Create(narrow).As<float, T>()
        : Vector128.Create(wide).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Load(T* source) => new() { _lanes = Vector128.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, SimdVector128<T> value) => Vector128.Store(value._lanes, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> LoadPartial(T* source, int count) => !Avx.IsSupported
        ? SimdBits.LoadPartial<SimdVector128<T>, T>(source, count)
        : Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? Avx.MaskLoad((float*)source, SingleMask(count)).As<float, T>()
            : Avx.MaskLoad((double*)source, DoubleMask(count)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(T* destination, SimdVector128<T> value, int count)
    {
        if (!Avx.IsSupported)
            SimdBits.StorePartial(destination, value, count);
        else if (typeof(T) == typeof(float))
            Avx.MaskStore((float*)destination, SingleMask(count), value._lanes.As<T, float>());
        else
            Avx.MaskStore((double*)destination, DoubleMask(count), value._lanes.As<T, double>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator +(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator +(SimdVector128<T> left, double right) => new() { _lanes = left._lanes + Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator +(double left, SimdVector128<T> right) => new() { _lanes = Broadcast(left) + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator -(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator -(SimdVector128<T> left, double right) => new() { _lanes = left._lanes - Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator -(double left, SimdVector128<T> right) => new() { _lanes = Broadcast(left) - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator *(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator *(SimdVector128<T> left, double right) => new() { _lanes = left._lanes * Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator *(double left, SimdVector128<T> right) => new() { _lanes = Broadcast(left) * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator /(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator /(SimdVector128<T> left, double right) => new() { _lanes = left._lanes / Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator /(double left, SimdVector128<T> right) => new() { _lanes = Broadcast(left) / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator -(SimdVector128<T> value) => new() { _lanes = -value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator &(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes & right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator |(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes | right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator ^(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = left._lanes ^ right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator ~(SimdVector128<T> value) => new() { _lanes = ~value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator <(SimdVector128<T> left, SimdVector128<T> right) =>
        new() { _lanes = Vector128.LessThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator <(SimdVector128<T> left, double right) => new() { _lanes = Vector128.LessThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator >(SimdVector128<T> left, SimdVector128<T> right) =>
        new() { _lanes = Vector128.GreaterThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator >(SimdVector128<T> left, double right) => new() { _lanes = Vector128.GreaterThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator <=(SimdVector128<T> left, SimdVector128<T> right) =>
        new() { _lanes = Vector128.LessThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator <=(SimdVector128<T> left, double right) =>
        new() { _lanes = Vector128.LessThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator >=(SimdVector128<T> left, SimdVector128<T> right) =>
        new() { _lanes = Vector128.GreaterThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> operator >=(SimdVector128<T> left, double right) =>
        new() { _lanes = Vector128.GreaterThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Equal(SimdVector128<T> left, SimdVector128<T> right) => new() { _lanes = Vector128.Equals(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> IsNaN(SimdVector128<T> value) => new() { _lanes = Vector128.IsNaN(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Select(SimdVector128<T> mask, SimdVector128<T> whenSet, SimdVector128<T> otherwise) =>
        new() { _lanes = Vector128.ConditionalSelect(mask._lanes, whenSet._lanes, otherwise._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> AndNot(SimdVector128<T> value, SimdVector128<T> mask) => new() { _lanes = Vector128.AndNot(value._lanes, mask._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> MultiplyAdd(SimdVector128<T> left, SimdVector128<T> right, SimdVector128<T> addend) =>
        Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? Vector128.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), addend._lanes.As<T, float>()).As<float, T>()
            : Vector128.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), addend._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> MultiplyAdd(SimdVector128<T> left, SimdVector128<T> right, double addend) =>
        Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? Vector128.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), Vector128.Create((float)addend)).As<float, T>()
            : Vector128.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), Vector128.Create(addend)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> MultiplyAdd(SimdVector128<T> left, double right, SimdVector128<T> addend) =>
        Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? Vector128.MultiplyAddEstimate(left._lanes.As<T, float>(), Vector128.Create((float)right), addend._lanes.As<T, float>()).As<float, T>()
            : Vector128.MultiplyAddEstimate(left._lanes.As<T, double>(), Vector128.Create(right), addend._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> MultiplyAdd(SimdVector128<T> left, double right, double addend) =>
        Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? Vector128.MultiplyAddEstimate(left._lanes.As<T, float>(), Vector128.Create((float)right), Vector128.Create((float)addend)).As<float, T>()
            : Vector128.MultiplyAddEstimate(left._lanes.As<T, double>(), Vector128.Create(right), Vector128.Create(addend)).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> ProductError(SimdVector128<T> left, SimdVector128<T> right, SimdVector128<T> product) => SimdBits.IsFused
        ? MultiplyAdd(left, right, -product)
        : SimdBits.ProductError<SimdVector128<T>, T>(left, right, product);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Min(SimdVector128<T> bound, SimdVector128<T> value) => new() { _lanes = Vector128.MinNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Min(double bound, SimdVector128<T> value) => new() { _lanes = Vector128.MinNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Max(SimdVector128<T> bound, SimdVector128<T> value) => new() { _lanes = Vector128.MaxNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Max(double bound, SimdVector128<T> value) => new() { _lanes = Vector128.MaxNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Abs(SimdVector128<T> value) => new() { _lanes = Vector128.Abs(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Sqrt(SimdVector128<T> value) => new() { _lanes = Vector128.Sqrt(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector128<T> sum, SimdVector128<T> left, SimdVector128<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector128.MultiplyAddEstimate(left._lanes.As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector128.MultiplyAddEstimate(left._lanes.As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector128<T> sum, T left, SimdVector128<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector128.MultiplyAddEstimate(
                Vector128.Create(left).As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector128.MultiplyAddEstimate(
                Vector128.Create(left).As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector128<T> first, ref SimdVector128<T> second, T left, SimdVector128<T> a, SimdVector128<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector128.Create(left).As<T, float>();
            first._lanes = Vector128.MultiplyAddEstimate(x, a._lanes.As<T, float>(), first._lanes.As<T, float>()).As<float, T>();
            second._lanes = Vector128.MultiplyAddEstimate(x, b._lanes.As<T, float>(), second._lanes.As<T, float>()).As<float, T>();
        }
        else
        {
            var x = Vector128.Create(left).As<T, double>();
            first._lanes = Vector128.MultiplyAddEstimate(x, a._lanes.As<T, double>(), first._lanes.As<T, double>()).As<double, T>();
            second._lanes = Vector128.MultiplyAddEstimate(x, b._lanes.As<T, double>(), second._lanes.As<T, double>()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector128<T> first, ref SimdVector128<T> second, ref SimdVector128<T> third, T left,
        SimdVector128<T> a, SimdVector128<T> b, SimdVector128<T> c)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector128.Create(left).As<T, float>();
            first._lanes = Vector128.MultiplyAddEstimate(x, a._lanes.As<T, float>(), first._lanes.As<T, float>()).As<float, T>();
            second._lanes = Vector128.MultiplyAddEstimate(x, b._lanes.As<T, float>(), second._lanes.As<T, float>()).As<float, T>();
            third._lanes = Vector128.MultiplyAddEstimate(x, c._lanes.As<T, float>(), third._lanes.As<T, float>()).As<float, T>();
        }
        else
        {
            var x = Vector128.Create(left).As<T, double>();
            first._lanes = Vector128.MultiplyAddEstimate(x, a._lanes.As<T, double>(), first._lanes.As<T, double>()).As<double, T>();
            second._lanes = Vector128.MultiplyAddEstimate(x, b._lanes.As<T, double>(), second._lanes.As<T, double>()).As<double, T>();
            third._lanes = Vector128.MultiplyAddEstimate(x, c._lanes.As<T, double>(), third._lanes.As<T, double>()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector128<T> sum, T* left, SimdVector128<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector128.MultiplyAddEstimate(
                Vector128.Load(left).As<T, float>(), right._lanes.As<T, float>(), sum._lanes.As<T, float>()).As<float, T>();
        else
            sum._lanes = Vector128.MultiplyAddEstimate(
                Vector128.Load(left).As<T, double>(), right._lanes.As<T, double>(), sum._lanes.As<T, double>()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ref SimdVector128<T> sum, T* addend) => sum._lanes = Vector128.Load(addend) + sum._lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(SimdVector128<T> value) => Vector128.Sum(value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SumHalves(SimdVector128<T> value) => Vector128.Sum(value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> AddBits(SimdVector128<T> left, SimdVector128<T> right) =>
        Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? (left._lanes.As<T, int>() + right._lanes.As<T, int>()).As<int, T>()
            : (left._lanes.As<T, long>() + right._lanes.As<T, long>()).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> ShiftBitsLeft(SimdVector128<T> value, int count) => Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
        ? Vector128.ShiftLeft(value._lanes.As<T, int>(), count).As<int, T>()
        : Vector128.ShiftLeft(value._lanes.As<T, long>(), count).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> ShiftBitsRight(SimdVector128<T> value, int count) =>
        Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
            ? Vector128.ShiftRightLogical(value._lanes.As<T, int>(), count).As<int, T>()
            : Vector128.ShiftRightLogical(value._lanes.As<T, long>(), count).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> ScaleByPowerOfTwo(SimdVector128<T> value, SimdVector128<T> exponent) =>
        SimdBits.ScaleByPowerOfTwo<SimdVector128<T>, T>(value, exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Exponent(SimdVector128<T> value) => SimdBits.Exponent<SimdVector128<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Significand(SimdVector128<T> value) => SimdBits.Significand<SimdVector128<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector128<T> Floor(SimdVector128<T> value) => Unsafe.BitCast<Vector128<T>, SimdVector128<T>>(typeof(T) == typeof(float)
        ? Vector128.Floor(value._lanes.As<T, float>()).As<float, T>()
        : Vector128.Floor(value._lanes.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnySet(SimdVector128<T> mask) => mask._lanes.AsByte() != Vector128<byte>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> MultiplyAdd(Vector128<T> left, Vector128<T> right, Vector128<T> addend) => typeof(T) == typeof(float)
        ? Vector128.MultiplyAddEstimate(left.As<T, float>(), right.As<T, float>(), addend.As<T, float>()).As<float, T>()
        : Vector128.MultiplyAddEstimate(left.As<T, double>(), right.As<T, double>(), addend.As<T, double>()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> Broadcast(double value) => typeof(T) == typeof(float)
        ? Vector128.Create((float)value).As<float, T>()
        : Vector128.Create(value).As<double, T>();

    /// <summary>A mask of the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> SingleMask(int count) => Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    /// <inheritdoc cref="SingleMask"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> DoubleMask(int count) => Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count)).AsDouble();
}
