using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Memory;

public class DestinationTests
{
    [Fact]
    public void A_span_or_an_array_is_overwritten()
    {
        Destination<float> ofArray = new float[3], ofSpan = new float[2].AsSpan(), ofNull = (float[]?)null;
        Assert.True(ofArray is { IsWanted: true, Adds: false, Span.Length: 3 });
        Assert.True(ofSpan is { IsWanted: true, Adds: false, Span.Length: 2 });
        Assert.True(ofNull is { IsWanted: true, Span.IsEmpty: true });
    }

    [Fact]
    public void The_default_is_nowhere_and_so_are_its_parts()
    {
        Destination<double> nowhere = default;
        Assert.False(nowhere.IsWanted);
        Assert.False(nowhere.Slice(5, 3).IsWanted);
    }

    [Fact]
    public void A_part_is_written_in_the_same_way()
    {
        var values = new double[] { 1, 2, 3, 4 };
        var part = new Destination<double>(values, adds: true).Slice(1, 2);
        Assert.True(part is { IsWanted: true, Adds: true });
        Assert.Equal([2, 3], part.Span.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => new Destination<double>(values).Slice(3, 2));
    }

    [Fact]
    public void A_kernel_whose_result_nobody_wants_returns_at_once()
    {
        // Inputs that it would refuse: it does not look at them.
        float[] two = new float[2], three = new float[3];
        Elementwise.ReciprocalBackward<float>(two, three, default);
        ActivationKernels.Backward<float, Tanh>(new(), two, three, three, default);
        Reductions.ColumnSums<float>(new ReadOnlyMatrix<float>(new float[6], 2, 3).Transposed, default);
        SoftmaxKernels.SoftmaxBackward<float>(new(two, 1, 2), new(three, 1, 3), default);
        SoftmaxKernels.LogSoftmaxBackward<float>(new(two, 1, 2), new(three, 1, 3), default);
    }
}
