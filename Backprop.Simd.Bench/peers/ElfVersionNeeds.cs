using System.Buffers.Binary;
using System.Text;

namespace Backprop.Simd.Bench;

/// <summary>The symbol versions that an ELF library asks of other libraries (section .gnu.version_r).</summary>
/// <remarks>
/// A library built with a newer compiler asks for a version of libstdc++ that an older system does not define, often for a
/// symbol that the older system has all the same, or that is never reached. With VER_FLG_WEAK set on the request, the loader
/// accepts its absence. Little-endian 64-bit files only. Layout: System V ABI, chapter 4, and the Linux Standard Base, 10.7.
/// </remarks>
internal static class ElfVersionNeeds
{
    private const uint SectionTypeVersionNeeds = 0x6ffffffe;
    private const ushort Weak = 2;

    /// <summary>Marks the requests for <paramref name="version"/> as weak, in place.</summary>
    /// <param name="file">The content of the file.</param>
    /// <param name="version">Such as GLIBCXX_3.4.32.</param>
    /// <returns>How many requests were not weak before.</returns>
    /// <exception cref="InvalidDataException">This is no little-endian 64-bit ELF file.</exception>
    public static int Weaken(Span<byte> file, string version)
    {
        if (file.Length < 64 || !file[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("Not a little-endian 64-bit ELF file.");
        var sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[0x28..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3a..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3c..]);
        var changed = 0;
        for (var i = 0; i < count; i++)
        {
            var section = file.Slice(sections + i * size, size);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != SectionTypeVersionNeeds)
                continue;
            var names = sections + size * (int)BinaryPrimitives.ReadUInt32LittleEndian(section[0x28..]);
            var strings = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[(names + 0x18)..]);
            changed += WeakenList(file, (int)BinaryPrimitives.ReadUInt64LittleEndian(section[0x18..]), strings, Encoding.ASCII.GetBytes(version + "\0"));
        }

        return changed;
    }

    /// <summary>Walks the libraries (Elfxx_Verneed) and their versions (Elfxx_Vernaux), both linked by relative offsets.</summary>
    private static int WeakenList(Span<byte> file, int need, int strings, ReadOnlySpan<byte> version)
    {
        var changed = 0;
        for (var more = true; more;)
        {
            var entry = need + (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(need + 8)..]);
            for (var left = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 2)..]); left > 0; left--)
            {
                var name = strings + (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(entry + 8)..]);
                var flags = BinaryPrimitives.ReadUInt16LittleEndian(file[(entry + 4)..]);
                if (file[name..].StartsWith(version) && (flags & Weak) == 0)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(file[(entry + 4)..], (ushort)(flags | Weak));
                    changed++;
                }

                entry += (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(entry + 12)..]);
            }

            var next = (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(need + 12)..]);
            more = next != 0;
            need += next;
        }

        return changed;
    }
}
