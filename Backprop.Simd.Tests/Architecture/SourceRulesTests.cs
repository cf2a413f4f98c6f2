namespace Backprop.Simd.Tests.Architecture;

/// <summary>Each rule finds a planted violation, and lets its neighbours pass.</summary>
public sealed class SourceRulesTests
{
    [Theory]
    [InlineData("Kernels", "using Backprop.Simd.Memory;\nusing Backprop.Simd.Threading;")]
    [InlineData("Kernels", "using Backprop.Simd.Kernels;")]
    [InlineData("Kernels", "// using Backprop.Simd.Layers;\n/* Backprop.Simd.Networks */ class A;")]
    [InlineData("Kernels", "/// <see cref=\"Backprop.Simd.Layers.Affine\"/>\nclass A { string s = \"Backprop.Simd.Layers\"; }")]
    [InlineData("Layers", "using Backprop.Simd.Activations; using Backprop.Simd.Initializers;")]
    [InlineData("Losses", "using Backprop.Simd.Layers;")]
    [InlineData("Networks", "var a = Layers.Affine.Of(3); var b = network.Training.Rate();")]
    [InlineData("Optimizers", "using Backprop.Simd.Kernels; using Backprop.Simd.Memory; using Backprop.Simd.Threading;")]
    public void Arrows_that_point_down_pass(string folder, string source) => Assert.Empty(SourceRules.Dependencies(folder, source));

    [Theory]
    [InlineData("Memory", "using Backprop.Simd.Intrinsics;", "Memory uses Intrinsics")]
    [InlineData("Intrinsics", "using Backprop.Simd.Threading;", "Intrinsics uses Threading")]
    [InlineData("Threading", "using Backprop.Simd.Kernels;", "Threading uses Kernels")]
    [InlineData("Kernels", "using Backprop.Simd.Activations;", "Kernels uses Activations")]
    [InlineData("Activations", "using Backprop.Simd.Layers;", "Activations uses Layers")]
    [InlineData("Initializers", "using static Backprop.Simd.Layers.Shape;", "Initializers uses Layers")]
    [InlineData("Layers", "using Backprop.Simd.Losses;", "Layers uses Losses")]
    [InlineData("Layers", "global::Backprop.Simd.Networks.Node node;", "Layers uses Networks")]
    [InlineData("Layers", "class A { void F() => Networks.Plan.Build(); }", "Layers uses Networks")]
    [InlineData("Optimizers", "using N = Backprop.Simd.Networks.Network<float>;", "Optimizers uses Networks")]
    [InlineData("Optimizers", "using Backprop.Simd.Layers;", "Optimizers uses Layers")]
    [InlineData("Schedules", "using Backprop.Simd.Training;", "Schedules uses Training")]
    [InlineData("Networks", "using Backprop.Simd.Training;", "Networks uses Training")]
    [InlineData("Gradients", "using Backprop.Simd.Serialization;", "Gradients uses Serialization")]
    [InlineData("Utilities", "class A;", "the folder Utilities has no place in the order of dependencies")]
    public void An_arrow_that_points_up_is_found(string folder, string source, string violation) =>
        Assert.Equal([violation], SourceRules.Dependencies(folder, source));

    [Fact]
    public void Unsafe_code_is_found_where_it_may_not_be()
    {
        const string Source = "internal static unsafe class A;";
        Assert.Single(SourceRules.Unsafe("Layers", Source));
        Assert.Empty(SourceRules.Unsafe("Kernels", Source));
        Assert.Empty(SourceRules.Unsafe("Layers", "// unsafe\nclass A { string s = \"unsafe\"; }"));
    }

    [Theory]
    [InlineData("[DllImport(\"c\")] static extern int f();")]
    [InlineData("[LibraryImport(\"c\")] static partial int f();")]
    [InlineData("NativeLibrary.Load(path)")]
    [InlineData("delegate* unmanaged<int, int> f;")]
    public void Native_calls_are_found(string source)
    {
        Assert.NotEmpty(SourceRules.NativeCalls(source));
        Assert.Empty(SourceRules.NativeCalls("// " + source + "\ndelegate*<int, int> f;"));
    }

    [Theory]
    [InlineData("if (Vector512.IsHardwareAccelerated)", "IsHardwareAccelerated")]
    [InlineData("var many = Avx512F.VL.IsSupported;", "IsSupported")]
    public void A_test_of_the_hardware_is_found(string source, string violation)
    {
        Assert.Equal([violation], SourceRules.HardwareTests("Kernels/Random/Philox.cs", source));
        Assert.Empty(SourceRules.HardwareTests("Kernels/RegisterWidth.cs", source));
        Assert.Empty(SourceRules.HardwareTests("Intrinsics/Prefetch.cs", source));
        Assert.Empty(SourceRules.HardwareTests("Kernels/Random/Philox.cs", "// " + source));
    }

    [Fact]
    public void A_foreign_namespace_is_found()
    {
        Assert.Empty(SourceRules.Namespaces("Layers", "namespace Backprop.Simd.Layers;"));
        Assert.Empty(SourceRules.Namespaces("Layers", "namespace Backprop.Simd.Layers.Gates;"));
        Assert.Equal(["Backprop.Simd.LayersToo"], SourceRules.Namespaces("Layers", "namespace Backprop.Simd.LayersToo;"));
        Assert.Equal(["Backprop.Simd.Memory"], SourceRules.Namespaces("Layers", "namespace Backprop.Simd.Memory\n{\n}"));
    }

    [Fact]
    public void Long_files_and_lines_are_found()
    {
        var line = new string('a', SourceRules.LongestLine);
        var file = string.Concat(Enumerable.Repeat(line + "\n", SourceRules.LongestFile));
        Assert.Empty(SourceRules.Lengths(""));
        Assert.Empty(SourceRules.Lengths(file));
        Assert.Empty(SourceRules.Lengths(file.Replace("\n", "\r\n", StringComparison.Ordinal)));
        Assert.Equal(["401 lines"], SourceRules.Lengths(file + "a"));
        Assert.Equal(["line 2 has 161 characters"], SourceRules.Lengths("a\n" + line + "a"));
    }

    [Theory]
    [InlineData("    void F(PARAMETERS, int i)\n    {", "F")]
    [InlineData("sealed class A<T>(PARAMETERS, in Span<(int, T)> i) : B;", "A")]
    [InlineData("public A(PARAMETERS, params int[] i) : base(1, 2) { }", "A")]
    [InlineData("record A(\n    PARAMETERS,\n    int? i = null);", "A")]
    [InlineData("delegate void D<T>(PARAMETERS, [Caller(\"i\")] T i = default);", "D")]
    [InlineData("void G() { static void Local(PARAMETERS, ref readonly List<int> i) => G(); }", "Local")]
    public void A_long_signature_is_found(string source, string name)
    {
        const string Eight = "int a, int b, int c, int d, int e, int f, int g, int h";
        Assert.Equal([$"line 2: {name} has 9 parameters"], SourceRules.Signatures("\n" + source.Replace("PARAMETERS", Eight, StringComparison.Ordinal)));
        Assert.Empty(SourceRules.Signatures("// More than eight parameters: why.\n" + source.Replace("PARAMETERS", Eight, StringComparison.Ordinal)));
        Assert.Empty(SourceRules.Signatures("\n" + source.Replace("PARAMETERS", Eight[7..], StringComparison.Ordinal)));
    }

    [Fact]
    public void A_long_call_is_no_signature() =>
        Assert.Empty(SourceRules.Signatures("F(a, b, c, in d, out var e, new G(), 1, x is int, y); for (int i = 0; i < 9; i++) G(a => b);"));

    [Fact]
    public void Comments_and_strings_are_no_code()
    {
        const string Source = "a /* b\nc */ d // e\n\"f\\\"g\" h @\"i\"\"\\\" j \"\"\"k \" l\"\"\" m '\"' n '\\'' o";
        Assert.Equal("a  \n d \n  h @  j   m   n   o", SourceText.CodeOf(Source));
    }
}
