using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Sizes at the limit of a span: one past the end of a loop must not wrap around.</summary>
[Collection(RunAlone.Name)]
public sealed class GemmHugeTests
{
    [Fact]
    public async Task The_longest_k_ends_and_sums_everything()
    {
        // The product runs on a task, so that a loop without end fails here and does not hang the run.
        var product = Task.Run(static () =>
        {
            using var zeros = new ReservedZeros<float>(int.MaxValue);
            var k = zeros.Span.Length;
            var c = new[] { float.NaN };
            Gemm.Multiply(new ReadOnlyMatrix<float>(zeros.Span, 1, k), new ReadOnlyMatrix<float>(zeros.Span, k, 1), new Matrix<float>(c, 1, 1));
            return c[0];
        });
        Assert.Equal(0f, await product.WaitAsync(TimeSpan.FromMinutes(2)));
    }
}
