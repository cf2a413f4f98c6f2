using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Stochastic gradient descent, with momentum (Nesterov's if asked) and weight decay.</summary>
/// <remarks>
/// PyTorch's formulas: g = gradient + weightDecay w; without momentum w -= learningRate g. With it v = momentum v + g (v starts
/// at 0), and w -= learningRate v, or with Nesterov w -= learningRate (g + momentum v).
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Sgd<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per parameter on one thread: two streams in, two out.</summary>
    private const double Cost = 0.2;

    private readonly AlignedBuffer<T>? _velocity;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="momentum">The momentum, in [0, 1); with 0 there is no velocity to keep.</param>
    /// <param name="nesterov">Use Nesterov's form; needs a momentum.</param>
    /// <param name="weightDecay">What of each parameter is added to its gradient, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="nesterov"/> without momentum.</exception>
    public Sgd(int parameterCount, double learningRate, double momentum = 0, bool nesterov = false, double weightDecay = 0)
        : base(parameterCount, learningRate)
    {
        if (!(momentum >= 0 && momentum < 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "'momentum' must be in [0, 1).");
        if (nesterov && momentum == 0)
            throw new ArgumentException("Nesterov's form needs a momentum above 0; it is 0.", nameof(nesterov));
        CheckNotNegative(weightDecay, nameof(weightDecay));
        Momentum = momentum;
        Nesterov = nesterov;
        WeightDecay = weightDecay;
        _velocity = momentum == 0 ? null : new AlignedBuffer<T>(parameterCount);
    }

    /// <summary>The momentum.</summary>
    public double Momentum { get; }

    /// <summary>Whether Nesterov's form is used.</summary>
    public bool Nesterov { get; }

    /// <summary>What of each parameter is added to its gradient.</summary>
    public double WeightDecay { get; }

    /// <summary>The velocity of each parameter; empty without momentum.</summary>
    public ReadOnlySpan<T> Velocity => _velocity is null ? default : _velocity.Span;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var w = parameters.Slice(range.Start, range.Length);
        var g = gradients.Slice(range.Start, range.Length);
        var rate = T.CreateTruncating(-LearningRate);
        var decay = T.CreateTruncating(WeightDecay);
        var momentum = T.CreateTruncating(Momentum);
        if (_velocity is null && WeightDecay == 0)
            Elementwise.Axpy(T.CreateTruncating(-LearningRate), g, w, context);
        else if (_velocity is null)
            Map.Binary(new DecayOperator(rate, decay), g, w, w, accumulate: false, Cost, context);
        else if (Nesterov)
            Map.Update(new NesterovOperator(rate, decay, momentum), g, w, _velocity.Span.Slice(range.Start, range.Length), Cost, context);
        else
            Map.Update(new MomentumOperator(rate, decay, momentum), g, w, _velocity.Span.Slice(range.Start, range.Length), Cost, context);
    }

    private readonly struct DecayOperator(T rate, T decay) : IBinaryOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(TVector.Create(rate), TVector.MultiplyAdd(TVector.Create(decay), y, x), y);
    }

    private readonly struct MomentumOperator(T rate, T decay, T momentum) : IUpdateOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector state) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
            state = TVector.MultiplyAdd(TVector.Create(momentum), state, g);
            parameter = TVector.MultiplyAdd(TVector.Create(rate), state, parameter);
        }
    }

    private readonly struct NesterovOperator(T rate, T decay, T momentum) : IUpdateOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector state) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var g = TVector.MultiplyAdd(TVector.Create(decay), parameter, gradient);
            state = TVector.MultiplyAdd(TVector.Create(momentum), state, g);
            parameter = TVector.MultiplyAdd(TVector.Create(rate), TVector.MultiplyAdd(TVector.Create(momentum), state, g), parameter);
        }
    }
}
