using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>NumPy itself, where it is installed, opens what is written and writes what is read.</summary>
public sealed class NumPyExchangeTests(ITestOutputHelper output) : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-numpy-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void NumPy_opens_what_is_written()
    {
        if (!IsThere())
            return;
        Npy.Write(Path.Combine(_folder, "one.npy"), new[] { 0.5f, -1, float.PositiveInfinity, 3, 4, 1 / 3f }, 2, 3);
        Npy.Write(Path.Combine(_folder, "number.npy"), [-7L]);
        Npy.Write(Path.Combine(_folder, "nothing.npy"), Array.Empty<byte>(), 0, 5);
        foreach (var compress in (bool[])[false, true])
        {
            Npz.Write(Path.Combine(_folder, $"many{compress}.npz"), file =>
            {
                file.Add("b", new[] { true, false }, 2);
                file.Add("i1", new sbyte[] { -128, 127 }, 2);
                file.Add("i2", new short[] { -300, 300 }, 2);
                file.Add("i4", new[] { int.MinValue, 5 }, 2);
                file.Add("i8", new long[] { long.MaxValue, 5 }, 2);
                file.Add("u1", new byte[] { 255, 5 }, 2);
                file.Add("u2", new ushort[] { 65535, 5 }, 2);
                file.Add("u4", new uint[] { uint.MaxValue, 5 }, 2);
                file.Add("u8", new ulong[] { ulong.MaxValue, 5 }, 2);
                file.Add("f2", new[] { (Half)0.5, Half.NaN }, 2);
                file.Add("layer/d\u00e9j\u00e0", new[] { 0.1, -0.0 }, 2, 1);
            }, compress);
        }

        var lines = Run("""
            def show(a):
                print(a.dtype.str, a.shape, a.flags.c_contiguous, a.tolist())
            for name in ["one", "number", "nothing"]:
                show(np.load(name + ".npy", allow_pickle=False))
            for name in ["manyFalse.npz", "manyTrue.npz"]:
                file = np.load(name, allow_pickle=False)
                assert file.zip.testzip() is None
                for key in file.files:
                    print(ascii(key), end=" ")
                    show(file[key])
            """);
        string[] many =
        [
            "'b' |b1 (2,) True [True, False]", "'i1' |i1 (2,) True [-128, 127]", "'i2' <i2 (2,) True [-300, 300]", "'i4' <i4 (2,) True [-2147483648, 5]",
            "'i8' <i8 (2,) True [9223372036854775807, 5]", "'u1' |u1 (2,) True [255, 5]", "'u2' <u2 (2,) True [65535, 5]",
            "'u4' <u4 (2,) True [4294967295, 5]", "'u8' <u8 (2,) True [18446744073709551615, 5]", "'f2' <f2 (2,) True [0.5, nan]",
            "'layer/d\\xe9j\\xe0' <f8 (2, 1) True [[0.1], [-0.0]]",
        ];
        Assert.Equal(["<f4 (2, 3) True [[0.5, -1.0, inf], [3.0, 4.0, 0.3333333432674408]]", "<i8 () True -7", "|u1 (0, 5) True []", .. many, .. many], lines);
    }

    [Fact]
    public void What_NumPy_writes_is_read()
    {
        if (!IsThere())
            return;
        var lines = Run("""
            random = np.random.RandomState(5)
            for i in range(60):
                code = random.choice(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
                shape = tuple(random.randint(0, 5, random.randint(0, 5)))
                a = random.randint(0, 100, shape).astype(random.choice(["<", ">"]) + code)
                a = np.array(a, order=random.choice(["C", "F"]))
                np.save(f"{i}.npy", a)
                np.savez(f"{i}.npz", x=a, y=a.T)
                np.savez_compressed(f"{i}c.npz", x=a, y=a.T)
                print(list(shape), *a.flatten().astype(float), sep=";")
            """);
        Assert.Equal(60, lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            var cells = lines[i].Split(';');
            var values = cells[1..].Select(c => double.Parse(c, CultureInfo.InvariantCulture)).ToArray();
            foreach (var array in (NpyArray[])[Npy.Read(Path.Combine(_folder, $"{i}.npy")), Npz.Read(Path.Combine(_folder, $"{i}.npz"))["x"],
                Npz.Read(Path.Combine(_folder, $"{i}c.npz"))["x"]])
            {
                Assert.Equal(cells[0], $"[{string.Join(", ", array.Dimensions.ToArray())}]");
                Assert.Equal(values, NumPyFiles.Own(array));
            }

            var transposed = Npz.Read(Path.Combine(_folder, $"{i}c.npz"))["y"];
            Assert.Equal(cells[0], $"[{string.Join(", ", transposed.Dimensions.ToArray().Reverse())}]");
        }
    }

    // The fixtures are what the program beside them makes.
    [Fact]
    public void The_kept_files_come_from_their_program()
    {
        if (!IsThere())
            return;
        File.Copy(Path.Combine(RepositoryRoot.Path, "Backprop.Simd.Tests", "NumPy", "arrays.py"), Path.Combine(_folder, "arrays.py"));
        Run("exec(compile(open('arrays.py').read(), 'arrays.py', 'exec'), {'__file__': 'arrays.py'})");
        Assert.Equal(NumPyFiles.All.Count, File.ReadAllLines(Path.Combine(_folder, "arrays.txt")).Length);
    }

    private bool IsThere()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import numpy; print(numpy.__version__)"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var version = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            output.WriteLine(process.ExitCode == 0 ? $"NumPy {version.Trim()}" : "not run: the package python3-numpy is not installed");
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            output.WriteLine($"not run: there is no {Python}");
            return false;
        }
    }

    private string[] Run(string program)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import numpy as np\n" + program])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var lines = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return lines.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
