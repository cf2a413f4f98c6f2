using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

public class GemmScratchTests
{
    [Theory]
    [InlineData("Widest")]
    [InlineData("Bits256")]
    [InlineData("Bits128")]
    public void What_a_network_reserves_is_enough_for_any_product_of_its_size(string width)
    {
        // Many panels for many blocks of A; a last panel of three vectors; a copied, a column-major and a transposed operand.
        var simd = Enum.Parse<SimdWidth>(width);
        foreach (var (m, n, k) in (ReadOnlySpan<(int, int, int)>)[(130, 1100, 1024), (70, 2000, 1500), (600, 70, 300), (100, 1096, 512), (40, 300, 4096)])
        {
            Check<float>(m, n, k, simd);
            Check<double>(m, n, k, simd);
        }
    }

    private static void Check<T>(int m, int n, int k, SimdWidth width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Scratch belongs to a thread: a new one has none.
        var allocated = -1L;
        var thread = new Thread(() =>
        {
            T[] a = new T[m * k], b = new T[k * n], c = new T[m * n];
            using var context = new ComputeContext(1);
            KernelScratch.Reserve<T>(context, Math.Max(m * (long)k, k * (long)n));
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var columnMajorA in (ReadOnlySpan<bool>)[false, true])
            {
                var viewA = columnMajorA ? new ReadOnlyMatrix<T>(a, k, m).Transposed : new(a, m, k);
                GemmDispatch.Run(viewA, new(b, k, n), default, new Matrix<T>(c, m, n), new(GemmForm.Overwrite), null, width);
                GemmDispatch.Run(viewA, new ReadOnlyMatrix<T>(b, n, k).Transposed, default, new Matrix<T>(c, m, n), new(GemmForm.Overwrite), null, width);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        thread.Start();
        thread.Join();

        // A new block is 64 KB and more; what the runtime allocates when it first runs a method is far less.
        Assert.InRange(allocated, 0, 32 * 1024);
    }
}
