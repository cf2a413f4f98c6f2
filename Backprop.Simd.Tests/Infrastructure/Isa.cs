using System.Runtime.Intrinsics;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>The widest vectors that this process has in hardware.</summary>
internal enum Isa
{
    /// <summary>None: every vector operation is a loop, some hundred times slower.</summary>
    Software,

    /// <summary>SSE or NEON.</summary>
    Vector128,

    /// <summary>AVX2.</summary>
    Avx2,

    /// <summary>AVX-512.</summary>
    Avx512,
}

/// <summary>What the process has, and what its environment says that it should have.</summary>
internal static class IsaOfProcess
{
    /// <summary>The environment variable by which a caller who switches instruction sets off says which one must be left.</summary>
    public const string ExpectationVariable = "BACKPROP_EXPECT_ISA";

    public static Isa Actual { get; } = Vector512.IsHardwareAccelerated ? Isa.Avx512
        : Vector256.IsHardwareAccelerated ? Isa.Avx2
        : Vector128.IsHardwareAccelerated ? Isa.Vector128
        : Isa.Software;

    /// <summary>What the environment asks for; without that, what there is.</summary>
    public static Isa Expected =>
        Environment.GetEnvironmentVariable(ExpectationVariable) is { Length: > 0 } name ? Enum.Parse<Isa>(name, ignoreCase: true) : Actual;

    /// <summary>
    /// True where products over all combinations would take hours: tests then meet every form and every layout of a shape, but
    /// not every pair of them. What is thinned depends on nothing but this.
    /// </summary>
    public static bool IsSoftware => Actual == Isa.Software;
}
