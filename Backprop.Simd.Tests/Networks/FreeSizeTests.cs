using Backprop.Simd.Data;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Sizes that are free until run time: one set of parameters, the bits of a network of fixed sizes, errors before the first batch.</summary>
public sealed class FreeSizeTests
{
    private const int Features = 5, Rows = 3;

    private static Dimension Time => Dimension.Free("time", 12, smallest: 3);

    /// <summary>A text classifier: most layers that take a sequence.</summary>
    internal static NetworkDefinition Sequence(Dimension time)
    {
        var graph = new GraphBuilder();
        var lengths = graph.IndexInput("lengths");
        var x = graph.Input("x", time, Features).Apply(new Normalize([0.1, 0.2, 0.3, 0.4, 0.5], [2, 1, 2, 1, 2])).Apply(new Denormalize([0.1], [1.5]));
        var position = graph.Parameter("position", new Shape(12, 8)).CutTo(x);
        var y = x.Convolution1D(8, 3, padding: 1).Relu() + position + graph.IndexInput("tokens", time).Embedding(20, 8);
        y = y.LayerNormalization().SelfAttention(2, lengths: lengths).Dropout(0.2) + y;
        var last = y.GruLast(6, lengths) + y.Affine(6).Tanh().Mean(0) + y.Transpose(1, 0).Max(1).Affine(6);
        last.Affine(4).SoftmaxCrossEntropy();
        return graph.Build();
    }

    /// <summary>Images of any size, in convolution, running statistics, pooling and a transposed convolution.</summary>
    internal static NetworkDefinition Image(Dimension height, Dimension width)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", height, width, 3);
        var down = x.Convolution2D(8, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2);
        var up = down.ConvolutionTranspose2D(4, 2, stride: 2).Tanh();
        graph.Output(up);
        (up.Convolution2D(4, 1) * x.GlobalAveragePooling2D().Affine(4).Sigmoid().Reshape(1, 1, 4)).GlobalAveragePooling2D().SoftmaxCrossEntropy();
        return graph.Build();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_sequence_of_any_length_has_the_bits_of_a_network_of_that_length(int threads)
    {
        using var team = new ComputeContext(threads);
        var free = Sequence(Time).CreateNetwork<float>(seed: 3);
        var workspace = free.CreateWorkspace(Rows, compute: team);
        var optimizer = new Adam<float>(free.Parameters.Length, 0.01f);
        foreach (var time in (int[])[7, 12, 3, 7, 11, 3])
        {
            var before = free.Parameters.ToArray();
            workspace.SetSizes(("time", time));
            Fill(workspace, time);
            var loss = free.Forward(workspace);
            free.Backward(workspace);
            var fixedSize = Sequence(time).CreateNetwork<float>(seed: 3);
            before.CopyTo(fixedSize.Parameters);
            var other = fixedSize.CreateWorkspace(Rows, compute: team);
            other.StepNumber = workspace.StepNumber;
            Fill(other, time);
            Assert.Equal(fixedSize.Forward(other), loss);
            fixedSize.Backward(other);
            Assert.Equal(other.Gradients.ToArray(), workspace.Gradients.ToArray());
            free.Update(workspace, optimizer);
            Assert.Equal(time, workspace.SizeOf("time"));
            Assert.Equal(new EdgeType(EdgeKind.Values, new Shape(time, Features)), workspace.TypeOf("x"));
        }

        static void Fill(Workspace<float> workspace, int time)
        {
            var random = new Random(time);
            foreach (ref var x in workspace.Input("x"))
                x = random.NextSingle() - 0.5f;
            foreach (ref var token in workspace.IndexInput("tokens"))
                token = random.Next(20);
            foreach (ref var length in workspace.IndexInput("lengths"))
                length = 1 + random.Next(time);
            foreach (ref var label in workspace.IndexInput("labels"))
                label = random.Next(4);
            Assert.Equal(Rows * time * Features, workspace.Input("x").Length);
            Assert.Equal(Rows * time, workspace.IndexInput("tokens").Length);
        }
    }

    [Fact]
    public void Images_of_any_size_train_with_one_set_of_parameters_and_statistics()
    {
        var free = Image(Dimension.Free("height", 10, 2), Dimension.Free("width", 8, 2)).CreateNetwork<double>(seed: 5);
        var workspace = free.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true });
        var bytes = workspace.Bytes;
        var optimizer = new Sgd<double>(free.Parameters.Length, 0.1);
        double[] parameters = [.. free.Parameters], state = [.. free.State];
        foreach (var (height, width) in ((int, int)[])[(10, 8), (4, 6), (2, 2), (4, 6), (10, 2)])
        {
            workspace.SetSizes(("height", height), ("width", width));
            Fill(workspace);
            var loss = free.Step(workspace, optimizer);
            var fixedSize = Image(height, width).CreateNetwork<double>(seed: 5);
            parameters.CopyTo(fixedSize.Parameters);
            state.CopyTo(fixedSize.State);
            var other = fixedSize.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true });
            Fill(other);
            Assert.Equal(fixedSize.Step(other, new Sgd<double>(free.Parameters.Length, 0.1)), loss);
            (parameters, state) = ([.. fixedSize.Parameters], [.. fixedSize.State]);
            Assert.Equal(parameters, free.Parameters.ToArray());
            Assert.Equal(state, free.State.ToArray());
            Assert.Equal(other.Output().ToArray(), workspace.Output().ToArray());
            Assert.Equal(other.GradientOf("x").ToArray(), workspace.GradientOf("x").ToArray());
        }

        // Convolutions take batches of rows through one piece of scratch, which differs a little from size to size.
        Assert.InRange(workspace.Bytes, bytes, 2 * bytes);

        static void Fill(Workspace<double> workspace)
        {
            var random = new Random(workspace.Input().Length);
            foreach (ref var x in workspace.Input())
                x = random.NextDouble() - 0.5;
            foreach (ref var label in workspace.IndexInput())
                label = random.Next(4);
        }
    }

    [Fact]
    public void A_batch_says_its_sizes()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Dimension.Free("time", 9), 2).Affine(3).Mean(0));
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(4, WorkspaceOptions.Inference);
        foreach (var time in (int[])[5, 9, 1, 5])
        {
            var x = new float[2 * time * 2];
            for (var i = 0; i < x.Length; i++)
                x[i] = i * 0.25f;
            workspace.Bind(Batch(new Shape(time, 2), x));
            network.Forward(workspace);
            Assert.Equal((time, 2), (workspace.SizeOf("time"), workspace.Rows));
            Assert.Equal(x, workspace.ValueOf("x").ToArray());
        }

        foreach (var shape in (Shape[])[new(10, 2), new(5, 3), new(10), new(5, 2, 1)])
        {
            var message = Assert.Throws<ArgumentException>(() => workspace.Bind(Batch(shape, new float[2 * shape.Size]))).Message;
            Assert.Contains($"'x' takes values [time 1..9, 2], free sizes alike in all inputs; the column holds values {shape}", message,
                StringComparison.Ordinal);
        }

        static Batch<float> Batch(Shape shape, float[] x)
        {
            var set = new Dataset<float>(Columns.Values("x", shape, x));
            var batch = set.CreateBatch(2);
            set.Read([0, 1], batch);
            return batch;
        }
    }

    /// <summary>Views that keep free sizes, take one as the size that follows, or join all.</summary>
    internal static NetworkDefinition Views(Dimension time)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", time, 6);
        var image = x.Unsqueeze(0).Convolution2D(6, new Extent(1, 3), padding: Padding.Sides(1, 1)).Squeeze(0);
        var heads = image.Reshape(0, 2, 3).Transpose(1, 0, 2).Reshape(2, -1).Max(1);
        var channels = x.Unsqueeze(-1).Reshape(-1, 3, 2).Sum(0).Flatten();
        heads.Concatenate(channels, (x.Flatten() * image.Flatten()).Sum(true, 0)).Affine(3).SoftmaxCrossEntropy();
        return graph.Build();
    }

    [Fact]
    public void Views_of_any_size_have_the_bits_of_views_of_that_size()
    {
        var free = Views(Time).CreateNetwork<float>(seed: 3);
        var workspace = free.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true });
        foreach (var time in (int[])[7, 12, 3, 7])
        {
            workspace.SetSizes(("time", time));
            var other = Views(time).CreateNetwork<float>(seed: 3).CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true });
            foreach (var one in (Workspace<float>[])[workspace, other])
            {
                for (var i = 0; i < one.Input("x").Length; i++)
                    one.Input("x")[i] = MathF.Sin(i * time);
                one.Network.Forward(one);
                one.Network.Backward(one);
            }

            Assert.Equal(other.Loss, workspace.Loss);
            Assert.Equal(other.Gradients.ToArray(), workspace.Gradients.ToArray());
            Assert.Equal(other.GradientOf("x").ToArray(), workspace.GradientOf("x").ToArray());
        }
    }

    [Fact]
    public void A_batch_of_too_many_rows_changes_nothing()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Dimension.Free("time", 9), 1).Sum());
        var network = graph.Build().CreateNetwork<float>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        workspace.Bind(Batch(rows: 2, time: 3));
        network.Forward(workspace);
        Assert.Throws<ArgumentOutOfRangeException>(() => workspace.Bind(Batch(rows: 3, time: 5)));
        Assert.Equal((3, 2), (workspace.SizeOf("time"), workspace.Rows));
        Assert.Equal([3, 12], workspace.Output().ToArray());
        network.Forward(workspace);
        Assert.Equal([3, 12], workspace.Output().ToArray());

        static Batch<float> Batch(int rows, int time)
        {
            var set = new Dataset<float>(Columns.Values("x", new Shape(time, 1), [.. Enumerable.Range(0, rows * time).Select(i => (float)i)]));
            var batch = set.CreateBatch(rows);
            set.Read([.. Enumerable.Range(0, rows)], batch);
            return batch;
        }
    }

    [Fact]
    public void More_sizes_than_plans_that_are_kept()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Dimension.Free("n", 400)).Sum());
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1);
        for (var pass = 0; pass < 2; pass++)
        {
            for (var n = 1; n <= 400; n++)
            {
                workspace.SetSizes(("n", n));
                workspace.Input().Fill(1);
                network.Forward(workspace);
                Assert.Equal([n], workspace.Output().ToArray());
            }
        }
    }

    [Fact]
    public void Another_size_ends_bindings_and_the_pass()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Dimension.Free("n", 4)).Sum());
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1);
        workspace.BindInput("x", new double[] { 1, 2, 3, 4 });
        network.Forward(workspace);
        workspace.SetSizes(("n", 4));
        Assert.Equal([10], workspace.Output().ToArray());
        workspace.SetSizes(("n", 3));
        Assert.Throws<InvalidOperationException>(() => workspace.Output().ToArray());
        Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
        workspace.SetInput("x", [5, 6, 7]);
        network.Forward(workspace);
        Assert.Equal([18], workspace.Output().ToArray());
    }

    [Fact]
    public void What_cannot_be_is_said_when_the_graph_is_built()
    {
        Assert.Contains("With time = 3, 'affine1' cannot be: its parameters or state would have other shapes: they may not depend on a free size.",
            Refused(x => x.Flatten().Affine(3)), StringComparison.Ordinal);
        Assert.Contains("With time = 3, 'reshape1' cannot be", Refused(x => x.Reshape(12 * Features)), StringComparison.Ordinal);
        Assert.Contains("With time = 3, 'convolution1d1' cannot be", Refused(x => x.Convolution1D(4, 5).Mean(0)), StringComparison.Ordinal);
        Assert.Contains("'slice1'", Refused(x => x.Slice(0, 0, 4)), StringComparison.Ordinal);

        static string Refused(Func<Node, Node> network)
        {
            var graph = new GraphBuilder();
            graph.Output(network(graph.Input("x", Time, Features)));
            return Assert.Throws<InvalidOperationException>(graph.Build).Message;
        }
    }

    [Fact]
    public void A_size_that_a_layer_does_not_take_changes_nothing()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Dimension.Free("height", 8, 2), 4, 1);
        graph.Output(x.AveragePooling2D(2).ConvolutionTranspose2D(1, 2, stride: 2) + x);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1);
        workspace.SetSizes(("height", 6));
        workspace.Input().Fill(1);
        network.Forward(workspace);
        var output = workspace.Output().ToArray();
        Assert.Contains("height = 5", Assert.Throws<ArgumentException>(() => workspace.SetSizes(("height", 5))).Message, StringComparison.Ordinal);
        Assert.Equal(6, workspace.SizeOf("height"));
        Assert.Equal(output, workspace.Output().ToArray());
        Assert.Contains("'height' is 2 to 8", Assert.Throws<ArgumentOutOfRangeException>(() => workspace.SetSizes(("height", 9))).Message,
            StringComparison.Ordinal);
        Assert.Contains("has: height 2..8", Assert.Throws<ArgumentException>(() => workspace.SetSizes(("width", 4))).Message, StringComparison.Ordinal);
        Assert.Contains("has: height 2..8", Assert.Throws<ArgumentException>(() => workspace.SizeOf("width")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => workspace.SetSizes((null!, 4)));
        Assert.Equal(6, workspace.SizeOf("height"));
    }

    [Fact]
    public void One_name_has_one_range()
    {
        var graph = new GraphBuilder();
        graph.Input("x", Dimension.Free("time", 8), 2);
        Assert.Contains("time 1..8", Assert.Throws<ArgumentException>(() => graph.Input("y", Dimension.Free("time", 9), 2)).Message, StringComparison.Ordinal);
        graph.Output(graph.Input("y", Dimension.Free("time", 8), 3));
        Assert.Equal([Dimension.Free("time", 8)], graph.Build().FreeSizes);
        Assert.Throws<ArgumentOutOfRangeException>(() => Dimension.Free("time", 4, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Dimension.Free("time", 4, 0));
        Assert.Throws<ArgumentException>(() => Dimension.Free(" ", 4));
        Assert.Throws<ArgumentException>(() => graph.Input("z", default(Dimension)));
    }

    [Fact]
    public void Gradients_are_right_at_every_size()
    {
        var network = Sequence(Time).CreateNetwork<double>(seed: 2);
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true });
        foreach (var time in (int[])[4, 9])
        {
            workspace.SetSizes(("time", time));
            var random = new Random(time);
            foreach (ref var x in workspace.Input("x"))
                x = random.NextDouble() - 0.5;
            workspace.IndexInput("lengths").Fill(time - 1);
            var report = Backprop.Simd.Gradients.GradientCheck.Run(network, workspace);
            Assert.True(report.Passes(absoluteDifference: 1e-9), report.ToString());
        }
    }
}
