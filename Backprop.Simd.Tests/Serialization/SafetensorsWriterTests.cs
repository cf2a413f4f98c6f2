using System.Text;
using Backprop.Simd.Layers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Written files: their bytes, their checksum, and what is refused.</summary>
public sealed class SafetensorsWriterTests
{
    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        var writer = new SafetensorsWriter();
        writer.Add<int>("test", [2, 2], new int[] { 0, 0, 0, 1 << 24 });
        byte[] expected = [0x3C, 0, 0, 0, 0, 0, 0, 0, .. """{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}"""u8,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        Assert.Equal(68, expected.Length - 16);
        AssertSame(Padded(expected, 68), SafetensorsBytes.Written(writer));
        AssertSame([8, 0, 0, 0, 0, 0, 0, 0, .. "{      }"u8], SafetensorsBytes.Written(new SafetensorsWriter()));
    }

    [Fact]
    public void Wider_elements_come_first_and_all_are_aligned()
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("a\"b", "ä<\n");
        writer.Add<byte>("byte", [3], new byte[] { 1, 2, 3 });
        writer.Add<float>("float", Shape.Scalar, new float[] { 4 });
        writer.Add<double>("double", new Shape(2), new double[] { 5, 6 });
        writer.Add<Half>("half", [1, 1, 1, 1, 1], new Half[] { (Half)7 });
        writer.Add<long>("none", [3, 0], ReadOnlyMemory<long>.Empty);
        writer.Add<float>("later", [1], static () => [8f]);
        var bytes = SafetensorsBytes.Written(writer);
        var header = Encoding.UTF8.GetString(bytes.AsSpan(8, bytes[0] + 256 * bytes[1]));
        Assert.Equal((0, '}'), (bytes[0] % 8, header[^1]));
        Assert.Equal(
            """{"__metadata__":{"a\"b":"ä<\n"},"byte":{"dtype":"U8","shape":[3],"data_offsets":[26,29]}"""
            + ""","float":{"dtype":"F32","shape":[],"data_offsets":[16,20]}"""
            + ""","double":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"half":{"dtype":"F16","shape":[1,1,1,1,1],"data_offsets":[24,26]}"""
            + ""","none":{"dtype":"I64","shape":[3,0],"data_offsets":[16,16]},"later":{"dtype":"F32","shape":[1],"data_offsets":[20,24]}}""",
            header.Replace(" ", "", StringComparison.Ordinal));
        using var file = SafetensorsBytes.Open(bytes);
        Assert.Equal([1, 2, 3], file["byte"].ToArray<byte>());
        Assert.Equal([4], file["float"].ToArray<float>());
        Assert.Equal([5, 6], file["double"].ToArray<double>());
        Assert.Equal([(Half)7], file["half"].ToArray<Half>());
        Assert.Equal([8], file["later"].ToArray<float>());
        Assert.Equal([new("a\"b", "ä<\n")], file.Metadata);
    }

    [Fact]
    public void Every_bit_survives()
    {
        var random = new TestRandom(5);
        var longs = new ulong[1001];
        foreach (ref var value in longs.AsSpan())
            value = random.Next();
        var doubles = longs.Select(BitConverter.UInt64BitsToDouble).ToArray(); // NaN with payloads among them.
        var floats = longs.Select(l => BitConverter.UInt32BitsToSingle((uint)l)).Append(float.NaN).Append(-0f).ToArray();
        var writer = new SafetensorsWriter { Checksum = true };
        writer.Add<float>("f", [floats.Length], floats);
        writer.Add<double>("d", [7, 11, 13], doubles);
        using var file = SafetensorsBytes.Open(SafetensorsBytes.Written(writer));
        Bits.AssertEqual<float>(floats, file["f"].ToArray<float>(), "floats");
        Bits.AssertEqual<double>(doubles, file["d"].ToArray<double>(), "doubles");
    }

    [Fact]
    public void The_checksum_is_that_of_the_file_with_zeros_in_its_place()
    {
        var writer = new SafetensorsWriter { Checksum = true };
        writer.AddMetadata("sha", "\"sha256\":\"0000\"");
        writer.Add<float>("w", [300_000], Enumerable.Range(0, 300_000).Select(i => (float)i).ToArray());
        var bytes = SafetensorsBytes.Written(writer);
        using var file = SafetensorsBytes.Open(bytes);
        Assert.True(file.HasChecksum);
        file.VerifyChecksum();
        Assert.Equal(42, file["w"].ToArray<float>()[42]);

        var digits = file.FindMetadata("sha256")!;
        var place = bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(digits));
        bytes.AsSpan(place, 64).Fill((byte)'0');
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), digits);
    }

    [Fact]
    public void A_file_without_checksum_says_so_and_a_wrong_one_is_damage()
    {
        using var without = SafetensorsBytes.Open(SafetensorsBytes.Of("""{"__metadata__":{"sha256":"unknown"}}"""));
        Assert.False(without.HasChecksum);
        Assert.Contains("has no checksum", Assert.Throws<ModelFileException>(without.VerifyChecksum).Message);
        using var wrong = SafetensorsBytes.Open(SafetensorsBytes.Of($$$"""{"__metadata__":{"sha256":"{{{new string('a', 64)}}}"}}"""));
        Assert.True(wrong.HasChecksum);
        Assert.Equal("the stream is damaged: its content does not match its checksum.",
            Assert.Throws<ModelFileException>(wrong.VerifyChecksum).Message);
        using var upper = SafetensorsBytes.Open(SafetensorsBytes.Of($$$"""{"__metadata__":{"sha256":"{{{new string('A', 64)}}}"}}"""));
        Assert.False(upper.HasChecksum);
    }

    [Fact]
    public void Values_that_change_while_they_are_written_are_found_by_the_reader()
    {
        var calls = 0f;
        var writer = new SafetensorsWriter { Checksum = true };
        writer.Add<float>("w", [1], () => new[] { calls++ });
        using var file = SafetensorsBytes.Open(SafetensorsBytes.Written(writer));
        Assert.Throws<ModelFileException>(file.VerifyChecksum);
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        var writer = new SafetensorsWriter();
        writer.Add<float>("w", [2], new float[2]);
        writer.AddMetadata("k", "");
        Assert.Contains("already has a tensor named 'w'", Assert.Throws<ArgumentException>(() => writer.Add<float>("w", [1], new float[1])).Message);
        Assert.Contains("reserved", Assert.Throws<ArgumentException>(() => writer.Add<float>("__metadata__", [1], new float[1])).Message);
        Assert.Contains("[2, 3] of 'v' has 6 elements; got 5", Assert.Throws<ArgumentException>(() => writer.Add<float>("v", [2, 3], new float[5])).Message);
        Assert.Contains("Dimensions must be 0 or more; got [-1, -1]",
            Assert.Throws<ArgumentException>(() => writer.Add<float>("v", [-1, -1], new float[1])).Message);
        Assert.Contains("at most 2^31 - 1", Assert.Throws<ArgumentException>(() => writer.Add<float>("v", [1L << 62, 4], ReadOnlyMemory<float>.Empty)).Message);
        Assert.Contains("surrogate", Assert.Throws<ArgumentException>(() => writer.Add<float>("\ud800", [1], new float[1])).Message);
        Assert.Contains("surrogate", Assert.Throws<ArgumentException>(() => writer.AddMetadata("a", "\udc00")).Message);
        Assert.Contains("already has the key 'k'", Assert.Throws<ArgumentException>(() => writer.AddMetadata("k", "")).Message);
        Assert.Contains("checksum", Assert.Throws<ArgumentException>(() => writer.AddMetadata("sha256", "")).Message);
        Assert.Throws<NotSupportedException>(() => writer.Add<char>("v", [1], new char[1]));
        writer.Add<float>("late", [2], static () => [1f]);
        Assert.Contains("'late' [2] has 2 elements; the call returned 1",
            Assert.Throws<InvalidOperationException>(() => SafetensorsBytes.Written(writer)).Message);
    }

    private static void AssertSame(byte[] expected, byte[] actual) => Assert.Equal(Encoding.Latin1.GetString(expected), Encoding.Latin1.GetString(actual));

    /// <summary>The same file with spaces before the last brace, up to a multiple of 8.</summary>
    private static byte[] Padded(byte[] file, int dataStart)
    {
        var spaces = (8 - dataStart % 8) % 8;
        file[0] += (byte)spaces;
        return [.. file[..(dataStart - 1)], .. Enumerable.Repeat((byte)' ', spaces), (byte)'}', .. file[dataStart..]];
    }
}
