using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Checks a product once, turns it to unit column stride of C, settles the empty cases and hands it to the routes.</summary>
internal static unsafe class GemmDispatch
{
    public static void Run<T>(in ReadOnlyMatrix<T> a, in ReadOnlyMatrix<T> b, ReadOnlySpan<T> row, in Matrix<T> c, GemmUpdate<T> update,
        ComputeContext? context, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        if (a.Columns != b.Rows || a.Rows != c.Rows || b.Columns != c.Columns)
            ThrowShapes(a.ToString(), b.ToString(), c.ToString(), a.Columns != b.Rows ? nameof(b) : nameof(c));
        if (c.Rows == 0 || c.Columns == 0)
            return;
        fixed (T* pa = a.Span, pb = b.Span, pc = c.Span, pr = row)
        {
            var problem = new GemmProblem<T>
            {
                M = c.Rows,
                N = c.Columns,
                K = a.Columns,
                A = pa,
                ARow = a.RowStride,
                AColumn = a.ColumnStride,
                B = pb,
                BRow = b.RowStride,
                BColumn = b.ColumnStride,
                C = pc,
                CRow = c.RowStride,
                CColumn = c.ColumnStride,
                Addend = pc,
                AddendRow = c.RowStride,
                AddendColumn = c.ColumnStride,
                Form = update.Form,
                Alpha = update.Alpha,
                Beta = update.Beta,
            };

            // Only the elements that the views reach count as overlap: neither a longer span behind a view nor the gaps in it.
            var end = End(pc, problem.M, problem.CRow, problem.N, problem.CColumn);
            if (problem.K > 0)
            {
                if (pa < end && pc < End(pa, problem.M, problem.ARow, problem.K, problem.AColumn)
                    && GemmOverlap.Exists(pa, problem.M, problem.ARow, problem.K, problem.AColumn, in problem)
                    || pb < end && pc < End(pb, problem.K, problem.BRow, problem.N, problem.BColumn)
                    && GemmOverlap.Exists(pb, problem.K, problem.BRow, problem.N, problem.BColumn, in problem))
                    SpanGuard.ThrowOverlap(nameof(c));
            }

            if (update.Form == GemmForm.AddRow)
            {
                if (pr < end && pc < pr + row.Length && GemmOverlap.Exists(pr, 1, row.Length, row.Length, 1, in problem))
                    SpanGuard.ThrowOverlap(nameof(c));
                problem.Addend = pr;
                problem.AddendRow = 0;
            }

            // C^T = B^T A^T: columns of C lie side by side.
            if (problem.N > 1 && problem.CColumn != 1)
                problem = problem.Transposed;
            if (problem.N == 1)
                problem.BColumn = 1;
            if (problem.K == 0 || T.IsZero(update.Alpha))
                WithoutProduct(in problem);
            else
                RegisterWidth.Run<T, Body<T>>(new(in problem, context), RegisterWidth.OfProduct(in problem, width));
        }
    }

    /// <summary>One past the last element of a matrix that has elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* End<T>(T* start, nint rows, nint rowStride, nint columns, nint columnStride)
        where T : unmanaged =>
        start + (rows - 1) * rowStride + (columns - 1) * columnStride + 1;

    /// <summary>The product at one register width.</summary>
    private readonly ref struct Body<T>(ref readonly GemmProblem<T> problem, ComputeContext? context) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ref readonly GemmProblem<T> _problem = ref problem;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T> => GemmRoutes<TVector, T>.Run(in _problem, context);
    }

    /// <summary>k = 0 or alpha = 0: C = 0, C, beta C or the row, without A and B.</summary>
    private static void WithoutProduct<T>(in GemmProblem<T> problem)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < problem.M; i++)
        {
            var c = new Span<T>(problem.C + i * problem.CRow, problem.N);
            switch (problem.Form)
            {
                case GemmForm.Overwrite or GemmForm.ScaledOverwrite:
                    c.Clear();
                    break;
                case GemmForm.AddRow:
                    new ReadOnlySpan<T>(problem.Addend, problem.N).CopyTo(c);
                    break;
                case GemmForm.ScaledAccumulate:
                    for (var j = 0; j < c.Length; j++)
                        c[j] *= problem.Beta;
                    break;
            }
        }
    }

    [DoesNotReturn]
    private static void ThrowShapes(string a, string b, string c, string name) =>
        throw new ArgumentException($"C = A B needs A [m, k], B [k, n], C [m, n]; A is {a}, B is {b}, C is {c}.", name);
}
