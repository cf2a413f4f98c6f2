using System.IO.Compression;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Reads an entry of a zip archive from places that ascend, in blocks. The first reader of an entry reads all of it, and checks it.</summary>
internal sealed class EntryReader : IDisposable
{
    private const int BlockLength = 1 << 16;

    private readonly Stream _file;
    private readonly ZipEntry _entry;
    private readonly string _origin;
    private readonly DeflateStream? _deflate;
    private readonly byte[] _block;
    private readonly bool _isChecked;
    private Crc32 _checksum;
    private long _start;
    private int _length;

    /// <param name="file">The file.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="origin">How messages call the file.</param>
    /// <param name="isChecked">Whether the entry has been read before, and has its checksum.</param>
    public EntryReader(Stream file, ZipEntry entry, string origin, bool isChecked = false)
    {
        (_file, _entry, _origin) = (file, entry, origin);
        _isChecked = isChecked || entry.Checksum == 0; // PyTorch can leave it out: torch.serialization.set_crc32_options(False).
        _block = new byte[Math.Min(BlockLength, entry.Size)];
        if (entry.IsDeflated)
            _deflate = new DeflateStream(new Part(file, entry.Start, entry.Stored), CompressionMode.Decompress);
    }

    /// <summary>All bytes of a small entry.</summary>
    /// <exception cref="ModelFileException">The entry is larger than allowed, or damaged.</exception>
    public static byte[] All(Stream file, ZipEntry entry, string origin, int most)
    {
        if (entry.Size > most)
            throw new ModelFileException($"{origin}: '{Texts.Shown(entry.Name)}' has {entry.Size} bytes; at most {most} are read.");
        using var reader = new EntryReader(file, entry, origin);
        var bytes = new byte[entry.Size];
        reader.Read(0, bytes);
        reader.Finish();
        return bytes;
    }

    /// <summary>Reads bytes from a place, which is not before the end of what was read last.</summary>
    /// <exception cref="ModelFileException">The entry ends before, or is damaged.</exception>
    public void Read(long position, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (position < _start || position >= _start + _length)
                Fill(position);
            var part = _block.AsSpan((int)(position - _start), _length - (int)(position - _start));
            part = part[..Math.Min(part.Length, bytes.Length)];
            part.CopyTo(bytes);
            bytes = bytes[part.Length..];
            position += part.Length;
        }
    }

    /// <summary>Reads the rest, and throws unless the bytes of the entry have its checksum.</summary>
    /// <exception cref="ModelFileException">They have another, or end too early.</exception>
    public void Finish()
    {
        if (_isChecked)
            return;
        while (_start + _length < _entry.Size)
            Fill(_start + _length);
        if (_checksum.Value != _entry.Checksum)
        {
            throw new ModelFileException($"{_origin}: '{Texts.Shown(_entry.Name)}' is damaged: its checksum is {_checksum.Value:X8}; "
                + $"expected {_entry.Checksum:X8}.");
        }
    }

    public void Dispose() => _deflate?.Dispose();

    private void Fill(long position)
    {
        if (_deflate is null)
        {
            // An entry that is still to be checked is read without leaving anything out.
            (_start, _length) = (_isChecked ? position : _start + _length, 0);
            _file.Position = _entry.Start + _start;
        }

        do
        {
            _start += _length;
            _length = (int)Math.Min(_block.Length, _entry.Size - _start);
            try
            {
                if (_length <= 0 || (_deflate ?? _file).ReadAtLeast(_block.AsSpan(0, _length), _length, throwOnEndOfStream: false) < _length)
                    throw new ModelFileException($"{_origin}: '{Texts.Shown(_entry.Name)}' ends before its {_entry.Size} bytes.");
            }
            catch (InvalidDataException e)
            {
                throw new ModelFileException($"{_origin}: '{Texts.Shown(_entry.Name)}' is damaged.", e);
            }

            if (!_isChecked)
                _checksum.Append(_block.AsSpan(0, _length));
        }
        while (position >= _start + _length);
    }

    /// <summary>A part of a file, read from its start to its end.</summary>
    private sealed class Part(Stream file, long start, long length) : Stream
    {
        private long _done;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => _done;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            file.Position = start + _done;
            var count = file.Read(buffer[..(int)Math.Min(buffer.Length, length - _done)]);
            _done += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
