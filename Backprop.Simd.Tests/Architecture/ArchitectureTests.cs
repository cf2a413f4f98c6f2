using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Architecture;

/// <summary>The rooms and arrows of the library, as docs/architecture.md draws them.</summary>
public sealed class ArchitectureTests
{
    private static readonly string Library = Path.Combine(RepositoryRoot.Path, "Backprop.Simd");

    private static readonly Assembly Core = typeof(Matrix<>).Assembly;

    /// <summary>Every source of the library: the folder under its root, its path, its text.</summary>
    private static List<(string Folder, string Path, string Text)> Sources()
    {
        var sources = new List<(string, string, string)>();
        foreach (var path in SourceFiles(Library))
        {
            var relative = Path.GetRelativePath(Library, path);
            var parts = relative.Split(Path.DirectorySeparatorChar);
            sources.Add((parts.Length > 1 ? parts[0] : "", relative, File.ReadAllText(path)));
        }

        Assert.True(sources.Count >= 40, $"Only {sources.Count} sources found below {Library}.");
        return sources;
    }

    private static IEnumerable<string> SourceFiles(string root) =>
        Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or ".git"));

    private static void AssertNone(Func<string, string, List<string>> rule) =>
        Assert.Empty(Sources().SelectMany(source => rule(source.Folder, source.Text).Select(violation => $"{source.Path}: {violation}")));

    [Fact]
    public void Dependencies_point_one_way() => AssertNone(SourceRules.Dependencies);

    [Fact]
    public void The_order_of_dependencies_has_no_cycle()
    {
        // A folder may not reach itself through the folders it may use.
        foreach (var folder in SourceRules.Allowed.Keys)
        {
            var reached = new HashSet<string>();
            var open = new Stack<string>(SourceRules.Allowed[folder].Where(next => next != folder));
            while (open.TryPop(out var next))
            {
                Assert.NotEqual(folder, next);
                if (reached.Add(next))
                {
                    foreach (var further in SourceRules.Allowed[next].Where(further => further != next))
                        open.Push(further);
                }
            }
        }
    }

    [Fact]
    public void Unsafe_code_lives_in_four_folders() => AssertNone(SourceRules.Unsafe);

    [Fact]
    public void One_file_picks_the_register_width() => Assert.Empty(Sources().SelectMany(source =>
        SourceRules.HardwareTests(source.Path.Replace(Path.DirectorySeparatorChar, '/'), source.Text).Select(violation => $"{source.Path}: {violation}")));

    [Fact]
    public void Namespaces_are_folders() => AssertNone(SourceRules.Namespaces);

    [Fact]
    public void No_source_calls_native_code() => AssertNone((_, text) => SourceRules.NativeCalls(text));

    [Fact]
    public void No_method_of_the_assembly_is_native()
    {
        using var file = new PEReader(File.OpenRead(Core.Location));
        var metadata = file.GetMetadataReader();
        var native = metadata.MethodDefinitions.Select(metadata.GetMethodDefinition)
            .Where(method => (method.Attributes & MethodAttributes.PinvokeImpl) != 0)
            .Select(method => metadata.GetString(method.Name));
        Assert.Empty(native);
        Assert.Equal(0, metadata.GetTableRowCount(TableIndex.ModuleRef));
    }

    [Fact]
    public void No_file_and_no_line_is_too_long()
    {
        var files = SourceFiles(RepositoryRoot.Path).Select(path => Path.GetRelativePath(RepositoryRoot.Path, path).Replace('\\', '/')).ToList();
        Assert.True(files.Count >= 500, $"Only {files.Count} sources found below {RepositoryRoot.Path}.");
        Assert.Empty(Faults(files, SourceRules.Lengths));
    }

    [Fact]
    public void No_signature_is_too_long()
    {
        var files = new[] { Library, Path.Combine(RepositoryRoot.Path, "packages") }.SelectMany(SourceFiles)
            .Select(path => Path.GetRelativePath(RepositoryRoot.Path, path).Replace('\\', '/')).ToList();
        Assert.True(files.Count >= 200, $"Only {files.Count} sources found.");
        Assert.Empty(Faults(files, SourceRules.Signatures));
    }

    private static IEnumerable<string> Faults(IEnumerable<string> files, Func<string, List<string>> rule) =>
        files.SelectMany(file => rule(File.ReadAllText(Path.Combine(RepositoryRoot.Path, file))).Select(fault => $"{file}: {fault}"));

    [Fact]
    public void The_library_depends_on_the_runtime_and_the_tensor_package_only()
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var foreign = Core.GetReferencedAssemblies()
            .Where(name => name.Name != "System.Numerics.Tensors" && !File.Exists(Path.Combine(runtime, name.Name + ".dll")))
            .Select(name => name.FullName);
        Assert.Empty(foreign);

        var project = XDocument.Load(Path.Combine(Library, "Backprop.Simd.csproj"));
        Assert.Equal(["System.Numerics.Tensors"], project.Descendants("PackageReference").Select(package => (string?)package.Attribute("Include")));
        Assert.Empty(project.Descendants("ProjectReference"));
    }

    [Fact]
    public void Public_types_say_whether_they_are_open()
    {
        var types = Core.GetExportedTypes();
        Assert.True(types.Length >= 10, $"Only {types.Length} public types.");
        Assert.DoesNotContain(types, IsNeitherSealedNorAbstract);
        Assert.True(IsNeitherSealedNorAbstract(typeof(OpenByAccident)));
        Assert.False(IsNeitherSealedNorAbstract(typeof(SourceRules)));
        Assert.False(IsNeitherSealedNorAbstract(typeof(Matrix<>)));
    }

    [Fact]
    public void Metrics_end_in_Metric_as_no_loss_does()
    {
        var metrics = Core.GetExportedTypes().Where(type => Ancestors(type).Contains(typeof(Metric<>))).ToList();
        Assert.True(metrics.Count >= 10, $"Only {metrics.Count} metrics.");
        Assert.All(metrics.Where(type => type != typeof(ConfusionMatrix<>)), type => Assert.EndsWith("Metric`1", type.Name, StringComparison.Ordinal));
        Assert.DoesNotContain(Core.GetExportedTypes(), type => type.IsSubclassOf(typeof(Loss)) && type.Name.EndsWith("Metric", StringComparison.Ordinal));
    }

    private static IEnumerable<Type> Ancestors(Type type)
    {
        for (var ancestor = type.BaseType; ancestor is not null; ancestor = ancestor.BaseType)
            yield return ancestor.IsGenericType ? ancestor.GetGenericTypeDefinition() : ancestor;
    }

    private static bool IsNeitherSealedNorAbstract(Type type) => !type.IsSealed && !type.IsAbstract;

#pragma warning disable CA1852 // Open on purpose: the rule must find it.
    private class OpenByAccident;
#pragma warning restore CA1852
}
