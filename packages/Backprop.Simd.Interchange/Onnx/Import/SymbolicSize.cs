namespace Backprop.Simd.Interchange;

/// <summary>A number that may depend on the rows of the batch: value times rows^power. Sizes that a graph computes with <c>Shape</c> are such.</summary>
internal readonly record struct SymbolicSize(double Value, int Power = 0)
{
    public static SymbolicSize Batch => new(1, 1);

    public static SymbolicSize operator *(SymbolicSize a, SymbolicSize b) => new(a.Value * b.Value, a.Value * b.Value == 0 ? 0 : a.Power + b.Power);

    public override string ToString() => Power == 0 ? $"{Value}" : Value == 1 && Power == 1 ? "rows" : $"{Value} rows^{Power}";
}
