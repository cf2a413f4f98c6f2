using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>
/// Memory between two inaccessible pages: a span from it can end exactly at one or start exactly behind the other, so that
/// the smallest access outside faults.
/// </summary>
/// <remarks>
/// Pages are protected on Linux. Elsewhere the neighbouring pages hold a known pattern, which shows writes, not reads. Either
/// way the unused part of the accessible pages holds that pattern; <see cref="AssertUntouched"/> looks at all of it.
/// </remarks>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const byte Pattern = 0xA5;

    private readonly byte* _map;
    private readonly nuint _page;
    private readonly nuint _data;
    private bool _disposed;

    public GuardedMemory(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _page = (nuint)Environment.SystemPageSize;
        _data = ((nuint)bytes + _page - 1) / _page * _page;
        if (IsProtected)
        {
            _map = Native.Map(null, _data + 2 * _page, Native.ReadWrite, Native.PrivateAnonymous, -1, 0);
            if ((nint)_map == -1)
                throw new InvalidOperationException($"mmap of {_data + 2 * _page} bytes failed.");
            if (Native.Protect(_map, _page, Native.NoAccess) != 0 || Native.Protect(_map + _page + _data, _page, Native.NoAccess) != 0)
                throw new InvalidOperationException("mprotect failed.");
        }
        else
        {
            _map = (byte*)NativeMemory.AlignedAlloc(_data + 2 * _page, _page);
            new Span<byte>(_map, (int)_page).Fill(Pattern);
            new Span<byte>(_map + _page + _data, (int)_page).Fill(Pattern);
        }

        new Span<byte>(Start, (int)_data).Fill(Pattern);
    }

    ~GuardedMemory() => Free();

    /// <summary>True where the neighbouring pages fault; false where they hold a pattern.</summary>
    public static bool IsProtected => OperatingSystem.IsLinux();

    private byte* Start => _map + _page;

    private byte* End => Start + _data;

    /// <summary>The first byte that must not be touched: the start of the page behind the memory.</summary>
    public nuint EndAddress => (nuint)End;

    /// <summary>The start of the memory: the byte before it must not be touched.</summary>
    public nuint StartAddress => (nuint)Start;

    /// <summary>A span whose last element is the last before the guard page.</summary>
    public Span<T> AtEnd<T>(int length) where T : unmanaged
    {
        Reset<T>(length);
        return new Span<T>(End - (nuint)length * (nuint)sizeof(T), length);
    }

    /// <summary>A span whose first element is the first behind the guard page.</summary>
    public Span<T> AtStart<T>(int length) where T : unmanaged
    {
        Reset<T>(length);
        return new Span<T>(Start, length);
    }

    /// <summary>A span over the inaccessible page: for operands that must not be read. Elsewhere it holds the pattern.</summary>
    public Span<T> Forbidden<T>(int length) where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((nuint)length * (nuint)sizeof(T), _page);
        return new Span<T>(End, length);
    }

    /// <summary>Fails if a byte outside <paramref name="used"/>, the span in use, has changed.</summary>
    public void AssertUntouched<T>(ReadOnlySpan<T> used, string what) where T : unmanaged
    {
        var first = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(used));
        var last = first + (nuint)used.Length * (nuint)sizeof(T);
        var guard = IsProtected ? 0 : _page;
        Check(new ReadOnlySpan<byte>(Start - guard, (int)(first - (Start - guard))), "before", what);
        Check(new ReadOnlySpan<byte>(last, (int)(End + guard - last)), "behind", what);
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static void Check(ReadOnlySpan<byte> bytes, string where, string what) =>
        Assert.False(bytes.ContainsAnyExcept(Pattern), $"{what}: memory {where} the span was written.");

    private void Reset<T>(int length) where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((nuint)length * (nuint)sizeof(T), _data);
        new Span<byte>(Start, (int)_data).Fill(Pattern);
    }

    private void Free()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (IsProtected)
            _ = Native.Unmap(_map, _data + 2 * _page);
        else
            NativeMemory.AlignedFree(_map);
    }

    private static partial class Native
    {
        public const int NoAccess = 0;
        public const int ReadWrite = 1 | 2;
        public const int PrivateAnonymous = 0x02 | 0x20;

        [LibraryImport("libc", EntryPoint = "mmap")]
        public static partial byte* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

        [LibraryImport("libc", EntryPoint = "mprotect")]
        public static partial int Protect(void* address, nuint length, int protection);

        [LibraryImport("libc", EntryPoint = "munmap")]
        public static partial int Unmap(void* address, nuint length);
    }
}
