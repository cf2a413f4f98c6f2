using System.Runtime.InteropServices;

namespace Backprop.Simd.Bench;

/// <summary>OpenBLAS, Debian's libopenblas0-pthread.</summary>
internal sealed unsafe class OpenBlasPeer() : CblasPeer("libopenblas.so.0")
{
    public const string OpenBlas = "OpenBLAS";

    public override string Name => OpenBlas;

    public override string Description
    {
        get
        {
            var config = (delegate* unmanaged<nint>)Export("openblas_get_config");
            return $"{Marshal.PtrToStringAnsi(config())?.Trim()}; kernels in use: {Core}";
        }
    }

    /// <summary>The processor whose kernels it uses.</summary>
    public string? Core => Marshal.PtrToStringAnsi(((delegate* unmanaged<nint>)Export("openblas_get_corename"))());

    public override void UseThreads(int threads) => ((delegate* unmanaged<int, void>)Export("openblas_set_num_threads"))(threads);
}
