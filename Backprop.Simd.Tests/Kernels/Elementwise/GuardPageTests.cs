using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Every operand ends at an inaccessible page or starts behind one: a stray access ends the process.</summary>
public sealed class GuardPageTests
{
    [Fact]
    public void Float_kernels_stay_inside_their_operands() => Check<float>();

    [Fact]
    public void Double_kernels_stay_inside_their_operands() => Check<double>();

    private static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var atEnd in (bool[])[true, false])
        {
            foreach (var n in (int[])[.. Samples.Lengths<T>(), 513, 1024])
                Spans<T>(n, atEnd);
            foreach (var columns in Samples.Lengths<T>().Skip(1))
            {
                foreach (var (rows, gap) in (ReadOnlySpan<(int, int)>)[(1, 0), (2, 0), (7, 0), (3, 5)])
                    Matrices<T>(rows, columns, columns + gap, atEnd);
            }
        }
    }

    private static void Spans<T>(int n, bool atEnd) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using GuardedMemory memoryX = new(8 * n), memoryY = new(8 * n), memoryZ = new(8 * n), memoryD = new(8 * n);
        Span<T> x = Place<T>(memoryX, n, atEnd), y = Place<T>(memoryY, n, atEnd), z = Place<T>(memoryZ, n, atEnd), d = Place<T>(memoryD, n, atEnd);

        Elementwise.Exp<T>(x, d);
        Elementwise.Add<T>(x, y, d);
        Elementwise.Axpy(T.One, x, d);
        Elementwise.MultiplyAccumulate<T>(x, y, d);
        Elementwise.ReciprocalBackward<T>(x, y, new(d, adds: true));
        ActivationKernels.Forward<T, Tanh>(new(), x, d);
        ActivationKernels.Backward<T, Sigmoid>(new(), x, [], y, d);
        ActivationKernels.Backward<T, LeakyRelu>(new(-1), x, y, z, new(d, adds: true));

        _ = Reductions.Sum<T>(x);
        _ = Reductions.Dot<T>(x, y);
        _ = Reductions.Norm<T>(x);
        _ = Reductions.AllFinite<T>(x);
        if (n > 0)
            _ = Reductions.Max<T>(x);

        new Sgd<T>(n, 0.1).Step(d, x);
        new Sgd<T>(n, 0.1, weightDecay: 0.1).Step(d, x);
        new Sgd<T>(n, 0.1, momentum: 0.9).Step(d, x);
        new Sgd<T>(n, 0.1, momentum: 0.9, nesterov: true).Step(d, x);
        memoryD.AssertUntouched<T>(d, $"{n} elements");
    }

    private static void Matrices<T>(int rows, int columns, int stride, bool atEnd) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var length = (rows - 1) * stride + columns;
        using GuardedMemory memoryX = new(8 * length), memoryP = new(8 * length), memoryV = new(8 * columns), memoryM = new(8 * rows), memoryL = new(8 * rows);
        Span<T> x = Place<T>(memoryX, length, atEnd), p = Place<T>(memoryP, length, atEnd), v = Place<T>(memoryV, columns, atEnd);
        Span<T> maximum = Place<T>(memoryM, rows, atEnd), logSum = Place<T>(memoryL, rows, atEnd);
        Matrix<T> mx = new(x, rows, columns, stride), mp = new(p, rows, columns, stride);

        SoftmaxKernels.SoftmaxWithLogSumExp(mx, mp, maximum, logSum);
        Elementwise.AddRow(mp, v);
        Reductions.ColumnSums<T>(mx, v);
        Reductions.ColumnSums<T>(mx, new(v, adds: true));
        memoryP.AssertUntouched<T>(p, $"[{rows}, {columns}]");
        memoryV.AssertUntouched<T>(v, $"[{rows}, {columns}]");
        memoryM.AssertUntouched<T>(maximum, $"[{rows}, {columns}]");
        memoryL.AssertUntouched<T>(logSum, $"[{rows}, {columns}]");
    }

    private static Span<T> Place<T>(GuardedMemory memory, int length, bool atEnd) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var span = atEnd ? memory.AtEnd<T>(length) : memory.AtStart<T>(length);
        Samples.Ordinary<T>(length, length).CopyTo(span);
        return span;
    }
}
