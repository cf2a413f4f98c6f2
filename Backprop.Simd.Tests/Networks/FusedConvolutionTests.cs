using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Convolution, ReLU and pooling as one operation have the bits of the three, and need less memory.</summary>
public sealed class FusedConvolutionTests
{
    public static TheoryData<int, bool> Cases
    {
        get
        {
            var data = new TheoryData<int, bool>();
            for (var i = 0; i < 9; i++)
            {
                data.Add(i, true);
                data.Add(i, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equal_to_the_layers_one_by_one_float(int at, bool relu) => Check<float>(at, relu);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equal_to_the_layers_one_by_one_double(int at, bool relu) => Check<double>(at, relu);

    private static Node Net(int at, bool relu, Func<Node, Node>? behind = null)
    {
        var x = GraphBuilder.Chain(at switch { 1 => new Shape(28, 28, 1), 2 => new Shape(7, 9, 3), _ => new Shape(8, 10, 3) });

        // A layer before it, so that the input has a gradient as well.
        var node = x.Convolution2D(5, 1).Named("before");
        node = at switch
        {
            0 => node.Convolution2D(6, 3),
            1 => node.Convolution2D(30, 5),
            2 => node.Convolution2D(17, 3, padding: 1),
            3 => node.Convolution2D(40, 3, stride: 2, padding: 1),
            4 => node.Convolution2D(2, new Extent(2, 3), bias: false),
            5 => node.Convolution2D(20, 3, dilation: 2, padding: 2),
            6 => node.Convolution2D(10, 3, groups: 5),
            7 => node.Convolution2D(70, 3, padding: 1),
            _ => node.Convolution2D(130, 3, padding: 2),
        };
        node = node.Named("convolution");
        if (relu)
            node = node.Relu().Named("relu");
        node = node.MaxPooling2D(at == 5 ? 3 : at == 0 ? new Extent(3, 2) : 2);
        return (behind ?? (n => n))(node).Flatten().Affine(4).SoftmaxCrossEntropy();
    }

    private static void Check<T>(int at, bool relu)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var rows in (int[])[1, 2, 9])
        {
            var network = Net(at, relu).Build<T>(seed: 4);
            using var compute = TestThreads.Create(3);
            var fused = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, compute);
            var apart = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true, Retain = Retain.Nodes("convolution") });
            var inference = network.CreateWorkspace(rows, WorkspaceOptions.Inference);
            foreach (var workspace in (Workspace<T>[])[fused, apart, inference])
            {
                Fill(workspace.Input(), rows);
                if (workspace != inference)
                    workspace.IndexInput().Fill(2);
                network.Forward(workspace);
                if (workspace == inference)
                    continue;
                network.Backward(workspace);
                network.Backward(workspace, accumulate: true);
            }

            Assert.True(fused.Bytes < apart.Bytes, $"{fused.Bytes} bytes fused, {apart.Bytes} apart.");
            Bits.AssertEqual<T>(apart.Output(), fused.Output(), "output");
            Bits.AssertEqual<T>(apart.Output(), inference.Output(), "inference");
            Bits.AssertEqual<T>(apart.Gradients, fused.Gradients, "gradients");
            Bits.AssertEqual<T>(apart.GradientOf("x"), fused.GradientOf("x"), "input gradient");
            Assert.Contains(apart.Gradients.ToArray(), g => !T.IsZero(g));
        }
    }

    [Fact]
    public void Frozen_filters_or_biases_leave_the_other_gradient_as_it_is()
    {
        foreach (var frozen in (string[])["convolution.weight", "convolution.bias"])
        {
            var network = Net(1, true).Build<float>(seed: 4);
            network.Freeze(frozen);
            var fused = network.CreateWorkspace(3);
            var apart = network.CreateWorkspace(3, new WorkspaceOptions { Retain = Retain.Nodes("convolution") });
            foreach (var workspace in (Workspace<float>[])[fused, apart])
            {
                Fill(workspace.Input(), 3);
                network.Forward(workspace);
                network.Backward(workspace);
            }

            Bits.AssertEqual<float>(apart.Gradients, fused.Gradients, frozen);
        }
    }

    [Fact]
    public void A_layer_that_works_in_place_does_not_overwrite_what_backward_reads()
    {
        var network = Net(2, true, n => n.Sigmoid()).Build<double>(seed: 2);
        var fused = network.CreateWorkspace(3);
        var apart = network.CreateWorkspace(3, new WorkspaceOptions { Retain = Retain.All });
        foreach (var workspace in (Workspace<double>[])[fused, apart])
        {
            Fill(workspace.Input(), 3);
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Bits.AssertEqual<double>(apart.Gradients, fused.Gradients, "gradients");
    }

    [Fact]
    public void NaN_and_ties_go_the_same_way()
    {
        var network = Net(3, true).Build<float>(seed: 4);
        var fused = network.CreateWorkspace(2);
        var apart = network.CreateWorkspace(2, new WorkspaceOptions { Retain = Retain.Nodes("convolution") });
        foreach (var workspace in (Workspace<float>[])[fused, apart])
        {
            workspace.Input().Clear();
            workspace.Input()[7] = float.NaN;
            workspace.Input()[^1] = 1;
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Bits.AssertEqual<float>(apart.Output(), fused.Output(), "output");
        Bits.AssertEqual<float>(apart.Gradients, fused.Gradients, "gradients");
    }

    [Fact]
    public void A_training_run_is_the_same_and_a_short_batch_uses_a_prefix()
    {
        var parameters = new List<float[]>();
        foreach (var retain in (Retain[])[Retain.None, Retain.Nodes("relu")])
        {
            var network = Net(1, true).Build<float>(seed: 4);
            var workspace = network.CreateWorkspace(9, new WorkspaceOptions { Retain = retain });
            var adam = new Adam<float>(network.Parameters.Length);
            for (var step = 0; step < 5; step++)
            {
                workspace.Rows = step == 3 ? 4 : 9;
                Fill(workspace.Input(), step);
                workspace.IndexInput().Fill(step % 4);
                network.Step(workspace, adam);
            }

            parameters.Add(network.Parameters.ToArray());
        }

        Bits.AssertEqual<float>(parameters[1], parameters[0], "parameters");
    }

    private static void Fill<T>(Span<T> values, int seed) where T : INumberBase<T>
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = T.CreateTruncating(Math.Sin(1.7 * i + seed));
    }
}
