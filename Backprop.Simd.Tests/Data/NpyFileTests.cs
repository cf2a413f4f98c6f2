using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using CsCheck;

namespace Backprop.Simd.Tests.Data;

/// <summary>What NumPy writes, in any order of bytes and dimensions.</summary>
public sealed class NpyFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    // From NumPy 1.24: npy_fixtures.py beside this file prints these lines. [2, 3] numbers from -2 in steps of 1, a quarter of it as
    // floating point; bytes from 0.
    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
        "000000BF000080BE000000000000803E0000003F0000403F")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
        "000000BF0000803E000080BE0000003F000000000000403F")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }",
        "BF000000BE800000000000003E8000003F0000003F400000")]
    [InlineData("{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }",
        "BF0000003E800000BE8000003F000000000000003F400000")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
        "000000000000E0BF000000000000D0BF0000000000000000000000000000D03F000000000000E03F000000000000E83F")]
    [InlineData("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }",
        "000000000000E0BF000000000000D03F000000000000D0BF000000000000E03F0000000000000000000000000000E83F")]
    [InlineData("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }",
        "BFE0000000000000BFD000000000000000000000000000003FD00000000000003FE00000000000003FE8000000000000")]
    [InlineData("{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }",
        "BFE00000000000003FD0000000000000BFD00000000000003FE000000000000000000000000000003FE8000000000000")]
    [InlineData("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }",
        "00B800B4000000340038003A")]
    [InlineData("{'descr': '<f2', 'fortran_order': True, 'shape': (2, 3), }",
        "00B8003400B400380000003A")]
    [InlineData("{'descr': '>f2', 'fortran_order': False, 'shape': (2, 3), }",
        "B800B4000000340038003A00")]
    [InlineData("{'descr': '>f2', 'fortran_order': True, 'shape': (2, 3), }",
        "B8003400B400380000003A00")]
    [InlineData("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }",
        "FEFFFFFFFFFFFFFF00000000010000000200000003000000")]
    [InlineData("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }",
        "FEFFFFFF01000000FFFFFFFF020000000000000003000000")]
    [InlineData("{'descr': '>i4', 'fortran_order': False, 'shape': (2, 3), }",
        "FFFFFFFEFFFFFFFF00000000000000010000000200000003")]
    [InlineData("{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }",
        "FFFFFFFE00000001FFFFFFFF000000020000000000000003")]
    [InlineData("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }",
        "FEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0000000000000000010000000000000002000000000000000300000000000000")]
    [InlineData("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3), }",
        "FEFFFFFFFFFFFFFF0100000000000000FFFFFFFFFFFFFFFF020000000000000000000000000000000300000000000000")]
    [InlineData("{'descr': '>i8', 'fortran_order': False, 'shape': (2, 3), }",
        "FFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFF0000000000000000000000000000000100000000000000020000000000000003")]
    [InlineData("{'descr': '>i8', 'fortran_order': True, 'shape': (2, 3), }",
        "FFFFFFFFFFFFFFFE0000000000000001FFFFFFFFFFFFFFFF000000000000000200000000000000000000000000000003")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }",
        "000102030405")]
    [InlineData("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
        "000301040205")]
    public void Files_of_NumPy_are_read(string header, string data)
    {
        Write(header, Convert.FromHexString(data));
        var isMapped = !header.Contains('>', StringComparison.Ordinal) && header.Contains("False", StringComparison.Ordinal);
        if (!isMapped)
        {
            var message = Assert.Throws<DataFormatException>(() => DataArray.MapNpy(_path)).Message;
            Assert.Contains("DataArray.ReadNpy", message, StringComparison.Ordinal);
            Assert.Contains(header.Contains('>', StringComparison.Ordinal) ? "big-endian" : "Fortran order", message, StringComparison.Ordinal);
        }

        foreach (var open in (Func<string, DataArray>[])[DataArray.ReadNpy, .. isMapped ? [DataArray.MapNpy] : Array.Empty<Func<string, DataArray>>()])
        {
            using var array = open(_path);
            Assert.Equal([2L, 3], array.Dimensions.ToArray());
            if (array.Element is ArrayElement.F2 or ArrayElement.F4 or ArrayElement.F8)
            {
                Assert.Equal([0.25, 0.5, 0.75, -0.5, -0.25, 0], Read(array.Values<double>("x"), 1, 0));
                Assert.Equal([-0.5f, -0.25f, 0, 0.25f, 0.5f, 0.75f], Read(array.Values<float>("x"), 0, 1));
            }
            else
            {
                var integers = new int[6];
                array.Indices("x").Read([1, 0], integers);
                var first = array.Element == ArrayElement.U1 ? 0 : -2;
                Assert.Equal([first + 3, first + 4, first + 5, first, first + 1, first + 2], integers);
            }
        }
    }

    [Theory]
    [InlineData("(2L, 3L)", 6)]
    [InlineData("(2, 3L,)", 6)]
    [InlineData("(6L,)", 6)]
    public void Sizes_as_Python_2_wrote_them_are_read(string shape, int count)
    {
        Write($"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", new byte[4 * count]);
        using DataArray mapped = DataArray.MapNpy(_path), read = DataArray.ReadNpy(_path);
        Assert.Equal(count, mapped.Dimensions.ToArray().Aggregate((a, b) => a * b));
        Assert.Equal(mapped.Dimensions.ToArray(), read.Dimensions.ToArray());
    }

    // Element (i0, i1, ...) stands at i0 + n0 (i1 + n1 (i2 + ...)) in the file.
    [Fact]
    public void Fortran_order_is_brought_into_C_order() =>
        Gen.Select(Gen.Int[0, 5].Array[1, 5], Gen.Int[0, 3]).Sample((sizes, k) =>
        {
            var kind = ((string[])["u1", "f2", "f4", "f8"])[k];
            var count = sizes.Aggregate(1, (a, b) => a * b);
            var expected = Enumerable.Range(0, count).Select(i => (double)(i % 200)).ToArray();
            var file = new double[count];
            for (var c = 0; c < count; c++)
            {
                var (rest, f) = (c, 0);
                foreach (var d in Enumerable.Range(0, sizes.Length).Reverse())
                {
                    f += rest % sizes[d] * sizes[..d].Aggregate(1, (a, b) => a * b);
                    rest /= sizes[d];
                }

                file[f] = expected[c];
            }

            byte[] Bytes(double x) => kind switch
            {
                "u1" => [(byte)x],
                "f2" => BitConverter.GetBytes((Half)x),
                "f4" => BitConverter.GetBytes((float)x),
                _ => BitConverter.GetBytes(x),
            };
            var big = kind != "u1" && count % 2 == 1;
            Write($"{{'descr': '{(kind == "u1" ? '|' : big ? '>' : '<')}{kind}', 'fortran_order': True, 'shape': ({string.Join(", ", sizes)},), }}",
                [.. file.SelectMany(x => big ? Bytes(x).Reverse() : Bytes(x))]);
            using var array = DataArray.ReadNpy(_path);
            Assert.Equal(sizes.Select(n => (long)n), array.Dimensions.ToArray());
            if (count == 0)
                return;
            var shape = new Shape(count / sizes[0]);
            var column = kind == "u1" ? array.Bytes<double>("x", shape, 1) : array.Values<double>("x", shape);
            Assert.Equal(expected, Read(column, [.. Enumerable.Range(0, sizes[0])]));
        }, iter: 500, threads: 1);

    [Fact]
    public void Every_half_is_read_as_it_is()
    {
        var halves = Enumerable.Range(0, 1 << 16).Select(i => (ushort)i).ToArray();
        Write("{'descr': '<f2', 'fortran_order': False, 'shape': (65536, 1), }", MemoryMarshal.AsBytes<ushort>(halves));
        using DataArray mapped = DataArray.MapNpy(_path), read = DataArray.ReadNpy(_path);
        foreach (var array in (DataArray[])[mapped, read])
        {
            int[] rows = [.. Enumerable.Range(0, 1 << 16)];
            Assert.Equal(ArrayElement.F2, array.Element);
            Assert.Equal(halves.Select(h => (float)BitConverter.UInt16BitsToHalf(h)), Read(array.Values<float>("x"), rows));
            Assert.Equal(halves.Select(h => (double)BitConverter.UInt16BitsToHalf(h)), Read(array.Values<double>("x"), rows));
        }
    }

    private static T[] Read<T>(ValueColumn<T> column, params int[] rows) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = new T[rows.Length * column.Type.Shape.Size];
        column.Read(rows, numbers);
        return numbers;
    }

    private void Write(string header, ReadOnlySpan<byte> data)
    {
        var text = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)text.Length);
        File.WriteAllBytes(_path, [0x93, .. "NUMPY"u8, 1, 0, .. length, .. Encoding.ASCII.GetBytes(text), .. data]);
    }
}
