using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <summary>L-BFGS with a strong-Wolfe line search, for a full batch (Nocedal and Wright, Numerical Optimization, 2nd ed., 2006,
/// Algorithms 7.4, 7.5, 3.5 and 3.6).</summary>
/// <remarks>
/// An iteration moves along d = -H g, where H approximates the inverse Hessian. It is built from the last
/// <see cref="HistorySize"/> pairs s = w' - w, y = g' - g, and starts at (s.y / y.y) I. The step a satisfies
/// f(w + a d) &lt;= f(w) + 1e-4 a g.d and |g(w + a d).d| &lt;= 0.9 |g.d|. Parameters whose value is known are not evaluated again. If
/// rounding leaves no step that lowers the value, the minimization has converged. The objective must stay the same function: no new
/// batch, no new dropout mask.
/// The optimizer allocates all buffers when it is made; a minimization allocates nothing. Sums are computed in a fixed order.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed partial class Lbfgs<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _gradient, _start, _startGradient, _direction, _trial, _other, _steps, _changes;
    private readonly double[] _inverseProducts, _weights;
    private int _pairs, _next;
    private int _evaluations;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="historySize">The pairs to keep, 1 or more; each takes two blocks of parameters.</param>
    /// <param name="gradientTolerance">A minimization ends when no element of the gradient is larger; finite and not negative.</param>
    /// <param name="changeTolerance">It ends when no parameter, or when the value, changes by more; finite and not negative.</param>
    /// <param name="maximumEvaluations">The evaluations of a line search, 1 or more.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range, or the history does not fit into a block.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public Lbfgs(ITrainable<T> network, int historySize = 10, double gradientTolerance = 1e-7, double changeTolerance = 1e-9, int maximumEvaluations = 25)
        : this(ITrainable<T>.CountOf(network), historySize, gradientTolerance, changeTolerance, maximumEvaluations) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="historySize">The pairs to keep, 1 or more; each takes two blocks of parameters.</param>
    /// <param name="gradientTolerance">A minimization ends when no element of the gradient is larger; finite and not negative.</param>
    /// <param name="changeTolerance">It ends when no parameter, or when the value, changes by more; finite and not negative.</param>
    /// <param name="maximumEvaluations">The evaluations of a line search, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range, or the history does not fit into a block.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public Lbfgs(int parameterCount, int historySize = 10, double gradientTolerance = 1e-7, double changeTolerance = 1e-9, int maximumEvaluations = 25)
    {
        SpanGuard.Supported<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(parameterCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(historySize, 1);
        CheckTolerance(gradientTolerance, nameof(gradientTolerance));
        CheckTolerance(changeTolerance, nameof(changeTolerance));
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumEvaluations, 1);
        if ((long)parameterCount * historySize > Array.MaxLength - 64)
        {
            throw new ArgumentOutOfRangeException(nameof(historySize), historySize,
                $"{historySize} steps of {parameterCount} parameters do not fit into a block of 2^31 elements.");
        }

        (ParameterCount, HistorySize, MaximumEvaluations) = (parameterCount, historySize, maximumEvaluations);
        (GradientTolerance, ChangeTolerance) = (gradientTolerance, changeTolerance);
        _gradient = new AlignedBuffer<T>(parameterCount);
        _start = new AlignedBuffer<T>(parameterCount);
        _startGradient = new AlignedBuffer<T>(parameterCount);
        _direction = new AlignedBuffer<T>(parameterCount);
        _trial = new AlignedBuffer<T>(parameterCount);
        _other = new AlignedBuffer<T>(parameterCount);
        _steps = new AlignedBuffer<T>(parameterCount * historySize);
        _changes = new AlignedBuffer<T>(parameterCount * historySize);
        _inverseProducts = new double[historySize];
        _weights = new double[historySize];
    }

    /// <summary>The number of parameters that a minimization expects.</summary>
    public int ParameterCount { get; }

    /// <summary>The pairs of steps and changes that are kept.</summary>
    public int HistorySize { get; }

    /// <summary>A minimization ends when no element of the gradient is larger.</summary>
    public double GradientTolerance { get; }

    /// <summary>A minimization ends when no parameter, or when the value, changes by more.</summary>
    public double ChangeTolerance { get; }

    /// <summary>The evaluations of a line search.</summary>
    public int MaximumEvaluations { get; }

    /// <summary>Discards the pairs, as if the optimizer were new. Call it before minimizing another objective.</summary>
    public void Reset() => (_pairs, _next) = (0, 0);

    /// <summary>Minimizes an objective. The pairs are kept, so a second call continues where the first ended.</summary>
    /// <param name="parameters">The start, <see cref="ParameterCount"/> numbers. Afterwards the best point found.</param>
    /// <param name="objective">The value and the gradient at the parameters.</param>
    /// <param name="maximumIterations">The most iterations, zero or more.</param>
    /// <returns>The result.</returns>
    /// <exception cref="ArgumentException">The length is wrong; nothing was written.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="objective"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximumIterations"/> is negative.</exception>
    public LbfgsResult Minimize(Span<T> parameters, Objective<T> objective, int maximumIterations = 100)
    {
        SpanGuard.SameLength(ParameterCount, parameters.Length);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentOutOfRangeException.ThrowIfNegative(maximumIterations);
        _evaluations = 0;
        var value = _value = Evaluate(parameters, objective);
        if (!double.IsFinite(value) || !Reductions.AllFinite<T>(_gradient.Span))
            return Result(value, 0, LbfgsOutcome.NotFinite);
        for (var iteration = 0; ; iteration++)
        {
            if (Largest(_gradient.Span) <= GradientTolerance)
                return Result(value, iteration, LbfgsOutcome.GradientIsSmall);
            if (iteration == maximumIterations)
                return Result(value, iteration, LbfgsOutcome.IterationLimit);
            var (next, end) = Iterate(parameters, objective, value);
            if (end != SearchEnd.Lower)
                return Result(value, iteration, end == SearchEnd.Rounding ? LbfgsOutcome.ChangeIsSmall : LbfgsOutcome.NoDescent);
            var change = Math.Min(Remember(parameters), Math.Abs(next - value));
            value = next;
            if (change <= ChangeTolerance && Largest(_gradient.Span) > GradientTolerance)
                return Result(value, iteration + 1, LbfgsOutcome.ChangeIsSmall);
        }
    }

    /// <summary>One line search along -H g. If it finds no lower value, another along -g, without history.</summary>
    private (double Value, SearchEnd End) Iterate(Span<T> parameters, Objective<T> objective, double value)
    {
        parameters.CopyTo(_start.Span);
        _gradient.Span.CopyTo(_startGradient.Span);
        var isFloor = false;
        while (true)
        {
            FindDirection();
            var (slope, end) = (Dot(_startGradient.Span, _direction.Span), SearchEnd.Nowhere);
            if (slope < 0 && double.IsFinite(slope))
            {
                // With history, a step of 1 leads to the minimum of the model. If rounding makes it no step, this is the minimum.
                if (_pairs > 0 && IsSame(1, 0))
                    return (value, SearchEnd.Rounding);

                // Without history the first step is a guess. It is longer if it would change the value less than rounding does.
                var first = _pairs > 0 ? 1 : Math.Max(Math.Min(1, 1 / SumOfMagnitudes(_startGradient.Span)), 8 * Rounding * Math.Abs(value) / -slope);
                (var next, end) = Search(parameters, objective, value, slope, first);
                if (end == SearchEnd.Lower)
                    return (next, end);
            }

            // A contradiction within the rounding error does not count.
            isFloor |= end == SearchEnd.Rounding;
            if (_pairs == 0)
            {
                _start.Span.CopyTo(parameters);
                _startGradient.Span.CopyTo(_gradient.Span);
                return (value, isFloor ? SearchEnd.Rounding : end);
            }

            Reset();
        }
    }

    /// <summary>d = -H g by the two-loop recursion (Algorithm 7.4).</summary>
    private void FindDirection()
    {
        var d = _direction.Span;
        Elementwise.Negate<T>(_startGradient.Span, d);
        if (_pairs == 0)
            return;
        for (var age = 0; age < _pairs; age++)
        {
            var pair = Pair(age);
            _weights[pair] = _inverseProducts[pair] * Dot(Step(pair), d);
            Elementwise.Axpy(T.CreateTruncating(-_weights[pair]), Change(pair), d);
        }

        var newest = Pair(0);
        var scale = 1 / (_inverseProducts[newest] * Dot(Change(newest), Change(newest)));
        Elementwise.Scale(d, T.CreateTruncating(scale), d);
        for (var age = _pairs - 1; age >= 0; age--)
        {
            var pair = Pair(age);
            var weight = _weights[pair] - _inverseProducts[pair] * Dot(Change(pair), d);
            Elementwise.Axpy(T.CreateTruncating(weight), Step(pair), d);
        }
    }

    /// <summary>Keeps the last step and the change of the gradient over it.</summary>
    /// <returns>The largest change of a parameter.</returns>
    private double Remember(ReadOnlySpan<T> parameters)
    {
        Span<T> s = Step(_next), y = Change(_next);
        Elementwise.Subtract<T>(parameters, _start.Span, s);
        Elementwise.Subtract<T>(_gradient.Span, _startGradient.Span, y);

        // Wolfe's second condition makes s.y positive, but rounding may not.
        var product = Dot(s, y);
        if (product > 1e-12 * Math.Sqrt(Dot(s, s)) * Math.Sqrt(Dot(y, y)) && double.IsFinite(1 / product))
        {
            _inverseProducts[_next] = 1 / product;
            _next = (_next + 1) % HistorySize;
            _pairs = Math.Min(_pairs + 1, HistorySize);
        }

        return Largest(s);
    }

    private double Evaluate(Span<T> parameters, Objective<T> objective)
    {
        _evaluations++;
        return objective(parameters, _gradient.Span);
    }

    private LbfgsResult Result(double value, int iterations, LbfgsOutcome outcome) =>
        new(value, Largest(_gradient.Span), iterations, _evaluations, outcome);

    /// <summary>The pair with a given age; the newest has age 0.</summary>
    private int Pair(int age) => (_next - 1 - age + HistorySize) % HistorySize;

    private Span<T> Step(int pair) => _steps.Span.Slice(pair * ParameterCount, ParameterCount);

    private Span<T> Change(int pair) => _changes.Span.Slice(pair * ParameterCount, ParameterCount);

    private static double Dot(ReadOnlySpan<T> x, ReadOnlySpan<T> y) => ReductionLoops.Pairwise(default(ReductionLoops.DotTerm<T>), x, y);

    private static double Largest(ReadOnlySpan<T> x) =>
        x.IsEmpty ? 0 : double.CreateTruncating(ReductionLoops.Max(default(ReductionLoops.Magnitude<T>), x));

    private static double SumOfMagnitudes(ReadOnlySpan<T> x)
    {
        var sum = 0.0;
        foreach (var value in x)
            sum += Math.Abs(double.CreateTruncating(value));
        return sum;
    }

    private static void CheckTolerance(double value, string name)
    {
        if (!(value >= 0 && double.IsFinite(value)))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite and not negative.");
    }
}
