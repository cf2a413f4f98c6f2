using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Reference;
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
            "erf" => Run(default(Ops.ErfOperator<T>)),
            "gelu" => Run(default(Ops.GeluOperator<T>)),
            "geluTanh" => Run(default(Ops.GeluTanhOperator<T>)),
            "silu" => Run(default(Ops.SiluOperator<T>)),
            "softplus" => Run(default(Ops.SoftplusOperator<T>)),
            "sin" => Run(default(Ops.SinOperator<T>)),
            "cos" => Run(default(Ops.CosOperator<T>)),
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, null),
        };

        T[] Run<TOperator>(TOperator f) where TOperator : struct, IUnaryOperator<T>
        {
            var y = new T[x.Length];
            Map.Unary(f, x, y, 1, null, width);
            return y;
        }
    }

    public static T Evaluate<T>(string function, T x) where T : unmanaged, IFloatingPointIeee754<T> => Evaluate(function, [x])[0];

    public static double Exact(string function, double x) => ElementaryFunctions.ByName[function](x);
}
