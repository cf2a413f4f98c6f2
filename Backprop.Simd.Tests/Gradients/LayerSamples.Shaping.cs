using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

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
        yield return new(new Concatenate(), [Values(3), Values(4)], 2, Signed);
        yield return new(new Concatenate(), [Values(2, 3), Values(2, 17), Values(2, 1)], 3, Signed) { Name = "three " };
        yield return new(new Concatenate(0), [Values(2, 3, 2), Values(1, 3, 2)], 2, Signed) { Name = "first dimension " };
        yield return new(new Concatenate(1), [Values(2, 3, 2), Values(2, 2, 2)], 2, Signed) { Name = "middle dimension " };
        yield return new(new Concatenate(), [Values(5)], 2, Signed) { Name = "one " };
        yield return new(new Concatenate(-2), [Shared(2, 3), Shared(4, 3)], 2, Signed) { Name = "from the end " };
    }
}
