using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace Backprop.Simd.Bench;

/// <summary>LibTorch (MKL, oneDNN) through TorchSharp. Forms that write into an existing tensor are used where TorchSharp has them.</summary>
internal sealed partial class TorchPeer : IPeer
{
    public const string LibTorch = "LibTorch";

    /// <exception cref="DllNotFoundException">The natives do not load here.</exception>
    public TorchPeer()
    {
        // Tried here first: TorchSharp would answer a failure by copying half a gigabyte of natives, and fail again.
        var natives = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        if (OperatingSystem.IsLinux() && File.Exists(natives))
        {
            try
            {
                NativeLibrary.Load(natives);
            }
            catch (DllNotFoundException e)
            {
                throw new DllNotFoundException($"{e.Message.Split('\n')[^1]} (`peers prepare` lets it load on an older libstdc++)", e);
            }
        }

        if (OperatingSystem.IsLinux())
            KeepFreedMemory();
        InitializeDeviceType(DeviceType.CPU);
    }

    public string Name => LibTorch;

    public string Description => $"TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, LibTorch {__version__}";

    public void UseThreads(int threads) => set_num_threads(threads);

    /// <summary>C is the destination: addmm_ and addmv_ with beta = 0, the only forms of TorchSharp without a new tensor per call.</summary>
    public Call? Gemm<T>(GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var p = problem;
        var storedA = Matrix(p.A, p.StoredA);
        var storedB = Matrix(p.B, p.StoredB);
        var a = p.TransposeA ? storedA.t() : storedA;
        var b = p.TransposeB ? storedB.t() : storedB;
        var c = Matrix(p.C, (p.M, p.N));
        var row = a.select(0, 0);
        var column = b.select(1, 0);
        var flat = c.view(-1);
        var transposed = b.t();
        Action run = p.N == 1 ? () => flat.addmv_(a, column, beta: 0)
            : p.M == 1 ? () => flat.addmv_(transposed, row, beta: 0)
            : () => c.addmm_(a, b, beta: 0);
        return new Call(run, () => Read<T>(c), storedA, storedB, a, b, c, row, column, flat, transposed);
    }

    public void Dispose()
    {
    }

    /// <summary>
    /// glibc gives large blocks back to the system when they are freed, and a result of 64 MB then costs LibTorch fifty times
    /// its arithmetic in page faults. No block is mapped on its own, and the heap is not trimmed.
    /// </summary>
    private static void KeepFreedMemory()
    {
        const int TrimThreshold = -1, MaximumOfMappings = -4, Never = -1;
        _ = SetAllocator(TrimThreshold, Never);
        _ = SetAllocator(MaximumOfMappings, 0);
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int parameter, int value);

    private static Tensor Matrix<T>(AlignedBuffer<T> values, (int Rows, int Columns) shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var vector = Vector<T>(values.Span);
        return vector.reshape(shape.Rows, shape.Columns);
    }

    private static Tensor Vector<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        typeof(T) == typeof(float) ? tensor(MemoryMarshal.Cast<T, float>(values).ToArray()) : tensor(MemoryMarshal.Cast<T, double>(values).ToArray());

    private static double[] Read<T>(Tensor values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var flat = values.contiguous();
        return Fill.ToDouble<T>(flat.data<T>().ToArray());
    }
}
