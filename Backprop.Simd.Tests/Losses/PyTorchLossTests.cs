using System.Globalization;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Tests.Losses;

/// <summary>PyTorch's numbers: PyTorch/losses.py made PyTorch/losses.txt.</summary>
public sealed class PyTorchLossTests
{
    private static readonly Dictionary<string, ElementwiseLoss> Losses = new()
    {
        ["poisson-log-False"] = new PoissonNegativeLogLikelihood(),
        ["poisson-log-True"] = new PoissonNegativeLogLikelihood(full: true),
        ["poisson-rate-False"] = new PoissonNegativeLogLikelihood(logInput: false),
        ["poisson-rate-True"] = new PoissonNegativeLogLikelihood(logInput: false, full: true),
        ["hinge"] = new Hinge(),
        ["quantile"] = new Quantile(0.3),
    };

    /// <summary>By the beginning of a case's name; a case may end in its reduction.</summary>
    private static readonly Dictionary<string, Func<LossReduction, ReducedLoss>> RowLosses = new()
    {
        ["multiclasshinge"] = r => new MultiClassHinge(reduction: r),
        ["multiclasshinge-squared"] = r => new MultiClassHinge(0.7, true, [0.5, 2, 0, 1.5], reduction: r),
        ["cosine"] = r => new CosineEmbedding(0.1, r),
        ["triplet-False"] = r => new TripletMargin(1.5, reduction: r),
        ["triplet-True"] = r => new TripletMargin(1.5, true, reduction: r),
        ["gaussian-3x4"] = r => new GaussianNegativeLogLikelihood(reduction: r),
        ["gaussian-3x1"] = r => new GaussianNegativeLogLikelihood(reduction: r),
        ["gaussian-3"] = r => new GaussianNegativeLogLikelihood(reduction: r),
        ["gaussian-full-3x4"] = _ => new GaussianNegativeLogLikelihood(true, 0.5, LossReduction.Sum),
        ["gaussian-full-3x1"] = _ => new GaussianNegativeLogLikelihood(true, 0.5, LossReduction.Sum),
        ["gaussian-full-3"] = _ => new GaussianNegativeLogLikelihood(true, 0.5, LossReduction.Sum),
        ["infonce-False"] = r => new InfoNce(0.2, reduction: r),
        ["infonce-True"] = r => new InfoNce(0.2, true, r),
        ["focal"] = r => new Focal(reduction: r),
        ["focal-none"] = _ => new Focal(null, 1.5),
        ["dice-logits"] = r => new Dice(reduction: r),
        ["dice-probabilities"] = r => new Dice(false, 0.25, r),
        ["smoothed"] = r => new BinaryCrossEntropy(reduction: r, labelSmoothing: 0.2),
    };

    [Fact]
    public void Values_and_gradients_are_PyTorchs()
    {
        var numbers = Numbers();
        foreach (var (name, loss) in Losses)
        {
            var run = new ReducedLossRun<double>(loss, new Shape(4), numbers[name]["y"], numbers[name]["t"], null, null);
            Close(name, numbers[name]["loss"], run.Outputs);
            Close(name, numbers[name]["dy"], run.Dx, run.Seeds[0]);
            Close(name, numbers[name]["dt"], run.Dt, run.Seeds[0]);
        }
    }

    [Fact]
    public void Values_and_gradients_of_losses_of_rows_are_PyTorchs()
    {
        var names = new HashSet<string>();
        foreach (var (name, numbers) in Numbers().Where(n => !Losses.ContainsKey(n.Key) && !n.Key.StartsWith("ctc", StringComparison.Ordinal)))
        {
            var ending = RowLosses.ContainsKey(name) ? "mean" : name.Split('-')[^1];
            var of = RowLosses.ContainsKey(name) ? name : name[..^(ending.Length + 1)];
            var loss = RowLosses[of](Enum.Parse<LossReduction>(ending, ignoreCase: true));
            names.Add(name);
            var rows = name.StartsWith("infonce", StringComparison.Ordinal) || name.StartsWith("cosine", StringComparison.Ordinal) ? 5
                : name.StartsWith("triplet", StringComparison.Ordinal) ? 4 : 3;
            var shape = new Shape(numbers["x0"].Length / rows);
            double[] outputs, seeds;
            double[][] gradients;
            if (numbers.TryGetValue("labels", out var labels))
            {
                var run = new ReducedLossRun<double>(loss, shape, numbers["x0"], null, [.. labels.Select(l => (int)l)], null);
                (outputs, seeds, gradients) = (run.Outputs, run.Seeds, [run.Dx]);
            }
            else
            {
                (Shape, double[])[] inputs = [.. Enumerable.Range(0, 3).Where(i => numbers.ContainsKey("x" + i)).Select(i => ("x" + i, numbers["x" + i]))
                    .Select(x => (x.Item2.Length == rows ? Shape.Scalar : new Shape(x.Item2.Length / rows), x.Item2))];
                if (name.StartsWith("cosine", StringComparison.Ordinal))
                    inputs = [.. inputs, (Shape.Scalar, [1, -1, 1, -1, -1])];
                if (name.EndsWith("3x1", StringComparison.Ordinal))
                    inputs[2].Item1 = new Shape(1);
                var run = new InputsLossRun<double>(loss, inputs, null);
                (outputs, seeds, gradients) = (run.Outputs, run.Seeds, run.Gradients);
            }

            Close(name, numbers["loss"], outputs);
            for (var i = 0; numbers.TryGetValue("d" + i, out var gradient); i++)
                Close(name, [.. gradient.Select((g, at) => g * seeds[seeds.Length == 1 ? 0 : at / (gradient.Length / rows)])], gradients[i]);
        }

        Assert.Equal(RowLosses.Count + 2 * 5, names.Count); // Five come with three reductions.
    }

    [Fact]
    public void Values_and_gradients_of_alignments_are_PyTorchs()
    {
        var cases = Numbers().Where(n => n.Key.StartsWith("ctc", StringComparison.Ordinal)).ToArray();
        Assert.Equal(6, cases.Length);
        foreach (var (name, numbers) in cases)
        {
            int[] Integers(string kind) => [.. numbers[kind].Select(v => (int)v)];
            var reduction = Enum.Parse<LossReduction>(name.Split('-')[^1], ignoreCase: true);
            var (classes, blank) = name.Contains("blank", StringComparison.Ordinal) ? (4, 2) : (3, 0);
            var loss = new Ctc(blank, name.Contains("True", StringComparison.Ordinal), reduction);
            var run = new CtcRun<double>(loss, numbers["x0"], classes, Integers("labels"), Integers("steps"), Integers("lengths"), null);
            var size = numbers["x0"].Length / numbers["steps"].Length;
            CtcRun<double>.Near(numbers["loss"], run.Outputs, 1, name);
            double[] gradient = [.. numbers["d0"].Select((g, i) => g * run.Seeds[run.Seeds.Length == 1 ? 0 : i / size])];
            CtcRun<double>.Near(gradient, run.Dx, 1, name);
        }
    }

    /// <summary>The numbers of each case by their kind.</summary>
    private static Dictionary<string, Dictionary<string, double[]>> Numbers()
    {
        using var stream = typeof(PyTorchLossTests).Assembly.GetManifestResourceStream("PyTorch.losses.txt")!;
        using var reader = new StreamReader(stream);
        var numbers = new Dictionary<string, Dictionary<string, double[]>>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(' ');
            if (!numbers.TryGetValue(cells[0], out var kinds))
                numbers.Add(cells[0], kinds = []);
            kinds.Add(cells[1], [.. cells[2..].Select(c => c is "inf" ? double.PositiveInfinity : double.Parse(c, CultureInfo.InvariantCulture))]);
        }

        return numbers;
    }

    private static void Close(string name, double[] expected, double[] actual, double scale = 1)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(scale * expected[i] - actual[i]) <= 1e-13 * Math.Max(1, Math.Abs(actual[i])), $"{name} [{i}]: {actual[i]}.");
    }
}
