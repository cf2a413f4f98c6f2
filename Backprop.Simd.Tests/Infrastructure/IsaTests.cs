using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>
/// The instruction set that was asked for is the one in use: switches that no longer exist, or hardware without the
/// instructions, must not leave a run that tests something else.
/// </summary>
public sealed partial class IsaTests
{
    [Fact]
    public void The_flags_of_the_runtime_fit_the_expected_instruction_set()
    {
        var expected = IsaOfProcess.Expected;
        Assert.Equal(expected >= Isa.Avx512, Vector512.IsHardwareAccelerated);
        Assert.Equal(expected >= Isa.Avx2, Vector256.IsHardwareAccelerated);
        Assert.Equal(expected >= Isa.Vector128, Vector128.IsHardwareAccelerated);
        Assert.Equal(expected >= Isa.Vector128, Vector.IsHardwareAccelerated);
        Assert.Equal(expected >= Isa.Avx2, Avx2.IsSupported);
        Assert.Equal(expected >= Isa.Avx2, Fma.IsSupported);

        // One way only: some processors have the instructions and lose by 512-bit vectors, which the runtime then leaves alone.
        Assert.True(expected < Isa.Avx512 || Avx512F.IsSupported);

        // Vector<T> stays at 32 bytes on AVX-512 unless DOTNET_MaxVectorTBitWidth=512 widens it.
        Assert.Contains(Vector<byte>.Count, expected switch { Isa.Avx512 => [32, 64], Isa.Avx2 => [32], _ => (int[])[16] });
    }

    [Fact]
    public async Task Matrix_products_are_compiled_for_the_expected_width()
    {
        // A process of its own, so that its kernels are compiled now, and its compiler told to write them down.
        var listing = await CompiledKernels();
        var kernels = KernelHeader().Matches(listing).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.True(kernels.Count > 0, "The listing holds no kernel:\n" + listing[..Math.Min(listing.Length, 2000)]);
        var (width, register) = IsaOfProcess.Expected switch
        {
            Isa.Avx512 => ("512", "zmm"),
            Isa.Avx2 => ("256", "ymm"),
            _ => ("128", Vector128.IsHardwareAccelerated && Sse.IsSupported ? "xmm" : null),
        };
        Assert.All(kernels, kernel => Assert.Equal(width, kernel));

        // A fused or a separate multiplication of whole registers; none at all without vectors.
        var packed = PackedMultiply().Matches(listing).Select(match => match.Groups[1].Value).Distinct().ToList();
        if (register is not null)
            Assert.Equal([register], packed);
        else if (IsaOfProcess.IsSoftware)
            Assert.Empty(packed);
    }

    /// <summary>The machine code of the tile kernels that one product of 64 x 64 x 64 runs.</summary>
    private static async Task<string> CompiledKernels()
    {
        var file = Path.GetTempFileName();
        try
        {
            var environment = new Dictionary<string, string>
            {
                ["DOTNET_JitStdOutFile"] = file,
                ["DOTNET_JitDisasm"] = "*TileKernel*:Run*",
            };
            await ProbeProcess.Run(environment, "product", "1", "1");
            return await File.ReadAllTextAsync(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex(@"^; Assembly listing for method .*TileKernel`2\[.*?SimdVector(\d+)`1", RegexOptions.Multiline)]
    private static partial Regex KernelHeader();

    [GeneratedRegex(@"\b(?:v?mulps|vfmadd\d+ps)\s+([xyz]mm)\d")]
    private static partial Regex PackedMultiply();
}
