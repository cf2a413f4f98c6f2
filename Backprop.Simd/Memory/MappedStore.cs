using System.IO.MemoryMappedFiles;

namespace Backprop.Simd.Memory;

/// <summary>A whole file mapped into memory, read-only; pages are read when they are first looked at.</summary>
internal sealed unsafe class MappedStore : ArrayStore, IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <summary>Maps a file of one byte or more.</summary>
    /// <exception cref="IOException">The file cannot be opened, or changed its length.</exception>
    public MappedStore(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Length = stream.Length;
        _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        try
        {
            // Views are whole pages: the length of the file is what counts.
            _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public override long Length { get; }

    public override ArrayLease Acquire()
    {
        byte* first = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref first); // Throws after disposal; until the release nothing is unmapped.
        return new(ref first[_view.PointerOffset], Length, _view.SafeMemoryMappedViewHandle);
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
