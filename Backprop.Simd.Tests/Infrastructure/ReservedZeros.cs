using System.Runtime.InteropServices;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>A read-only span of zeros that takes address space and no memory. Linux only: elsewhere it is empty.</summary>
internal sealed unsafe partial class ReservedZeros<T> : IDisposable where T : unmanaged
{
    private readonly byte* _map;
    private readonly int _length;

    public ReservedZeros(int length)
    {
        if (!OperatingSystem.IsLinux())
            return;
        _length = length;
        _map = ReservedZerosNative.Map(null, (nuint)length * (nuint)sizeof(T), ReservedZerosNative.Read, ReservedZerosNative.PrivateAnonymousUnreserved, -1, 0);
        if ((nint)_map == -1)
            throw new InvalidOperationException($"mmap of {length} elements failed.");

        // Huge pages of zeros where the system has them: a fault for every 2 MB instead of every 4 KB. Slower without, no more.
        _ = ReservedZerosNative.Advise(_map, (nuint)length * (nuint)sizeof(T), ReservedZerosNative.HugePages);
    }

    public ReadOnlySpan<T> Span => new(_map, _length);

    public void Dispose()
    {
        if (_map is not null)
            _ = ReservedZerosNative.Unmap(_map, (nuint)_length * (nuint)sizeof(T));
    }
}

internal static unsafe partial class ReservedZerosNative
{
    public const int Read = 1;
    public const int PrivateAnonymousUnreserved = 0x02 | 0x20 | 0x4000;

    [LibraryImport("libc", EntryPoint = "mmap")]
    public static partial byte* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    public const int HugePages = 14;

    [LibraryImport("libc", EntryPoint = "madvise")]
    public static partial int Advise(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(void* address, nuint length);
}
