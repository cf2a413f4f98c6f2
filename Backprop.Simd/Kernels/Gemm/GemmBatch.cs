using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>How the matrices of two arrays meet in those of a third: leading dimensions with a step for each array, 0 where it stays.</summary>
internal readonly struct GemmBatch
{
    /// <summary>Nanoseconds per multiply-add, and per product.</summary>
    private const double Cost = 0.02, ProductCost = 40;

    /// <summary>A product of more multiply-adds is shared out over the threads by itself.</summary>
    private const double Large = 1 << 20;

    private readonly ShapeSizes _sizes, _a, _b, _c;
    private readonly int _kept, _rank, _m, _k, _n;
    private readonly bool _transposeA, _transposeB;

    /// <summary>The elements of one matrix, which steps count.</summary>
    private readonly int _sizeA, _sizeB, _sizeC;

    public GemmBatch(ReadOnlySpan<int> a, bool transposeA, ReadOnlySpan<int> b, bool transposeB, ReadOnlySpan<int> c)
    {
        (_transposeA, _transposeB) = (transposeA, transposeB);
        (_m, _k) = transposeA ? (a[^1], a[^2]) : (a[^2], a[^1]);
        _n = transposeB ? b[^2] : b[^1];
        if (c.Length < 2 || c[^2] != _m || c[^1] != _n)
            ThrowShape(a, b, c);
        Span<int> whole = stackalloc int[ShapeSizes.MaxRank];
        whole = whole[..Broadcasting.Shape(a[..^2], b[..^2], whole)];
        for (var i = whole.Length + 1; i <= c.Length - 2; i++)
        {
            if (c[^(i + 2)] != 1)
                ThrowShape(a, b, c);
        }

        // From the last dimension on; first those along which C moves, then those that are summed over.
        Span<int> size = stackalloc int[ShapeSizes.MaxRank];
        Span<int> stepA = stackalloc int[ShapeSizes.MaxRank], stepB = stackalloc int[ShapeSizes.MaxRank], stepC = stackalloc int[ShapeSizes.MaxRank];
        var rank = 0;
        int ofA = 1, ofB = 1, ofC = 1;
        for (var i = 1; i <= whole.Length; i++)
        {
            int sa = Size(a, i), sb = Size(b, i), sc = Size(c, i);
            if (sc != whole[^i] && sc != 1)
                ThrowShape(a, b, c);
            if (whole[^i] == 1)
                continue;
            (size[rank], stepA[rank], stepB[rank], stepC[rank]) = (whole[^i], sa == 1 ? 0 : ofA, sb == 1 ? 0 : ofB, sc == 1 ? 0 : ofC);
            (ofA, ofB, ofC) = (ofA * sa, ofB * sb, ofC * sc);
            rank++;
        }

        // The last dimensions may be further rows of A and C, or further terms of the sum over k.
        var merged = 0;
        while (merged < rank && stepA[merged] == Product(size[..merged]) && (
            !transposeA && stepB[merged] == 0 && stepC[merged] == stepA[merged]
            || transposeA && !transposeB && stepB[merged] == stepA[merged] && stepC[merged] == 0))
            merged++;
        var rows = Product(size[..merged]);
        if (merged > 0 && !transposeA)
            _m *= rows;
        if (merged > 0 && transposeA)
            _k *= rows;
        foreach (var isKept in (ReadOnlySpan<bool>)[true, false])
        {
            for (var d = merged; d < rank; d++)
            {
                if (stepC[d] != 0 != isKept)
                    continue;
                (_sizes[_rank], _a[_rank], _b[_rank], _c[_rank]) = (size[d], stepA[d], stepB[d], stepC[d]);
                _rank++;
                _kept += isKept ? 1 : 0;
            }
        }

        (_sizeA, _sizeB, _sizeC) = (a[^2] * a[^1], b[^2] * b[^1], c[^2] * c[^1]);
    }

    /// <summary>Throws unless both are arrays of matrices that fit.</summary>
    public static void Check<T>(ShapedSpan<T> a, bool transposeA, ShapedSpan<T> b, bool transposeB) where T : unmanaged
    {
        if (a.Rank < 2 || b.Rank < 2 || a[a.Rank - (transposeA ? 2 : 1)] != b[b.Rank - (transposeB ? 1 : 2)])
        {
            throw new ArgumentException($"C = A B needs A [.., m, k] and B [.., k, n]; A is {a.ToString()}{(transposeA ? " transposed" : "")}, "
                + $"B is {b.ToString()}{(transposeB ? " transposed" : "")}.", nameof(b));
        }
    }

    public void Run<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Destination<T> c, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (c.Span.IsEmpty)
            return;
        int outputs = 1, terms = 1;
        for (var d = 0; d < _rank; d++)
        {
            if (d < _kept)
                outputs *= _sizes[d];
            else
                terms *= _sizes[d];
        }

        if (terms == 0 && !c.Adds)
            c.Span.Clear();
        if (terms == 0)
            return;
        var work = (double)_m * _k * _n;
        var isShared = context is not null && (outputs == 1 || work > Large);
        var body = new Body<T>(this, a, b, c, terms, isShared ? context : null);
        if (context is null || isShared)
            body.Execute(0, outputs);
        else
            context.For(outputs, 1, outputs * terms * (work * Cost + ProductCost), in body);
    }

    private static int Size(ReadOnlySpan<int> shape, int fromEnd) => fromEnd + 2 <= shape.Length ? shape[^(fromEnd + 2)] : 1;

    private static int Product(ReadOnlySpan<int> sizes)
    {
        var product = 1;
        foreach (var size in sizes)
            product *= size;
        return product;
    }

    [DoesNotReturn]
    private static void ThrowShape(ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c) =>
        throw new ArgumentException($"C = A B of A {ShapeSizes.Text(a)} and B {ShapeSizes.Text(b)} is not {ShapeSizes.Text(c)}: the last two sizes are those "
            + "of the product, the others those of A and B broadcast, or 1 where products are summed.", "shape");

    private readonly ref struct Body<T>(GemmBatch batch, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Destination<T> c, int terms, ComputeContext? context)
        : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly GemmBatch _batch = batch;
        private readonly ReadOnlySpan<T> _a = a, _b = b;
        private readonly Destination<T> _c = c;

        public void Execute(int start, int limit)
        {
            for (var output = start; output < limit; output++)
            {
                for (var term = 0; term < terms; term++)
                    Multiply(output, term);
            }
        }

        private void Multiply(int output, int term)
        {
            int a = 0, b = 0, c = 0;
            var isFirst = term == 0;
            for (var d = 0; d < _batch._rank; d++)
            {
                ref var rest = ref d < _batch._kept ? ref output : ref term;
                (rest, var digit) = Math.DivRem(rest, _batch._sizes[d]);
                a += digit * _batch._a[d];
                b += digit * _batch._b[d];
                c += digit * _batch._c[d];
            }

            int m = _batch._m, k = _batch._k, n = _batch._n;
            var left = _a.Slice(a * _batch._sizeA, m * k);
            var right = _b.Slice(b * _batch._sizeB, k * n);
            var result = new Matrix<T>(_c.Span.Slice(c * _batch._sizeC, m * n), m, n);
            var x = _batch._transposeA ? new ReadOnlyMatrix<T>(left, k, m).Transposed : new ReadOnlyMatrix<T>(left, m, k);
            var y = _batch._transposeB ? new ReadOnlyMatrix<T>(right, n, k).Transposed : new ReadOnlyMatrix<T>(right, k, n);
            if (_c.Adds || !isFirst)
                Gemm.MultiplyAdd(x, y, result, context);
            else
                Gemm.Multiply(x, y, result, context);
        }
    }
}
