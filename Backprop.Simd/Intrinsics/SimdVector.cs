using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;

namespace Backprop.Simd.Intrinsics;

/// <summary>Formulas and matrix kernels on <see cref="Vector{T}"/>.</summary>
internal unsafe struct SimdVector<T> : ISimdVector<SimdVector<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Vector<T> _lanes;

    public static int Count => Vector<T>.Count;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    public static bool HasManyRegisters => AdvSimd.IsSupported;

    public static bool HasMasks => false;

    public static SimdVector<T> Zero => default;

    public static SimdVector<T> One
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector<T>.One };
    }

    public static SimdVector<T> Indices
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector<T>.Indices };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Create(T value) => new() { _lanes = Vector.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Create(double value) => new() { _lanes = Broadcast(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Create(float narrow, double wide) => Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
        ? Vector.As<float, T>(Vector.Create(narrow))
        : Vector.As<double, T>(Vector.Create(wide)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Load(T* source) => new() { _lanes = Vector.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, SimdVector<T> value) => Vector.Store(value._lanes, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> LoadPartial(T* source, int count) => SimdBits.LoadPartial<SimdVector<T>, T>(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(T* destination, SimdVector<T> value, int count) => SimdBits.StorePartial(destination, value, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator +(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator +(SimdVector<T> left, double right) => new() { _lanes = left._lanes + Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator +(double left, SimdVector<T> right) => new() { _lanes = Broadcast(left) + right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator -(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator -(SimdVector<T> left, double right) => new() { _lanes = left._lanes - Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator -(double left, SimdVector<T> right) => new() { _lanes = Broadcast(left) - right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator *(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator *(SimdVector<T> left, double right) => new() { _lanes = left._lanes * Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator *(double left, SimdVector<T> right) => new() { _lanes = Broadcast(left) * right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator /(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator /(SimdVector<T> left, double right) => new() { _lanes = left._lanes / Broadcast(right) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator /(double left, SimdVector<T> right) => new() { _lanes = Broadcast(left) / right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator -(SimdVector<T> value) => new() { _lanes = -value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator &(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes & right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator |(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes | right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator ^(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = left._lanes ^ right._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator ~(SimdVector<T> value) => new() { _lanes = ~value._lanes };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator <(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = Vector.LessThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator <(SimdVector<T> left, double right) => new() { _lanes = Vector.LessThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator >(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = Vector.GreaterThan(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator >(SimdVector<T> left, double right) => new() { _lanes = Vector.GreaterThan(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator <=(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = Vector.LessThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator <=(SimdVector<T> left, double right) => new() { _lanes = Vector.LessThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator >=(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = Vector.GreaterThanOrEqual(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> operator >=(SimdVector<T> left, double right) => new() { _lanes = Vector.GreaterThanOrEqual(left._lanes, Broadcast(right)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Equal(SimdVector<T> left, SimdVector<T> right) => new() { _lanes = Vector.Equals(left._lanes, right._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> IsNaN(SimdVector<T> value) => new() { _lanes = Vector.IsNaN(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Select(SimdVector<T> mask, SimdVector<T> whenSet, SimdVector<T> otherwise) =>
        new() { _lanes = Vector.ConditionalSelect(mask._lanes, whenSet._lanes, otherwise._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> AndNot(SimdVector<T> value, SimdVector<T> mask) => new() { _lanes = Vector.AndNot(value._lanes, mask._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> MultiplyAdd(SimdVector<T> left, SimdVector<T> right, SimdVector<T> addend) =>
        Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
            ? Vector.As<float, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, float>(left._lanes), Vector.As<T, float>(right._lanes), Vector.As<T, float>(addend._lanes)))
            : Vector.As<double, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, double>(left._lanes), Vector.As<T, double>(right._lanes), Vector.As<T, double>(addend._lanes))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> MultiplyAdd(SimdVector<T> left, SimdVector<T> right, double addend) =>
        Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
            ? Vector.As<float, T>(Vector.MultiplyAddEstimate(Vector.As<T, float>(left._lanes), Vector.As<T, float>(right._lanes), Vector.Create((float)addend)))
            : Vector.As<double, T>(Vector.MultiplyAddEstimate(Vector.As<T, double>(left._lanes), Vector.As<T, double>(right._lanes), Vector.Create(addend))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> MultiplyAdd(SimdVector<T> left, double right, SimdVector<T> addend) =>
        Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
            ? Vector.As<float, T>(Vector.MultiplyAddEstimate(Vector.As<T, float>(left._lanes), Vector.Create((float)right), Vector.As<T, float>(addend._lanes)))
            : Vector.As<double, T>(Vector.MultiplyAddEstimate(Vector.As<T, double>(left._lanes), Vector.Create(right), Vector.As<T, double>(addend._lanes))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> MultiplyAdd(SimdVector<T> left, double right, double addend) =>
        Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
            ? Vector.As<float, T>(Vector.MultiplyAddEstimate(Vector.As<T, float>(left._lanes), Vector.Create((float)right), Vector.Create((float)addend)))
            : Vector.As<double, T>(Vector.MultiplyAddEstimate(Vector.As<T, double>(left._lanes), Vector.Create(right), Vector.Create(addend))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> ProductError(SimdVector<T> left, SimdVector<T> right, SimdVector<T> product) => SimdBits.IsFused
        ? MultiplyAdd(left, right, -product)
        : SimdBits.ProductError<SimdVector<T>, T>(left, right, product);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Min(SimdVector<T> bound, SimdVector<T> value) => new() { _lanes = Vector.MinNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Min(double bound, SimdVector<T> value) => new() { _lanes = Vector.MinNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Max(SimdVector<T> bound, SimdVector<T> value) => new() { _lanes = Vector.MaxNative(bound._lanes, value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Max(double bound, SimdVector<T> value) => new() { _lanes = Vector.MaxNative(Broadcast(bound), value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Abs(SimdVector<T> value) => new() { _lanes = Vector.Abs(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Sqrt(SimdVector<T> value) => new() { _lanes = Vector.SquareRoot(value._lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector<T> sum, SimdVector<T> left, SimdVector<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, float>(left._lanes), Vector.As<T, float>(right._lanes), Vector.As<T, float>(sum._lanes)));
        else
            sum._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, double>(left._lanes), Vector.As<T, double>(right._lanes), Vector.As<T, double>(sum._lanes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector<T> sum, T left, SimdVector<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, float>(Vector.Create(left)), Vector.As<T, float>(right._lanes), Vector.As<T, float>(sum._lanes)));
        else
            sum._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, double>(Vector.Create(left)), Vector.As<T, double>(right._lanes), Vector.As<T, double>(sum._lanes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector<T> first, ref SimdVector<T> second, T left, SimdVector<T> a, SimdVector<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector.As<T, float>(Vector.Create(left));
            first._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, float>(a._lanes), Vector.As<T, float>(first._lanes)));
            second._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, float>(b._lanes), Vector.As<T, float>(second._lanes)));
        }
        else
        {
            var x = Vector.As<T, double>(Vector.Create(left));
            first._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, double>(a._lanes), Vector.As<T, double>(first._lanes)));
            second._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, double>(b._lanes), Vector.As<T, double>(second._lanes)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(ref SimdVector<T> first, ref SimdVector<T> second, ref SimdVector<T> third, T left,
        SimdVector<T> a, SimdVector<T> b, SimdVector<T> c)
    {
        if (typeof(T) == typeof(float))
        {
            var x = Vector.As<T, float>(Vector.Create(left));
            first._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, float>(a._lanes), Vector.As<T, float>(first._lanes)));
            second._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, float>(b._lanes), Vector.As<T, float>(second._lanes)));
            third._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, float>(c._lanes), Vector.As<T, float>(third._lanes)));
        }
        else
        {
            var x = Vector.As<T, double>(Vector.Create(left));
            first._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, double>(a._lanes), Vector.As<T, double>(first._lanes)));
            second._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, double>(b._lanes), Vector.As<T, double>(second._lanes)));
            third._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(x, Vector.As<T, double>(c._lanes), Vector.As<T, double>(third._lanes)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref SimdVector<T> sum, T* left, SimdVector<T> right)
    {
        if (typeof(T) == typeof(float))
            sum._lanes = Vector.As<float, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, float>(Vector.Load(left)), Vector.As<T, float>(right._lanes), Vector.As<T, float>(sum._lanes)));
        else
            sum._lanes = Vector.As<double, T>(Vector.MultiplyAddEstimate(
                Vector.As<T, double>(Vector.Load(left)), Vector.As<T, double>(right._lanes), Vector.As<T, double>(sum._lanes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ref SimdVector<T> sum, T* addend) => sum._lanes = Vector.Load(addend) + sum._lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(SimdVector<T> value) => Vector.Sum(value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SumHalves(SimdVector<T> value) => Vector.Sum(value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> AddBits(SimdVector<T> left, SimdVector<T> right) => Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
        ? Vector.As<int, T>(Vector.As<T, int>(left._lanes) + Vector.As<T, int>(right._lanes))
        : Vector.As<long, T>(Vector.As<T, long>(left._lanes) + Vector.As<T, long>(right._lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> ShiftBitsLeft(SimdVector<T> value, int count) => Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
        ? Vector.As<int, T>(Vector.ShiftLeft(Vector.As<T, int>(value._lanes), count))
        : Vector.As<long, T>(Vector.ShiftLeft(Vector.As<T, long>(value._lanes), count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> ShiftBitsRight(SimdVector<T> value, int count) => Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
        ? Vector.As<int, T>(Vector.ShiftRightLogical(Vector.As<T, int>(value._lanes), count))
        : Vector.As<long, T>(Vector.ShiftRightLogical(Vector.As<T, long>(value._lanes), count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> ScaleByPowerOfTwo(SimdVector<T> value, SimdVector<T> exponent) => SimdBits.ScaleByPowerOfTwo<SimdVector<T>, T>(value, exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Exponent(SimdVector<T> value) => SimdBits.Exponent<SimdVector<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Significand(SimdVector<T> value) => SimdBits.Significand<SimdVector<T>, T>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdVector<T> Floor(SimdVector<T> value) => Unsafe.BitCast<Vector<T>, SimdVector<T>>(typeof(T) == typeof(float)
        ? Vector.As<float, T>(Vector.Floor(Vector.As<T, float>(value._lanes)))
        : Vector.As<double, T>(Vector.Floor(Vector.As<T, double>(value._lanes))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnySet(SimdVector<T> mask) => Vector.AsVectorByte(mask._lanes) != Vector<byte>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> MultiplyAdd(Vector<T> left, Vector<T> right, Vector<T> addend) => typeof(T) == typeof(float)
        ? Vector.As<float, T>(Vector.MultiplyAddEstimate(Vector.As<T, float>(left), Vector.As<T, float>(right), Vector.As<T, float>(addend)))
        : Vector.As<double, T>(Vector.MultiplyAddEstimate(Vector.As<T, double>(left), Vector.As<T, double>(right), Vector.As<T, double>(addend)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Broadcast(double value) => typeof(T) == typeof(float)
        ? Vector.As<float, T>(Vector.Create((float)value))
        : Vector.As<double, T>(Vector.Create(value));
}
