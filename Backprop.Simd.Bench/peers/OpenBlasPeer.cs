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
            var core = (delegate* unmanaged<nint>)Export("openblas_get_corename");
            return $"{Marshal.PtrToStringAnsi(config())?.Trim()}; kernels in use: {Marshal.PtrToStringAnsi(core())}";
        }
    }

    public override void UseThreads(int threads) => ((delegate* unmanaged<int, void>)Export("openblas_set_num_threads"))(threads);
}
