using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>A step of one row that updates where the gradient is made has the bits of one that stores it.</summary>
public sealed class FusedStepTests
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var name in (string[])["sgd", "decay", "momentum", "nesterov", "adam", "adamw", .. OptimizerCases.Names])
            {
                // Rows of the weights narrower than any register, of one to some registers, and with a rest.
                foreach (var width in (int[])[1, 3, 4, 9, 16, 50])
                    data.Add(name, width);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equal_to_a_stored_gradient_float(string optimizer, int width) => Check<float>(optimizer, width);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equal_to_a_stored_gradient_double(string optimizer, int width) => Check<double>(optimizer, width);

    [Fact]
    public void A_frozen_weight_stays()
    {
        var network = Build<float>(20);
        network.Freeze("affine1.weight");
        var before = network.ParameterOf("affine1.weight").ToArray();
        var bias = network.ParameterOf("affine1.bias").ToArray();
        Train(network, keep: false, "adam", ComputeContext.SingleThreaded);
        Assert.Equal(before, network.ParameterOf("affine1.weight").ToArray());
        Assert.NotEqual(bias, network.ParameterOf("affine1.bias").ToArray());
    }

    [Fact]
    public void Gradients_are_gone_after_a_step_unless_kept()
    {
        var network = Build<float>(8);
        var workspace = Train(network, keep: false, "sgd", ComputeContext.SingleThreaded);
        Assert.Contains("KeepGradients", Assert.Throws<InvalidOperationException>(() => workspace.Gradients.Length).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => workspace.ParameterGradientOf("affine1.weight").Length);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.NotEqual(0, workspace.ParameterGradientOf("affine1.weight")[0]);

        workspace = Train(Build<float>(8), keep: true, "sgd", ComputeContext.SingleThreaded);
        Assert.NotEqual(0, workspace.ParameterGradientOf("affine1.weight")[0]);
    }

    [Fact]
    public void Nothing_is_added_to_gradients_that_a_step_has_applied()
    {
        var network = Build<float>(64);
        var workspace = Train(network, keep: false, "sgd", ComputeContext.SingleThreaded);
        network.Forward(workspace);
        Assert.Contains("KeepGradients", Assert.Throws<InvalidOperationException>(() => network.Backward(workspace, accumulate: true)).Message,
            StringComparison.Ordinal);
        network.Backward(workspace);
        var once = workspace.Gradients.ToArray();
        network.Backward(workspace, accumulate: true);
        for (var i = 0; i < once.Length; i++)
            Assert.Equal(2 * once[i], workspace.Gradients[i], 1e-6f);
    }

    [Fact]
    public void A_group_with_an_impossible_rate_is_refused_before_any_parameter_moves()
    {
        var network = Build<float>(64);
        var workspace = Train(network, keep: false, "sgd", ComputeContext.SingleThreaded);
        var optimizer = new Sgd<float>(network.Parameters.Length, learningRate: 1e30);
        optimizer.SetGroups(network.Definition.Parameters.Group("first", static e => e.Name == "affine1.weight"));
        optimizer.Groups[0].RateFactor = 1e30;
        var before = network.Parameters.ToArray();
        Assert.Contains("'first'", Assert.Throws<InvalidOperationException>(() => network.Step(workspace, optimizer)).Message, StringComparison.Ordinal);
        Bits.AssertEqual<float>(before, network.Parameters, "parameters");
        Assert.Equal(0, optimizer.Steps);
    }

    private static void Check<T>(string optimizer, int width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Network<T> stored = Build<T>(width), fused = Build<T>(width), shared = Build<T>(width);
        Train(stored, keep: true, optimizer, ComputeContext.SingleThreaded);
        Train(fused, keep: false, optimizer, ComputeContext.SingleThreaded);
        Bits.AssertEqual<T>(stored.Parameters, fused.Parameters, $"{optimizer}, width {width}");
        using var team = TestThreads.Create(3);
        Train(shared, keep: false, optimizer, team);
        Bits.AssertEqual<T>(stored.Parameters, shared.Parameters, $"{optimizer}, width {width}, three threads");
    }

    private static Network<T> Build<T>(int width)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        GraphBuilder.Chain(37).Affine(width).Sigmoid().Affine(5).SoftmaxCrossEntropy().Build<T>(seed: 7);

    private static Workspace<T> Train<T>(Network<T> network, bool keep, string name, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var n = network.Parameters.Length;
        Optimizer<T> optimizer = name switch
        {
            "sgd" => new Sgd<T>(n, learningRate: 0.1),
            "decay" => new Sgd<T>(n, learningRate: 0.1, weightDecay: 0.01),
            "momentum" => new Sgd<T>(n, learningRate: 0.1, momentum: 0.9, dampening: 0.2),
            "nesterov" => new Sgd<T>(n, learningRate: 0.1, momentum: 0.9, nesterov: true),
            "adam" => new Adam<T>(n, learningRate: 0.01),
            "adamw" => new AdamW<T>(n, learningRate: 0.01),
            _ => OptimizerCases.Create<T>(name, n),
        };
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { KeepGradients = keep }, compute);
        var random = new TestRandom(11);
        for (var step = 0; step < 5; step++)
        {
            foreach (ref var x in workspace.Input())
                x = random.Signed<T>();
            workspace.IndexInput()[0] = step;
            network.Step(workspace, optimizer);
        }

        return workspace;
    }
}
