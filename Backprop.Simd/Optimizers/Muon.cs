using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Muon: momentum made orthogonal, for matrices (Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein, Muon: An optimizer for
/// hidden layers in neural networks, 2024); AdamW for all other parameters.</summary>
/// <remarks>
/// For a matrix, with g the gradient: m = momentum m + (1 - momentum) g; u = momentum m + (1 - momentum) g with Nesterov's form, else m;
/// X = u / (|u| + 1e-7), with the Euclidean norm of all elements; five times X = a X + (b A + c A^2) X with A = X X^T and
/// (a, b, c) = (3.4445, -4.7750, 2.0315), which brings the singular values near 1 (Newton-Schulz);
/// w = (1 - learningRate weightDecay) w - learningRate sqrt(max(1, columns / rows)) X. Where there are fewer columns than rows, A = X^T X
/// stands on the right of X: the same matrix.
/// <para>Matrices are parameters with two rows and two columns at least, in the sense of <see cref="ParameterMatrix"/>, that the predicate
/// takes: all by default. Leave out embeddings and the last layer, as the authors do: <c>p => p.Name != "embedding1.table"</c>. Other
/// parameters take a step of <see cref="AdamW{T}"/> at the learning rate times <see cref="AdamFactor"/>, so that one schedule drives both.</para>
/// <para>A step takes 10 to 15 products of each matrix with the smaller of its sides. The state <c>first</c> is the momentum of matrices and
/// AdamW's first moment, <c>second</c> its second moment.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Muon<T> : MatrixOptimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _first, _second, _x, _next, _gram, _polynomial;
    private readonly bool[] _isOrthogonal;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its parameters and their shapes.</param>
    /// <param name="learningRate">The learning rate of matrices, finite and not negative.</param>
    /// <param name="momentum">The decay of the momentum, in [0, 1).</param>
    /// <param name="weightDecay">The share of each parameter that a step subtracts, times its learning rate; finite and not negative.</param>
    /// <param name="nesterov">Whether the step looks ahead by Nesterov's form.</param>
    /// <param name="which">Which matrices to make orthogonal; null for all.</param>
    /// <param name="adamFactor">The learning rate of other parameters, as a share of the learning rate; finite and not negative.</param>
    /// <param name="beta1">The decay of their first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of their second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to their root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="ArgumentException">The network's matrices overlap or lie outside its parameters.</exception>
    // More than eight parameters: the options of both methods, each with its default.
    public Muon(ITrainable<T> network, double learningRate = 0.02, double momentum = 0.95, double weightDecay = 0, bool nesterov = true,
        Func<ParameterMatrix, bool>? which = null, double adamFactor = 0.015, double beta1 = 0.9, double beta2 = 0.95, double epsilon = 1e-10)
        : base(network, learningRate, weightDecay)
    {
        CheckFraction(momentum, nameof(momentum));
        CheckNotNegative(adamFactor, nameof(adamFactor));
        CheckFraction(beta1, nameof(beta1));
        CheckFraction(beta2, nameof(beta2));
        CheckPositive(epsilon, nameof(epsilon));
        (Momentum, Nesterov, AdamFactor, Beta1, Beta2, Epsilon) = (momentum, nesterov, adamFactor, beta1, beta2, epsilon);
        _isOrthogonal = new bool[Matrices.Length];
        int longest = 0, side = 0;
        for (var i = 0; i < Matrices.Length; i++)
        {
            var matrix = Matrices[i];
            _isOrthogonal[i] = matrix.IsMatrix && (which is null || which(matrix));
            if (_isOrthogonal[i])
                (longest, side) = (Math.Max(longest, matrix.Range.Length), Math.Max(side, Math.Min(matrix.Rows, matrix.Columns)));
        }

        (_first, _second) = (AddState("first"), AddState("second"));
        (_x, _next) = (new AlignedBuffer<T>(longest), new AlignedBuffer<T>(longest));
        (_gram, _polynomial) = (new AlignedBuffer<T>(side * side), new AlignedBuffer<T>(side * side));
    }

    /// <summary>The decay of the momentum.</summary>
    public double Momentum { get; }

    /// <summary>Whether the step looks ahead by Nesterov's form.</summary>
    public bool Nesterov { get; }

    /// <summary>The learning rate of other parameters, as a share of the learning rate.</summary>
    public double AdamFactor { get; }

    /// <summary>The decay of the first moment of other parameters.</summary>
    public double Beta1 { get; }

    /// <summary>The decay of the second moment of other parameters.</summary>
    public double Beta2 { get; }

    /// <summary>The number added to the root of other parameters.</summary>
    public double Epsilon { get; }

    private protected override void UpdateMatrix(int index, Span<T> parameters, ReadOnlySpan<T> gradients, ComputeContext? context)
    {
        var matrix = Matrices[index];
        if (!_isOrthogonal[index])
        {
            var adamRate = RangeLearningRate * AdamFactor;
            var adam = AdamOptimizer<T>.NumbersOf((Beta1, Beta2), Epsilon, adamRate, decay: 0, adamRate * RangeWeightDecay, Steps + 1);
            new RangeUpdate<T>(parameters, gradients, matrix.Range, context).Visit(adam, _first.Span, _second.Span, default);
            return;
        }

        var whole = new BlockRange(0, matrix.Range.Length);
        var g = gradients.Slice(matrix.Range.Start, whole.Length);
        Span<T> x = _x.Span[..whole.Length], next = _next.Span[..whole.Length];
        var look = new MomentumLook<T>(
            T.CreateTruncating(Momentum),
            T.CreateTruncating(1 - Momentum),
            T.CreateTruncating(Nesterov ? Momentum : 1),
            T.CreateTruncating(Nesterov ? 1 - Momentum : 0),
            Moments.Rounder<T>());
        new RangeUpdate<T>(x, g, whole, context).Visit(look, _first.Span.Slice(matrix.Range.Start, whole.Length), default, default);
        NewtonSchulz.Run(x, next, matrix.Rows, matrix.Columns, _gram.Span, _polynomial.Span, context);
        var rate = -RangeLearningRate * Math.Sqrt(Math.Max(1, (double)matrix.Columns / matrix.Rows));
        var update = new ShrinkingGradientUpdate<T>(T.CreateTruncating(rate), T.CreateTruncating(1 - RangeLearningRate * RangeWeightDecay));
        new RangeUpdate<T>(parameters.Slice(matrix.Range.Start, whole.Length), next, whole, context).Visit(update, default, default, default);
    }
}
