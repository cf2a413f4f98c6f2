using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>Operations on arrays of sizes that layers meet.</summary>
internal static class ArrayCases
{
    public static readonly ArrayOperation[] Operations =
    [
        new(ArrayOperation.AddRows, [1024, 512], [512], [1024, 512]) { Streams = new(1, 1) },
        new(ArrayOperation.ScaleRows, [1024, 512], [1024, 1], [1024, 512]) { Streams = new(1, 1) },
        new(ArrayOperation.ScaleChannels, [32, 28, 28, 64], [32, 1, 1, 64], [32, 28, 28, 64]) { Streams = new(1, 1) },
        new(ArrayOperation.SumRows, [1024, 512], [], [1024, 1]) { Streams = new(1, 0) },
        new(ArrayOperation.SumColumns, [1024, 512], [], [1, 512]) { Streams = new(1, 0) },
        new(ArrayOperation.MaxRows, [1024, 512], [], [1024, 1]) { Streams = new(1, 0) },
        new(ArrayOperation.LogSumExpRows, [1024, 512], [], [1024, 1]),
        new(ArrayOperation.Transpose, [1024, 512], [], [512, 1024]) { Streams = new(1, 1) },
        new(ArrayOperation.ChannelsFirst, [32, 28, 28, 64], [], [32, 64, 28, 28]) { Streams = new(1, 1) },
        new(ArrayOperation.Gather, [4096, 256], [], [1024, 256]),
        new(ArrayOperation.ScatterAdd, [1024, 256], [], [4096, 256]),
        new(ArrayOperation.CumulativeSum, [1024, 512], [], [1024, 512]) { Streams = new(1, 1) },
        new(ArrayOperation.TopK, [1024, 1000], [], [1024, 10]),
        new(ArrayOperation.Upsample, [8, 32, 32, 32], [], [8, 64, 64, 32]),
        new(ArrayOperation.MultiplyBatch, [64, 64, 64], [64, 64, 64], [64, 64, 64]) { Operations = 2.0 * 64 * 64 * 64 * 64 },
        new(ArrayOperation.MultiplyBatch, [256, 16, 32], [256, 32, 16], [256, 16, 16]) { Operations = 2.0 * 256 * 16 * 16 * 32 },
    ];

    public static IEnumerable<Case> All() => Operations.Select(operation => new ArrayCase(operation));

    private sealed class ArrayCase(ArrayOperation operation) : Case
    {
        public override string Area => "array";

        public override string Name => operation.ToString();

        public override string Type => "float";

        public override double Operations => operation.Operations;

        public override PreparedCase Prepare() => new Prepared(new ArrayProblem(operation));

        private sealed class Prepared(ArrayProblem problem) : PreparedCase
        {
            public override Call? CallOf(IPeer peer)
            {
                problem.Z.Span.Fill(float.NaN);
                return peer.Arrays(problem);
            }

            public override string? Verify(double[] result) => problem.Verify(result);

            public override IEnumerable<Action> Streams(ComputeContext? context) => problem.Operation.Streams is not { } streams ? []
                : new StreamLoop<float>(streams, context, streams.Writes == 0 ? [problem.X] : [problem.X, problem.Z]).Forms();
        }
    }
}
