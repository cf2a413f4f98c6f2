using System.Numerics;
using System.Text;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Networks saved and loaded: bits, names, options, and what is refused without a change to the network.</summary>
public sealed class NetworkFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_network_comes_back_bit_by_bit()
    {
        RoundTrip<float>();
        RoundTrip<double>();
    }

    private void RoundTrip<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = Images<T>(seed: 1);
        var workspace = network.CreateWorkspace(6, compute: ComputeContext.SingleThreaded);
        var random = new TestRandom(3);
        foreach (ref var x in workspace.Input())
            x = random.Signed<T>();
        for (var i = 0; i < 6; i++)
            workspace.IndexInput()[i] = i % 3;
        var sgd = new Sgd<T>(network.Parameters.Length, 0.1);
        for (var step = 0; step < 3; step++)
            network.Step(workspace, sgd); // The running statistics are no longer those of the start.

        network.Save(_directory["net.safetensors"]);
        var other = Images<T>(seed: 2);
        var content = other.Load(_directory["net.safetensors"]);
        Bits.AssertEqual<T>(network.Parameters, other.Parameters, "parameters");
        Bits.AssertEqual<T>(network.State, other.State, "state");
        Assert.Empty(content.Metadata);
        Assert.Empty(NetworkFiles.ReadNormalizations(_directory["net.safetensors"]));
        Assert.Equal(["net.safetensors"], _directory.Files);

        // Through a stream, with something before it; what it gives is the same.
        using var stream = new MemoryStream();
        stream.WriteByte(1);
        network.Save(stream);
        stream.Position = 1;
        var third = Images<T>(seed: 3);
        third.Load(stream);
        Bits.AssertEqual<T>(network.Parameters, third.Parameters, "parameters");
        Assert.Equal(File.ReadAllBytes(_directory["net.safetensors"]), stream.ToArray()[1..]);
    }

    [Fact]
    public void The_file_has_every_name_and_shape_and_nothing_else()
    {
        var network = Images<float>(1);
        network.Save(_directory["net"]);
        using var file = SafetensorsFile.Open(_directory["net"]);
        Assert.Equal(
            [
                "convolution2d1.weight F32 [3, 3, 1, 4]", "convolution2d1.bias F32 [4]",
                "batchnormalization1.weight F32 [4]", "batchnormalization1.bias F32 [4]",
                "affine1.weight F32 [36, 3]", "affine1.bias F32 [3]", "batchnormalization1.runningMean F32 [4]", "batchnormalization1.runningVariance F32 [4]",
            ],
            file.Tensors.Select(t => $"{t.Name} {t.Type} [{string.Join(", ", t.Shape.ToArray())}]"));
        Assert.Equal(
            ["format=backprop.simd", "version=2", "element=F32", "graph=" + GraphText.Write(network.Definition), "seed=1"],
            file.Metadata.SkipLast(1).Select(m => $"{m.Key}={m.Value}"));
        Assert.Equal("sha256", file.Metadata[^1].Key);
        Assert.Equal(4 * (36 + 4 + 4 + 4 + 108 + 3 + 4 + 4), file.Tensors.Sum(t => t.Count) * 4); // No padding.
        file.VerifyChecksum();
    }

    [Fact]
    public void The_file_is_the_same_in_every_version()
    {
        // Version 2 writes these bytes; the file of version 1, which held no graph, must be loaded for ever.
        var network = Small<float>();
        network.ParameterOf("affine1.weight")[0] = 1;
        network.ParameterOf("affine1.weight")[1] = -2;
        network.ParameterOf("affine1.bias")[0] = 0.5f;
        network.Save(_directory["small"], new() { Metadata = [new("classes", "a,b")] });
        byte[] golden = [48, 1, 0, 0, 0, 0, 0, 0,
            .. """{"__metadata__":{"format":"backprop.simd","version":"1","element":"F32","user.classes":"a,b","sha256":"""u8,
            .. "\"f9ea9bca9b7212d9492bf6825870d07384eb17244ed2b3bbf446eaa069f88b48\"}"u8,
            .. ""","affine1.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}"""u8,
            .. ""","affine1.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]} }"""u8,
            0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F];
        using var kept = new MemoryStream();
        typeof(NetworkFilesTests).Assembly.GetManifestResourceStream("Files.version2.safetensors")!.CopyTo(kept);
        Assert.Equal(Encoding.Latin1.GetString(kept.ToArray()), Encoding.Latin1.GetString(File.ReadAllBytes(_directory["small"])));

        var other = Small<float>();
        using var stream = new MemoryStream(golden);
        Assert.Equal("a,b", other.Load(stream).Metadata["classes"]);
        Assert.Equal([1, -2, 0.5f], [.. other.ParameterOf("affine1.weight"), other.ParameterOf("affine1.bias")[0]]);
    }

    [Fact]
    public void Metadata_comes_back()
    {
        var network = Small<float>();
        network.Save(_directory["a"], new() { Metadata = [new("format", "mine"), new("sha256", ""), new("ä", "\"\n")] });
        Assert.Equal([new("format", "mine"), new("sha256", ""), new("ä", "\"\n")], Small<float>().Load(_directory["a"]).Metadata);
        Assert.Throws<ArgumentException>(() => network.Save(_directory["a"], new() { Metadata = [new("a", ""), new("a", "")] }));
        Assert.Equal(3, Small<float>().Load(_directory["a"]).Metadata.Count); // The old file is there.
    }

    [Theory]
    [InlineData("[2147483648]", 1, 1, "normalization of column 'x' is not valid")]
    [InlineData("[-1]", 1, 1, "normalization of column 'x' is not valid")]
    [InlineData("[5]", 2, 2, "normalization of column 'x' is not valid")]
    [InlineData("[2]", 2, 1, "normalization of column 'x' is not valid")]
    [InlineData("[2,2,2,2,2,2,2]", 2, 2, "normalization of column 'x' is not valid")]
    [InlineData("[2]", 2, 0, "there is no tensor '@normalization/x/factor'")]
    public void A_normalization_that_is_none_is_refused(string shape, int offsets, int factors, string message)
    {
        var writer = Ours();
        var sizes = shape[1..^1].Split(',').Select(long.Parse).ToArray();
        writer.Add<long>("@normalization/x/shape", [sizes.Length], sizes);
        writer.Add<double>("@normalization/x/offset", [offsets], new double[offsets]);
        if (factors > 0)
            writer.Add<double>("@normalization/x/factor", [factors], new double[factors]);
        writer.Add<float>("affine1.weight", [2, 1], new float[2]);
        writer.Add<float>("affine1.bias", [1], new float[1]);
        writer.Write(_directory["a"]);
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => NetworkFiles.ReadNormalizations(_directory["a"])).Message);
        Assert.Contains("holds statistics of 'x'", Refusal(Small<float>(), SafetensorsBytes.Written(writer)));
    }

    [Fact]
    public void Floats_are_widened_and_doubles_rounded_only_on_request()
    {
        var single = Images<float>(1);
        single.Save(_directory["f32"]);
        var wide = Images<double>(2);
        wide.Load(_directory["f32"]);
        Assert.Equal(single.ConvertTo<double>().Parameters, wide.Parameters);

        var precise = Images<double>(3);
        precise.Save(_directory["f64"]);
        Assert.Contains("'affine1.weight' is F64, which F32 cannot hold without loss", Refusal(single, File.ReadAllBytes(_directory["f64"])));
        single.Load(_directory["f64"], new() { AllowNarrowing = true });
        Bits.AssertEqual<float>(precise.ConvertTo<float>().Parameters, single.Parameters, "rounded");
    }

    [Fact]
    public void Everything_that_does_not_fit_is_listed()
    {
        var writer = new SafetensorsWriter { Checksum = true };
        writer.Add<float>("convolution2d1.weight", [4, 3, 3, 1], new float[36]);
        writer.Add<int>("convolution2d1.bias", [4], new int[4]);
        writer.Add<float>("batchnormalization1.weight", [2, 2], new float[4]);
        writer.Add<float>("batchnormalization1.bias", [4], new float[4]);
        writer.Add<float>("affine1.bias", [3], new float[3]);
        writer.Add<float>("affine2.bias", [3], new float[3]);
        writer.Add<float>("@other", [1, 1, 1, 1, 1], new float[1]); // No file of ours: the mark means nothing.
        writer.Add<float>("batchnormalization1.runningMean", [4], new float[4]);
        Assert.Equal(
            "the stream does not fit the network. missing: 'affine1.weight' [36, 3], 'batchnormalization1.runningVariance' [4]; "
            + "unexpected: 'affine2.bias', '@other'; different: 'convolution2d1.weight' is [4, 3, 3, 1], the network's is [3, 3, 1, 4], "
            + "'convolution2d1.bias' is I32, which F32 cannot hold without loss, 'batchnormalization1.weight' is [2, 2], the network's is [4]. "
            + "To leave out a tensor of the file, let Rename return null for its name; if the network has it too, set AllowMissing.",
            Refusal(Images<float>(1), SafetensorsBytes.Written(writer)));
        Assert.Contains("and 90 more", Refusal(Small<float>(), SafetensorsBytes.Written(Many(100))));
    }

    [Fact]
    public void Files_of_others_are_loaded_renamed_and_put_in_order()
    {
        // As PyTorch names and orders them: linear [out, in], convolution [out, in, h, w].
        float[] linear = [1, 2, 3, 4, 5, 6], bias = [7, 8, 9], filters = [.. Enumerable.Range(0, 36)];
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "pt");
        writer.Add<float>("0.weight", [4, 1, 3, 3], filters);
        writer.Add<float>("0.bias", [4], new float[4]);
        writer.Add<long>("1.num_batches_tracked", [], new long[] { 1 });
        writer.Add<float>("2.bias", [3], bias);
        writer.Add<float>("2.weight", [3, 2], linear);
        var bytes = SafetensorsBytes.Written(writer);

        var graph = new GraphBuilder();
        var image = graph.Input("image", 5, 5, 1);
        graph.Output(image.Convolution2D(4, 3).Named("conv"));
        graph.Output(graph.Input("x", 2).Affine(3).Named("fc"));
        var network = graph.Build().CreateNetwork<float>();
        var options = new NetworkLoadOptions
        {
            Rename = name => name == "1.num_batches_tracked"
                ? null
                : name.Replace("0.", "conv.", StringComparison.Ordinal).Replace("2.", "fc.", StringComparison.Ordinal),
            IgnoreChecksum = true,
            Axes = name => name switch { "fc.weight" => [1, 0], "conv.weight" => [2, 3, 1, 0], _ => null },
        };
        using var stream = new MemoryStream(bytes);
        Assert.Equal([new("format", "pt")], network.Load(stream, options).Metadata);
        Assert.Equal([1, 3, 5, 2, 4, 6], network.ParameterOf("fc.weight"));
        Assert.Equal(bias, network.ParameterOf("fc.bias"));
        for (var f = 0; f < 4; f++)
        {
            for (var cell = 0; cell < 9; cell++)
                Assert.Equal(filters[f * 9 + cell], network.ParameterOf("conv.weight")[cell * 4 + f]);
        }

        using var again = new MemoryStream(bytes);
        network.Load(again, options with { IgnoreChecksum = false });
        Assert.Contains("'fc.weight' is [3, 2], the network's is [2, 3]", Refusal(network, bytes, options with { Axes = null }));
        Assert.Contains("'fc.weight' is [3, 2], which cannot be put in the order [1, 1]", Refusal(network, bytes, options with { Axes = static _ => [1, 1] }));
        Assert.Contains("'fc.bias' is [3], which cannot be put in the order [1, 0]", Refusal(network, bytes, options with { Axes = static _ => [1, 0] }));
        Assert.Contains("unexpected: '0.weight' renamed to 'weight'", Refusal(network, bytes, options with { Rename = name => name[2..] }));
        Assert.Contains("'fc.bias' is both '0.bias' and '2.bias'",
            Refusal(network, bytes, options with { Rename = name => name.EndsWith("bias", StringComparison.Ordinal) ? "fc.bias" : null }));
    }

    [Fact]
    public void What_is_missing_may_stay_on_request()
    {
        var network = Small<float>();
        network.ParameterOf("affine1.bias")[0] = 5;
        var writer = new SafetensorsWriter { Checksum = true };
        writer.Add<float>("affine1.weight", [2, 1], new float[] { 1, 2 });
        var bytes = SafetensorsBytes.Written(writer);
        Assert.Contains("missing: 'affine1.bias' [1]", Refusal(network, bytes));
        using var stream = new MemoryStream(bytes);
        network.Load(stream, new() { AllowMissing = true });
        Assert.Equal([1, 2], network.ParameterOf("affine1.weight"));
        Assert.Equal(5, network.ParameterOf("affine1.bias")[0]);
    }

    [Fact]
    public void Marked_tensors_of_our_files_are_passed_over()
    {
        var writer = Ours();
        writer.Add<float>("affine1.weight", [2, 1], new float[] { 1, 2 });
        writer.Add<float>("affine1.bias", [1], new float[] { 3 });
        writer.Add<long>("@optimizer/steps", [1], new long[1]);
        var network = Small<float>();
        using var stream = new MemoryStream(SafetensorsBytes.Written(writer));
        network.Load(stream);
        Assert.Equal([1, 2], network.ParameterOf("affine1.weight"));
    }

    [Fact]
    public void Names_that_would_be_one_tensor_are_refused()
    {
        var graph = new GraphBuilder();
        var shared = graph.Parameter("n.runningMean", new Shape(3));
        graph.Output(graph.Input("x", 3).BatchNormalization().Named("n") + shared);
        var network = graph.Build().CreateNetwork<float>();
        Assert.Contains("both named 'n.runningMean'", Assert.Throws<ArgumentException>(() => network.Save(_directory["a"])).Message);
        Assert.Empty(_directory.Files);

        var marked = GraphBuilder.Chain(2).Affine(1).Named("@a").Build<float>();
        Assert.Contains("'@a.weight' cannot be saved", Assert.Throws<ArgumentException>(() => marked.Save(_directory["a"])).Message);
        using var file = new MemoryStream(SafetensorsBytes.Written(Many(1)));
        Assert.Throws<ArgumentException>(() => network.Load(file));
    }

    [Fact]
    public void Our_files_must_have_their_checksum_and_their_version()
    {
        var json = """{"__metadata__":{"format":"backprop.simd","version":"1"},"""
            + """ "affine1.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"""
            + """ "affine1.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""";
        var bytes = SafetensorsBytes.Of(json, new byte[12]);
        Assert.Contains("has lost its checksum", Refusal(Small<float>(), bytes));
        using var stream = new MemoryStream(bytes);
        Small<float>().Load(stream, new() { IgnoreChecksum = true });
        Assert.Contains("has version '3'",
            Refusal(Small<float>(), SafetensorsBytes.Of(json.Replace("\"1\"", "\"3\"", StringComparison.Ordinal), new byte[12])));
        Assert.Contains("has version ''",
            Refusal(Small<float>(), SafetensorsBytes.Of(json.Replace(",\"version\":\"1\"", "", StringComparison.Ordinal), new byte[12])));
    }

    [Fact]
    public void A_file_that_cannot_be_written_leaves_the_old_one()
    {
        Small<float>().Save(_directory["a"]);
        var old = File.ReadAllBytes(_directory["a"]);
        var full = new FullStream();
        Assert.Throws<IOException>(() => Images<float>(1).Save(full));
        Assert.Throws<DirectoryNotFoundException>(() => Small<float>().Save(_directory[Path.Combine("none", "a")]));
        Assert.Equal(old, File.ReadAllBytes(_directory["a"]));
    }

    [Fact]
    public void A_reader_that_fails_midway_changes_nothing()
    {
        var network = Images<float>(1);
        using var stream = new MemoryStream();
        network.Save(stream);
        stream.Position = 0;
        using var file = SafetensorsFile.Open(stream);
        stream.SetLength(stream.Length - 4);
        var other = Images<float>(2);
        var before = other.Parameters.ToArray();
        Assert.Throws<ModelFileException>(() => other.Load(file, new() { IgnoreChecksum = true }));
        Bits.AssertEqual<float>(before, other.Parameters, "parameters");
    }

    /// <summary>The refusal's message, after a look whether the network kept its bits.</summary>
    private static string Refusal<T>(Network<T> network, byte[] bytes, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[] parameters = network.Parameters.ToArray(), state = network.State.ToArray();
        using var stream = new MemoryStream(bytes);
        var message = Assert.Throws<ModelFileException>(() => network.Load(stream, options)).Message;
        Bits.AssertEqual<T>(parameters, network.Parameters, "parameters");
        Bits.AssertEqual<T>(state, network.State, "state");
        return message;
    }

    private static SafetensorsWriter Ours()
    {
        var writer = new SafetensorsWriter { Checksum = true };
        writer.AddMetadata("format", "backprop.simd.other");
        writer.AddMetadata("version", "1");
        return writer;
    }

    private static SafetensorsWriter Many(int count)
    {
        var writer = new SafetensorsWriter { Checksum = true };
        for (var i = 0; i < count; i++)
            writer.Add<float>($"t{i}", [1], new float[1]);
        return writer;
    }

    private static Network<T> Small<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => GraphBuilder.Chain(2).Affine(1).Build<T>(seed: 1);

    private static Network<T> Images<T>(ulong seed)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        GraphBuilder.Chain(new Shape(5, 5, 1)).Convolution2D(4, 3).BatchNormalization().Relu().Flatten().Affine(3).SoftmaxCrossEntropy().Build<T>(seed);

    /// <summary>A disk without space behind the header.</summary>
    private sealed class FullStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Position > 0)
                throw new IOException("The disk is full.");
            base.Write(buffer);
        }
    }
}
