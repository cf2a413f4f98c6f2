using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Data;

public sealed class DataArrayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-arrays-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void NumPy_files_are_mapped_and_read(byte version)
    {
        var numbers = Enumerable.Range(0, 24).Select(i => i / 7f).ToArray();
        var path = Npy("<f4", "(4, 2, 3)", MemoryMarshal.AsBytes<float>(numbers), version);
        using DataArray mapped = DataArray.MapNpy(path), read = DataArray.ReadNpy(path);
        foreach (var array in (DataArray[])[mapped, read])
        {
            Assert.Equal((path, ArrayElement.F4), (array.Path, array.Element));
            Assert.Equal([4L, 2L, 3L], array.Dimensions.ToArray());
            var column = array.Values<float>("x");
            Assert.Equal((new Shape(2, 3), 4), (column.Type.Shape, column.Count));
            Assert.Equal([.. numbers[18..], .. numbers[..12]], Read<float>(column, 3, 0, 1));
            Assert.Equal(numbers[6..12].Select(x => (double)x), Read<double>(array.Values<double>("x", new Shape(6)), 1));
        }
    }

    [Fact]
    public void Every_element_type_comes_as_it_should()
    {
        double[] wide = [1 / 3.0, double.NaN, -0.0, 1e300];
        using (var array = DataArray.MapNpy(Npy("<f8", "(4,)", MemoryMarshal.AsBytes<double>(wide))))
        {
            Assert.Equal(wide, Read<double>(array.Values<double>("x"), 0, 1, 2, 3));
            Assert.Equal(wide.Select(x => (float)x), Read<float>(array.Values<float>("x"), 0, 1, 2, 3));
            Assert.Contains("F8; 'x' takes U1", Assert.Throws<DataFormatException>(() => array.Bytes<float>("x")).Message, StringComparison.Ordinal);
            Assert.Contains("'x' takes integers or truth values", Assert.Throws<DataFormatException>(() => array.Indices("x")).Message,
                StringComparison.Ordinal);
        }

        using (var array = DataArray.MapNpy(Npy("|u1", "(3, 2)", [0, 51, 102, 153, 204, 255])))
        {
            Assert.Equal([204 / 255f, 1, 0, 51 / 255f], Read<float>(array.Bytes<float>("x"), 2, 0));
            Assert.Equal([204.0, 255], Read<double>(array.Bytes<double>("x", maximum: 1), 2));
            Assert.Equal([102, 153], Read(array.Indices("x"), 1));
            Assert.Throws<DataFormatException>(() => array.Labels("x"));
            Assert.Throws<DataFormatException>(() => array.Values<float>("x"));
        }

        using (var array = DataArray.MapNpy(Npy("<i4", "(3, 1)", MemoryMarshal.AsBytes<int>(new[] { 5, int.MinValue, 0 }))))
        {
            Assert.Equal([0, 5, int.MinValue], Read(array.Labels("labels"), 2, 0, 1));
            var error = Assert.Throws<DataFormatException>(() => array.Labels("labels", 6));
            Assert.Contains("label -2147483648 in row 1; expected 0 to 5", error.Message, StringComparison.Ordinal);
        }

        using (var array = DataArray.MapNpy(Npy("<i8", "(3,)", MemoryMarshal.AsBytes<long>(new[] { 7L, int.MaxValue, 1L << 31 }))))
        {
            Assert.Equal([int.MaxValue, 7], Read(array.Indices("x"), 1, 0));
            Assert.Contains("row 2", Assert.Throws<InvalidDataException>(() => Read(array.Indices("x"), 2)).Message, StringComparison.Ordinal);
            Assert.Throws<InvalidDataException>(() => array.Labels("x", 10));
        }
    }

    [Theory]
    [InlineData("|i1", "80FF7F", new[] { -128, -1, 127 })]
    [InlineData("<i2", "0080FFFF0100", new[] { -32768, -1, 1 })]
    [InlineData("<u2", "0000FFFF0100", new[] { 0, 65535, 1 })]
    [InlineData("<u4", "00000000FFFFFF7F01000000", new[] { 0, int.MaxValue, 1 })]
    [InlineData("<u8", "0000000000000000FFFFFF7F000000000100000000000000", new[] { 0, int.MaxValue, 1 })]
    [InlineData("|b1", "000102", new[] { 0, 1, 1 })]
    public void Every_integer_that_fits_is_an_index(string type, string data, int[] expected)
    {
        var path = Npy(type, "(3,)", Convert.FromHexString(data));
        using DataArray mapped = DataArray.MapNpy(path), read = DataArray.ReadNpy(path);
        Assert.Equal(expected, Read(mapped.Indices("x"), 0, 1, 2));
        Assert.Equal(expected, Read(read.Indices("x"), 0, 1, 2));
    }

    [Theory]
    [InlineData("<u4", "00000080")]
    [InlineData("<u8", "0000008000000000")]
    [InlineData("<u8", "FFFFFFFFFFFFFFFF")]
    [InlineData("<i8", "FFFFFF7FFFFFFFFF")]
    public void An_integer_that_does_not_fit_is_refused_where_it_is_read(string type, string data)
    {
        using var array = DataArray.MapNpy(Npy(type, "(1,)", Convert.FromHexString(data)));
        Assert.Contains("row 0", Assert.Throws<InvalidDataException>(() => Read(array.Indices("x"), 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var array = DataArray.MapNpy(Npy("<f4", "(4, 2, 3)", new byte[96]));
        Assert.Contains("[4, 2, 3]; 'x' [5] takes 5", Assert.Throws<DataFormatException>(() => array.Values<float>("x", new Shape(5))).Message,
            StringComparison.Ordinal);
        using var scalar = DataArray.MapNpy(Npy("<f4", "()", new byte[4]));
        Assert.Throws<DataFormatException>(() => scalar.Values<float>("x"));
        using var none = DataArray.MapNpy(Npy("<f4", "(3, 0)", []));
        Assert.Throws<DataFormatException>(() => none.Values<float>("x"));
        using var deep = DataArray.MapNpy(Npy("<f4", "(1, 1, 1, 1, 1, 1, 1, 1)", new byte[4]));
        Assert.Throws<DataFormatException>(() => deep.Values<float>("x"));
        Assert.Equal(1, deep.Values<float>("x", Shape.Scalar).Count);
        using var empty = DataArray.MapNpy(Npy("<f4", "(0, 3)", []));
        Assert.Equal(0, empty.Values<float>("x").Count);
    }

    [Theory]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", "'<c8'")]
    [InlineData("{'descr': '', 'fortran_order': False, 'shape': (2, 3), }", "''")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2LL, 3), }", "expected ')'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (L, 3), }", "expected a size")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "holds records")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "a key is missing")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 'y'}", "unknown")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "twice")]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", "expected True or False")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (6)}", "comma")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}", "expected a size")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3)}", "expected a size")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904, 16)}", "more than any file")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", "[2, 4] elements of 4 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", "after the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", "expected '}'")]
    [InlineData("{'descr': '<f4", "expected a string")]
    [InlineData("", "expected '{'")]
    public void Headers_that_say_something_else_are_refused(string header, string expected)
    {
        var path = Write(NpyBytes(header, new byte[24], 1));
        Assert.Contains(expected, Assert.Throws<DataFormatException>(() => DataArray.MapNpy(path)).Message, StringComparison.Ordinal);
        Assert.Contains(path, Assert.Throws<DataFormatException>(() => DataArray.ReadNpy(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_NumPy_file_cut_or_changed_anywhere_is_refused_or_is_whole()
    {
        var whole = NpyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", new byte[24], 1);
        for (var length = 0; length < whole.Length; length++)
        {
            var path = Write(whole[..length]);
            Assert.Throws<DataFormatException>(() => DataArray.MapNpy(path));
            Assert.Throws<DataFormatException>(() => DataArray.ReadNpy(path));
        }

        var longer = Write([.. whole, 0]);
        Assert.Throws<DataFormatException>(() => DataArray.MapNpy(longer));
        for (var at = 0; at < whole.Length - 24; at++)
        {
            foreach (var value in (byte[])[0, (byte)'9', (byte)'\'', 0xFF])
            {
                var changed = whole.ToArray();
                changed[at] = value;
                try
                {
                    using var array = DataArray.MapNpy(Write(changed));
                    Assert.Equal(24 / array.Element.Size(), array.Dimensions.ToArray().Aggregate((a, b) => a * b));
                }
                catch (DataFormatException)
                {
                }
            }
        }
    }

    [Fact]
    public void Idx_files_of_every_rank_are_mapped()
    {
        for (var rank = 1; rank <= 4; rank++)
        {
            int[] sizes = [3, .. Enumerable.Range(2, rank - 1)];
            var data = Enumerable.Range(0, sizes.Aggregate((a, b) => a * b)).Select(i => (byte)i).ToArray();
            using var array = DataArray.MapIdx(Write([0, 0, 8, (byte)rank, .. sizes.SelectMany(BigEndian), .. data]));
            var column = array.Bytes<double>("x", maximum: 1);
            Assert.Equal(new Shape(sizes.AsSpan(1)), column.Type.Shape);
            Assert.Equal(data[^column.Type.Shape.Size..].Select(x => (double)x), Read<double>(column, 2));
        }
    }

    [Fact]
    public void An_Idx_file_that_is_something_else_is_refused()
    {
        byte[] whole = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        for (var length = 0; length < whole.Length; length++)
        {
            var path = Write(whole[..length]);
            Assert.Throws<DataFormatException>(() => DataArray.MapIdx(path));
        }

        foreach (var (at, value) in (ReadOnlySpan<(int, byte)>)[(0, 1), (2, 9), (3, 0), (3, 5), (4, 0xFF), (7, 3)])
        {
            var changed = whole.ToArray();
            changed[at] = value;
            Assert.Throws<DataFormatException>(() => DataArray.MapIdx(Write(changed)));
        }

        Assert.Contains("gzip", Assert.Throws<DataFormatException>(() => DataArray.MapIdx(Write([0x1F, 0x8B, 8, 0]))).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => DataArray.MapIdx(Path.Combine(_folder, "none")));
        Assert.Throws<FileNotFoundException>(() => DataArray.ReadNpy(Path.Combine(_folder, "none")));
    }

    [Fact]
    public void Raw_rows_fill_the_file()
    {
        var path = Write([9, 9, .. MemoryMarshal.AsBytes<double>(new double[] { 1, 2, 3, 4, 5, 6 })]);
        using var array = DataArray.MapRaw(path, ArrayElement.F8, new Shape(2), offset: 2);
        Assert.Equal([3L, 2L], array.Dimensions.ToArray());
        Assert.Equal([5.0, 6, 1, 2], Read<double>(array.Values<double>("x"), 2, 0));
        Assert.Contains("has 50 bytes; expected 3 and a multiple of 16",
            Assert.Throws<DataFormatException>(() => DataArray.MapRaw(path, ArrayElement.F8, new Shape(2), 3)).Message, StringComparison.Ordinal);
        Assert.Throws<DataFormatException>(() => DataArray.MapRaw(path, ArrayElement.F8, new Shape(2), long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => DataArray.MapRaw(path, ArrayElement.F8, new Shape(2), -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => DataArray.MapRaw(path, (ArrayElement)99, new Shape(2)));
    }

    [Fact]
    public void A_file_beyond_two_gigabytes_is_read_at_its_end()
    {
        // Sparse: the file takes a page or two.
        const int Rows = 3_000_000;
        var path = Path.Combine(_folder, "large");
        using (var stream = File.Create(path))
        {
            stream.SetLength(1000L * Rows);
            stream.Position = 1000L * (Rows - 1);
            stream.Write([255, 51]);
        }

        using var array = DataArray.MapRaw(path, ArrayElement.U1, new Shape(1000));
        var numbers = Read<float>(array.Bytes<float>("x"), Rows - 1, 0);
        Assert.Equal([1, 51 / 255f, 0], numbers[..3]);
        Assert.Equal(0, numbers[1000]);
    }

    [Fact]
    public void A_column_of_a_disposed_array_throws()
    {
        var array = DataArray.MapNpy(Npy("<f4", "(4, 2)", new byte[32]));
        var column = array.Values<float>("x");
        Read<float>(column, 0);
        array.Dispose();
        array.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Read<float>(column, 0));
        Assert.Throws<ObjectDisposedException>(() => array.Values<float>("x"));
    }

    [Fact]
    public async Task Disposing_while_others_read_ends_in_exceptions_never_in_a_fault()
    {
        var path = Npy("<f4", "(1000, 100)", new byte[400_000]);
        for (var round = 0; round < 20; round++)
        {
            var array = DataArray.MapNpy(path);
            var column = array.Values<float>("x");
            var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
            {
                var (rows, numbers) = (Enumerable.Range(0, 1000).Reverse().ToArray(), new float[100_000]);
                while (true)
                    column.Read(rows, numbers);
            })).ToArray();
            await Task.Delay(3);
            array.Dispose();
            foreach (var reader in readers)
                await Assert.ThrowsAsync<ObjectDisposedException>(() => reader);
        }
    }

    [Fact]
    public void A_loader_of_a_mapped_set_reports_the_disposal()
    {
        var array = DataArray.MapNpy(Npy("<f4", "(40, 2)", new byte[320]));
        using var loader = new BatchLoader<float>(new Dataset<float>(array.Values<float>("x")), 4, new() { Prefetch = 2 });
        loader.Next();
        array.Dispose();
        Assert.Throws<ObjectDisposedException>(() =>
        {
            for (var i = 0; i < 10; i++)
                loader.Next();
        });
    }

    private static byte[] BigEndian(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static T[] Read<T>(ValueColumn<T> column, params int[] rows) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = new T[rows.Length * column.Type.Shape.Size];
        column.Read(rows, numbers);
        return numbers;
    }

    private static int[] Read(IndexColumn column, params int[] rows)
    {
        var integers = new int[rows.Length * column.Type.Shape.Size];
        column.Read(rows, integers);
        return integers;
    }

    private string Npy(string type, string shape, ReadOnlySpan<byte> data, byte version = 1) =>
        Write(NpyBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}", data, version));

    private static byte[] NpyBytes(string header, ReadOnlySpan<byte> data, byte version)
    {
        var prefix = version == 1 ? 10 : 12;
        var text = header.PadRight((header.Length + prefix + 1 + 63) / 64 * 64 - prefix - 1) + "\n";
        byte[] length = version == 1 ? [(byte)text.Length, (byte)(text.Length >> 8)] : [(byte)text.Length, (byte)(text.Length >> 8), 0, 0];
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. Encoding.ASCII.GetBytes(text), .. data];
    }

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, bytes);
        return path;
    }

    [Fact]
    public void Rows_that_share_memory_with_the_destination_are_refused()
    {
        var column = Columns.Indices("i", new Shape(2), Enumerable.Range(0, 20).ToArray());
        int[] buffer = [4, 3, 9, 0, 0, 0];
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => column.Read(buffer.AsSpan(0, 3), buffer)).ParamName);
        Assert.Equal([4, 3, 9, 0, 0, 0], buffer);
    }
}
