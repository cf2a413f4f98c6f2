using System.Globalization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Allocation;

/// <summary>
/// A step allocates nothing. Measured in a process of its own, over every allocation of every thread: in a test host other
/// tests allocate at the same time.
/// </summary>
[Collection(RunAlone.Name)]
public sealed class AllocationTests
{
    private const int Steps = 1000;

    public static TheoryData<string, int> Scenarios
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var scenario in (string[])["training", "frozen", "graph", "arrays", "losses", "tokens", "inference", "predictor", "sequences", "attention",
                "generation", "sizes", "functions", "images", "vision", "loading", "reading-ahead", "trainer"])
            {
                data.Add(scenario, 1);
                data.Add(scenario, 2);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Scenarios))]
    public async Task A_thousand_steps_allocate_no_byte(string scenario, int threads) =>
        Assert.Equal(0, await BytesOf(scenario, threads));

    [Fact]
    public async Task The_probe_sees_one_boxed_number_per_step() => Assert.Equal(24 * Steps, await BytesOf("boxes", 1));

    private static async Task<long> BytesOf(string scenario, int threads)
    {
        var output = await ProbeProcess.Run(new Dictionary<string, string>(), scenario, threads.ToString(CultureInfo.InvariantCulture),
            Steps.ToString(CultureInfo.InvariantCulture));
        return long.Parse(output, CultureInfo.InvariantCulture);
    }
}
