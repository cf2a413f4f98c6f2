namespace Backprop.Simd.Interchange;

/// <summary>
/// The checksum of zip: the remainder of the bytes by the reflected polynomial 0xEDB88320, starting at all ones and inverted at the end. A step
/// takes eight bytes: <c>Tables[256 k + b]</c> is the remainder of byte b with k zero bytes behind it.
/// </summary>
internal struct Crc32
{
    private static readonly uint[] _tables = MakeTables();

    // Stored inverted, so that the default value is the checksum of no bytes.
    private uint _inverted;

    /// <summary>The checksum of the bytes so far.</summary>
    public readonly uint Value => _inverted;

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<uint> tables = _tables;
        var crc = ~_inverted;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var low = crc ^ (uint)(bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24));
            crc = tables[0x700 + (int)(low & 0xFF)] ^ tables[0x600 + (int)((low >> 8) & 0xFF)] ^ tables[0x500 + (int)((low >> 16) & 0xFF)]
                ^ tables[0x400 + (int)(low >> 24)] ^ tables[0x300 + bytes[4]] ^ tables[0x200 + bytes[5]] ^ tables[0x100 + bytes[6]] ^ tables[bytes[7]];
        }

        foreach (var b in bytes)
            crc = (crc >> 8) ^ tables[(int)((crc ^ b) & 0xFF)];
        _inverted = ~crc;
    }

    private static uint[] MakeTables()
    {
        var tables = new uint[8 * 256];
        for (var i = 0; i < tables.Length; i++)
        {
            var crc = i < 256 ? (uint)i : tables[i - 256];
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
            tables[i] = crc;
        }

        return tables;
    }
}
