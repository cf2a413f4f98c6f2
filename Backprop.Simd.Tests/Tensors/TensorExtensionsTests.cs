using System.Diagnostics.CodeAnalysis;
using System.Numerics.Tensors;
using System.Reflection;
using System.Runtime.CompilerServices;
using Backprop.Simd.Data;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tensors;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Tensors;

public sealed class TensorExtensionsTests
{
    private static readonly Network<float> _images = Images();

    [Fact]
    public void Inputs_and_values_are_the_memory_of_the_workspace()
    {
        var workspace = _images.CreateWorkspace(3, new() { OutputGradients = true, InputGradients = true, Retain = Retain.All });
        workspace.Rows = 2;
        var x = workspace.InputTensor();
        Assert.Equal([2, 4, 4, 1], x.Lengths.ToArray());
        Assert.True(Unsafe.AreSame(ref x[0, 0, 0, 0], ref workspace.Input()[0]));
        Assert.True(Unsafe.AreSame(ref x[1, 3, 3, 0], ref workspace.InputTensor("image")[1, 3, 3, 0]));
        Fill(workspace.Input());
        _images.Forward(workspace);
        var output = workspace.OutputTensor();
        Assert.Equal([2, 3], output.Lengths.ToArray());
        Assert.True(Unsafe.AreSame(in output[1, 2], in workspace.Output()[5]));
        Assert.True(workspace.OutputTensor("affine1") == output);
        Assert.Equal([2, 2, 2, 2], workspace.ValueTensor("convolution2d1").Lengths.ToArray());
        Assert.Equal(workspace.ValueOf("convolution2d1")[8], workspace.ValueTensor("convolution2d1")[1, 0, 0, 0]);
        var seed = workspace.OutputGradientTensor();
        Assert.Equal([2, 3], seed.Lengths.ToArray());
        seed.Fill(1);
        Assert.Equal([1, 1, 1, 1, 1, 1], workspace.OutputGradient().ToArray());
        _images.Backward(workspace);
        Assert.Equal([2, 4, 4, 1], workspace.GradientTensor("image").Lengths.ToArray());
        Assert.Equal(workspace.GradientOf("image")[17], workspace.GradientTensor("image")[1, 0, 1, 0]);
        var gradient = workspace.ParameterGradientTensor("affine1.weight");
        Assert.Equal([8, 3], gradient.Lengths.ToArray());
        Assert.True(Unsafe.AreSame(ref gradient[0, 0], ref workspace.ParameterGradientOf("affine1.weight")[0]));
    }

    [Fact]
    public void Parameters_and_state_are_the_memory_of_the_network()
    {
        var network = GraphBuilder.Chain(new Shape(3)).Affine(2).BatchNormalization().Build<float>(seed: 1);
        var weight = network.ParameterTensor("affine1.weight");
        Assert.Equal([3, 2], weight.Lengths.ToArray());
        weight[2, 1] = 7;
        Assert.Equal(7, network.ParameterOf("affine1.weight")[5]);
        var mean = network.StateTensor("batchnormalization1.runningMean");
        Assert.Equal([2], mean.Lengths.ToArray());
        mean[1] = 5;
        Assert.Equal(5, network.StateOf("batchnormalization1.runningMean")[1]);
        Assert.Throws<ArgumentException>(() => network.ParameterTensor("none"));
    }

    [Fact]
    public void Indices_single_numbers_and_free_sizes_have_their_tensors()
    {
        var graph = new GraphBuilder();
        var words = graph.IndexInput("words", 3);
        var scalar = graph.Input("scalar");
        var deep = graph.Input("deep", 1, 2, 1, 2, 1, 2);
        graph.Output(words.Embedding(5, 2).Flatten());
        graph.Output(scalar);
        graph.Output(deep);
        var workspace = graph.Build().CreateNetwork<double>().CreateWorkspace(2);
        Assert.Equal([2, 3], workspace.IndexInputTensor().Lengths.ToArray());
        Assert.True(Unsafe.AreSame(ref workspace.IndexInputTensor("words")[1, 2], ref workspace.IndexInput("words")[5]));
        Assert.Equal([2], workspace.InputTensor().Lengths.ToArray());
        Assert.Equal([2, 1, 2, 1, 2, 1, 2], workspace.InputTensor("deep").Lengths.ToArray());
        Assert.Throws<ArgumentException>(() => workspace.InputTensor("words"));
        Assert.Throws<ArgumentException>(() => workspace.IndexInputTensor("deep"));
    }

    [Fact]
    public void Tensors_of_any_strides_are_set()
    {
        var workspace = Sums().CreateWorkspace(2, WorkspaceOptions.Inference);
        float[] numbers = [1, 2, 3, 4, 5, 6, 7, 8];
        workspace.SetInput("x", new ReadOnlyTensorSpan<float>(numbers, [2, 3], [1, 2]));
        Assert.Equal([1, 3, 5, 2, 4, 6], workspace.Input("x").ToArray());
        workspace.SetInput("x", new ReadOnlyTensorSpan<float>(numbers, [2, 3], [4, 1]));
        Assert.Equal([1, 2, 3, 5, 6, 7], workspace.Input("x").ToArray());
        workspace.SetInput("x", Tensor.Create(numbers[..6], [2, 3]));
        Assert.Equal([1, 2, 3, 4, 5, 6], workspace.Input("x").ToArray());
        var error = Assert.Throws<ArgumentException>(() => workspace.SetInput("x", new ReadOnlyTensorSpan<float>(numbers, [1, 3])));
        Assert.Equal("values", error.ParamName);
        Assert.Contains("[1, 3]; expected [2, 3]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => workspace.SetInput("x", default(ReadOnlyTensorSpan<float>)));
    }

    [Fact]
    public void A_bound_tensor_is_read_where_it_lies_and_kept()
    {
        var network = Sums();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        var tensor = Tensor.Create(new float[] { 1, 2, 3, 4, 5, 6 }, [2, 3]);
        workspace.BindInput("x", tensor);
        network.Forward(workspace);
        Assert.Equal([6, 15], workspace.Output().ToArray());
        tensor[1, 2] = 100;
        network.Forward(workspace);
        Assert.Equal([6, 109], workspace.Output().ToArray());

        BindAnother(workspace);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        network.Forward(workspace);
        Assert.Equal([21, 21], workspace.Output().ToArray());

        var transposed = Tensor.Create(new float[6], [2, 3], [1, 2]);
        var error = Assert.Throws<ArgumentException>(() => workspace.BindInput("x", transposed));
        Assert.Equal("values", error.ParamName);
        Assert.Contains("[2, 3] has the strides [1, 2]", error.Message, StringComparison.Ordinal);
        Assert.Contains("expected [2, 3]", Assert.Throws<ArgumentException>(() => workspace.BindInput("x", Tensor.Create(new float[6]))).Message,
            StringComparison.Ordinal);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BindAnother(Workspace<float> workspace)
    {
        var tensor = Tensor.CreateFromShape<float>([2, 3]);
        tensor.Fill(7);
        workspace.BindInput("x", tensor);
    }

    [Fact]
    public void A_dense_tensor_is_memory()
    {
        var tensor = Tensor.Create(new[] { 1f, 2, 3, 4 }, [4, 1]);
        var memory = tensor.AsMemory();
        Assert.Equal([1, 2, 3, 4], memory.ToArray());
        memory.Span[3] = 9;
        Assert.Equal(9, tensor[3, 0]);
        using (var pin = memory[1..].Pin())
        {
            GC.Collect();
            memory.Span[1] = 8;
            unsafe
            {
                Assert.Equal(8, *(float*)pin.Pointer);
            }
        }

        var column = Columns.Values("x", new Shape(1), (ReadOnlyMemory<float>)tensor.AsMemory());
        Assert.Equal(4, column.Count);
        Assert.True(Tensor.CreateFromShape<int>([2, 0]).AsMemory().IsEmpty);
        Assert.Equal("tensor", Assert.Throws<ArgumentException>(() => Tensor.Create(new float[8], [2, 3], [4, 1]).AsMemory()).ParamName);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(64)]
    public void A_predictor_takes_and_gives_tensors_of_any_strides_with_the_same_bits(int maximumRows)
    {
        var predictor = new Predictor<float>(_images, new() { MaximumRows = maximumRows });
        const int Rows = 10;
        var inputs = new float[Rows * 16];
        Fill(inputs);
        var expected = new float[Rows * 3];
        predictor.Predict(inputs, expected);
        var dense = new ReadOnlyTensorSpan<float>(inputs, [Rows, 4, 4, 1]);

        var outputs = new float[Rows * 3];
        predictor.Predict(dense, new TensorSpan<float>(outputs, [Rows, 3]));
        Assert.Equal(expected, outputs);
        Assert.Equal(expected, predictor.Predict(Tensor.Create(inputs, [Rows, 4, 4, 1])).ToArray());

        // The inputs with gaps behind each image and in Fortran order; the outputs with gaps.
        var padded = new float[Rows * 20];
        var columns = new float[Rows * 16];
        dense.CopyTo(new TensorSpan<float>(padded, [Rows, 4, 4, 1], [20, 4, 1, 0]));
        dense.CopyTo(new TensorSpan<float>(columns, [Rows, 4, 4, 1], [1, Rows, 4 * Rows, 0]));
        foreach (var (values, strides) in (ReadOnlySpan<(float[], nint[])>)[(padded, [20, 4, 1, 0]), (columns, [1, Rows, 4 * Rows, 0])])
        {
            var wide = new float[Rows * 5];
            wide.AsSpan().Fill(-1);
            predictor.Predict(new ReadOnlyTensorSpan<float>(values, [Rows, 4, 4, 1], strides), new TensorSpan<float>(wide, [Rows, 3], [5, 1]));
            for (var r = 0; r < Rows; r++)
                Assert.Equal([.. expected[(3 * r)..(3 * r + 3)], -1, -1], wide[(5 * r)..(5 * r + 5)]);
        }

        predictor.Predict(new ReadOnlyTensorSpan<float>(Array.Empty<float>(), [0, 4, 4, 1]), new TensorSpan<float>(Array.Empty<float>(), [0, 3]));
    }

    [Fact]
    public void Tensors_that_do_not_fit_a_predictor_are_refused()
    {
        var predictor = new Predictor<float>(_images);
        var memory = new float[100];
        void Refused(string parameter, string text, Action call)
        {
            var error = Assert.Throws<ArgumentException>(call);
            Assert.Equal(parameter, error.ParamName);
            Assert.Contains(text, error.Message, StringComparison.Ordinal);
        }

        Refused("inputs", "[2, 16]; expected [2, 4, 4, 1]", () => predictor.Predict(new ReadOnlyTensorSpan<float>(memory, [2, 16]), default));
        Refused("inputs", "[]; expected [0, 4, 4, 1]", () => predictor.Predict(default(ReadOnlyTensorSpan<float>), default));
        Refused("outputs", "[1, 3]; expected [2, 3]", () =>
            predictor.Predict(new ReadOnlyTensorSpan<float>(memory, [2, 4, 4, 1]), new TensorSpan<float>(new float[3], [1, 3])));
        Refused("outputs", "must not overlap", () =>
            predictor.Predict(new ReadOnlyTensorSpan<float>(memory, [2, 4, 4, 1]), new TensorSpan<float>(memory.AsSpan(31), [2, 3])));
        Refused("outputs", "must not overlap", () =>
            predictor.Predict(new ReadOnlyTensorSpan<float>(memory, [2, 4, 4, 1], [40, 4, 1, 0]), new TensorSpan<float>(memory.AsSpan(20), [2, 3])));
        Refused("outputs", "its stride is 0", () =>
            predictor.Predict(new ReadOnlyTensorSpan<float>(memory, [2, 4, 4, 1]), new TensorSpan<float>(new float[9], [2, 3], [0, 1])));
    }

    [Fact]
    public void Views_of_up_to_five_sizes_allocate_nothing()
    {
        var workspace = _images.CreateWorkspace(2, WorkspaceOptions.Inference);
        var predictor = new Predictor<float>(_images, new() { MaximumRows = 2 });
        float[] inputs = new float[32], outputs = new float[6];
        void Use()
        {
            workspace.InputTensor()[0, 0, 0, 0] = 1;
            workspace.InputTensor("image")[0, 0, 0, 0] = 1;
            _images.Forward(workspace);
            _ = workspace.OutputTensor()[0, 0] + workspace.OutputTensor("affine1")[0, 0] + _images.ParameterTensor("affine1.weight")[0, 0];
            predictor.Predict(new ReadOnlyTensorSpan<float>(inputs, [2, 4, 4, 1]), new TensorSpan<float>(outputs, [2, 3]));
        }

        Use();
        Use();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            Use();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Their use warns nobody: were it otherwise, callers would have to be told.
    [Fact]
    public void The_types_of_tensors_are_not_experimental()
    {
        foreach (var type in (Type[])[typeof(TensorSpan<>), typeof(ReadOnlyTensorSpan<>), typeof(Tensor<>), typeof(Tensor)])
            Assert.Null(type.GetCustomAttribute<ExperimentalAttribute>());
    }

    private static Network<float> Images() =>
        GraphBuilder.Chain(new Shape(4, 4, 1), "image").Convolution2D(2, 3).Relu().Flatten().Affine(3).Build<float>(seed: 3);

    private static Network<float> Sums()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 3).Sum());
        return graph.Build().CreateNetwork<float>();
    }

    private static void Fill(Span<float> values)
    {
        var random = new TestRandom(4);
        foreach (ref var value in values)
            value = random.Signed<float>();
    }
}
