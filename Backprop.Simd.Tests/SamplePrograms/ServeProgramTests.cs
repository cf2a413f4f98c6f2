using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.SamplePrograms;

/// <summary>The service, as people start it.</summary>
[Collection(RunAlone.Name)]
public sealed class ServeProgramTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("serve-");

    public void Dispose() => _directory.Delete(recursive: true);

    // The load test begins with requests of every malformed kind, which must be answered with 400 to 499.
    [Fact]
    public void It_refuses_what_is_malformed_and_answers_the_rest()
    {
        var (code, output, error) = SampleProgram.Run("Serve", "--load-test", "1", "--clients", "2");

        Assert.True(code == 0, output + error);
        Assert.Empty(error);
        Assert.Contains("errors 0, answers that differ from serial inference 0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(3e38f)]
    public void A_model_that_gives_no_numbers_is_not_served(float weight)
    {
        var network = GraphBuilder.Chain(64).Affine(64).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        network.ParameterOf("affine1.weight").Fill(weight);
        var file = Path.Combine(_directory.FullName, "model.safetensors");
        network.Save(file);

        var (code, output, error) = SampleProgram.Run("Serve", "--model", file, "--load-test", "1");

        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains("not finite", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }
}
