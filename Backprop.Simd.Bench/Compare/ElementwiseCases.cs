using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>Elementwise functions, reductions, softmax and optimizers, in the first-level cache, the second, and memory.</summary>
internal static class ElementwiseCases
{
    /// <summary>Elements of a vector that lies in the first level with its result, in the second, and in neither nor the third.</summary>
    private const int Level1 = 4096, Level2 = 65536, OutOfCache = 1 << 24;

    private static readonly VectorOperation[] _functions =
    [
        VectorOperation.Function("exp", -10, 10, Math.Exp),
        VectorOperation.Function("log", 1e-3, 100, Math.Log),
        VectorOperation.Function("sigmoid", -8, 8, ElementaryFunctions.Sigmoid),
        VectorOperation.Function("tanh", -4, 4, Math.Tanh),
        VectorOperation.Function("erf", -3, 3, ElementaryFunctions.Erf),
        VectorOperation.Function("gelu", -4, 4, ElementaryFunctions.Gelu),
        VectorOperation.Function("silu", -8, 8, ElementaryFunctions.Silu),
        VectorOperation.Function("softplus", -8, 8, ElementaryFunctions.Softplus),
        VectorOperation.Function("relu", -1, 1, x => Math.Max(x, 0)),
    ];

    private static readonly VectorOperation[] _arithmetic =
    [
        VectorOperation.Binary("add", (x, y) => x + y),
        VectorOperation.Binary("multiply", (x, y) => x * y),
        VectorOperation.Function("scale", -1, 1, x => VectorProblem<float>.Factor * x),
        VectorOperation.InPlace("axpy", (x, y) => y + VectorProblem<float>.Factor * x),
    ];

    private static readonly VectorOperation[] _reductions =
    [
        VectorOperation.Reduction("sum", 1, (x, _) => x),
        VectorOperation.Reduction("dot", 2, (x, y) => x * y),
        VectorOperation.Reduction("max", 1, (x, _) => x),
        VectorOperation.Reduction("sum of squares", 1, (x, _) => x * x),
    ];

    private static readonly (int Rows, int Classes)[] _softmaxShapes = [(100, 10), (1000, 10), (128, 1000)];

    private static readonly string[] _optimizers = ["sgd", "momentum", "adam", "adamw"];

    /// <summary>The parameters of 784-50-10, those of 784-512-256-10, and more than the caches hold.</summary>
    private static readonly int[] _parameterCounts = [39_760, 535_818, OutOfCache];

    public static IEnumerable<Case> All()
    {
        foreach (var operation in _functions)
        {
            foreach (var length in new[] { Level1, Level2, OutOfCache })
                yield return new VectorCase<float>(operation, length);
        }

        foreach (var operation in _arithmetic.Concat(_reductions))
        {
            foreach (var length in new[] { Level1, OutOfCache })
                yield return new VectorCase<float>(operation, length);
        }

        foreach (var operation in _functions.Take(5).Concat(_reductions))
            yield return new VectorCase<double>(operation, Level1);
        foreach (var (rows, classes) in _softmaxShapes)
            yield return new RowsCase("softmax", rows, classes);
        foreach (var (rows, classes) in _softmaxShapes)
            yield return new RowsCase("cross-entropy with gradient", rows, classes);
        foreach (var name in _optimizers)
        {
            foreach (var count in _parameterCounts)
                yield return new OptimizerCase(name, count);
        }
    }

    private sealed class VectorCase<T>(VectorOperation operation, int length) : Case
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public override string Area => "elementwise";

        public override string Name => $"{operation.Name} {length}";

        public override string Type => typeof(T) == typeof(float) ? "float" : "double";

        public override PreparedCase Prepare() => new Prepared(new VectorProblem<T>(operation, length));

        private sealed class Prepared(VectorProblem<T> problem) : PreparedCase
        {
            public override Call? CallOf(IPeer peer)
            {
                problem.Reset();
                return peer.Vector(problem);
            }

            public override string? Verify(double[] result) => problem.Verify(result);

            public override IEnumerable<Action> Streams(ComputeContext? context)
            {
                var streams = problem.Operation.Streams;
                AlignedBuffer<T>[] arrays = streams.InPlace ? [problem.Destination, problem.X]
                    : streams.Reads == 1 ? [problem.X, problem.Destination] : [problem.X, problem.Y, problem.Destination];
                return new StreamLoop<T>(streams, context, arrays).Forms();
            }
        }
    }

    private sealed class RowsCase(string name, int rows, int classes) : Case
    {
        public override string Area => "elementwise";

        public override string Name => $"{name} {rows}x{classes}";

        public override string Type => "float";

        public override PreparedCase Prepare() => new Prepared(new RowsProblem(rows, classes), name == "softmax");

        private sealed class Prepared(RowsProblem problem, bool softmax) : PreparedCase
        {
            public override Call? CallOf(IPeer peer)
            {
                problem.Destination.Span.Fill(float.NaN);
                return softmax ? peer.Softmax(problem) : peer.CrossEntropy(problem);
            }

            public override string? Verify(double[] result) => softmax ? problem.VerifySoftmax(result) : problem.VerifyCrossEntropy(result);

            public override IEnumerable<Action> Streams(ComputeContext? context) =>
                new StreamLoop<float>(new Streams(1, 1), context, problem.Logits, problem.Destination).Forms();
        }
    }

    private sealed class OptimizerCase(string name, int count) : Case
    {
        public override string Area => "elementwise";

        public override string Name => $"{name} {count}";

        public override string Type => "float";

        public override PreparedCase Prepare() => new Prepared(new OptimizerProblem(name, count));

        private sealed class Prepared(OptimizerProblem problem) : PreparedCase
        {
            public override Call? CallOf(IPeer peer)
            {
                problem.Reset();
                return peer.Optimizer(problem);
            }

            public override string? Verify(double[] result) => problem.Verify(result);

            /// <summary>Parameters and states are read and written, gradients read.</summary>
            public override IEnumerable<Action> Streams(ComputeContext? context) => new StreamLoop<float>(
                problem.Name switch
                {
                    "sgd" => new Streams(2, 1, InPlace: true),
                    "momentum" => new Streams(3, 2, InPlace: true),
                    _ => new Streams(4, 3, InPlace: true),
                },
                context,
                problem.Name == "sgd" ? [problem.Parameters, problem.Gradients] : [problem.Parameters]).Forms();
        }
    }
}
