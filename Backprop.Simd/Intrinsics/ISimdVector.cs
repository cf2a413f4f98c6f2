using System.Numerics;

namespace Backprop.Simd.Intrinsics;

/// <summary>
/// A register of floats or doubles: a formula written once against this runs on every register width, and reads like the formula.
/// </summary>
/// <remarks>
/// <para>All operations are lane by lane. A plain number beside a register stands for that number, rounded to the type of the
/// lanes, in all lanes: <c>y * (1 - y)</c>. A comparison gives a mask, all bits of a lane set or none, for <see cref="Select"/>,
/// <see cref="AndNot"/> and the bitwise operators. The library implements this; it is not meant to be implemented elsewhere.</para>
/// <para>The compiler keeps a formula in registers as long as it can inline all of it, and it counts temporaries: some hundred
/// operations are safe. A nested call in a second or later argument costs several times one in the first, so long formulas
/// go step by step, with plain numbers for constants.</para>
/// </remarks>
/// <typeparam name="TSelf">The register type itself.</typeparam>
public interface ISimdVector<TSelf> where TSelf : struct, ISimdVector<TSelf>
{
    /// <summary>The number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>True if the lanes are floats, false if they are doubles: a constant to the compiler.</summary>
    static abstract bool IsSingle { get; }

    /// <summary>0 in all lanes.</summary>
    static abstract TSelf Zero { get; }

    /// <summary>1 in all lanes.</summary>
    static abstract TSelf One { get; }

    /// <summary>A number, rounded to the type of the lanes, in all lanes.</summary>
    /// <param name="value">The number.</param>
    /// <returns>The register.</returns>
    static abstract TSelf Create(double value);

    /// <summary>One of two numbers, by the type of the lanes, in all lanes.</summary>
    /// <param name="narrow">The number where the lanes are floats.</param>
    /// <param name="wide">The number where they are doubles.</param>
    /// <returns>The register.</returns>
    static abstract TSelf Create(float narrow, double wide);

    /// <summary>The sum.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left + right.</returns>
    static abstract TSelf operator +(TSelf left, TSelf right);

    /// <summary>The sum with a number.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand, rounded to the type of the lanes.</param>
    /// <returns>left + right.</returns>
    static abstract TSelf operator +(TSelf left, double right);

    /// <summary>The sum of a number and a register.</summary>
    /// <param name="left">The first operand, rounded to the type of the lanes.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left + right.</returns>
    static abstract TSelf operator +(double left, TSelf right);

    /// <summary>The difference.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left - right.</returns>
    static abstract TSelf operator -(TSelf left, TSelf right);

    /// <summary>The difference with a number.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand, rounded to the type of the lanes.</param>
    /// <returns>left - right.</returns>
    static abstract TSelf operator -(TSelf left, double right);

    /// <summary>The difference of a number and a register.</summary>
    /// <param name="left">The first operand, rounded to the type of the lanes.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left - right.</returns>
    static abstract TSelf operator -(double left, TSelf right);

    /// <summary>The product.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left * right.</returns>
    static abstract TSelf operator *(TSelf left, TSelf right);

    /// <summary>The product with a number.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand, rounded to the type of the lanes.</param>
    /// <returns>left * right.</returns>
    static abstract TSelf operator *(TSelf left, double right);

    /// <summary>The product of a number and a register.</summary>
    /// <param name="left">The first operand, rounded to the type of the lanes.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left * right.</returns>
    static abstract TSelf operator *(double left, TSelf right);

    /// <summary>The quotient.</summary>
    /// <param name="left">The dividend.</param>
    /// <param name="right">The divisor.</param>
    /// <returns>left / right.</returns>
    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>The quotient with a number.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand, rounded to the type of the lanes.</param>
    /// <returns>left / right.</returns>
    static abstract TSelf operator /(TSelf left, double right);

    /// <summary>The quotient of a number and a register.</summary>
    /// <param name="left">The first operand, rounded to the type of the lanes.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>left / right.</returns>
    static abstract TSelf operator /(double left, TSelf right);

    /// <summary>The value with the other sign.</summary>
    /// <param name="value">The operand.</param>
    /// <returns>-value.</returns>
    static abstract TSelf operator -(TSelf value);

    /// <summary>Bits set in both.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The bits.</returns>
    static abstract TSelf operator &(TSelf left, TSelf right);

    /// <summary>Bits set in one or both.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The bits.</returns>
    static abstract TSelf operator |(TSelf left, TSelf right);

    /// <summary>Bits set in exactly one.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The bits.</returns>
    static abstract TSelf operator ^(TSelf left, TSelf right);

    /// <summary>The other bits; of a mask, the other lanes.</summary>
    /// <param name="value">The operand.</param>
    /// <returns>The bits.</returns>
    static abstract TSelf operator ~(TSelf value);

    /// <summary>Where left is less than right; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator <(TSelf left, TSelf right);

    /// <summary>Where left is less than a number; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The number, rounded to the type of the lanes.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator <(TSelf left, double right);

    /// <summary>Where left is greater than right; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator >(TSelf left, TSelf right);

    /// <summary>Where left is greater than a number; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The number, rounded to the type of the lanes.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator >(TSelf left, double right);

    /// <summary>Where left is less than or equal to right; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator <=(TSelf left, TSelf right);

    /// <summary>Where left is less than or equal to a number; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The number, rounded to the type of the lanes.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator <=(TSelf left, double right);

    /// <summary>Where left is greater than or equal to right; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator >=(TSelf left, TSelf right);

    /// <summary>Where left is greater than or equal to a number; nowhere in a lane with a NaN.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The number, rounded to the type of the lanes.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf operator >=(TSelf left, double right);

    /// <summary>Where the two are equal; 0 and -0 are, NaN and NaN are not.</summary>
    /// <param name="left">The first operand.</param>
    /// <param name="right">The second operand.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf Equal(TSelf left, TSelf right);

    /// <summary>Where the value is NaN.</summary>
    /// <param name="value">The operand.</param>
    /// <returns>The mask.</returns>
    static abstract TSelf IsNaN(TSelf value);

    /// <summary>The one value where the mask is set, the other elsewhere.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="whenSet">The lanes to take where it is set.</param>
    /// <param name="otherwise">The lanes to take elsewhere.</param>
    /// <returns>The chosen lanes.</returns>
    static abstract TSelf Select(TSelf mask, TSelf whenSet, TSelf otherwise);

    /// <summary>The value where the mask is not set, +0 where it is.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mask">The mask.</param>
    /// <returns>value and not mask.</returns>
    static abstract TSelf AndNot(TSelf value, TSelf mask);

    /// <summary>left * right + addend, fused where the hardware fuses.</summary>
    /// <param name="left">The first factor.</param>
    /// <param name="right">The second factor.</param>
    /// <param name="addend">What is added to the product.</param>
    /// <returns>The sum.</returns>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf addend);

    /// <summary>left * right + addend, fused where the hardware fuses: one step of Horner's scheme.</summary>
    /// <param name="left">The first factor.</param>
    /// <param name="right">The second factor.</param>
    /// <param name="addend">The number to add, rounded to the type of the lanes.</param>
    /// <returns>The sum.</returns>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, double addend);

    /// <summary>left * right + addend, fused where the hardware fuses.</summary>
    /// <param name="left">The first factor.</param>
    /// <param name="right">The second factor, rounded to the type of the lanes.</param>
    /// <param name="addend">What is added to the product.</param>
    /// <returns>The sum.</returns>
    static abstract TSelf MultiplyAdd(TSelf left, double right, TSelf addend);

    /// <summary>left * right + addend, fused where the hardware fuses: the first step of Horner's scheme.</summary>
    /// <param name="left">The first factor.</param>
    /// <param name="right">The second factor, rounded to the type of the lanes.</param>
    /// <param name="addend">The number to add, rounded to the type of the lanes.</param>
    /// <returns>The sum.</returns>
    static abstract TSelf MultiplyAdd(TSelf left, double right, double addend);

    /// <summary>left * right - product, which is exact unless it underflows, where product is left * right as rounded.</summary>
    /// <param name="left">The first factor.</param>
    /// <param name="right">The second factor.</param>
    /// <param name="product">Their rounded product.</param>
    /// <returns>What rounding has taken from the product.</returns>
    static abstract TSelf ProductError(TSelf left, TSelf right, TSelf product);

    /// <summary>The smaller value, in one instruction: where either is NaN, the hardware decides; on x86 it is the second.</summary>
    /// <param name="bound">The first operand: pass a constant here, and the NaN of the other operand passes.</param>
    /// <param name="value">The second operand.</param>
    /// <returns>The smaller value.</returns>
    static abstract TSelf Min(TSelf bound, TSelf value);

    /// <summary>The smaller of a number and a value, in one instruction; NaN where the value is, on x86.</summary>
    /// <param name="bound">The number, rounded to the type of the lanes.</param>
    /// <param name="value">The value.</param>
    /// <returns>The smaller value.</returns>
    static abstract TSelf Min(double bound, TSelf value);

    /// <summary>The larger value, in one instruction: where either is NaN, the hardware decides; on x86 it is the second.</summary>
    /// <param name="bound">The first operand: pass a constant here, and the NaN of the other operand passes.</param>
    /// <param name="value">The second operand.</param>
    /// <returns>The larger value.</returns>
    static abstract TSelf Max(TSelf bound, TSelf value);

    /// <summary>The larger of a number and a value, in one instruction; NaN where the value is, on x86.</summary>
    /// <param name="bound">The number, rounded to the type of the lanes.</param>
    /// <param name="value">The value.</param>
    /// <returns>The larger value.</returns>
    static abstract TSelf Max(double bound, TSelf value);

    /// <summary>The value without its sign.</summary>
    /// <param name="value">The operand.</param>
    /// <returns>|value|.</returns>
    static abstract TSelf Abs(TSelf value);

    /// <summary>The square root, correctly rounded.</summary>
    /// <param name="value">The operand.</param>
    /// <returns>The root.</returns>
    static abstract TSelf Sqrt(TSelf value);

    /// <summary>value 2^exponent, rounded once, with subnormal results and overflow to infinity.</summary>
    /// <param name="value">A number of size 2^-32 to 2^32, zero or NaN.</param>
    /// <param name="exponent">An integer from -180 to 180 (float) or from -1200 to 1200 (double).</param>
    /// <returns>The product.</returns>
    static abstract TSelf ScaleByPowerOfTwo(TSelf value, TSelf exponent);

    /// <summary>k of value = 2^k m with m in [3/4, 3/2).</summary>
    /// <param name="value">A positive number, subnormal or not.</param>
    /// <returns>The exponent; -infinity for 0, infinity for infinity, NaN for NaN, anything for negative numbers.</returns>
    static abstract TSelf Exponent(TSelf value);

    /// <summary>m of value = 2^k m with m in [3/4, 3/2).</summary>
    /// <param name="value">A positive number, subnormal or not.</param>
    /// <returns>The significand; 1 for 0 and infinity, NaN for negative numbers, anything for NaN.</returns>
    static abstract TSelf Significand(TSelf value);

    /// <summary>The largest integer that is not above the value; infinities, NaN and the sign of 0 stay.</summary>
    /// <param name="value">The operand.</param>
    /// <returns>The integer.</returns>
    static abstract TSelf Floor(TSelf value);

    /// <summary>True if any lane of a mask is set: for work that few registers need.</summary>
    /// <param name="mask">The mask.</param>
    /// <returns>False if no bit is set.</returns>
    static abstract bool AnySet(TSelf mask);
}

/// <summary>A register whose element type is known: what loops and matrix kernels need beyond the formula.</summary>
/// <remarks>
/// What the tiles of a matrix product use most comes first: the runtime walks this list for each call in a kernel that it compiles.
/// A sum that a kernel keeps in a register is passed by reference, or the compiler copies it (decision 0010).
/// </remarks>
/// <typeparam name="TSelf">The register type itself.</typeparam>
/// <typeparam name="T">Its elements: float or double.</typeparam>
internal unsafe interface ISimdVector<TSelf, T> : ISimdVector<TSelf>
    where TSelf : unmanaged, ISimdVector<TSelf, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>first += left * a, second += left * b, and third += left * c: a row of a tile, three vectors wide.</summary>
    static abstract void AddProducts(ref TSelf first, ref TSelf second, ref TSelf third, T left, TSelf a, TSelf b, TSelf c);

    /// <summary>The same for a tile that is two vectors wide.</summary>
    static abstract void AddProducts(ref TSelf first, ref TSelf second, T left, TSelf a, TSelf b);

    /// <summary>sum += left * right with one number, read from memory by the same instruction where the hardware can.</summary>
    static abstract void AddProduct(ref TSelf sum, T left, TSelf right);

    static abstract void Store(T* destination, TSelf value);

    /// <summary>sum = addend + sum, the addend read from memory by the same instruction.</summary>
    static abstract void Add(ref TSelf sum, T* addend);

    static abstract TSelf Load(T* source);

    /// <summary>sum += left * right, fused where the hardware fuses: one instruction, the sum stays in its register.</summary>
    static abstract void AddProduct(ref TSelf sum, TSelf left, TSelf right);

    /// <summary>The same with a register's worth of elements, read from memory by the same instruction.</summary>
    static abstract void AddProduct(ref TSelf sum, T* left, TSelf right);

    static abstract TSelf Create(T value);

    /// <summary>The first <paramref name="count"/> elements, zeros behind them; reads nothing beyond them. 0 to Count.</summary>
    static abstract TSelf LoadPartial(T* source, int count);

    /// <summary>Writes the first <paramref name="count"/> elements and touches nothing beyond them. 0 to Count.</summary>
    static abstract void StorePartial(T* destination, TSelf value, int count);

    /// <summary>True where <see cref="LoadPartial"/> and <see cref="StorePartial"/> are one instruction.</summary>
    static abstract bool HasMasks { get; }

    /// <summary>True with 32 registers of this width, false with 16: decides how many of them a tile of a matrix product fills.</summary>
    static abstract bool HasManyRegisters { get; }

    /// <summary>0, 1, 2, ... from the first lane on.</summary>
    static abstract TSelf Indices { get; }

    /// <summary>The sum of the lanes, in a fixed order: each half is summed, then the two sums are added.</summary>
    static abstract T Sum(TSelf value);

    /// <summary>
    /// The sum of the lanes, in another fixed order: the upper half is added to the lower lane by lane, down to 128 bits. It takes
    /// fewer additions than <see cref="Sum"/>, and may differ from it in the last bit.
    /// </summary>
    static abstract T SumHalves(TSelf value);

    /// <summary>The sum of the bits as integers.</summary>
    static abstract TSelf AddBits(TSelf left, TSelf right);

    /// <summary>The bits moved to the left.</summary>
    static abstract TSelf ShiftBitsLeft(TSelf value, int count);

    /// <summary>The bits moved to the right, 0 entering.</summary>
    static abstract TSelf ShiftBitsRight(TSelf value, int count);
}
