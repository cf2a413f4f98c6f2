using System.Numerics;

namespace Backprop.Simd.Intrinsics;

/// <summary>
/// What a micro-kernel needs of a vector register: kernels are written once against this and compiled for each width.
/// </summary>
/// <typeparam name="TVector">The register.</typeparam>
/// <typeparam name="T">Its elements: float or double.</typeparam>
internal unsafe interface ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Elements in a register; a constant to the compiler.</summary>
    static abstract int Count { get; }

    /// <summary>True where this register exists in hardware.</summary>
    static abstract bool IsAccelerated { get; }

    /// <summary>True with 32 registers of this width, false with 16: decides the tile height.</summary>
    static abstract bool HasManyRegisters { get; }

    /// <summary>True where partial loads and stores are one instruction.</summary>
    static abstract bool HasMasks { get; }

    static abstract TVector Zero { get; }

    static abstract TVector Load(T* source);

    static abstract void Store(T* destination, TVector value);

    /// <summary>The first <paramref name="count"/> elements, zeros behind them; nothing beyond them is read. 0 to Count.</summary>
    static abstract TVector LoadPartial(T* source, int count);

    /// <summary>Writes the first <paramref name="count"/> elements; nothing beyond them is touched. 0 to Count.</summary>
    static abstract void StorePartial(T* destination, TVector value, int count);

    static abstract TVector Broadcast(T value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    /// <summary>left * right + addend, fused where the hardware fuses.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>The sum of the elements, in a fixed order.</summary>
    static abstract T Sum(TVector value);
}
