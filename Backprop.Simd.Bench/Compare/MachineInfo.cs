using System.Collections;
using System.Diagnostics;
using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Backprop.Simd.Bench;

/// <summary>What a report says about the machine and the settings in force.</summary>
internal static class MachineInfo
{
    /// <summary>Variables that change what a side does.</summary>
    private static readonly string[] _prefixes = ["OPENBLAS_", "GOTO_", "BLIS_", "MKL_", "OMP_", "KMP_", "GOMP_", "TORCH_", "ATEN_", "DOTNET_Tiered",
        "DOTNET_Enable", "DOTNET_Max"];

    public static IReadOnlyList<KeyValuePair<string, string>> Describe(int threads)
    {
        var result = new List<KeyValuePair<string, string>>
        {
            new("processor", Processor()),
            new("processors", Environment.ProcessorCount.ToString()),
            new("registers", $"Vector<T> {Vector<byte>.Count * 8} bits, "
                + $"256 bits {YesNo(Vector256.IsHardwareAccelerated)}, 512 bits {YesNo(Vector512.IsHardwareAccelerated)}"),
            new("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
            new("runtime", RuntimeInformation.FrameworkDescription),
            new("commit", Commit()),
            new("threads", threads.ToString()),
        };
        var settings = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => _prefixes.Any(p => ((string)v.Key).StartsWith(p, StringComparison.Ordinal)))
            .Select(v => $"{v.Key}={v.Value}").Order(StringComparer.Ordinal);
        var none = "none of " + string.Join(' ', _prefixes.Select(p => p + "*"));
        result.Add(new("environment", string.Join(' ', settings) is { Length: > 0 } text ? text : none));
        return result;
    }

    /// <summary>What makes the comparison unfair to a peer, or null.</summary>
    public static string? Warning() => Environment.GetEnvironmentVariable("OPENBLAS_CORETYPE") is { } core
        ? $"OPENBLAS_CORETYPE={core} is set: OpenBLAS does not choose its kernels for this processor. Unset it, and OPENBLAS_L2_SIZE, for the fair comparison."
        : null;

    private static string YesNo(bool value) => value ? "yes" : "no";

    public static string Processor()
    {
        if (!File.Exists("/proc/cpuinfo"))
            return RuntimeInformation.ProcessArchitecture.ToString();
        var lines = File.ReadAllLines("/proc/cpuinfo");
        string Field(string name) => lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "?";
        return $"{Field("model name")} (family {Field("cpu family")}, model {Field("model\t")})";
    }

    /// <summary>The commit that the build was made from, from the assembly's version; with "+" where files differ from it.</summary>
    private static string Commit()
    {
        var version = typeof(Kernels.Gemm).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        var commit = version.Split('+') is [_, { Length: >= 12 } hash] ? hash[..12] : "unknown";
        return commit + (IsModified() ? " with changes" : "");
    }

    private static bool IsModified()
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", "status --porcelain --untracked-files=no -- *.cs *.csproj *.props")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = AppContext.BaseDirectory,
            });
            return git is not null && git.StandardOutput.ReadToEnd().Length > 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // There is no git here.
        }
    }
}
