using System.Diagnostics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>Modules of PyTorch: their files into our ports and back, with equal outputs.</summary>
public sealed class PyTorchModelsTests(ITestOutputHelper output)
{
    /// <summary>Rounding of float over some layers with outputs around 1; the order of sums differs.</summary>
    private const double Tolerance = 1e-5;

    private const string Python = "/usr/bin/python3";

    /// <summary>Names that PyTorch's modules have and nodes do not, where the order says too little.</summary>
    private static readonly Dictionary<string, Dictionary<string, string>> Named = new()
    {
        ["two-lstms"] = new() { ["lstm1"] = "first", ["lstm2"] = "second" },
    };

    public static TheoryData<string> Names => [.. PyTorchModels.Names];

    [Fact]
    public void Every_recorded_module_has_a_port() =>
        Assert.Equal(PyTorchModels.Recorded.Order(), PyTorchModels.Names.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void A_module_and_its_port_give_the_same(string name)
    {
        var network = PyTorchModels.Port<float>(name);
        Assert.True(PyTorchModels.Difference(network, name) > 100 * Tolerance, "The port gives the same without the file.");
        network.LoadPyTorch(PyTorchModels.File(name), Options(name));
        Assert.InRange(PyTorchModels.Difference(network, name), 0, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_saved_loads_with_the_same_bits(string name)
    {
        var network = PyTorchModels.Port<float>(name);
        var modules = network.LoadPyTorch(PyTorchModels.File(name), Options(name)).Modules;
        using var zip = new MemoryStream();
        network.SavePyTorch(zip, NetworkSaveOptions.PyTorch with { Modules = modules });
        zip.Position = 0;
        var other = PyTorchModels.Port<float>(name);
        other.LoadPyTorch(zip, NetworkLoadOptions.PyTorch with { Modules = modules });
        Assert.Equal(network.Parameters, other.Parameters);
        Assert.Equal(network.State, other.State);

        // In safetensors with names of the nodes.
        using var tensors = new MemoryStream();
        network.Save(tensors, NetworkSaveOptions.PyTorch);
        tensors.Position = 0;
        other = PyTorchModels.Port<float>(name);
        other.Load(tensors, NetworkLoadOptions.PyTorch);
        Assert.Equal(network.Parameters, other.Parameters);
        Assert.Equal(network.State, other.State);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Double_networks_take_files_of_floats(string name)
    {
        var network = PyTorchModels.Port<double>(name);
        network.LoadPyTorch(PyTorchModels.File(name), Options(name));
        Assert.InRange(PyTorchModels.Difference(network.ConvertTo<float>(), name), 0, Tolerance);
    }

    [Fact]
    public void PyTorch_loads_what_is_saved()
    {
        if (!HasPyTorch())
        {
            output.WriteLine($"Left out: {Python} has no torch; apt-get install python3-torch.");
            return;
        }

        var directory = Directory.CreateTempSubdirectory("backprop-pytorch-");
        try
        {
            foreach (var name in PyTorchModels.Loadable)
            {
                var network = PyTorchModels.Port<float>(name);
                var modules = network.LoadPyTorch(PyTorchModels.File(name), Options(name)).Modules;
                network.SavePyTorch(Path.Combine(directory.FullName, name + ".pt"), NetworkSaveOptions.PyTorch with { Modules = modules });
            }

            var (code, said) = Run(Path.Combine(RepositoryRoot.Path, "Backprop.Simd.Tests", "PyTorch", "models.py"), "check", directory.FullName);
            output.WriteLine(said);
            Assert.Equal(0, code);
            Assert.DoesNotContain("DIFFERENT", said, StringComparison.Ordinal);
            Assert.Equal(PyTorchModels.Loadable.Count(), said.Split('\n').Count(static line => line.EndsWith(" equal", StringComparison.Ordinal)));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static NetworkLoadOptions? Options(string name) =>
        Named.TryGetValue(name, out var modules) ? NetworkLoadOptions.PyTorch with { Modules = modules } : null;

    private static bool HasPyTorch() => File.Exists(Python) && Run("-c", "import torch").Code == 0;

    private static (int Code, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said + errors.Result);
    }
}
