namespace Backprop.Simd.Tests.Onnx;

/// <summary>The reader of ONNX's files, on bytes written by hand.</summary>
public sealed class OnnxReaderTests
{
    [Fact]
    public void A_tensor_is_read_from_raw_bytes_and_from_typed_fields()
    {
        // dims 2 and 1, float, raw_data 1 and -2.
        var raw = OnnxTensor.Parse([0x08, 2, 0x08, 1, 0x10, 1, 0x4A, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]);
        Assert.Equal(OnnxType.Float, raw.Type);
        Assert.Equal([2, 1], raw.Shape);
        Assert.Equal([1.0, -2], raw.Numbers);

        // packed dims, float_data packed; int64_data packed with -1; double_data alone; a bool.
        Assert.Equal([1.0, -2], OnnxTensor.Parse([0x0A, 1, 2, 0x10, 1, 0x22, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]).Numbers);
        Assert.Equal([-1L, 300], OnnxTensor.Parse([0x08, 2, 0x10, 7, 0x3A, 12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0xAC, 2]).Integers);
        Assert.Equal([1.0], OnnxTensor.Parse([0x10, 11, 0x51, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]).Numbers);
        Assert.Equal([1L, 0], OnnxTensor.Parse([0x08, 2, 0x10, 9, 0x4A, 2, 1, 0]).Integers);
    }

    [Fact]
    public void A_type_in_which_the_library_does_not_compute_is_left_out_not_misread()
    {
        var tensor = OnnxTensor.Parse([0x08, 1, 0x10, 10, 0x4A, 2, 0, 0x3C]);
        Assert.Equal(OnnxType.Half, tensor.Type);
        Assert.Contains("Half", Assert.Throws<LeftOutException>(() => tensor.Numbers).Message, StringComparison.Ordinal);
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
    [InlineData(new byte[] { 0x78, 1 })] // no such field
    public void What_is_no_tensor_is_refused(byte[] bytes) => Assert.Throws<InvalidDataException>(() => OnnxTensor.Parse(bytes));

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
        var model = OnnxModel.Parse([0x3A, (byte)graph.Length, .. graph, 0x42, 2, 0x10, 13]);
        Assert.Equal(13, model.Opset);
        Assert.Equal(["a"], model.Inputs);
        Assert.Equal(["c"], model.Outputs);
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
