using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Api;

/// <summary>Whatever a public member is called with: it returns, or throws an exception that is documented.</summary>
[Collection(RunAlone.Name)]
public sealed class BadArgumentTests
{
    [Fact]
    public void Every_public_member_takes_or_refuses_bad_arguments()
    {
        var sweep = new Sweep();
        var here = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Instances.Directory; // Some arguments are names of files.
        try
        {
            foreach (var member in PublicMembers.Types.SelectMany(PublicMembers.Of))
                sweep.Run(member);
        }
        finally
        {
            Environment.CurrentDirectory = here;
            Directory.Delete(Instances.Directory, recursive: true);
        }

        Assert.True(sweep.Called.Count > 2500, $"Only {sweep.Called.Count} members found.");
        Assert.True(
            sweep.Faults.Count == 0,
            $"{sweep.Faults.Count} faults:\n{string.Join("\n", sweep.Faults)}\n"
            + $"in {sweep.Calls} calls of {sweep.Called.Count} members:\n{string.Join("\n", sweep.Called)}");
    }

    [Theory]
    [InlineData(nameof(Planted.Dereference), "NullReferenceException")]
    [InlineData(nameof(Planted.Divide), "DivideByZeroException")]
    [InlineData(nameof(Planted.Allocate), "Exception")]
    [InlineData(nameof(Planted.Index), "IndexOutOfRangeException")]
    [InlineData(nameof(Planted.NoRecipe), "No recipe for IFormatProvider")]
    public void A_planted_fault_is_found(string member, string fault)
    {
        var sweep = new Sweep();
        sweep.Run(typeof(Planted).GetMethod(member)!);
        Assert.Contains(sweep.Faults, f => f.Contains(member, StringComparison.Ordinal) && f.Contains(fault, StringComparison.Ordinal));
    }

    public static class Planted
    {
        public static int Dereference(string text) => text.Length;

        public static int Divide(ConvolutionShape shape) => 1 / shape.Groups;

        public static Array Allocate(int length) => new byte[checked(length * 2)];

        public static float Index(ReadOnlySpan<float> values, int index) => values[index];

        public static void NoRecipe(IFormatProvider provider) => ArgumentNullException.ThrowIfNull(provider);
    }
}
