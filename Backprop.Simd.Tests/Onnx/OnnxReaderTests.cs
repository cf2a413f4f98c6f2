using Backprop.Simd.Interchange;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>The reader of ONNX's files, on bytes written by hand.</summary>
public sealed class OnnxReaderTests
{
    private static OnnxTensor Parse(byte[] bytes) => OnnxTensor.Parse(bytes);

    [Fact]
    public void A_tensor_is_read_from_raw_bytes_and_from_typed_fields()
    {
        // dims 2 and 1, float, raw_data 1 and -2.
        var raw = Parse([0x08, 2, 0x08, 1, 0x10, 1, 0x4A, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]);
        Assert.Equal(OnnxType.Float, raw.Type);
        Assert.Equal([2, 1], raw.Shape);
        Assert.Equal([1.0, -2], raw.Numbers);

        // packed dims, float_data packed; int64_data packed with -1; double_data alone; a bool.
        Assert.Equal([1.0, -2], Parse([0x0A, 1, 2, 0x10, 1, 0x22, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]).Numbers);
        Assert.Equal([-1L, 300], Parse([0x08, 2, 0x10, 7, 0x3A, 12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0xAC, 2]).Integers);
        Assert.Equal([1.0], Parse([0x10, 11, 0x51, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]).Numbers);
        Assert.Equal([1L, 0], Parse([0x08, 2, 0x10, 9, 0x4A, 2, 1, 0]).Integers);
    }

    [Fact]
    public void Narrow_floats_are_widened()
    {
        Assert.Equal([1.0], Parse([0x08, 1, 0x10, 10, 0x4A, 2, 0, 0x3C]).Numbers);
        Assert.Equal([1.0], Parse([0x08, 1, 0x10, 16, 0x4A, 2, 0x80, 0x3F]).Numbers);
        Assert.Equal([1.0], Parse([0x08, 1, 0x10, 10, 0x2A, 2, 0x80, 0x78]).Numbers);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var model = new OnnxModel { Opset = 17, Metadata = { ["key"] = "value" } };
        model.Initializers["w"] = OnnxTensor.Of(OnnxType.Float, [2, 1], [0.5, -3]);
        model.AllInputs.Add(new("x", OnnxType.Float, [new(null, "batch"), new(3, null)]));
        model.Outputs.Add(new("y", OnnxType.Int64, null));
        model.Nodes.Add(new("Op", "", ["x", "", "w"], ["y"],
        [
            new("f") { Float = 0 }, new("i") { Integer = -1 }, new("s") { Text = "text" }, new("fs") { Floats = [1, 2] }, new("is") { Integers = [-1, 300] },
            new("ss") { Texts = ["a", "b"] }, new("t") { Tensor = OnnxTensor.OfIntegers(OnnxType.Int64, [], [7]) },
        ])
        { Name = "node" });
        var read = OnnxModel.Parse(model.Write().ToArray());
        Assert.Equal((17, "value"), (read.Opset, read.Metadata["key"]));
        Assert.Equal([0.5, -3], read.Initializers["w"].Numbers);
        Assert.Equal("x", Assert.Single(read.AllInputs).Name);
        Assert.Equal([new(null, "batch"), new(3, null)], read.AllInputs[0].Dimensions!);
        Assert.Equal(("y", OnnxType.Int64), (read.Outputs[0].Name, read.Outputs[0].Type));
        Assert.Null(read.Outputs[0].Dimensions);
        var node = Assert.Single(read.Nodes);
        Assert.Equal(("Op", "node", "x||w", "y"), (node.Operator, node.Name, string.Join("|", node.Inputs), string.Join("|", node.Outputs)));
        Assert.Equal([1, 2, 3, 6, 7, 8, 4], node.Attributes.Select(a => a.Kind));
        Assert.Equal((0f, -1L, "text"), (node.Attributes[0].Float, node.Attributes[1].Integer, node.Attributes[2].Text));
        Assert.Equal([1f, 2], node.Attributes[3].Floats);
        Assert.Equal([-1L, 300], node.Attributes[4].Integers);
        Assert.Equal(["a", "b"], node.Attributes[5].Texts);
        Assert.Equal([7L], node.Attributes[6].Tensor!.Integers);
    }

    [Theory]
    [InlineData(new byte[] { 0x08 })] // a varint without its bytes
    [InlineData(new byte[] { 0x08, 0x80 })] // a varint that does not end
    [InlineData(new byte[] { 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2 })] // 65 bits
    [InlineData(new byte[] { 0x10, 1, 0x4A, 9, 0, 0 })] // bytes cut short
    [InlineData(new byte[] { 0x10, 1, 0x4A, 3, 0, 0, 0 })] // no whole float
    [InlineData(new byte[] { 0x08, 2, 0x10, 1, 0x4A, 4, 0, 0, 0, 0 })] // one element of two
    [InlineData(new byte[] { 0x10, 99 })] // no such type
    [InlineData(new byte[] { 0x15, 1, 0, 0, 0 })] // the type as a float
    [InlineData(new byte[] { 0x0B })] // a group
    [InlineData(new byte[] { 0x00, 0 })] // field 0
    public void What_is_no_tensor_is_refused(byte[] bytes) => Assert.Throws<ModelFileException>(() => Parse(bytes));

    [Fact]
    public void A_model_is_read()
    {
        // Concat(a, b) -> c with axis = -1, of version 13; b has an initializer.
        byte[] attribute = [0x0A, 4, .. "axis"u8, 0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        byte[] node = [0x0A, 1, (byte)'a', 0x0A, 1, (byte)'b', 0x12, 1, (byte)'c', 0x22, 6, .. "Concat"u8, 0x2A, (byte)attribute.Length, .. attribute];
        byte[] initializer = [0x08, 1, 0x10, 1, 0x42, 1, (byte)'b', 0x4A, 4, 0, 0, 0x80, 0x3F];
        byte[] graph =
        [
            0x0A, (byte)node.Length, .. node, 0x2A, (byte)initializer.Length, .. initializer,
            0x5A, 3, 0x0A, 1, (byte)'a', 0x5A, 3, 0x0A, 1, (byte)'b', 0x62, 3, 0x0A, 1, (byte)'c',
        ];
        var model = OnnxModel.Parse((byte[])[0x3A, (byte)graph.Length, .. graph, 0x42, 2, 0x10, 13]);
        Assert.Equal(13, model.Opset);
        Assert.Equal(["a"], model.Inputs.Select(i => i.Name));
        Assert.Equal(["c"], model.Outputs.Select(o => o.Name));
        Assert.Equal([1.0], model.Initializers["b"].Numbers);
        var read = Assert.Single(model.Nodes);
        Assert.Equal(("Concat", 2, 1), (read.Operator, read.Inputs.Count, read.Outputs.Count));
        Assert.Equal(("axis", -1L), (Assert.Single(read.Attributes).Name, read.Attributes[0].Integer));
    }

    [Fact]
    public void Dimensions_move()
    {
        var x = OnnxTensor.Of(OnnxType.Float, [1, 2, 3], [0, 1, 2, 3, 4, 5]);
        Assert.Equal([0.0, 3, 1, 4, 2, 5], x.ChannelsLast().Numbers);
        Assert.Equal([1, 3, 2], x.ChannelsLast().Shape);
        Assert.Equal(x.Numbers, x.ChannelsLast().ChannelsFirst().Numbers);
        var y = x.Transposed(2, 0, 1);
        Assert.Equal([3, 1, 2], y.Shape);
        Assert.Equal(x.Numbers, y.Moved(0, 2).Numbers);
    }
}
