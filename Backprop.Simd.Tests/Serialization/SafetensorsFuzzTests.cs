using System.Buffers.Binary;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Damaged files: with a checksum no change passes; without one nothing but the documented exception comes out, and no large memory.</summary>
public sealed class SafetensorsFuzzTests
{
    private static readonly byte[] _ours = Saved();

    [Fact]
    public void No_bit_of_a_saved_network_can_change_unnoticed()
    {
        var network = Network();
        for (var bit = 0; bit < 8 * _ours.Length; bit++)
        {
            var bytes = (byte[])_ours.Clone();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(IsRefused(network, bytes), $"Bit {bit % 8} of byte {bit / 8} changed unnoticed.");
        }
    }

    [Fact]
    public void A_saved_network_cannot_lose_or_gain_bytes_unnoticed()
    {
        var network = Network();
        for (var length = 0; length < _ours.Length; length++)
            Assert.True(IsRefused(network, _ours[..length]), $"{length} bytes were enough.");
        Assert.True(IsRefused(network, [.. _ours, 0]));
        Assert.True(IsRefused(network, [.. _ours, .. _ours]));
        Assert.False(IsRefused(network, _ours));
    }

    [Fact]
    public void Several_random_changes_of_a_saved_network_are_refused()
    {
        var network = Network();
        var random = new TestRandom(11);
        for (var trial = 0; trial < 20_000; trial++)
        {
            var bytes = Damaged(_ours, ref random, changes: random.Integer(2, 8));
            Assert.True(bytes.AsSpan().SequenceEqual(_ours) || IsRefused(network, bytes), $"Trial {trial} passed.");
        }
    }

    [Fact]
    public void Damage_without_a_checksum_gives_the_documented_exception_and_no_large_memory()
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("key", "value \u00e4 \"quoted\"");
        writer.Add<float>("weight", [3, 4], new float[12]);
        writer.Add<double>("none", [3, 0], ReadOnlyMemory<double>.Empty);
        writer.Add<byte>("bytes", [], new byte[] { 1 });
        var good = SafetensorsBytes.Written(writer);
        var random = new TestRandom(12);
        var passed = 0;
        for (var trial = 0; trial < 30_000; trial++)
        {
            var bytes = Damaged(good, ref random, changes: random.Integer(1, 3));
            if (random.Integer(0, 9) == 0)
                bytes = bytes[..random.Integer(0, bytes.Length)];
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var file = SafetensorsBytes.Open(bytes);
                foreach (var tensor in file.Tensors)
                    Assert.Equal(tensor.Count, ReadAny(tensor));
                passed++;
            }
            catch (ModelFileException)
            {
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 200_000,
                $"Trial {trial} allocated {GC.GetAllocatedBytesForCurrentThread() - before} bytes.");
        }

        Assert.True(passed > 100); // The harmless changes: of data, of names.
    }

    [Fact]
    public void Deep_and_long_headers_are_refused_quietly()
    {
        foreach (var json in (string[])[new string('[', 100_000), """{"a":""" + new string('[', 100_000), """{"a":{"shape":""" + new string('[', 100_000),
            string.Concat(Enumerable.Repeat("""{"a":""", 100_000)), "{\"" + new string('a', 1_000_000), """{"a":{"dtype":"F32","shape":["""
                + string.Concat(Enumerable.Repeat("9223372036854775807,", 100_000))])
        {
            var message = Assert.Throws<ModelFileException>(() => SafetensorsBytes.Open(SafetensorsBytes.Of(json))).Message;
            Assert.True(message.Length < 1000);
        }

        // A thousand dimensions are a thousand dimensions.
        var ones = string.Join(",", Enumerable.Repeat("1", 1000));
        using var file = SafetensorsBytes.Open(SafetensorsBytes.Of($$$"""{"a":{"dtype":"U8","shape":[{{{ones}}}],"data_offsets":[0,1]}}""", 5));
        Assert.Equal(1000, file["a"].Shape.Length);
    }

    private static long ReadAny(SafetensorsTensor tensor) => tensor.Type switch
    {
        TensorType.BOOL or TensorType.U8 => tensor.ToArray<byte>().Length,
        TensorType.I8 => tensor.ToArray<sbyte>().Length,
        TensorType.I16 => tensor.ToArray<short>().Length,
        TensorType.U16 => tensor.ToArray<ushort>().Length,
        TensorType.I32 => tensor.ToArray<int>().Length,
        TensorType.U32 => tensor.ToArray<uint>().Length,
        TensorType.I64 => tensor.ToArray<long>().Length,
        TensorType.U64 => tensor.ToArray<ulong>().Length,
        _ => tensor.ToArray<double>().Length,
    };

    private static byte[] Damaged(byte[] good, ref TestRandom random, int changes)
    {
        var bytes = (byte[])good.Clone();
        var header = 8 + (int)BinaryPrimitives.ReadUInt64LittleEndian(good);
        for (var i = 0; i < changes; i++)
        {
            // Half of the changes in the header; digits and punctuation as often as any byte.
            var place = random.Integer(0, (random.Integer(0, 1) == 0 ? header : bytes.Length) - 1);
            bytes[place] = random.Integer(0, 1) == 0 ? (byte)random.Integer(0, 255) : "0123456789,:\"[]{}"u8[random.Integer(0, 16)];
        }

        return bytes;
    }

    private static bool IsRefused(Network<float> network, byte[] bytes)
    {
        try
        {
            using var stream = new MemoryStream(bytes);
            network.Load(stream);
            return false;
        }
        catch (ModelFileException)
        {
            return true;
        }
    }

    private static Network<float> Network() => GraphBuilder.Chain(new Shape(3)).Affine(2).BatchNormalization().Build<float>(seed: 1);

    private static byte[] Saved()
    {
        using var stream = new MemoryStream();
        Network().Save(stream);
        return stream.ToArray();
    }
}
