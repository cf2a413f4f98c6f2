using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// C = A B for each row of the batch. A vector on the left is a row, [1, k]; on the right a column, [k, 1]; the result drops
/// that dimension again. Either side may be shared by all rows.
/// </summary>
/// <remarks>
/// <para>With more dimensions the last two are matrices and the others are broadcast, as NumPy's <c>matmul</c>: [H, T, D] times [H, D, S],
/// [D, S] or [D].</para>
/// <para>Backward: dA = dC B^T, dB = A^T dC, summed over what was broadcast; a shared side sums over the rows. If a shared matrix multiplies
/// vectors, y = x W or q = W x, one product computes the whole batch, as where it multiplies arrays of matrices from the right.</para>
/// </remarks>
public sealed class MatrixProduct : Layer
{
    /// <summary>The dimensions of an array of matrices: the rows of the batch, the leading dimensions of a row, and two.</summary>
    private const int Rank = 1 + Shape.MaxRank;

    /// <inheritdoc/>
    public override string Kind => "matrixproduct";

    /// <inheritdoc/>
    public override string Symbol => "A B";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var left = declaration.RequireNumbers(0);
        var right = declaration.RequireNumbers(1);
        var (rows, inner, columns) = Sizes(left.Shape, right.Shape);
        if (rows == 0)
        {
            throw new ArgumentException(
                $"matrixproduct needs [.., m, k] or [k] times [.., k, n] or [k]; it got {left} and {right}.", "inputs");
        }

        var shape = Product(left, right);
        var shared = left.Kind == EdgeKind.Shared && right.Kind == EdgeKind.Shared;
        declaration.UseOperations(2.0 * inner * shape.Size);
        declaration.AddOutput(new EdgeType(shared ? EdgeKind.Shared : EdgeKind.Values, shape));
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var (left, right) = (context.InputType(0), context.InputType(1));
        var (m, k, n) = Sizes(left.Shape, right.Shape);
        ReadOnlySpan<T> a = context.Input(0), b = context.Input(1);
        var c = context.Output();
        if (left.Shape.Rank > 2 || right.Shape.Rank > 2)
        {
            Span<int> sizes = stackalloc int[Rank], others = stackalloc int[Rank];
            Gemm.MultiplyBatch(new ShapedSpan<T>(a, Array(left, context.Rows, isRight: false, sizes)),
                new ShapedSpan<T>(b, Array(right, context.Rows, isRight: true, others)), c, context.Compute);
            return;
        }

        if (IsSharedTimesVectors(left, right))
        {
            Gemm.Multiply(new(b, context.Rows, k), new ReadOnlyMatrix<T>(a, m, k).Transposed, new Matrix<T>(c, context.Rows, m), context.Compute);
            return;
        }

        if (IsVectorsTimesShared(left, right))
        {
            Gemm.Multiply(new(a, context.Rows, k), new(b, k, n), new Matrix<T>(c, context.Rows, n), context.Compute);
            return;
        }

        for (var row = 0; row < c.Length / (m * n); row++)
        {
            Gemm.Multiply(new(Of(a, left, row, m * k), m, k), new(Of(b, right, row, k * n), k, n),
                new Matrix<T>(c.Slice(row * m * n, m * n), m, n), context.Compute);
        }
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var (left, right) = (context.InputType(0), context.InputType(1));
        var (m, k, n) = Sizes(left.Shape, right.Shape);
        ReadOnlySpan<T> a = context.Input(0), b = context.Input(1), dc = context.OutputGradient();
        var da = context.InputGradient(0);
        var db = context.InputGradient(1);
        if (left.Shape.Rank > 2 || right.Shape.Rank > 2)
        {
            Span<int> sizes = stackalloc int[Rank], others = stackalloc int[Rank], result = stackalloc int[Rank];
            var x = Array(left, context.Rows, isRight: false, sizes);
            var y = Array(right, context.Rows, isRight: true, others);
            Broadcasting.Shape(x[..^2], y[..^2], result);
            (result[^2], result[^1]) = (m, n);
            var d = new ShapedSpan<T>(dc, result);
            Gemm.MultiplyBatch(d, false, new ShapedSpan<T>(b, y), true, x, da, context.Compute);
            Gemm.MultiplyBatch(new ShapedSpan<T>(a, x), true, d, false, y, db, context.Compute);
            return;
        }

        if (IsSharedTimesVectors(left, right))
        {
            var dq = new ReadOnlyMatrix<T>(dc, context.Rows, m);
            da.Product(dq.Transposed, new(b, context.Rows, k));
            db.Product(dq, new(a, m, k));
            return;
        }

        if (IsVectorsTimesShared(left, right))
        {
            var dy = new ReadOnlyMatrix<T>(dc, context.Rows, n);
            da.Product(dy, new ReadOnlyMatrix<T>(b, k, n).Transposed);
            db.Product(new ReadOnlyMatrix<T>(a, context.Rows, k).Transposed, dy);
            return;
        }

        for (var row = 0; row < dc.Length / (m * n); row++)
        {
            var d = new ReadOnlyMatrix<T>(dc.Slice(row * m * n, m * n), m, n);
            Of(da, left, row, m, k).Product(d, new ReadOnlyMatrix<T>(Of(b, right, row, k * n), k, n).Transposed);
            Of(db, right, row, k, n).Product(new ReadOnlyMatrix<T>(Of(a, left, row, m * k), m, k).Transposed, d);
        }
    }

    private static bool IsSharedTimesVectors(EdgeType left, EdgeType right) =>
        left.Kind == EdgeKind.Shared && left.Shape.Rank == 2 && right.Kind == EdgeKind.Values && right.Shape.Rank == 1;

    private static bool IsVectorsTimesShared(EdgeType left, EdgeType right) =>
        left.Kind == EdgeKind.Values && left.Shape.Rank == 1 && right.Kind == EdgeKind.Shared && right.Shape.Rank == 2;

    private static ReadOnlySpan<T> Of<T>(ReadOnlySpan<T> values, EdgeType type, int row, int size) =>
        type.Kind == EdgeKind.Shared ? values : values.Slice(row * size, size);

    /// <summary>The gradient of one side for one row, or what the row adds to the gradient of a shared side.</summary>
    private static GradientTarget<T> Of<T>(GradientTarget<T> target, EdgeType type, int row, int rows, int columns)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> =>
        (type.Kind != EdgeKind.Shared ? target.Slice(row * rows * columns, rows * columns) : row == 0 ? target : target.Adding).Reshape(rows, columns);

    /// <summary>m, k, n of one product; zeros if the shapes do not fit.</summary>
    private static (int Rows, int Inner, int Columns) Sizes(Shape left, Shape right)
    {
        if (left.Rank == 0 || right.Rank == 0)
            return default;
        var (m, k) = left.Rank > 1 ? (left[left.Rank - 2], left.Last) : (1, left[0]);
        var (inner, n) = right.Rank > 1 ? (right[right.Rank - 2], right.Last) : (right[0], 1);
        return k == inner ? (m, k, n) : default;
    }

    /// <summary>A side as an array of matrices of that many dimensions: the rows (1 if shared), and 1 for dimensions that it lacks.</summary>
    private static ReadOnlySpan<int> Array(EdgeType type, int rows, bool isRight, Span<int> sizes)
    {
        sizes.Fill(1);
        sizes[0] = type.Kind == EdgeKind.Values ? rows : 1;
        if (type.Shape.Rank == 1)
            sizes[isRight ? ^2 : ^1] = type.Shape[0];
        else
            type.Shape.CopyTo(sizes[^type.Shape.Rank..]);
        return sizes;
    }

    /// <summary>The shape of the product, without the dimensions that vectors lack.</summary>
    private static Shape Product(EdgeType left, EdgeType right)
    {
        Span<int> x = stackalloc int[Rank], y = stackalloc int[Rank], sizes = stackalloc int[Rank];
        var (m, _, n) = Sizes(left.Shape, right.Shape);
        var leading = Math.Max(Math.Max(left.Shape.Rank, right.Shape.Rank) - 2, 0);
        try
        {
            Broadcasting.Shape(Array(left, 1, false, x)[..^2], Array(right, 1, true, y)[..^2], sizes);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"matrixproduct of {left} and {right}, dimensions before the last two: {e.WithoutParameter()}", "inputs", e);
        }

        sizes = sizes[^(2 + leading)..];
        var rank = leading;
        if (left.Shape.Rank > 1)
            sizes[rank++] = m;
        if (right.Shape.Rank > 1)
            sizes[rank++] = n;
        return new Shape(sizes[..rank]);
    }
}
