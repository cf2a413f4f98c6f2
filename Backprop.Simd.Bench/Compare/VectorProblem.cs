using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Bench;

/// <summary>An elementwise function or a reduction of one or two vectors.</summary>
/// <param name="Name">What peers know it by.</param>
/// <param name="Streams">What it reads and writes.</param>
/// <param name="Reference">The function of x and y, in double; of a reduction, the term that is summed, or x for a maximum.</param>
internal sealed record VectorOperation(string Name, Streams Streams, Func<double, double, double> Reference)
{
    /// <summary>The range of the first operand; the second lies in [-1, 1].</summary>
    public (double Low, double High) Range { get; init; } = (-1, 1);

    public bool IsReduction => Streams.Writes == 0;

    public static VectorOperation Function(string name, double low, double high, Func<double, double> reference) =>
        new(name, new Streams(1, 1), (x, _) => reference(x)) { Range = (low, high) };

    public static VectorOperation Binary(string name, Func<double, double, double> reference) => new(name, new Streams(2, 1), reference);

    public static VectorOperation InPlace(string name, Func<double, double, double> reference) => new(name, new Streams(2, 1, InPlace: true), reference);

    public static VectorOperation Reduction(string name, int reads, Func<double, double, double> reference) => new(name, new Streams(reads, 0), reference);
}

/// <summary>An operation with its data. The result of a call is the destination, or the one number of a reduction.</summary>
internal sealed class VectorProblem<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The factor of axpy and scale: small, so that y stays finite over millions of calls.</summary>
    public const double Factor = 1.0 / 1024;

    /// <summary>Of longer vectors, every so manieth element is checked.</summary>
    private const int Checked = 65536, Stride = 251;

    private double _value;

    public VectorProblem(VectorOperation operation, int length)
    {
        Operation = operation;
        Length = length;
        X = new(length);
        Y = new(length);
        Destination = new(length);
        Fill.Uniform(X.Span, seed: 1, operation.Range.Low, operation.Range.High);
        Fill.Uniform(Y.Span, seed: 2);
        Reset();
    }

    public VectorOperation Operation { get; }

    public int Length { get; }

    public AlignedBuffer<T> X { get; }

    public AlignedBuffer<T> Y { get; }

    /// <summary>Where results go; of an operation in place, it starts as y.</summary>
    public AlignedBuffer<T> Destination { get; }

    /// <summary>Where a reduction leaves its result.</summary>
    public T Value { set => _value = double.CreateTruncating(value); }

    public double[] Result() => Operation.IsReduction ? [_value] : Fill.ToDouble<T>(Destination.Span);

    /// <summary>Removes what a call has computed.</summary>
    public void Reset()
    {
        _value = double.NaN;
        if (Operation.Streams.InPlace)
            Y.Span.CopyTo(Destination.Span);
        else
            Destination.Span.Fill(T.NaN);
    }

    /// <summary>Null if a result is right to within some roundings, relative or, near 0, absolute; else what is wrong.</summary>
    public string? Verify(double[] result)
    {
        var u = Fill.UnitRoundoff<T>();
        if (Operation.IsReduction)
        {
            var (expected, magnitude) = (Operation.Name == "max" ? double.NegativeInfinity : 0.0, 0.0);
            for (var i = 0; i < Length; i++)
            {
                var term = Term(i);
                expected = Operation.Name == "max" ? Math.Max(expected, term) : expected + term;
                magnitude += Math.Abs(term);
            }

            return result.Length == 1 && Math.Abs(result[0] - expected) <= Length * u * magnitude ? null : $"{result[0]:G9} instead of {expected:G9}";
        }

        if (result.Length != Length)
            return $"{result.Length} elements instead of {Length}";
        for (var i = 0; i < Length; i += Length > Checked ? Stride : 1)
        {
            var expected = Term(i);
            if (!(Math.Abs(result[i] - expected) <= 64 * u * (Math.Abs(expected) + 1)))
                return $"f({X.Span[i]}, {Y.Span[i]}) is {result[i]:G9} instead of {expected:G9}";
        }

        return null;
    }

    private double Term(int i) => Operation.Reference(double.CreateTruncating(X.Span[i]), double.CreateTruncating(Y.Span[i]));
}
