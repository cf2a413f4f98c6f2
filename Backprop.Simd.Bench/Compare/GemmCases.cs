using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>The products of the comparison.</summary>
internal static class GemmCases
{
    private static readonly int[] Squares = [8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 63, 127, 255, 1023];

    public static IEnumerable<Case> All()
    {
        foreach (var shape in Shapes().Distinct())
            yield return new GemmCase<float>(shape);
        foreach (var shape in DoubleShapes())
            yield return new GemmCase<double>(shape);
    }

    private static IEnumerable<GemmShape> Shapes()
    {
        foreach (var size in Squares)
            yield return new(size, size, size);
        foreach (var batch in new[] { 1, 32, 100, 1000 })
        {
            foreach (var shape in Network(batch, 784, 50, 10))
                yield return shape;
        }

        foreach (var batch in new[] { 1, 128, 1024 })
        {
            foreach (var shape in Network(batch, 784, 512, 256, 10))
                yield return shape;
        }

        // Skinny: a row, eight rows, a column, ten columns, four terms.
        yield return new(1, 784, 512);
        yield return new(1, 512, 784);
        yield return new(1, 1024, 1024);
        yield return new(1, 4096, 4096);
        yield return new(8, 512, 784);
        yield return new(8, 1024, 1024);
        yield return new(8, 4096, 4096);
        yield return new(512, 1, 784);
        yield return new(1024, 1, 1024);
        yield return new(4096, 1, 4096);
        yield return new(1000, 10, 1000);
        yield return new(1000, 1000, 4);
    }

    /// <summary>The products of one training step: y = x W, dW = x^T dy, and dx = dy W^T but for the first layer.</summary>
    private static IEnumerable<GemmShape> Network(int batch, params int[] sizes)
    {
        for (var layer = 1; layer < sizes.Length; layer++)
        {
            var (inputs, outputs) = (sizes[layer - 1], sizes[layer]);
            yield return new(batch, outputs, inputs);
            yield return new(inputs, outputs, batch, TransposeA: true);
            if (layer > 1)
                yield return new(batch, inputs, outputs, TransposeB: true);
        }
    }

    private static IEnumerable<GemmShape> DoubleShapes()
    {
        foreach (var size in new[] { 16, 64, 128, 255, 256, 512, 1024 })
            yield return new(size, size, size);
        yield return new(100, 50, 784);
        yield return new(784, 50, 100, TransposeA: true);
        yield return new(100, 50, 10, TransposeB: true);
        yield return new(1, 1024, 1024);
        yield return new(1000, 10, 1000);
    }

    private sealed class GemmCase<T>(GemmShape shape) : Case
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public override string Area => "gemm";

        public override string Name => shape.ToString();

        public override string Type => typeof(T) == typeof(float) ? "float" : "double";

        public override double Operations => shape.Operations;

        public override PreparedCase Prepare() => new Prepared(new GemmProblem<T>(shape));

        private sealed class Prepared(GemmProblem<T> problem) : PreparedCase
        {
            public override Call? CallOf(IPeer peer)
            {
                problem.C.Span.Fill(T.NaN); // What an earlier side computed must not pass for the result of this one.
                return peer.Gemm(problem);
            }

            public override string? Verify(double[] result) => problem.Verify(result);

            public override IEnumerable<Action> Streams(ComputeContext? context) =>
                problem.Shape.IsMatrixVector
                    ? new StreamLoop<T>(new Streams(1, 0), context, problem.A.Length > problem.B.Length ? problem.A : problem.B).Forms()
                : problem.K == 1 ? new StreamLoop<T>(new Streams(0, 1), context, problem.C).Forms()
                : [];
        }
    }
}
