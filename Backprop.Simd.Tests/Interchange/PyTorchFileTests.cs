using System.IO.Compression;
using System.Text;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>Files of torch.save: types, views, checkpoints, and what is refused.</summary>
public sealed class PyTorchFileTests
{
    private static readonly float[] Base = [.. Enumerable.Range(0, 24).Select(static i => (float)i)];

    [Fact]
    public void Views_have_their_own_elements()
    {
        using var file = PyTorchFile.Open(PyTorchModels.File("@views"));
        Assert.Equal(Base, file["plain"].ToArray<float>());
        Assert.Equal([4, 2, 3], file["turned"].Shape);
        var turned = from i in Enumerable.Range(0, 4) from j in Enumerable.Range(0, 2) from k in Enumerable.Range(0, 3) select Base[j * 12 + k * 4 + i];
        Assert.Equal(turned, file["turned"].ToArray<float>());
        Assert.Equal([5, 8, 11, 14], file["part"].ToArray<float>());
        Assert.Equal([1, 2, 3, 7, 8, 9, 13, 14, 15, 19, 20, 21], file["columns"].ToArray<float>());
        Assert.Equal([1, 1, 1, 2, 2, 2], file["repeated"].ToArray<float>());
        Assert.Equal([5], file["scalar"].ToArray<double>());
        Assert.Empty(file["scalar"].Shape.ToArray());
        Assert.Equal([0, 3], file["empty"].Shape);
        Assert.Empty(file["empty"].ToArray<float>());
        Assert.Equal([1, 1], file["parameter"].ToArray<float>());
    }

    [Fact]
    public void All_types_are_read_exactly()
    {
        using var file = PyTorchFile.Open(PyTorchModels.File("@views"));
        Assert.Equal([0.1, -2], file["f64"].ToArray<double>());
        Assert.Equal([0.1f, -2], file["f64"].ToArray<float>(allowNarrowing: true));
        Assert.Equal([0.5f, -2], file["f16"].ToArray<float>());
        Assert.Equal([(Half)0.5, (Half)(-2)], file["f16"].ToArray<Half>());
        Assert.Equal([0.5, -3], file["bf16"].ToArray<double>());
        Assert.Equal([-1, 1L << 40], file["i64"].ToArray<long>());
        Assert.Equal([-7], file["i32"].ToArray<int>());
        Assert.Equal([-300], file["i16"].ToArray<short>());
        Assert.Equal([-3], file["i8"].ToArray<sbyte>());
        Assert.Equal([200], file["u8"].ToArray<byte>());
        Assert.Equal([1, 0], file["bool"].ToArray<byte>());
        Assert.Equal(TensorType.BF16, file["bf16"].Type);
        var refusal = Assert.Throws<ModelFileException>(() => file["f64"].ToArray<float>());
        Assert.Contains("'f64' is F64 and cannot be read as F32 without loss", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<ModelFileException>(() => file["i64"].ToArray<float>());
    }

    /// <summary>TorchSharp.PyBridge writes other zip files and other pickles than PyTorch: <c>PyTorch/PyBridge/write.cs</c> made the file and the
    /// outputs.</summary>
    [Fact]
    public void A_file_of_TorchSharp_is_read_and_computes_what_TorchSharp_does()
    {
        using var file = PyTorchFile.Open(PyTorchModels.File("@pybridge"));
        Assert.Equal([3], file["bn.num_batches_tracked"].ToArray<long>());
        var network = GraphBuilder.Chain(new Shape(4, 4, 1)).Convolution2D(2, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2).Flatten().Affine(3)
            .Build<float>(seed: 1);
        Assert.Equal(["conv", "bn", "fc"], network.LoadPyTorch(file).Modules.Values);
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.SetInput("x", [.. Enumerable.Range(0, 16).Select(static i => (i / 8f) - 1)]);
        network.Forward(workspace);
        float[] theirs = [-0.26111773f, -0.5841368f, 0.13898632f];
        for (var i = 0; i < theirs.Length; i++)
            Assert.Equal(theirs[i], workspace.Output()[i], 1e-6f);
    }

    [Fact]
    public void A_checkpoint_has_its_state_dictionary_by_size_or_by_path()
    {
        using var file = PyTorchFile.Open(PyTorchModels.File("@checkpoint"));
        Assert.Equal("model", file.Dictionary);
        Assert.Equal(["weight", "bias"], file.Tensors.Select(static t => t.Name));
        Assert.Equal([7, 8, 9], file["bias"].ToArray<float>());
        using var moments = PyTorchFile.Open(PyTorchModels.File("@checkpoint"), "model");
        Assert.Equal([0, 1, 2, 3, 4, 5], moments["weight"].ToArray<float>());
        Assert.Contains("has no dictionary 'net': 'net' is not among 'epoch', 'loss', 'name', 'done', 'best', 'model', 'optimizer'",
            Refusal(PyTorchModels.File("@checkpoint").ToArray(), "net"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("@module", "asks for 'torch.nn.modules.linear.Linear', which is neither plain data nor a tensor; it is refused and nothing was run")]
    [InlineData("@legacy", "is of the form before PyTorch 1.6")]
    [InlineData("@script", "is TorchScript, a program")]
    [InlineData("@tensor", "holds one tensor, not a dictionary of tensors")]
    [InlineData("@numbers", "has no tensors; its keys are 'a', 'b'")]
    public void Other_files_of_PyTorch_are_refused_by_name(string name, string reason) =>
        Assert.Contains(reason, Refusal(PyTorchModels.File(name).ToArray()), StringComparison.Ordinal);

    [Fact]
    public void Other_files_are_refused_by_name()
    {
        Assert.Contains("has 0 bytes", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("does not begin like a zip archive", Refusal("hello, world"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("looks like a safetensors file", Refusal("\x02\0\0\0\0\0\0\0{}"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("is a bare pickle", Refusal([0x80, 2, (byte)'N', (byte)'.']), StringComparison.Ordinal);
        var tar = new byte[512];
        "ustar"u8.CopyTo(tar.AsSpan(257));
        Assert.Contains("is a tar archive", Refusal(tar), StringComparison.Ordinal);
        Assert.Contains("not of PyTorch: it has 0 entries", Refusal(PyTorchZip.Of(("a/b.txt", [1]))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_compressed_archive_is_read_as_well()
    {
        var plain = PyTorchModels.File("classifier");
        var packed = PyTorchZip.Repacked(plain, CompressionLevel.SmallestSize);
        Assert.True(packed.Length < plain.Length);
        using PyTorchFile file = PyTorchFile.Open(plain), other = PyTorchFile.Open(new MemoryStream(packed));
        foreach (var tensor in file.Tensors.Where(static t => t.Type == TensorType.F32))
            Assert.Equal(tensor.ToArray<float>(), other[tensor.Name].ToArray<float>());
        using var views = PyTorchFile.Open(new MemoryStream(PyTorchZip.Repacked(PyTorchModels.File("@views"), CompressionLevel.Optimal)));
        Assert.Equal([1, 2, 3, 7, 8, 9, 13, 14, 15, 19, 20, 21], views["columns"].ToArray<float>());
    }

    [Fact]
    public void The_record_of_the_byte_order_is_followed()
    {
        byte[] Archive(string order) => PyTorchZip.Of(
            ("a/data.pkl", PyTorchZip.Pickle(PyTorchZip.Tensor(2, [2], [1]))), ("a/data/0", [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]),
            ("a/byteorder", Encoding.ASCII.GetBytes(order)));
        using var big = PyTorchFile.Open(new MemoryStream(Archive("big")));
        Assert.Equal([1, -2], big["w"].ToArray<float>());
        using var little = PyTorchFile.Open(new MemoryStream(Archive("little")));
        Assert.NotEqual([1, -2], little["w"].ToArray<float>());
        Assert.Contains("has the byte order 'middle'", Refusal(Archive("middle")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_that_cannot_seek_or_begins_later_is_read()
    {
        var bytes = PyTorchModels.File("linear").ToArray();
        using var later = new MemoryStream([1, 2, 3, .. bytes]) { Position = 3 };
        using var file = PyTorchFile.Open(later);
        Assert.Equal(25, file["0.weight"].ToArray<float>().Length);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        packed.Position = 0;
        using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
        using var other = PyTorchFile.Open(unpacked);
        Assert.Equal(file["0.weight"].ToArray<float>(), other["0.weight"].ToArray<float>());
    }

    internal static string Refusal(byte[] bytes, string? dictionary = null) =>
        Assert.Throws<ModelFileException>(() => PyTorchFile.Open(new MemoryStream(bytes), dictionary)).Message;
}
