using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Tells zip archives from what else is called .pt or .pth.</summary>
internal static class FileKinds
{
    private const int TarPlace = 257;

    /// <summary>Throws unless a zip archive begins at a place of a stream.</summary>
    public static void RequireZip(Stream stream, long start, string origin)
    {
        Span<byte> head = stackalloc byte[TarPlace + 5];
        stream.Position = start;
        head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head is [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'P', (byte)'K', 5, 6, ..])
            return;
        var what = head switch
        {
            { Length: < 4 } => $"has {head.Length} bytes",
            [0x80, 2, 0x8a, 0x0a, ..] => "is of the form before PyTorch 1.6, or of _use_new_zipfile_serialization=False. Load it in PyTorch and save it again",
            [0x80, <= 5, ..] => "is a bare pickle; torch.save writes a zip archive",
            [_, _, _, _, _, _, _, _, (byte)'{', ..] => "looks like a safetensors file; open it with SafetensorsFile",
            _ when head.Length > TarPlace && head[TarPlace..].StartsWith("ustar"u8) =>
                "is a tar archive, the form before PyTorch 0.4. Load it in PyTorch and save it again",
            _ => "is no file of torch.save: it does not begin like a zip archive",
        };
        throw new ModelFileException($"{origin} {what}.");
    }
}
