using System.Buffers.Binary;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Files made by hand: what is read, and everything that is refused.</summary>
public sealed class SafetensorsFileTests
{
    private const string One = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Fact]
    public void The_example_of_the_reference_is_read()
    {
        // From the documentation of the reference implementation.
        var bytes = Convert.FromHexString("3C00000000000000").Concat("""{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}"""u8.ToArray())
            .Concat(new byte[15]).Append((byte)1).ToArray();
        using var file = SafetensorsBytes.Open(bytes);
        var tensor = Assert.Single(file.Tensors);
        Assert.Equal(("test", TensorType.I32, 4L), (tensor.Name, tensor.Type, tensor.Count));
        Assert.Equal([2, 2], tensor.Shape.ToArray());
        Assert.Equal([0, 0, 0, 1 << 24], tensor.ToArray<int>());
        Assert.Empty(file.Metadata);
        Assert.False(file.HasChecksum);
        Assert.Same(tensor, file["test"]);
        Assert.Equal("the stream: there is no tensor 'tes'.", Assert.Throws<ModelFileException>(() => file["tes"]).Message);
    }

    [Fact]
    public void Every_type_is_read_as_itself()
    {
        Check(TensorType.U8, [1, 255], (byte)1, (byte)255);
        Check(TensorType.BOOL, [1, 0], (byte)1, (byte)0);
        Check(TensorType.I8, [1, 255], (sbyte)1, (sbyte)-1);
        Check(TensorType.I16, [1, 2, 255, 255], (short)513, (short)-1);
        Check(TensorType.U16, [1, 2, 255, 255], (ushort)513, ushort.MaxValue);
        Check(TensorType.F16, [0, 0x3C, 0, 0xC0], (Half)1, (Half)(-2));
        Check(TensorType.I32, [1, 2, 0, 0, 255, 255, 255, 255], 513, -1);
        Check(TensorType.U32, [1, 2, 0, 0, 255, 255, 255, 255], 513u, uint.MaxValue);
        Check(TensorType.F32, [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0], 1f, -2f);
        Check(TensorType.F64, [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0], 1.0, -2.0);
        Check(TensorType.I64, [1, 2, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], 513L, -1L);
        Check(TensorType.U64, [1, 2, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], 513UL, ulong.MaxValue);
    }

    [Fact]
    public void Narrower_floats_are_widened_exactly()
    {
        // 1, -2, the smallest subnormal half, the largest half, infinity, NaN.
        Half[] halves = [(Half)1, (Half)(-2), Half.Epsilon, Half.MaxValue, Half.NegativeInfinity, Half.NaN];
        var bytes = halves.SelectMany(BitConverter.GetBytes).ToArray();
        using var f16 = SafetensorsBytes.Open(File(TensorType.F16, 6, bytes));
        Assert.Equal(halves.Select(h => (float)h), f16["a"].ToArray<float>());
        Assert.Equal(halves.Select(h => (double)h), f16["a"].ToArray<double>());

        // 1, -2, the largest bfloat16, -0, infinity, NaN.
        using var bf16 = SafetensorsBytes.Open(File(TensorType.BF16, 6, 0x80, 0x3F, 0, 0xC0, 0x7F, 0x7F, 0, 0x80, 0x80, 0x7F, 0xC0, 0x7F));
        Bits.AssertEqual<float>([1, -2, 3.3895314e38f, -0f, float.PositiveInfinity, BitConverter.Int32BitsToSingle(0x7FC00000)], bf16["a"].ToArray<float>(),
            "bf16");
        Assert.Equal([1, -2, 3.3895313892515355e38, -0.0, double.PositiveInfinity, double.NaN], bf16["a"].ToArray<double>());

        using var f32 = SafetensorsBytes.Open(File(TensorType.F32, 2, 0xCD, 0xCC, 0xCC, 0x3D, 1, 0, 0, 0));
        Assert.Equal([0.1f, (double)float.Epsilon], f32["a"].ToArray<double>());
    }

    [Fact]
    public void Long_tensors_are_read_in_blocks()
    {
        const int Count = 300_001;
        var floats = Enumerable.Range(0, Count).Select(i => i * 0.1f).ToArray();
        var writer = new SafetensorsWriter();
        writer.Add<float>("f", [Count], floats);
        writer.Add<Half>("h", [Count], floats.Select(f => (Half)f).ToArray());
        writer.Add<double>("d", [Count], floats.Select(f => f / 3.0).ToArray());
        using var file = SafetensorsBytes.Open(SafetensorsBytes.Written(writer));
        Assert.Equal(floats, file["f"].ToArray<float>());
        Assert.Equal(floats.Select(f => (double)f), file["f"].ToArray<double>());
        Assert.Equal(floats.Select(f => (float)(Half)f), file["h"].ToArray<float>());
        Assert.Equal(floats.Select(f => (double)(Half)f), file["h"].ToArray<double>());
        Assert.Equal(floats.Select(f => f / 3.0), file["d"].ToArray<double>());
        Assert.Equal(floats.Select(f => (float)(f / 3.0)), file["d"].ToArray<float>(allowNarrowing: true));
    }

    [Fact]
    public void Conversions_with_loss_are_refused()
    {
        using var f64 = SafetensorsBytes.Open(File(TensorType.F64, 1, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F));
        Assert.Equal("the stream: 'a' is F64 and cannot be read as F32 without loss.",
            Assert.Throws<ModelFileException>(() => f64["a"].ToArray<float>()).Message);
        Assert.Equal([1f], f64["a"].ToArray<float>(allowNarrowing: true));
        Assert.Throws<ModelFileException>(() => f64["a"].ToArray<long>(allowNarrowing: true));
        using var i32 = SafetensorsBytes.Open(File(TensorType.I32, 1, 1, 0, 0, 0));
        Assert.Throws<ModelFileException>(() => i32["a"].ToArray<float>());
        Assert.Throws<ModelFileException>(() => i32["a"].ToArray<long>());
        Assert.Throws<NotSupportedException>(() => i32["a"].ToArray<char>());
        Assert.Contains("has 1 elements; the destination has 2", Assert.Throws<ArgumentException>(() => i32["a"].Read(new int[2].AsSpan())).Message);
    }

    [Fact]
    public void Scalars_empty_tensors_and_empty_files_are_read()
    {
        using var none = SafetensorsBytes.Open(SafetensorsBytes.Of("{}"));
        Assert.Empty(none.Tensors);
        using var some = SafetensorsBytes.Open(SafetensorsBytes.Of(
            """{"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"""
            + """ "e":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[1,1]},"""
            + """ "f":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}""", 7));
        Assert.Equal([(byte)7], some["s"].ToArray<byte>());
        Assert.Empty(some["e"].ToArray<float>());
        Assert.Empty(some["f"].ToArray<double>());
    }

    [Fact]
    public void Order_escapes_white_space_and_metadata_are_read()
    {
        using var file = SafetensorsBytes.Open(SafetensorsBytes.Of(
            " \r\n\t" + """{ "b" : {"data_offsets":[1,2], "dtype":"U8", "shape":[1]}, "__metadata__":{"format":"pt","\u00e4":"\"ö\""},"""
                + """ "\u0061":{"shape":[1],"dtype":"U8","data_offsets":[0,1]} }""" + "  \n", 3, 4));
        Assert.Equal(["b", "a"], file.Tensors.Select(t => t.Name));
        Assert.Equal((byte)4, file["b"].ToArray<byte>()[0]);
        Assert.Equal((byte)3, file["a"].ToArray<byte>()[0]);
        Assert.Equal([new("format", "pt"), new("ä", "\"ö\"")], file.Metadata);
        Assert.Equal("pt", file.FindMetadata("format"));
        Assert.Null(file.FindMetadata("Format"));
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "", "not valid JSON" },
        { " ", "not valid JSON" },
        { "[]", "the header should start with StartObject" },
        { "null", "the header should start with StartObject" },
        { "{", "not valid JSON" },
        { "{}{}", "not valid JSON" },
        { "{} x", "not valid JSON" },
        { "{}\0", "not valid JSON" },
        { "\ufeff{}", "not valid JSON" },
        { "{/**/}", "not valid JSON" },
        { """{"a":1}""", "the tensor 'a' should start with StartObject" },
        { One.Replace("]}}", "]},}", StringComparison.Ordinal), "not valid JSON" },
        { One.Replace("}}", "},", StringComparison.Ordinal) + One[1..], "the header has 'a' twice" },
        { One.Replace("}}", "},", StringComparison.Ordinal) + One[1..].Replace("\"a\"", "\"\\u0061\"", StringComparison.Ordinal), "the header has 'a' twice" },
        { One.Replace("{\"dtype", "{\"dtype\":\"F32\",\"dtype", StringComparison.Ordinal), "the tensor 'a' has 'dtype' twice" },
        { One.Replace("{\"dtype", "{\"order\":1,\"dtype", StringComparison.Ordinal), "the unknown key 'order'" },
        { One.Replace("F32", "F8_E4M3", StringComparison.Ordinal), "the unknown dtype 'F8_E4M3'" },
        { One.Replace("F32", "f32", StringComparison.Ordinal), "the unknown dtype 'f32'" },
        { One.Replace("\"F32\"", "32", StringComparison.Ordinal), "the dtype of the tensor 'a' should start with String" },
        { One.Replace("\"dtype\":\"F32\",", "", StringComparison.Ordinal), "has no dtype" },
        { One.Replace("\"shape\":[2],", "", StringComparison.Ordinal), "has no shape" },
        { One.Replace(",\"data_offsets\":[0,8]", "", StringComparison.Ordinal), "has no data_offsets" },
        { One.Replace("[0,8]", "[8]", StringComparison.Ordinal), "has no data_offsets of two numbers" },
        { One.Replace("[0,8]", "[0,4,8]", StringComparison.Ordinal), "has no data_offsets of two numbers" },
        { One.Replace("[2]", "2", StringComparison.Ordinal), "the shape of the tensor 'a' should start with StartArray" },
        { One.Replace("[2]", "[[2]]", StringComparison.Ordinal), "the shape of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[2.0]", StringComparison.Ordinal), "the shape of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[2e0]", StringComparison.Ordinal), "the shape of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[\"2\"]", StringComparison.Ordinal), "the shape of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[-2,-1]", StringComparison.Ordinal), "the shape of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[9223372036854775808]", StringComparison.Ordinal), "the shape of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[9223372036854775807]", StringComparison.Ordinal), "whose product from the left exceeds 2^64 - 1" },
        { One.Replace("[2]", "[4294967296,4294967296,4294967296,2]", StringComparison.Ordinal), "whose product from the left exceeds 2^64 - 1" },
        { One.Replace("[2]", "[4294967295,4294967297,0]", StringComparison.Ordinal).Replace("[0,8]", "[0,0]", StringComparison.Ordinal),
            "the tensors end at byte 0 of 8" },
        { One.Replace("[2]", "[4294967296,4294967296,0]", StringComparison.Ordinal).Replace("[0,8]", "[0,0]", StringComparison.Ordinal),
            "whose product from the left exceeds 2^64 - 1" },
        { One.Replace("[2]", "[9223372036854775807,9223372036854775807,0]", StringComparison.Ordinal).Replace("[0,8]", "[0,0]", StringComparison.Ordinal),
            "whose product from the left exceeds 2^64 - 1" },
        { One.Replace("[2]", "[-0]", StringComparison.Ordinal).Replace("[0,8]", "[0,0]", StringComparison.Ordinal),
            "the shape of the tensor 'a' holds something other" },
        { One.Replace("[0,8]", "[-0,8]", StringComparison.Ordinal), "the data_offsets of the tensor 'a' holds something other" },
        { One.Replace("[2]", "[4611686018427387906]", StringComparison.Ordinal), "whose product from the left exceeds 2^64 - 1" },
        { One.Replace("[2]", "[3]", StringComparison.Ordinal), "more than the file's 8 bytes" },
        { One.Replace("[2]", "[1]", StringComparison.Ordinal), "which needs 4 bytes; its data_offsets 0 and 8 give it 8" },
        { One.Replace("[2]", "[0]", StringComparison.Ordinal), "which needs 0 bytes" },
        { One.Replace("[0,8]", "[8,0]", StringComparison.Ordinal), "claims bytes 8 to 0 of 8" },
        { One.Replace("[0,8]", "[0,9]", StringComparison.Ordinal), "claims bytes 0 to 9 of 8" },
        { One.Replace("[0,8]", "[9223372036854775799,9223372036854775807]", StringComparison.Ordinal), "claims bytes" },
        { One.Replace("[0,8]", "[4,8]", StringComparison.Ordinal).Replace("[2]", "[1]", StringComparison.Ordinal),
            "bytes 0 to 4 of the data belong to no tensor" },
        { One.Replace("[0,8]", "[0,4]", StringComparison.Ordinal).Replace("[2]", "[1]", StringComparison.Ordinal), "the tensors end at byte 4 of 8" },
        { "{}", "the tensors end at byte 0 of 8" },
        { """{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "the tensor 'b' overlaps another" },
        { """{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "overlaps another" },
        { """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""",
            "bytes 3 to 4 of the data belong to no tensor" },
        { """{"__metadata__":1}""", "the metadata should start with StartObject" },
        { """{"__metadata__":null}""", "the metadata should start with StartObject" },
        { """{"__metadata__":{"a":1}}""", "the metadata 'a' should start with String" },
        { """{"__metadata__":{"a":null}}""", "the metadata 'a' should start with String" },
        { """{"__metadata__":{"a":"1","a":"1"}}""", "the metadata has 'a' twice" },
        { """{"__metadata__":{},"__metadata__":{}}""", "the header has '__metadata__' twice" },
        { """{"\ud800":1}""", "not valid text" },
        { """{"__metadata__":{"a":"\udc00"}}""", "not valid text" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_breaks_the_format_is_refused(string header, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => SafetensorsBytes.Open(SafetensorsBytes.Of(header, new byte[8]))).Message);

    [Fact]
    public void The_header_that_refusals_start_from_is_right()
    {
        using var file = SafetensorsBytes.Open(SafetensorsBytes.Of(One, new byte[8]));
        Assert.Single(file.Tensors);
    }

    [Theory]
    [InlineData("tensors")]
    [InlineData("metadata")]
    [InlineData("escaped names")]
    [InlineData("one name")]
    [InlineData("one escaped name")]
    [InlineData("one value")]
    [InlineData("one shape")]
    [InlineData("refused at its end", "has '0' twice")]
    [InlineData("unknown dtype", "has the unknown dtype 'nnn")]
    [InlineData("unknown escaped dtype", "has the unknown dtype '\\nnn")]
    [InlineData("unknown key", "has the unknown key 'nnn")]
    [InlineData("unknown escaped key", "has the unknown key '\\nnn")]
    [InlineData("refused name", "nnn...' has no dtype")]
    [InlineData("refused escaped name", "nnn...' has no dtype")]
    [InlineData("name twice", "the header has 'nnn")]
    public void A_header_takes_at_most_twice_its_own_bytes(string what, string? refusal = null)
    {
        const int Length = 4_000_000;
        const string Tensor = "\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[0,1]}}",
            Empty = "\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[0,0]},";
        string Many(int count, Func<int, string> item) => string.Concat(Enumerable.Range(0, count).Select(item));
        var header = what switch
        {
            "tensors" => "{" + Many(Length / 55, i => $"\"{i:x}{Empty}") + "\"t" + Tensor,
            "metadata" => "{\"__metadata__\":{" + Many(Length / 10, i => $"\"{(char)(33 + i % 2 * 2)}{i:x}\":\"\",") + "\"t\":\"\"},\"t" + Tensor,
            "escaped names" => "{" + Many(Length / 60, i => $"\"\\n{i:x}{Empty}") + "\"t" + Tensor,
            "one name" => "{\"" + new string('n', Length) + Tensor,
            "one escaped name" => "{\"\\n" + new string('n', Length) + Tensor,
            "one value" => "{\"__metadata__\":{\"a\":\"\\n" + new string('n', Length) + "\"},\"t" + Tensor,
            "one shape" => "{\"t\":{\"dtype\":\"I8\",\"shape\":[" + Many(Length / 2, _ => "1,") + "1],\"data_offsets\":[0,1]}}",
            "unknown dtype" => "{\"t\":{\"dtype\":\"" + new string('n', Length) + "\"}}",
            "unknown escaped dtype" => "{\"t\":{\"dtype\":\"\\n" + new string('n', Length) + "\"}}",
            "unknown key" => "{\"t\":{\"" + new string('n', Length) + "\":0}}",
            "unknown escaped key" => "{\"t\":{\"\\n" + new string('n', Length) + "\":0}}",
            "refused name" => "{\"" + new string('n', Length) + "\":{}}",
            "refused escaped name" => "{\"\\n" + new string('n', Length) + "\":{}}",
            "name twice" => "{\"" + new string('n', Length / 2) + Empty + "\"" + new string('n', Length / 2) + Tensor,
            _ => "{" + Many(Length / 55, i => $"\"{i:x}{Empty}") + "\"0" + Tensor,
        };
        var bytes = SafetensorsBytes.Of(header, 7);
        using (var first = SafetensorsBytes.Open(SafetensorsBytes.Of("{}")))
            Assert.Empty(first.Tensors); // What is compiled and made once.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = refusal is null ? SafetensorsBytes.Open(bytes) : null;
        var message = refusal is null ? "" : Assert.Throws<ModelFileException>(() => SafetensorsBytes.Open(bytes)).Message;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(allocated, header.Length, 2L * header.Length + 100_000);
        Assert.Contains(refusal ?? "", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 0, 250);
        Assert.Equal([(sbyte)7], file?.Tensors[^1].ToArray<sbyte>() ?? [7]);
        if (what == "tensors")
            Assert.Same(file!["ff"], file.Tensors[255]);
        if (what == "metadata")
            Assert.Equal(("#1", "", "!fe"), (file!.Metadata[1].Key, file.FindMetadata("!2"), file.Metadata[254].Key));
    }

    [Fact]
    public void Invalid_UTF8_is_refused()
    {
        foreach (var bad in (byte[])[0xFF, 0xC3, 0x80])
        {
            byte[] header = [.. "{\"__metadata__\":{\"a\":\""u8, bad, .. "\"}}"u8];
            Assert.Contains("not valid UTF-8", Assert.Throws<ModelFileException>(() => SafetensorsBytes.Open(SafetensorsBytes.Of(header))).Message);
        }
    }

    [Theory]
    [InlineData(0, "has 0 bytes; a safetensors file")]
    [InlineData(7, "has 7 bytes; a safetensors file")]
    [InlineData(8, "bytes, but has only 8")]
    [InlineData(20, "bytes, but has only 20")]
    public void Short_files_are_refused(int length, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => SafetensorsBytes.Open(SafetensorsBytes.Of(One, new byte[8])[..length])).Message);

    [Theory]
    [InlineData(100_000_001UL, "at most 100000000 are allowed")]
    [InlineData(1UL << 63, "at most 100000000 are allowed")]
    [InlineData(ulong.MaxValue, "at most 100000000 are allowed")]
    [InlineData(100_000_000UL, "bytes, but has only 70")]
    [InlineData(63UL, "bytes, but has only 70")]
    public void A_wrong_length_is_refused_before_anything_is_allocated(ulong length, string message)
    {
        var bytes = new byte[70];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.Throws<ModelFileException>(() => SafetensorsBytes.Open(bytes));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        Assert.Contains(message, refusal.Message);
    }

    [Fact]
    public void A_file_is_named_in_messages()
    {
        using var directory = new TemporaryDirectory();
        var path = directory["broken.safetensors"];
        System.IO.File.WriteAllBytes(path, SafetensorsBytes.Of("{}", 1));
        Assert.Equal($"'{path}': the tensors end at byte 0 of 1; the rest belongs to no tensor.",
            Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(path)).Message);
        System.IO.File.Delete(path); // It is not held open.
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void Streams_are_read_from_their_position_also_if_they_cannot_seek()
    {
        var bytes = SafetensorsBytes.Of(One, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0);
        using var inside = new MemoryStream([1, 2, 3, .. bytes]) { Position = 3 };
        using var file = SafetensorsFile.Open(inside);
        Assert.Equal([1f, -2f], file["a"].ToArray<float>());
        file.Dispose();
        Assert.True(inside.CanRead);
        Assert.Throws<ObjectDisposedException>(() => file["a"].ToArray<float>());
        Assert.Throws<ObjectDisposedException>(file.VerifyChecksum);

        using var zipped = new MemoryStream();
        using (var zip = new System.IO.Compression.GZipStream(zipped, System.IO.Compression.CompressionMode.Compress, leaveOpen: true))
            zip.Write(bytes);
        zipped.Position = 0;
        using var unzip = new System.IO.Compression.GZipStream(zipped, System.IO.Compression.CompressionMode.Decompress);
        using var copy = SafetensorsFile.Open(unzip);
        Assert.Equal([1f, -2f], copy["a"].ToArray<float>());
    }

    [Fact]
    public void A_file_that_has_become_shorter_is_refused()
    {
        using var stream = new MemoryStream();
        stream.Write(SafetensorsBytes.Of(One, new byte[8]));
        stream.Position = 0;
        using var file = SafetensorsFile.Open(stream);
        stream.SetLength(stream.Length - 1);
        Assert.Contains("has become shorter", Assert.Throws<ModelFileException>(() => file["a"].ToArray<float>()).Message);
    }

    private static void Check<T>(TensorType type, byte[] bytes, params T[] expected)
        where T : unmanaged
    {
        using var file = SafetensorsBytes.Open(File(type, expected.Length, bytes));
        Assert.Equal(type, file["a"].Type);
        Assert.Equal(expected, file["a"].ToArray<T>());
    }

    private static byte[] File(TensorType type, int count, params byte[] bytes) =>
        SafetensorsBytes.Of($$$"""{"a":{"dtype":"{{{type}}}","shape":[{{{count}}}],"data_offsets":[0,{{{bytes.Length}}}]}}""", bytes);
}
