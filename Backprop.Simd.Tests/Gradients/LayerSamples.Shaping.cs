using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Dropout, embedding, concatenation.</content>
internal static partial class LayerSamples
{
    private static EdgeType Indices(params ReadOnlySpan<int> shape) => new(EdgeKind.Indices, new Shape(shape));

    private static IEnumerable<LayerSample> Shapings()
    {
        foreach (var (type, rows) in ElementwiseTypes())
        {
            yield return new(new Dropout(0.4), [type], rows, Signed);
            yield return new(new Dropout(0), [type], rows, Signed) { Name = "none " };
            yield return new(new Dropout(1), [type], rows, Signed) { Name = "all " };
        }

        yield return new(new Dropout(0.25), [Values(301)], 4, Signed) { Name = "long " };
        yield return new(new Embedding(5, 3), [Indices()], 4, Signed, [4, 0, 4, 1]);
        yield return new(new Embedding(4, 17), [Indices(3)], 2, Signed, [1, 1, 3, 0, 1, 3]) { Name = "sequence " };
        yield return new(new Embedding(4, 2, Initialize.Xavier), [Indices(2)], 1, Signed, [2, 3]) { Name = "initializer " };
        foreach (var mode in Enum.GetValues<PaddingMode>())
        {
            yield return new(new Pad([2], [3], mode, 1.5), [Values(4)], 3, Signed);
            yield return new(new Pad([0, 2, 0], [1, 1, 0], mode), [Values(2, 3, 2)], 2, Signed);
            yield return new(new Pad([1, 0, 1, 0, 1, 0], [0, 0, 1, 0, 0, 0], mode), [Values(2, 1, 2, 1, 2, 1)], 2, Signed);
            yield return new(new Pad([1, 0], [2, 3], mode, -2), [Shared(3, 4)], 2, Signed);
        }

        yield return new(new Pad([], [], value: 3), [Values()], 3, Signed) { Name = "nothing " };
        yield return new(new Pad([150, 0], [0, 1], PaddingMode.Edge), [Values(2, 2)], 2, Signed) { Name = "long " };
        yield return new(new Reverse(), [Values(2, 3, 4)], 2, Signed);
        yield return new(new Reverse(1), [Values(2, 3, 4)], 2, Signed);
        yield return new(new Reverse(0, -1), [Shared(3, 5)], 2, Signed);
        yield return new(new Tile(3), [Values(4)], 3, Signed);
        yield return new(new Tile(2, 1, 3), [Values(2, 3, 2)], 2, Signed);
        yield return new(new Tile(1, 150), [Values(2, 2)], 2, Signed) { Name = "long " };
        yield return new(new Tile(2, 2), [Shared(1, 3)], 2, Signed);
        yield return new(new Gather(), [Values(4, 3), Indices(5)], 2, Signed, [0, 3, 3, 1, 0, 2, 2, 2, 2, 2]);
        yield return new(new Gather(1), [Values(2, 4, 3), Indices(2, 2)], 2, Signed, [0, 3, 3, 1, 1, 1, 2, 0]) { Name = "matrix " };
        yield return new(new Gather(-1), [Values(2, 4), Indices()], 3, Signed, [3, 0, 3]) { Name = "one " };
        yield return new(new Gather(), [Shared(4, 3), Indices(2)], 3, Signed, [0, 3, 3, 1, 1, 1]) { Name = "table " };
        yield return new(new Gather(1), [Shared(2, 4, 2), Indices(3)], 2, Signed, [0, 3, 3, 1, 1, 1]) { Name = "middle " };
        int[] many = [.. Enumerable.Range(0, 300).Select(i => i % 7 == 0 ? 0 : 1)];
        yield return new(new Gather(), [Values(2, 2), Indices(150)], 2, Signed, many) { Name = "long " };
        yield return new(new GatherElements(), [Values(3, 4), Indices(3, 2)], 2, Signed, [0, 3, 3, 3, 1, 2, 2, 2, 0, 1, 3, 0]);
        yield return new(new GatherElements(0), [Values(2, 3), Indices(4, 3)], 1, Signed, [0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1]) { Name = "first " };
        yield return new(new GatherElements(), [Shared(2, 3), Indices(2, 2)], 2, Signed, [0, 2, 1, 1, 2, 2, 0, 1]) { Name = "table " };
        yield return new(new SegmentSum(3), [Values(5, 2), Indices(5)], 2, Signed, [0, 2, 2, 0, 2, 1, 1, 1, 0, 0]);
        yield return new(new SegmentSum(2, -1), [Values(2, 4), Indices(4)], 2, Signed, [0, 1, 1, 0, 1, 1, 1, 1]) { Name = "last " };
        yield return new(new SegmentSum(2, 1), [Values(2, 300, 1), Indices(300)], 1, Signed, many) { Name = "long " };
        yield return new(new ScatterAdd(5), [Values(3, 4), Indices(3, 4)], 2, Signed,
            [0, 3, 3, 3, 1, 2, 2, 2, 0, 1, 3, 0, 4, 4, 4, 4, 1, 1, 0, 2, 3, 1, 2, 0]);
        yield return new(new ScatterAdd(2, 0), [Values(4, 3), Indices(4, 3)], 1, Signed, [0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1]) { Name = "first " };
        yield return new(new ScatterAdd(2, 1), [Values(2, 150, 1), Indices(2, 150, 1)], 1, Signed, many) { Name = "long " };
        foreach (var sample in StepSamples())
            yield return sample;
        yield return new(new Concatenate(), [Values(3), Values(4)], 2, Signed);
        yield return new(new Concatenate(), [Values(2, 3), Values(2, 17), Values(2, 1)], 3, Signed) { Name = "three " };
        yield return new(new Concatenate(0), [Values(2, 3, 2), Values(1, 3, 2)], 2, Signed) { Name = "first dimension " };
        yield return new(new Concatenate(1), [Values(2, 3, 2), Values(2, 2, 2)], 2, Signed) { Name = "middle dimension " };
        yield return new(new Concatenate(), [Values(5)], 2, Signed) { Name = "one " };
        yield return new(new Concatenate(-2), [Shared(2, 3), Shared(4, 3)], 2, Signed) { Name = "from the end " };
    }

    private static IEnumerable<LayerSample> StepSamples()
    {
        yield return new(new EachStep(new Convolution2D(3, 2)), [Values(3, 4, 3, 2)], 2, Signed);
        yield return new(new EachStep(new BatchNormalization()), [Values(3, 2)], 2, Signed) { Name = "normalized " };
        yield return new(new EachStep(new Dropout(0.4)), [Values(3, 5)], 2, Signed) { Name = "random " };
        yield return new(new EachStep(new Embedding(5, 3)), [Indices(3)], 2, Signed, [4, 0, 4, 1, 2, 2]) { Name = "table " };
        yield return new(new EachStep(new Gru(2)), [Values(2, 3, 2), Indices(2)], 2, Signed) { Name = "lengths ", Lengths = [1, 3, 2, 3] };
        yield return new(new EachStep(new MatrixProduct()), [Values(3, 2, 4), Shared(4, 3)], 2, Signed) { Name = "shared " };
        yield return new(new EachStep(new Reshape(2, 3)), [Values(2, 6)], 2, Signed) { Name = "view " };
        yield return new(new EachStep(new Slice(0, 1, 3)), [Values(2, 6)], 2, Signed) { Name = "part " };
        yield return new(new EachStep(new EachStep(new LayerNormalization())), [Values(2, 3, 4)], 2, Signed) { Name = "twice " };
        yield return new(new EachStep(new Affine(3)), [Values(1, 4)], 1, Signed) { Name = "one " };
    }
}
