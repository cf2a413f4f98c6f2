using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Adafactor: second moments of a matrix kept as means of its rows and columns (Shazeer and Stern, Adafactor: Adaptive Learning
/// Rates with Sublinear Memory Cost, 2018, Algorithms 4 and 5).</summary>
/// <remarks>
/// With g the gradient, t the number of the step, b = 1 - t^-decayRate and q = g^2 + epsilon. For a matrix: r = b r + (1 - b) (means of q
/// over each row); c = b c + (1 - b) (means over each column); u_ij = g_ij / sqrt(r_i c_j / mean(r)). For other parameters:
/// v = b v + (1 - b) q; u = g / sqrt(v). Then u is divided by max(1, RMS(u) / clipThreshold), and w -= a u, with
/// a = learningRate min(0.01, 1 / sqrt(t)) max(leastScale, RMS(w)). Without relative steps the minimum is 1, without scaling the maximum.
/// With beta1 above 0, m = beta1 m + (1 - beta1) a u and w -= m. A decay subtracts weightDecay a w first. RMS is the root of the mean of
/// squares over the parameter. Defaults are those of the paper: the learning rate is a factor of relative steps.
/// <para>The state <c>second</c> holds, for each parameter in turn, r and c of a matrix or v of another parameter.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Adafactor<T> : MatrixOptimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _second, _scratch, _columns;
    private readonly AlignedBuffer<T>? _first;
    private readonly double[] _rows;
    private readonly int[] _starts;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its parameters and their shapes.</param>
    /// <param name="learningRate">The learning rate, finite and not negative; with relative steps a factor.</param>
    /// <param name="decayRate">How fast the decay of the second moments rises to 1, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1); 0 keeps none.</param>
    /// <param name="epsilon">The number added to squares, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="leastScale">The least scale of a parameter, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="clipThreshold">The largest root of the mean of squares of an update, finite and positive.</param>
    /// <param name="weightDecay">The share of each parameter that a step subtracts, times its step size; finite and not negative.</param>
    /// <param name="relativeStep">Whether the step size falls with the steps.</param>
    /// <param name="scaleParameter">Whether the step size grows with the parameter.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="ArgumentException">The network's matrices overlap or lie outside its parameters.</exception>
    // More than eight parameters: the options of the paper, each with its default.
    public Adafactor(ITrainable<T> network, double learningRate = 1, double decayRate = 0.8, double beta1 = 0, double epsilon = 1e-30,
        double leastScale = 1e-3, double clipThreshold = 1, double weightDecay = 0, bool relativeStep = true, bool scaleParameter = true)
        : base(network, learningRate, weightDecay)
    {
        CheckNotNegative(decayRate, nameof(decayRate));
        CheckFraction(beta1, nameof(beta1));
        CheckPositive(epsilon, nameof(epsilon));
        CheckPositive(leastScale, nameof(leastScale));
        CheckPositive(clipThreshold, nameof(clipThreshold));
        (DecayRate, Beta1, Epsilon, LeastScale, ClipThreshold) = (decayRate, beta1, epsilon, leastScale, clipThreshold);
        (RelativeStep, ScaleParameter) = (relativeStep, scaleParameter);
        _starts = new int[Matrices.Length + 1];
        int rows = 0, columns = 0, longest = 0;
        for (var i = 0; i < Matrices.Length; i++)
        {
            var matrix = Matrices[i];
            longest = Math.Max(longest, matrix.Range.Length);
            _starts[i + 1] = _starts[i] + (matrix.IsMatrix ? matrix.Rows + matrix.Columns : matrix.Range.Length);
            if (matrix.IsMatrix)
                (rows, columns) = (Math.Max(rows, matrix.Rows), Math.Max(columns, matrix.Columns));
        }

        _second = AddState("second", _starts[^1]);
        _first = beta1 > 0 ? AddState("first") : null;
        _scratch = new AlignedBuffer<T>(longest);
        _columns = new AlignedBuffer<T>(columns);
        _rows = new double[rows];
    }

    /// <summary>How fast the decay of the second moments rises to 1.</summary>
    public double DecayRate { get; }

    /// <summary>The decay of the first moment; 0 where none is kept.</summary>
    public double Beta1 { get; }

    /// <summary>The number added to squares.</summary>
    public double Epsilon { get; }

    /// <summary>The least scale of a parameter.</summary>
    public double LeastScale { get; }

    /// <summary>The largest root of the mean of squares of an update.</summary>
    public double ClipThreshold { get; }

    /// <summary>Whether the step size falls with the steps.</summary>
    public bool RelativeStep { get; }

    /// <summary>Whether the step size grows with the parameter.</summary>
    public bool ScaleParameter { get; }

    private protected override void UpdateMatrix(int index, Span<T> parameters, ReadOnlySpan<T> gradients, ComputeContext? context)
    {
        var matrix = Matrices[index];
        var whole = new BlockRange(0, matrix.Range.Length);
        var w = parameters.Slice(matrix.Range.Start, whole.Length);
        var g = gradients.Slice(matrix.Range.Start, whole.Length);
        var u = _scratch.Span[..whole.Length];
        var second = _second.Span[_starts[index].._starts[index + 1]];
        var beta = 1 - PortableMath.ExpOfNegative(-DecayRate * PortableMath.Log(Steps + 1));
        if (matrix.IsMatrix)
        {
            ScaleByFactors(g, second[..matrix.Rows], second[matrix.Rows..], beta, u, context);
        }
        else
        {
            var scaling = new RootScaling<T>(T.CreateTruncating(beta), T.CreateTruncating(1 - beta), T.CreateTruncating(Epsilon));
            new RangeUpdate<T>(u, g, whole, context).Visit(scaling, second, default, default);
        }

        var size = RangeLearningRate * (RelativeStep ? Math.Min(0.01, 1 / Math.Sqrt(Steps + 1)) : 1)
            * (ScaleParameter ? Math.Max(LeastScale, MeanRoot(w, context)) : 1);
        var keep = T.CreateTruncating(1 - size * RangeWeightDecay);
        var rate = -size / Math.Max(1, MeanRoot(u, context) / ClipThreshold);
        var update = new RangeUpdate<T>(w, u, whole, context);
        if (_first is null)
        {
            update.Visit(new ShrinkingGradientUpdate<T>(T.CreateTruncating(rate), keep), default, default, default);
            return;
        }

        var smoothed = new SmoothedUpdate<T>(T.CreateTruncating(Beta1), T.CreateTruncating((1 - Beta1) * rate), keep, Moments.Rounder<T>());
        update.Visit(smoothed, _first.Span.Slice(matrix.Range.Start, whole.Length), default, default);
    }

    /// <summary>u = g over the roots of the factored second moment, after these were moved on.</summary>
    private void ScaleByFactors(ReadOnlySpan<T> g, Span<T> r, Span<T> c, double beta, Span<T> u, ComputeContext? context)
    {
        var rows = _rows.AsSpan(0, r.Length);
        var columns = _columns.Span[..c.Length];
        FactoredRows<T>.Means(g, c.Length, rows, context);
        Elementwise.Multiply(g, g, u, context);
        Reductions.ColumnSums(new ReadOnlyMatrix<T>(u, r.Length, c.Length), columns, context);
        var mean = 0.0;
        for (var i = 0; i < r.Length; i++)
        {
            r[i] = T.CreateTruncating(beta * double.CreateTruncating(r[i]) + (1 - beta) * (rows[i] + Epsilon));
            mean += double.CreateTruncating(r[i]) / r.Length;
        }

        for (var i = 0; i < r.Length; i++)
            rows[i] = Math.Sqrt(mean / double.CreateTruncating(r[i]));
        for (var j = 0; j < c.Length; j++)
        {
            c[j] = T.CreateTruncating(beta * double.CreateTruncating(c[j]) + (1 - beta) * (double.CreateTruncating(columns[j]) / r.Length + Epsilon));
            columns[j] = T.CreateTruncating(1 / Math.Sqrt(double.CreateTruncating(c[j])));
        }

        FactoredRows<T>.Scale(g, c.Length, rows, columns, u, context);
    }

    private static double MeanRoot(ReadOnlySpan<T> x, ComputeContext? context) => Reductions.WideNorm(x, context) / Math.Sqrt(x.Length);
}
