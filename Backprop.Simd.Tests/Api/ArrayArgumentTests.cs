using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Backprop.Simd.Activations;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Initializers;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Api;

/// <summary>
/// Every generic method over spans or memory is called with plain arrays and without its type arguments: that this compiles is half of
/// the test. The compiler infers T of a span from an array; of memory it does not, and there are overloads.
/// </summary>
public sealed partial class ArrayArgumentTests
{
    private readonly HashSet<string> _called = [];

    [Fact]
    public void Every_generic_method_over_spans_or_memory_takes_arrays()
    {
        Elementwises();
        Kernels();
        Arrays();
        Others();
        var all = PublicMembers.Types.SelectMany(PublicMembers.Of)
            .Where(m => m.IsGenericMethod && m.GetParameters().Any(p => IsOwn(p.ParameterType, m.GetGenericArguments())))
            .Select(m => (Type: m.DeclaringType!, m.Name)).Where(m => !m.Type.IsSubclassOf(typeof(Initializer)))
            .Select(m => $"{m.Type.Name}.{m.Name}").Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(all, _called.Order(StringComparer.Ordinal));
    }

    /// <summary>Whether a type is a span, memory or destination of a type argument of its method.</summary>
    private static bool IsOwn(Type type, Type[] own) => type.IsGenericType && own.Contains(type.GetGenericArguments()[0])
        && type.Name.Split('`')[0] is "Span" or "ReadOnlySpan" or "Memory" or "ReadOnlyMemory" or "Destination";

    /// <summary>Calls a member, and notes the type and the name that stand before its arguments.</summary>
    private void Call(Action call, [CallerArgumentExpression(nameof(call))] string text = "")
    {
        call();
        var member = Member().Match(text).Groups[1].Value;
        _called.Add(char.ToUpperInvariant(member[0]) + member[1..]);
    }

    [GeneratedRegex(@"([A-Za-z]+\.[A-Za-z]+)\((?!1, 1)")]
    private static partial Regex Member();

    private void Elementwises()
    {
        float[] x = [1, 2], y = [3, 4], z = [0, 0];
        Call(() => Elementwise.Exp(x, z));
        Assert.Equal(Math.E, z[0], 1e-6);
        Call(() => Elementwise.Add(x, y, z));
        Assert.Equal([4, 6], z);
        Call(() => Elementwise.Subtract(x, y, z));
        Call(() => Elementwise.Multiply(x, y, z));
        Call(() => Elementwise.MultiplyAccumulate(x, y, z));
        Call(() => Elementwise.Maximum(x, y, z));
        Call(() => Elementwise.Axpy(2, x, y));
        Assert.Equal([5, 8], y);
        Call(() => Elementwise.Scale(x, 2, z));
        Call(() => Elementwise.Shift(x, 2, z));
        Call(() => Elementwise.Negate(x, z));
        Call(() => Elementwise.Reciprocal(x, z));
        Call(() => Elementwise.ReciprocalBackward(x, y, z));
        Call(() => Elementwise.Erf(x, z));
        Call(() => Elementwise.Sin(x, z));
        Call(() => Elementwise.Cos(x, z));
        Call(() => Elementwise.Floor(x, z));
        Call(() => Elementwise.Pow(x, y, z));
        Call(() => Elementwise.Pow(x, 2, z));
        Call(() => Elementwise.Gelu(x, z));
        Call(() => Elementwise.GeluTanh(x, z));
        Call(() => GatedUnits.Glu(x, 1, z.AsSpan(0, 1)));
        Call(() => GatedUnits.GluBackward(x.AsSpan(0, 1), x, 1, z));
        Call(() => GatedUnits.SwiGlu(x, 1, z.AsSpan(0, 1)));
        Call(() => GatedUnits.SwiGluBackward(x.AsSpan(0, 1), x, 1, z));
        Call(() => Elementwise.Log(x, z));
        Call(() => Elementwise.Sigmoid(x, z));
        Call(() => Elementwise.Silu(x, z));
        Call(() => Elementwise.Softplus(x, z));
        Call(() => Elementwise.Tanh(x, z));
        Call(() => Elementwise.AddRow(new Matrix<float>(z, 1, 2), x));
        Call(() => ActivationKernels.Forward(new Relu(), x, z));
        Call(() => ActivationKernels.Backward(new Relu(), x, x, x, z));
    }

    private void Arrays()
    {
        float[] x = [1, 2, 3, 4], y = [3, 4], z = [0, 0, 0, 0], scratch = new float[12];
        Call(() => Broadcasting.Forward(new Add(), new(x, 2, 2), new ShapedSpan<float>(y, 2), z));
        Assert.Equal([4, 6, 6, 8], z);
        Call(() => Broadcasting.LeftGradient(new Add(), x, new(x, 2, 2), new ShapedSpan<float>(y, 2), z, scratch));
        Call(() => Broadcasting.RightGradient(new Add(), x, new(x, 2, 2), new ShapedSpan<float>(y, 2), y, scratch));
        Call(() => Broadcasting.Where(new ShapedSpan<float>(x, 2, 2), new ShapedSpan<float>(y, 2), new ShapedSpan<float>(y, 2), z));
        Call(() => Broadcasting.WhereGradient(new ShapedSpan<float>(x, 2, 2), new ShapedSpan<float>(y, 2), true, [2], y, scratch));
        Call(() => Permutation.Transpose(new ShapedSpan<float>(x, 2, 2), [1, 0], z));
        var array = new float[4];
        Call(() => Simd.Kernels.Arrays.Pad(new ShapedSpan<float>(y, 2), [1], [1], PaddingMode.Edge, 0, z));
        Call(() => Simd.Kernels.Arrays.PadGradient(z, [2], [1], [1], PaddingMode.Edge, y));
        Call(() => Simd.Kernels.Arrays.Reverse(new ShapedSpan<float>(x, 2, 2), [1], z));
        Call(() => Simd.Kernels.Arrays.Tile(new ShapedSpan<float>(y, 2), [2], z));
        Call(() => Simd.Kernels.Arrays.TileGradient(z, [2], [2], y));
        Call(() => AxisScans.CumulativeSum(new ShapedSpan<float>(x, 2, 2), 1, false, false, z));
        Call(() => AxisScans.TopK(new ShapedSpan<float>(x, 2, 2), 1, 1, true, y, new float[2]));
        Call(() => AxisScans.TopKGradient(new float[2], new float[2], [2, 2], 1, array));
        int[] indices = [0, 1], order = new int[12];
        Call(() => Indexing.Gather(new ShapedSpan<float>(x, 1, 2, 2, 1), indices, 2, array));
        Call(() => Indexing.ScatterAdd(new ShapedSpan<float>(x, 1, 2, 2, 1), indices, [1, 2, 2, 1], array, order));
        Call(() => Indexing.GatherElements(new ShapedSpan<float>(x, 1, 1, 2, 2), [0, 1, 1, 0], 2, array));
        Call(() => Indexing.ScatterAddElements(x, [0, 1, 1, 0], 2, [1, 1, 2, 2], array, order));
        Call(() => Gemm.MultiplyBatch(new(x, 2, 2), new ShapedSpan<float>(y, 2, 1), new float[2]));
        Call(() => Gemm.MultiplyBatch(new(x, 2, 2), true, new ShapedSpan<float>(y, 2, 1), false, [2, 1], new float[2]));
        Call(() => AxisReductions.Sum(new ShapedSpan<float>(x, 2, 2), [2, 1], y, scratch));
        Call(() => AxisReductions.Max(new ShapedSpan<float>(x, 2, 2), [2, 1], y, scratch));
        Call(() => AxisReductions.Min(new ShapedSpan<float>(x, 2, 2), [2, 1], y, scratch));
        Call(() => AxisReductions.LogSumExp(new ShapedSpan<float>(x, 2, 2), [2, 1], y, scratch));
        Call(() => AxisReductions.Norm(new ShapedSpan<float>(x, 2, 2), [2, 1], y, scratch));
        Call(() => AxisReductions.Variance(new ShapedSpan<float>(x, 2, 2), [2, 1], 1, y, new float[2], scratch));
        Call(() => AxisReductions.ExtremeGradient(y, new ShapedSpan<float>(x, 2, 2), y, [2, 1], array, scratch));
        Call(() => AxisReductions.LogSumExpGradient(y, new ShapedSpan<float>(x, 2, 2), y, [2, 1], array));
        Call(() => AxisReductions.NormGradient(y, new ShapedSpan<float>(x, 2, 2), y, [2, 1], array));
        Call(() => AxisReductions.VarianceGradient(y, new ShapedSpan<float>(x, 2, 2), y, [2, 1], 1, array));
        Call(() => AxisReductions.SumGradient(new ShapedSpan<float>(y, 2, 1), [2, 2], 1, array));
        Call(() => AxisReductions.ArgMax(x, 2, 2, 1, y));
    }

    private void Kernels()
    {
        double[] x = [1, 2, 3, 4], y = [3, 4, 5, 6], z = [0, 0, 0, 0], one = [1], two = [0, 0], none = [];
        int[] labels = [0, 1];
        Call(() => Reductions.Sum(x));
        Call(() => Reductions.SumOfSquares(x));
        Call(() => Reductions.Norm(x));
        Call(() => Reductions.Max(x));
        Call(() => Reductions.AllFinite(x));
        Call(() => Reductions.Dot(x, y));
        Call(() => Reductions.ColumnSums(new ReadOnlyMatrix<double>(x, 2, 2), two));
        Assert.Equal([4, 6], two);
        Call(() => Gemm.MultiplyAddRow(new Matrix<double>(x, 2, 2), new Matrix<double>(y, 2, 2), two, new Matrix<double>(z, 2, 2)));
        Call(() => CrossEntropyKernels.CrossEntropy(new Matrix<double>(x, 2, 2), labels, two));
        Call(() => CrossEntropyKernels.CrossEntropyWithGradient(new Matrix<double>(x, 2, 2), labels, 1, two, new Matrix<double>(z, 2, 2)));
        Call(() => CtcKernels.Ctc(new ReadOnlyMatrix<double>(x, 2, 2), [1], [2], [1], one));
        Call(() => CtcKernels.CtcWithGradient(new Matrix<double>(x, 2, 2), [1], [2], [1], new double[1], new Matrix<double>(z, 2, 2)));
        Call(() => SoftmaxKernels.SoftmaxWithLogSumExp(new Matrix<double>(x, 2, 2), new Matrix<double>(z, 2, 2), two, new double[2]));
        Call(() => SoftmaxKernels.SoftmaxBackward(new ReadOnlyMatrix<double>(x, 2, 2), new ReadOnlyMatrix<double>(y, 2, 2), z));
        Call(() => SoftmaxKernels.LogSoftmaxBackward(new ReadOnlyMatrix<double>(x, 2, 2), new ReadOnlyMatrix<double>(y, 2, 2), z));
        var shape = new ConvolutionShape(2, 2, 1, 1, 1);
        var scratch = new double[Convolution.ScratchLength(shape)];
        Call(() => Convolution.Forward(shape, x, one, one, z, scratch));
        Call(() => Convolution.Forward(shape, x, one, none, z, scratch));
        Call(() => Convolution.BackwardInput(shape, x, one, z, scratch));
        Call(() => Convolution.BackwardWeights(shape, x, y, one, default, scratch));
        Call(() => Resize.Forward(new ResizeShape(1, 1, 1, 2), one, z));
        Call(() => Resize.Backward(new ResizeShape(1, 1, 1, 2), z, one));
        Call(() => GradientClipping.Norm(x));
        Call(() => GradientClipping.ByNorm(x, 1));
        Call(() => GradientClipping.ByValue(x, 1));
    }

    private void Others()
    {
        float[] x = [1, 2];
        Call(() => Columns.Values("x", new Shape(1), x));
        Call(() => Columns.Values("x", new Shape(1), new ReadOnlyMemory<float>(x)));
        Assert.Throws<ArgumentNullException>("values", () => Columns.Values("x", new Shape(1), (float[])null!));
        var sampler = new Sampler();
        Call(() => sampler.Next(x));
        var safetensorsWriter = new SafetensorsWriter();
        Call(() => safetensorsWriter.Add("a", new Shape(2), x));
        Call(() => safetensorsWriter.Add("b", [2], x));
        Call(() => safetensorsWriter.Add("c", [2], new ReadOnlyMemory<float>(x)));
        Call(() => safetensorsWriter.Add("d", [2], () => x));
        Assert.Throws<ArgumentNullException>("values", () => safetensorsWriter.Add("e", [2], (float[])null!));
        using var array = new MemoryStream();
        Call(() => Npy.Write(array, x, 2));
        array.Position = 0;
        var npyArray = Npy.Read(array);
        Call(() => npyArray.CopyTo(x));
        Npz.Write(array, npzWriter => Call(() => npzWriter.Add("x", x, 2)));
        using var stream = new MemoryStream();
        safetensorsWriter.Write(stream);
        stream.Position = 0;
        using var file = SafetensorsFile.Open(stream);
        foreach (var safetensorsTensor in file.Tensors)
        {
            var read = new float[2];
            Call(() => safetensorsTensor.Read(read));
            Assert.Equal(x, read);
        }

        stream.SetLength(0);
        GraphBuilder.Chain(2).Affine(1, bias: false).Build<float>().SavePyTorch(stream);
        stream.Position = 0;
        using var pyTorchFile = PyTorchFile.Open(stream);
        foreach (var pyTorchTensor in pyTorchFile.Tensors)
            Call(() => pyTorchTensor.Read(x));
        x = [1, 2];
        var normalization = new Normalization("x", new Shape(2), [0, 0], [1, 1]);
        Call(() => normalization.Apply(x, 1));
        Call(() => normalization.Undo(x, 1));
        var labeledImages = new LabeledImages(new byte[2], new byte[1], 2, 1, 1, 1);
        Call(() => labeledImages.CopyRows(0, 1, x));
        Call(() => labeledImages.CopyRows(new[] { 0 }, x));
        var initializer = Initialize.He;
        Call(() =>
        {
            var random = new Philox(1, 1);
            initializer.Fill(x, 1, 2, ref random);
            initializer.Fill(x, [1, 2], 1, 2, ref random);
        });
    }
}
