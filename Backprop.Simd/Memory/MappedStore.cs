using System.IO.MemoryMappedFiles;

namespace Backprop.Simd.Memory;

/// <summary>A whole file mapped into memory, read-only. A page is read when it is first used.</summary>
internal sealed unsafe class MappedStore : ArrayStore, IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <summary>Maps a file of one byte or more.</summary>
    /// <exception cref="IOException">The file cannot be opened, or its length changed meanwhile.</exception>
    public MappedStore(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Length = stream.Length;
        _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        try
        {
            // A view ends with a page; the length of the file counts.
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
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref first); // Throws after disposal. Nothing is unmapped before the release.
        return new(ref first[_view.PointerOffset], Length, _view.SafeMemoryMappedViewHandle);
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
