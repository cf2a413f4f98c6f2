using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

public sealed class CsvLogTests
{
    [Fact]
    public void A_metric_named_with_commas_and_quotes_is_one_column()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("csvlog").FullName, "log.csv");
        try
        {
            var network = TrainingProblem.Plain();
            var set = TrainingProblem.Points(40);
            var validation = new Evaluator<float>(network, set, [new AccuracyMetric<float>(name: "right, of \"all\"")]);
            new Trainer<float>(network, TrainingProblem.Optimizer(network), TrainingProblem.Loader(set),
                new() { Epochs = 2, Validation = validation, Callbacks = [new CsvLog<float>(path)] }).Run();
            var lines = File.ReadAllLines(path);
            Assert.EndsWith(",validation_loss,\"validation_right, of \"\"all\"\"\"", lines[0], StringComparison.Ordinal);
            Assert.Equal([10, 10], lines[1..].Select(line => line.Split(',').Length));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
