namespace Backprop.Simd.Bench;

/// <summary>Whole training steps, and inference.</summary>
internal static class StepCases
{
    private static readonly NetworkShape _notebook = new("sigmoid", "sgd", 784, 50, 10);
    private static readonly NetworkShape _small = new("relu", "adam", 4, 16, 16, 3);
    private static readonly NetworkShape _large = new("relu", "adam", 784, 512, 256, 10);

    public static IEnumerable<Case> All()
    {
        foreach (var batch in new[] { 1, 32, 100, 1000 })
            yield return new NetworkCase(_notebook, batch, training: true);
        foreach (var batch in new[] { 1, 64 })
            yield return new NetworkCase(_small, batch, training: true);
        foreach (var batch in new[] { 1, 32, 128, 1024 })
            yield return new NetworkCase(_large, batch, training: true);
        foreach (var batch in new[] { 1, 100, 1000 })
            yield return new NetworkCase(_notebook, batch, training: false);
        yield return new NetworkCase(_small, 1, training: false);
        foreach (var batch in new[] { 1, 128 })
            yield return new NetworkCase(_large, batch, training: false);
    }

    private sealed class NetworkCase(NetworkShape shape, int batch, bool training) : Case
    {
        public override string Area => "step";

        public override string Name => $"{shape.Name} {(training ? shape.Optimizer : "inference")} B={batch}";

        public override string Type => "float";

        public override double Operations => batch * shape.Operations(training);

        public override PreparedCase Prepare() => new Prepared(new NetworkProblem(shape, batch), training);

        private sealed class Prepared(NetworkProblem problem, bool training) : PreparedCase
        {
            public override Call? CallOf(IPeer peer) => training ? peer.Train(problem) : peer.Infer(problem);

            public override string? Verify(double[] result) => training ? problem.VerifyTraining(result) : problem.VerifyInference(result);
        }
    }
}
