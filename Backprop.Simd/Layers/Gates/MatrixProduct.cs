using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// C = A B for each row of the batch. A vector on the left is a row, [1, k]; on the right a column, [k, 1]; the result drops
/// that dimension again. Either side may be shared by all rows.
/// </summary>
/// <remarks>
/// Backward: dA = dC B^T, dB = A^T dC; a shared side sums over the rows. If a shared matrix multiplies
/// vectors, y = x W or q = W x, one product computes the whole batch.
/// </remarks>
public sealed class MatrixProduct : Layer
{
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
                $"matrixproduct needs [m, k] or [k] times [k, n] or [k]; it got {left} and {right}.", "inputs");
        }

        var shape = (left.Shape.Rank, right.Shape.Rank) switch
        {
            (2, 2) => new Shape(rows, columns),
            (2, 1) => new Shape(rows),
            (1, 2) => new Shape(columns),
            _ => Shape.Scalar,
        };
        var shared = left.Kind == EdgeKind.Shared && right.Kind == EdgeKind.Shared;
        declaration.UseOperations(2.0 * rows * inner * columns);
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

    /// <summary>m, k, n; zeros if the shapes do not fit.</summary>
    private static (int Rows, int Inner, int Columns) Sizes(Shape left, Shape right)
    {
        if (left.Rank is not (1 or 2) || right.Rank is not (1 or 2))
            return default;
        var (m, k) = left.Rank == 2 ? (left[0], left[1]) : (1, left[0]);
        var (inner, n) = right.Rank == 2 ? (right[0], right[1]) : (right[0], 1);
        return k == inner ? (m, k, n) : default;
    }
}
