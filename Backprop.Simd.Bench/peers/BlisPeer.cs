using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Bench;

/// <summary>BLIS, Debian's libblis4-pthread.</summary>
internal sealed unsafe partial class BlisPeer() : CblasPeer("libblis.so.4", ChooseKernels)
{
    private const string Variable = "BLIS_ARCH_TYPE";

    /// <summary>arch_t of BLIS 0.9.</summary>
    private const string Skx = "0", Zen3 = "6";

    public override string Name => "BLIS";

    public override string Description
    {
        get
        {
            var version = (delegate* unmanaged<nint>)Export("bli_info_get_version_str");
            var query = (delegate* unmanaged<int>)Export("bli_arch_query_id");
            var name = (delegate* unmanaged<int, nint>)Export("bli_arch_string");
            return $"{Marshal.PtrToStringAnsi(version())}; kernels in use: {Marshal.PtrToStringAnsi(name(query()))}";
        }
    }

    public override void UseThreads(int threads) => ((delegate* unmanaged<long, void>)Export("bli_thread_set_num_threads"))(threads);

    /// <summary>
    /// BLIS 0.9 knows AMD's processors up to family 19h and takes the plain C kernels on newer ones, at a tenth of their speed.
    /// There it is told, by its own variable, to use those of the latest processor it knows with the same registers.
    /// </summary>
    private static void ChooseKernels()
    {
        if (!X86Base.IsSupported || Environment.GetEnvironmentVariable(Variable) is not null)
            return;
        var (_, b, c, d) = X86Base.CpuId(0, 0);
        var isAmd = (b, c, d) == (0x68747541, 0x444d4163, 0x69746e65); // "Auth", "cAMD", "enti"
        var signature = X86Base.CpuId(1, 0).Eax;
        var family = ((signature >> 8) & 0xf) + ((signature >> 20) & 0xff);
        if (isAmd && family > 0x19)
            SetVariable(Variable, Vector512.IsHardwareAccelerated ? Skx : Zen3, overwrite: 0);
    }

    /// <summary>The process's own environment, which native code reads; .NET's is a copy.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
