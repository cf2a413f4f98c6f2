using System.IO.Compression;
using System.Text;
using Backprop.Simd.Interchange;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>Files of PyTorch that are damaged, or made to harm: refused with one exception, and nothing allocated on their word.</summary>
public sealed class HostileFilesTests
{
    private const long Much = 1L << 60;

    [Theory]
    [InlineData("cos\nsystem\nX\x08\0\0\0touch /x\x85R", "os.system")]
    [InlineData("cbuiltins\neval\nX\x01\0\0\0001\x85R", "builtins.eval")]
    [InlineData("ctorch\nload\n)R", "torch.load")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2.__globals__\n", "torch._utils._rebuild_tensor_v2.__globals__")]
    [InlineData("ccollections\ndefaultdict\n)R", "collections.defaultdict")]
    [InlineData("X\x02\0\0\0osX\x06\0\0\0system\x93", "os.system")]
    public void A_name_that_is_no_tensor_is_refused_by_that_name(string instructions, string name) =>
        Assert.Contains($"asks for '{name}'", PyTorchFileTests.Refusal(PyTorchZip.File(PyTorchZip.Pickle(Latin(instructions)))), StringComparison.Ordinal);

    [Theory]
    [InlineData("(ios\nsystem\n")]              // INST
    [InlineData("(N)o")]                        // OBJ
    [InlineData("ccollections\nOrderedDict\n)\x81")] // NEWOBJ
    [InlineData("\x82\x01")]                    // EXT1
    [InlineData("P0\n")]                        // PERSID
    [InlineData("\xff")]
    public void Other_instructions_are_refused(string instructions) =>
        Assert.Contains("makes what is neither plain data nor a tensor",
            PyTorchFileTests.Refusal(PyTorchZip.File(PyTorchZip.Pickle(Latin(instructions)))), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "cut off")]
    [InlineData("\x80\x09N.", "protocol is 9")]
    [InlineData(".", "stack is empty")]
    [InlineData("NN.", "goes on behind its end")]
    [InlineData("N.N", "goes on behind its end")]
    [InlineData("h\x07.", "remembers nothing under 7")]
    [InlineData("t.", "mark is missing")]
    [InlineData("}Ns.", "stack is empty")]
    [InlineData("}(Nu.", "a key has no value")]
    [InlineData("NNNs.", "no dictionary")]
    [InlineData(")Na.", "no list")]
    [InlineData("]Nb.", "no dictionary")]
    [InlineData("NQ.", "no storage")]
    [InlineData("N)R.", "calls something that is no name")]
    [InlineData("ccollections\nOrderedDict\nNR.", "no tuple")]
    [InlineData("ccollections\nOrderedDict\nN\x85R.", "with other arguments")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2\n)R.", "with other arguments")]
    [InlineData("ctorch\nFloatStorage\n)R.", "with other arguments")]
    [InlineData("X\xff\xff\xff\xff.", "cut off")]
    [InlineData("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "cut off")]
    [InlineData("X\x01\0\0\0\xff.", "not UTF-8")]
    [InlineData("\x8a\xff.", "cut off")]
    [InlineData("\x8a\x09\0\0\0\0\0\0\0\0\0.", "an integer has 9 bytes")]
    [InlineData("cos", "a name has no end")]
    [InlineData("NN\x93.", "a name is no text")]
    public void Damaged_pickles_are_refused(string pickle, string reason) =>
        Assert.Contains(reason, PyTorchFileTests.Refusal(PyTorchZip.File(Latin(pickle))), StringComparison.Ordinal);

    [Fact]
    public void Tensors_stay_in_their_storage()
    {
        (long Count, long[] Sizes, long[] Strides, long Offset)[] wrong =
        [
            (16, [17], [1], 0), (16, [16], [1], 1), (16, [4, 4], [5, 1], 0), (16, [2], [long.MaxValue], 0), (16, [Much, Much], [1, 1], 0),
            (16, [2, 2], [1, 1], 0), (16, [-1], [1], 0), (16, [1], [-1], 0), (16, [1], [1], -1), (16, [1], [1], long.MaxValue), (16, [2], [1, 1], 0),
            (16, [Much, 0], [1, 1], 0), (16, [Much], [0], 0), (16, [2, 3], [2, 1], 0), (16, new long[17], new long[17], 0),
        ];
        foreach (var (count, sizes, strides, offset) in wrong)
        {
            var pickle = PyTorchZip.Pickle(PyTorchZip.Tensor(count, sizes, strides, offset));
            Assert.Contains("reaches beyond its storage '0'", PyTorchFileTests.Refusal(PyTorchZip.File(pickle)), StringComparison.Ordinal);
        }

        Assert.Contains("should have 17 elements of F32; it has 64 bytes",
            PyTorchFileTests.Refusal(PyTorchZip.File(PyTorchZip.Pickle(PyTorchZip.Tensor(17, [1], [1])))), StringComparison.Ordinal);
        Assert.Contains("should have 1152921504606846976 elements",
            PyTorchFileTests.Refusal(PyTorchZip.File(PyTorchZip.Pickle(PyTorchZip.Tensor(Much, [Much], [1])))), StringComparison.Ordinal);
        Assert.Contains("the data of 'w' is missing",
            PyTorchFileTests.Refusal(PyTorchZip.Of(("a/data.pkl", PyTorchZip.Pickle(PyTorchZip.Tensor(1, [1], [1]))))), StringComparison.Ordinal);
    }

    /// <summary>A pickle can hold itself, and can hold 2^100 lists in a few bytes: nothing here walks them.</summary>
    [Fact]
    public void Deep_and_circular_values_do_no_harm()
    {
        byte[] tensor = PyTorchZip.Tensor(1, [1], [1]), deep = [.. Enumerable.Repeat((byte)']', 100_000), .. Enumerable.Repeat((byte)'a', 99_999)];
        List<byte> bomb = [(byte)']'];
        for (var i = 0; i < 100; i++)
            bomb.AddRange([(byte)'q', 9, (byte)'h', 9, 0x86]);
        byte[] circle = [(byte)'}', (byte)'q', 1, .. PyTorchZip.Text("self"), (byte)'h', 1, (byte)'s'];
        List<byte> nested = [(byte)'}'];
        for (var i = 0; i < 20_000; i++)
            nested.AddRange([.. PyTorchZip.Text("k"), (byte)'}']);
        nested.AddRange(Enumerable.Repeat((byte)'s', 20_000));
        foreach (var harm in (byte[][])[deep, [.. bomb], circle, [.. nested]])
        {
            byte[] pickle = [(byte)'}', (byte)'(', .. PyTorchZip.Text("w"), .. tensor, .. PyTorchZip.Text("harm"), .. harm, (byte)'u', (byte)'.'];
            using var file = PyTorchFile.Open(new MemoryStream(PyTorchZip.File(pickle)));
            Assert.Equal("", file.Dictionary);
            Assert.Equal([0], file["w"].ToArray<float>());
        }
    }

    [Fact]
    public void A_tensor_of_the_newest_form_is_refused_with_what_to_do() => Assert.Contains(
        "unsigned integers of 16 to 64 bits, or of floats of 8 bits, which are not read. Convert it before saving",
        PyTorchFileTests.Refusal(PyTorchZip.File(PyTorchZip.Pickle(Latin("ctorch._utils\n_rebuild_tensor_v3\n")))), StringComparison.Ordinal);

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Damaged_numbers_do_not_have_their_checksum(CompressionLevel level)
    {
        var numbers = new byte[64];
        byte[] pickle = [.. PyTorchZip.Pickle(PyTorchZip.Tensor(16, [2], [1], 3))];
        var good = PyTorchZip.Repacked(new MemoryStream(PyTorchZip.Of(("a/data.pkl", pickle), ("a/data/0", numbers))), level);
        using (var file = PyTorchFile.Open(new MemoryStream(good)))
            Assert.Equal([0, 0], file["w"].ToArray<float>());

        // The checksum of an entry stands in the directory, which begins with PK 1 2. A byte beyond the two numbers counts too.
        var entry = good.AsSpan().LastIndexOf("PK\x01\x02"u8);
        foreach (var change in (int[])[entry + 16, entry + 19])
        {
            var bytes = (byte[])good.Clone();
            bytes[change] ^= 1;
            using var file = PyTorchFile.Open(new MemoryStream(bytes));
            Assert.Contains("'a/data/0' is damaged: its checksum is",
                Assert.Throws<ModelFileException>(() => file["w"].ToArray<float>()).Message, StringComparison.Ordinal);
            Assert.Throws<ModelFileException>(() => file["w"].ToArray<float>());
        }

        if (level == CompressionLevel.NoCompression)
        {
            var bytes = (byte[])good.Clone();
            bytes[bytes.AsSpan().IndexOf("PK\x01\x02"u8) - 1] = 1; // The last number of the storage, before the directory.
            using var file = PyTorchFile.Open(new MemoryStream(bytes));
            Assert.Throws<ModelFileException>(() => file["w"].ToArray<float>());
        }

        // Where PyTorch was told to compute none, there is a 0.
        good.AsSpan(entry + 16, 4).Clear();
        using (var file = PyTorchFile.Open(new MemoryStream(good)))
            Assert.Equal([0, 0], file["w"].ToArray<float>());
    }

    [Fact]
    public void Many_values_are_refused()
    {
        foreach (var instruction in (byte[])[(byte)']', (byte)'N', (byte)'(', (byte)'}'])
        {
            var pickle = new byte[PyTorchFile.MaxPickleLength];
            pickle.AsSpan().Fill(instruction);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var archive = PyTorchZip.File(pickle);
            var made = GC.GetAllocatedBytesForCurrentThread() - before;
            PyTorchFileTests.Refusal(archive);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before - made, 0, 400_000_000);
        }

        Assert.Contains("at most 16777216 are read",
            PyTorchFileTests.Refusal(PyTorchZip.File(new byte[PyTorchFile.MaxPickleLength + 1])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_off_anywhere_is_refused()
    {
        var bytes = PyTorchModels.File("linear").ToArray();
        for (var length = 0; length < bytes.Length; length++)
            PyTorchFileTests.Refusal(bytes[..length]);
    }

    /// <summary>Bytes changed, cut out and doubled: each file is read or refused with one exception, in bounded memory.</summary>
    [Fact]
    public void Changed_files_are_read_or_refused()
    {
        var random = new Random(16);
        var refused = 0;
        foreach (var name in (string[])["linear", "@checkpoint", "@views", "lstm"])
        {
            var original = PyTorchModels.File(name).ToArray();
            for (var trial = 0; trial < 1500; trial++)
            {
                var bytes = Changed(original, random);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    using var file = PyTorchFile.Open(new MemoryStream(bytes));
                    foreach (var tensor in file.Tensors.Where(static t => t.Type == TensorType.F32))
                        tensor.ToArray<float>();
                }
                catch (ModelFileException)
                {
                    refused++;
                }

                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000_000);
            }
        }

        Assert.InRange(refused, 1000, 5900);
    }

    private static byte[] Changed(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);
}
