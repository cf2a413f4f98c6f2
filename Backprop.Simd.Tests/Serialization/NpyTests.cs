using System.Buffers.Binary;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using Backprop.Simd.Data;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Files of one array: what NumPy wrote is read, what is written comes back, and what is damaged is refused.</summary>
public sealed class NpyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-npy-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Names() => [.. NumPyFiles.All.Where(f => f.Kind == "npy").Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Files_of_NumPy_are_read_from_paths_and_streams(string name)
    {
        var file = NumPyFiles.All.Single(f => f.Kind == "npy" && f.Name == name);
        var path = Path.Combine(_folder, "a.npy");
        File.WriteAllBytes(path, file.Content);
        using var seekable = new MemoryStream([.. file.Content, 1, 2, 3]);
        using var forward = new ForwardStream([.. file.Content, 1, 2, 3]);
        foreach (var array in (NpyArray[])[Npy.Read(path), Npy.Read(seekable), Npy.Read(forward)])
        {
            Assert.Equal(file.Type, array.Element.ToString().ToLowerInvariant());
            Assert.Equal(file.Sizes, array.Dimensions.ToArray());
            Assert.Equal(file.Values.Length, array.Length);
            Assert.Equal(file.Values, array.ToArray<double>());
            Assert.Equal(file.Values.Select(v => (float)v), array.ToArray<float>());
            Assert.Equal(file.Values, NumPyFiles.Own(array));
        }

        // A stream stands behind the array.
        Assert.Equal(1, seekable.ReadByte());
        Assert.Equal(1, forward.ReadByte());
        using var columns = DataArray.ReadNpy(path);
        Assert.Equal(file.Sizes, columns.Dimensions.ToArray());
    }

    [Fact]
    public void Every_type_is_written_and_read_to_the_bit()
    {
        Same<float>([1.5f, float.NaN, -0f, float.NegativeInfinity], ArrayElement.F4);
        Same<double>([Math.PI, double.Epsilon, -0.0, double.MaxValue], ArrayElement.F8);
        Same<Half>([Half.Epsilon, Half.MaxValue, (Half)0.1, Half.NegativeInfinity], ArrayElement.F2);
        Same<bool>([true, false, false, true], ArrayElement.B1);
        Same<byte>([0, 255, 7, 1], ArrayElement.U1);
        Same<sbyte>([-128, 127, 0, -1], ArrayElement.I1);
        Same<short>([short.MinValue, short.MaxValue, 0, 1], ArrayElement.I2);
        Same<ushort>([0, ushort.MaxValue, 1, 2], ArrayElement.U2);
        Same<int>([int.MinValue, int.MaxValue, 0, 1], ArrayElement.I4);
        Same<uint>([0, uint.MaxValue, 1, 2], ArrayElement.U4);
        Same<long>([long.MinValue, long.MaxValue, 0, 1], ArrayElement.I8);
        Same<ulong>([0, ulong.MaxValue, 1, 2], ArrayElement.U8);
    }

    private void Same<T>(T[] values, ArrayElement element) where T : unmanaged
    {
        var path = Path.Combine(_folder, "same.npy");
        Npy.Write(path, values, 2, 1, 2);
        using var stream = new MemoryStream();
        Npy.Write(stream, values, 2, 1, 2);
        Assert.Equal(File.ReadAllBytes(path), stream.ToArray());
        Assert.Equal(0, (stream.Length - 4 * element.Size()) % 64);
        var array = Npy.Read(path);
        Assert.Equal((element, 4), (array.Element, array.Length));
        Assert.Equal([2L, 1, 2], array.Dimensions.ToArray());
        Assert.Equal(MemoryMarshal.AsBytes<T>(values).ToArray(), MemoryMarshal.AsBytes(array.Values<T>()).ToArray());
        Npy.WriteTensor<T>(path, Tensor.Create(values, [2, 1, 2]));
        Assert.Equal(File.ReadAllBytes(path), stream.ToArray());
    }

    [Fact]
    public void Arrays_of_any_sizes_are_written()
    {
        using var stream = new MemoryStream();
        Npy.Write(stream, [2.5]);
        Npy.Write(stream, new int[3], 3);
        Npy.Write(stream, Array.Empty<float>(), 2, 0);
        stream.Position = 0;
        Assert.Equal([], Npy.Read(stream).Dimensions.ToArray());
        Assert.Equal([3L], Npy.Read(stream).Dimensions.ToArray());
        Assert.Equal([2L, 0], Npy.Read(stream).Dimensions.ToArray());
        Assert.Equal(stream.Length, stream.Position);
        foreach (var (shape, text) in (ReadOnlySpan<(int[], string)>)[([2], "[2] does not have the 6 elements"), ([], "[] does not have"),
            ([-2, -3], "0 or more"), ([int.MaxValue, int.MaxValue, int.MaxValue], "does not have"), ([.. Enumerable.Repeat(1, 65)], "at most 64 sizes")])
        {
            var error = Assert.Throws<ArgumentException>(() => Npy.Write(stream, new float[6], shape));
            Assert.Equal("shape", error.ParamName);
            Assert.Contains(text, error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<NotSupportedException>(() => Npy.Write(stream, new char[1], 1));
        Assert.Equal("stream", Assert.Throws<ArgumentException>(() => Npy.Write(new MemoryStream([], writable: false), new float[1], 1)).ParamName);
    }

    [Fact]
    public void A_file_is_replaced_in_whole_or_not_at_all()
    {
        var path = Path.Combine(_folder, "kept.npy");
        Npy.Write(path, new float[] { 1, 2 }, 2);
        var before = File.ReadAllBytes(path);
        Assert.Throws<ArgumentException>(() => Npy.Write(path, new float[] { 1, 2 }, 3));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Numbers_are_converted_where_nothing_is_lost_but_rounding()
    {
        var doubles = Read<double>([1 / 3.0, 1e300, double.NaN]);
        Assert.Equal([1 / 3f, float.PositiveInfinity, float.NaN], doubles.ToArray<float>());
        Assert.Contains("do not become Int32: read them as float or double", Refused(() => doubles.ToArray<int>()), StringComparison.Ordinal);
        var longs = Read<long>([1L << 40, -1, (1L << 53) + 1]);
        Assert.Equal([1099511627776.0, -1, 9007199254740992], longs.ToArray<double>());
        Assert.Contains("holds 1099511627776 at index 0 of [3], which does not fit Int32", Refused(() => longs.ToArray<int>()), StringComparison.Ordinal);
        Assert.Contains("does not fit UInt64", Refused(() => longs.ToArray<ulong>()), StringComparison.Ordinal);
        Assert.Equal([ulong.MaxValue, 5], Read<ulong>([ulong.MaxValue, 5]).ToArray<ulong>());
        Assert.Contains("does not fit Int64", Refused(() => Read<ulong>([ulong.MaxValue]).ToArray<long>()), StringComparison.Ordinal);
        Assert.Equal([200L, 7], Read<byte>([200, 7]).ToArray<long>());
        Assert.Contains("does not fit SByte", Refused(() => Read<byte>([200, 7]).ToArray<sbyte>()), StringComparison.Ordinal);
        Assert.Equal([1f, 0], Read<bool>([true, false]).ToArray<float>());
        Assert.Contains("of F8, not of Single: ToArray and CopyTo convert", Refused(() => doubles.Values<float>()), StringComparison.Ordinal);
        Assert.Contains("of I8, not of UInt64", Refused(() => longs.Values<ulong>()), StringComparison.Ordinal);
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => doubles.CopyTo(new double[2])).ParamName);
    }

    [Fact]
    public void Tensors_go_in_and_out()
    {
        float[] values = [0, 1, 2, 3, 4, 5];
        using var stream = new MemoryStream();
        Npy.WriteTensor<float>(stream, Tensor.Create(values, [2, 3]));
        Npy.WriteTensor(stream, new ReadOnlyTensorSpan<float>(values, [3, 2], [1, 3]));                 // Transposed: copied into C order.
        Npy.WriteTensor(stream, new ReadOnlyTensorSpan<float>(values, [2, 2], [3, 1]));                 // With gaps.
        Npy.WriteTensor(stream, new ReadOnlyTensorSpan<float>(Array.Empty<float>(), [2, 0]));
        stream.Position = 0;
        var dense = Npy.Read(stream);
        var tensor = dense.ToTensor<double>();
        Assert.Equal([2, 3], tensor.Lengths.ToArray());
        Assert.Equal(5, tensor[1, 2]);
        var view = dense.AsTensorSpan<float>();
        Assert.Equal([2, 3], view.Lengths.ToArray());
        Assert.True(System.Runtime.CompilerServices.Unsafe.AreSame(in view[0, 0], in dense.Values<float>()[0]));
        var transposed = Npy.Read(stream);
        Assert.Equal([3L, 2], transposed.Dimensions.ToArray());
        Assert.Equal([0, 3, 1, 4, 2, 5], transposed.ToArray<float>());
        Assert.Equal([0, 1, 3, 4], Npy.Read(stream).ToArray<float>());
        var nothing = Npy.Read(stream);
        Assert.Equal([2L, 0], nothing.Dimensions.ToArray());
        Assert.Equal([2, 0], nothing.ToTensor<float>().Lengths.ToArray());
        Assert.Equal([2, 0], nothing.AsTensorSpan<float>().Lengths.ToArray());
        Assert.Equal("tensor", Assert.Throws<ArgumentException>(() => Npy.WriteTensor(stream, default(ReadOnlyTensorSpan<float>))).ParamName);
        Assert.Equal([1], Read<float>([7], []).ToTensor<float>().Lengths.ToArray());
    }

    [Fact]
    public void A_stream_is_read_up_to_the_bytes_allowed_and_no_memory_is_taken_on_its_word()
    {
        using var stream = new MemoryStream();
        Npy.Write(stream, new double[100], 100);
        foreach (var source in (Func<Stream>[])[() => new MemoryStream(stream.ToArray()), () => new ForwardStream(stream.ToArray())])
        {
            Assert.Equal(100, Npy.Read(source(), 800).Length);
            Assert.Contains("800 bytes, more than the 799 of 'maximumBytes'", Refused(() => Npy.Read(source(), 799)), StringComparison.Ordinal);
        }

        // A header that claims 256 MiB, and no byte behind it.
        var claims = NpyHeader.Write(ArrayElement.F4, [1 << 26]);
        foreach (var source in (Func<Stream>[])[() => new MemoryStream(claims), () => new ForwardStream(claims)])
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Contains("ends after 0 bytes of its elements", Refused(() => Npy.Read(source())), StringComparison.Ordinal);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 200_000);
        }

        var huge = NpyHeader.Write(ArrayElement.F4, [1L << 40]);
        Assert.Contains("more than one managed array holds", Refused(() => Npy.Read(new MemoryStream(huge), long.MaxValue)), StringComparison.Ordinal);
        Assert.Equal("maximumBytes", Assert.Throws<ArgumentOutOfRangeException>(() => Npy.Read(new MemoryStream(huge), -1)).ParamName);
    }

    [Fact]
    public void An_array_that_grows_while_it_is_read_is_whole()
    {
        var values = Enumerable.Range(0, 300_001).ToArray();
        using var stream = new MemoryStream();
        Npy.Write(stream, values, values.Length);
        Assert.Equal(values, Npy.Read(new ForwardStream(stream.ToArray())).ToArray<int>());
    }

    [Fact]
    public void What_is_no_array_is_refused()
    {
        foreach (var (type, text) in (ReadOnlySpan<(string, string)>)[("'<c8'", "'<c8', complex numbers, which are not read: save x.real and x.imag"),
            ("'|O'", "'|O', Python objects"), ("'<U5'", "'<U5', text"), ("'|S5'", "'|S5', text"), ("'<f16'", "'<f16', floats wider than a double"),
            ("'|V4'", "'|V4', records"), ("[('a', '<f4')]", "records, which are not read: save each field"), ("'<M8[s]'", "'<M8[s]', times"),
            ("'q'", "'q'; expected"), ("''", "''; expected")])
        {
            var header = $"{{'descr': {type}, 'fortran_order': False, 'shape': (2,), }}".PadRight(117) + "\n";
            byte[] file = [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. new byte[16]];
            Assert.Contains(text, Refused(() => Npy.Read(new MemoryStream(file))), StringComparison.Ordinal);
        }

        var sizes = string.Concat(Enumerable.Repeat("1,", 65));
        var many = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({sizes}), }}\n";
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)many.Length);
        Assert.Contains("at most 64 sizes", Refused(() => Npy.Read(new MemoryStream(
            [0x93, .. "NUMPY"u8, 1, 0, .. length, .. Encoding.ASCII.GetBytes(many), .. new byte[4]]))), StringComparison.Ordinal);
        Assert.Contains("header of 4294967295 bytes", Refused(() => Npy.Read(new MemoryStream(
            [0x93, .. "NUMPY"u8, 2, 0, 255, 255, 255, 255]))), StringComparison.Ordinal);
        var path = Path.Combine(_folder, "longer.npy");
        File.WriteAllBytes(path, [.. NpyHeader.Write(ArrayElement.U1, [2]), 1, 2, 3]);
        Assert.Contains("has 131 bytes; expected 130", Refused(() => Npy.Read(path)), StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => Npy.Read(Path.Combine(_folder, "none")));
    }

    // A bool has no other byte than 0 and 1.
    [Fact]
    public void Every_byte_that_is_not_zero_is_true()
    {
        byte[] file = [.. NpyHeader.Write(ArrayElement.B1, [4]), 0, 1, 2, 255];
        Assert.Equal([0, 1, 1, 1], MemoryMarshal.AsBytes(Npy.Read(new MemoryStream(file)).Values<bool>()).ToArray());
        var path = Path.Combine(_folder, "truths.npy");
        File.WriteAllBytes(path, file);
        using DataArray mapped = DataArray.MapNpy(path), read = DataArray.ReadNpy(path);
        foreach (var array in (DataArray[])[mapped, read])
        {
            var truths = new int[4];
            array.Indices("x", new Backprop.Simd.Layers.Shape()).Read([0, 1, 2, 3], truths);
            Assert.Equal([0, 1, 1, 1], truths);
        }
    }

    private static NpyArray Read<T>(T[] values, params int[] shape) where T : unmanaged
    {
        using var stream = new MemoryStream();
        if (shape.Length == 0 && values.Length == 1)
            Npy.Write(stream, values);
        else
            Npy.Write(stream, values, values.Length);
        stream.Position = 0;
        return Npy.Read(stream);
    }

    private static string Refused(Action read) => Assert.Throws<DataFormatException>(read).Message;
}
