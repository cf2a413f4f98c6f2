using System.Numerics;
using Backprop.Simd.Kernels;
using Ops = Backprop.Simd.Kernels.Elementwise;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>The elementary functions on registers of a chosen width, and their exact values.</summary>
internal static class Functions
{
    /// <summary>The widths that a test compares; those that the hardware lacks run in software.</summary>
    public static readonly SimdWidth[] Widths = [SimdWidth.Portable, SimdWidth.Bits128, SimdWidth.Bits256, SimdWidth.Bits512, SimdWidth.Widest];

    public static T[] Evaluate<T>(string function, T[] x, SimdWidth width = SimdWidth.Widest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        return function switch
        {
            "exp" => Run(default(Ops.ExpOperator<T>)),
            "log" => Run(default(Ops.LogOperator<T>)),
            "sigmoid" => Run(default(Ops.SigmoidOperator<T>)),
            "tanh" => Run(default(Ops.TanhOperator<T>)),
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, null),
        };

        T[] Run<TOperator>(TOperator f) where TOperator : struct, IUnaryOperator<T>
        {
            var y = new T[x.Length];
            Map.Unary(f, x, y, accumulate: false, 1, null, width);
            return y;
        }
    }

    public static T Evaluate<T>(string function, T x) where T : unmanaged, IFloatingPointIeee754<T> => Evaluate(function, [x])[0];

    public static double Exact(string function, double x) => function switch
    {
        "exp" => Math.Exp(x),
        "log" => Math.Log(x),
        "sigmoid" => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x)),
        "tanh" => Math.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, null),
    };
}
