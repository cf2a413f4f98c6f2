using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The states of alignments of one row: a blank before each label and behind the last, and the labels, with their logarithms in
/// each step.</summary>
/// <remarks>Blanks and labels lie apart, so that registers go along them: blank i comes before label i. Lanes behind the last state hold
/// -infinity and stay so.</remarks>
internal readonly unsafe struct CtcLattice<TVector> where TVector : unmanaged, ISimdVector<TVector, double>
{
    private readonly double* _alpha, _skips, _blanks, _labels, _inclusiveBlanks, _inclusiveLabels;
    private readonly int _stride, _kept, _length, _width;

    /// <summary>The lattice of a target of some labels in 2 Kept + 8 strides of memory.</summary>
    public CtcLattice(double* memory, CtcShape shape, int length)
    {
        _stride = (int)shape.Stride;
        _kept = shape.Kept;
        _length = length;
        _width = (length / TVector.Count + 1) * TVector.Count;
        _alpha = memory;
        memory += 2L * _kept * _stride;
        Emissions = memory;
        _skips = memory + _stride;
        _blanks = memory + 2 * _stride;
        _labels = memory + 3 * _stride;
        _inclusiveBlanks = memory + 4 * _stride;
        _inclusiveLabels = memory + 5 * _stride;
        Posteriors = memory + 6 * _stride;
    }

    /// <summary>The logarithms of the probabilities of the labels in a step.</summary>
    public double* Emissions { get; }

    /// <summary>What <see cref="BlankPosteriors"/> or <see cref="LabelPosteriors"/> computed.</summary>
    public double* Posteriors { get; }

    /// <summary>Prepares a row: a label may follow the label before it, without a blank between them, where they differ.</summary>
    public void Begin(ReadOnlySpan<int> labels)
    {
        new Span<double>(Emissions, _stride).Fill(double.NegativeInfinity);
        new Span<double>(_skips, _stride).Fill(double.NegativeInfinity);
        for (var i = 1; i < labels.Length; i++)
        {
            if (labels[i] != labels[i - 1])
                _skips[i] = 0;
        }
    }

    /// <summary>alpha of a step: the logarithm of the probability of all beginnings of alignments that end in a state, this step included.</summary>
    public void Forward(int step, double blank)
    {
        double* blanks = BlanksOf(step), labels = LabelsOf(step);
        for (var i = 1; i <= CtcShape.Pad; i++)
            labels[-i] = double.NegativeInfinity;
        if (step == 0)
        {
            new Span<double>(blanks, _width).Fill(double.NegativeInfinity);
            new Span<double>(labels, _width).Fill(double.NegativeInfinity);
            (blanks[0], labels[0]) = (blank, Emissions[0]);
            return;
        }

        double* fromBlanks = BlanksOf(step - 1), fromLabels = LabelsOf(step - 1);
        for (var i = 0; i < _width; i += TVector.Count)
        {
            TVector b = TVector.Load(fromBlanks + i), l = TVector.Load(fromLabels + i), before = TVector.Load(fromLabels + i - 1);
            TVector.Store(blanks + i, LogSum(b, before) + blank);
            TVector.Store(labels + i, LogSum(l, b, before + TVector.Load(_skips + i)) + TVector.Load(Emissions + i));
        }
    }

    /// <summary>The logarithm of the probability of all alignments, by alpha of their last step.</summary>
    public double LogLikelihood(int step)
    {
        double blank = BlanksOf(step)[_length], label = LabelsOf(step)[_length - 1]; // -infinity before the first label.
        var largest = Math.Max(blank, label);
        return double.IsNegativeInfinity(largest) ? largest : largest + Math.Log(1 + Math.Exp(Math.Min(blank, label) - largest));
    }

    /// <summary>beta of the last step: an alignment ends in the last label, or in the blank behind it.</summary>
    public void End()
    {
        new Span<double>(_blanks, 4 * _stride).Fill(double.NegativeInfinity); // All four vectors of beta.
        _blanks[_length] = 0;
        if (_length > 0)
            _labels[_length - 1] = 0;
    }

    /// <summary>beta of the step before: the logarithm of the probability of all ends of alignments behind a state, its own step left out. The
    /// emissions are those of the step that beta is of.</summary>
    public void Backward(double blank)
    {
        for (var i = 0; i < _width; i += TVector.Count)
        {
            TVector.Store(_inclusiveBlanks + i, TVector.Load(_blanks + i) + blank);
            TVector.Store(_inclusiveLabels + i, TVector.Load(_labels + i) + TVector.Load(Emissions + i));
        }

        for (var i = 0; i < _width; i += TVector.Count)
        {
            TVector b = TVector.Load(_inclusiveBlanks + i), l = TVector.Load(_inclusiveLabels + i);
            TVector nextBlank = TVector.Load(_inclusiveBlanks + i + 1), nextLabel = TVector.Load(_inclusiveLabels + i + 1);
            TVector.Store(_blanks + i, LogSum(b, l));
            TVector.Store(_labels + i, LogSum(l, nextBlank, nextLabel + TVector.Load(_skips + i + 1)));
        }
    }

    /// <summary>How probable each blank is in a step of alignments of the target.</summary>
    public void BlankPosteriors(int step, double loss) => Posterior(BlanksOf(step), _blanks, loss);

    /// <summary>How probable each label is in a step of alignments of the target.</summary>
    public void LabelPosteriors(int step, double loss) => Posterior(LabelsOf(step), _labels, loss);

    private void Posterior(double* alpha, double* beta, double loss)
    {
        for (var i = 0; i < _width; i += TVector.Count)
            TVector.Store(Posteriors + i, VectorMath.Exp(TVector.Load(alpha + i) + TVector.Load(beta + i) + loss));
    }

    private double* BlanksOf(int step) => _alpha + (long)(step % _kept) * 2 * _stride;

    private double* LabelsOf(int step) => BlanksOf(step) + _stride + CtcShape.Pad;

    /// <summary>ln(e^a + e^b) of numbers below infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LogSum(TVector a, TVector b)
    {
        var largest = TVector.Max(a, b);
        return largest + VectorMath.Log(1 + VectorMath.ExpBounded(TVector.Min(a, b) - TVector.Max(double.MinValue, largest)));
    }

    /// <summary>ln(e^a + e^b + e^c) of numbers below infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LogSum(TVector a, TVector b, TVector c)
    {
        TVector low = TVector.Min(a, b), high = TVector.Max(a, b);
        var largest = TVector.Max(high, c);
        var bounded = TVector.Max(double.MinValue, largest);
        TVector middle = TVector.Max(low, TVector.Min(high, c)), least = TVector.Min(low, c);
        return largest + VectorMath.Log(1 + VectorMath.ExpBounded(middle - bounded) + VectorMath.ExpBounded(least - bounded));
    }
}
