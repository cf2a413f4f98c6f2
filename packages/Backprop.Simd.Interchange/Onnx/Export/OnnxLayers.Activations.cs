using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Functions of each element, and what works along the channels.</content>
internal static partial class OnnxLayers
{
    /// <summary>The gain of the tanh form of GELU.</summary>
    private static readonly double _geluGain = Math.Sqrt(2 / Math.PI);

    private static void AddActivations()
    {
        RegisterActivation<Abs>((w, _) => w.Unary("Abs"));
        RegisterActivation<Celu>((w, f) => w.Graph.Numbers == OnnxType.Float ? w.Unary("Celu", OnnxAttributes.Number("alpha", f.Alpha)) : w.Map(x =>
            w.Add(w.Do("Max", x, w.Number(0)), w.Do("Min", w.Number(0), w.Mul(w.Number(f.Alpha),
                w.Sub(w.Do("Exp", w.Div(x, w.Number(f.Alpha))), w.Number(1)))))));
        RegisterActivation<Clip>((w, f) => w.Map(x => Clipped(w, x, f.Low, f.High)));
        RegisterActivation<Cos>((w, _) => w.Unary("Cos"));
        RegisterActivation<Elu>((w, f) => w.Unary("Elu", OnnxAttributes.Number("alpha", f.Alpha)));
        RegisterActivation<Erf>((w, _) => w.Unary("Erf"));
        RegisterActivation<Floor>((w, _) => w.Unary("Floor"));
        RegisterActivation<Gelu>((w, _) => w.Graph.Opset >= 20 ? w.Unary("Gelu") : w.Map(x =>
            w.Mul(w.Mul(x, w.Number(0.5)), w.Add(w.Do("Erf", w.Mul(x, w.Number(Math.Sqrt(0.5)))), w.Number(1)))));
        RegisterActivation<GeluTanh>((w, _) => w.Graph.Opset >= 20 ? w.Unary("Gelu", OnnxAttributes.Text("approximate", "tanh")) : w.Map(x =>
            w.Mul(w.Mul(x, w.Number(0.5)), w.Add(w.Do("Tanh", w.Mul(w.Number(_geluGain), w.Mul(x,
                w.Add(w.Mul(w.Mul(x, x), w.Number(0.044715)), w.Number(1))))), w.Number(1)))));
        RegisterActivation<HardSigmoid>((w, _) => w.Unary("HardSigmoid", OnnxAttributes.Number("alpha", 1.0 / 6), OnnxAttributes.Number("beta", 0.5)));
        RegisterActivation<HardSwish>((w, _) => w.Unary("HardSwish"));
        RegisterActivation<HardTanh>((w, f) => w.Map(x => Clipped(w, x, f.Low, f.High)));
        RegisterActivation<LeakyRelu>((w, f) => w.Unary("LeakyRelu", OnnxAttributes.Number("alpha", f.NegativeSlope)));
        RegisterActivation<Log>((w, _) => w.Unary("Log"));
        RegisterActivation<LogSigmoid>((w, _) => w.Map(x => w.Do("Neg", w.Do("Softplus", w.Do("Neg", x)))));
        RegisterActivation<Mish>((w, _) => w.Graph.Opset >= 18 ? w.Unary("Mish") : w.Map(x => w.Mul(x, w.Do("Tanh", w.Do("Softplus", x)))));
        RegisterActivation<Pow>((w, f) => w.Map(x => w.Do("Pow", x, w.Number(f.Exponent))));
        RegisterActivation<Relu>((w, _) => w.Unary("Relu"));
        RegisterActivation<Relu6>((w, _) => w.Map(x => Clipped(w, x, 0, 6)));
        RegisterActivation<Selu>((w, _) => w.Unary("Selu"));
        RegisterActivation<Sigmoid>((w, _) => w.Unary("Sigmoid"));
        RegisterActivation<Silu>((w, _) => w.Map(x => w.Mul(x, w.Do("Sigmoid", x))));
        RegisterActivation<Sin>((w, _) => w.Unary("Sin"));
        RegisterActivation<Softplus>((w, f) => w.Map(x => SoftplusOf(w, x, f)));
        RegisterActivation<Softsign>((w, _) => w.Unary("Softsign"));
        RegisterActivation<Sqrt>((w, _) => w.Unary("Sqrt"));
        RegisterActivation<Tanh>((w, _) => w.Unary("Tanh"));
        RegisterActivation<ThresholdedRelu>((w, f) => w.Unary("ThresholdedRelu", OnnxAttributes.Number("alpha", f.Theta)));
        Register<PRelu>((w, _) => w.Gate("PRelu", w.Input, w.Vector(w.Parameter(0), w.ParameterNumbers(0).Length)));
        Register<Glu>((w, _) => Gated(w, (w, a, b) => w.Mul(a, w.Do("Sigmoid", b))));
        Register<SwiGlu>((w, _) => Gated(w, (w, a, b) => w.Mul(w.Mul(a, w.Do("Sigmoid", a)), b)));
        Register<Softmax>((w, _) => w.Unary("Softmax", OnnxAttributes.Whole("axis", w.Input.HomeAxis(-1))));
        Register<LogSoftmax>((w, _) => w.Unary("LogSoftmax", OnnxAttributes.Whole("axis", w.Input.HomeAxis(-1))));
        Register<Dropout>((w, _) => w.Unchanged());
        Register<SpatialDropout>((w, _) => w.Unchanged());
        Register<AlphaDropout>((w, _) => w.Unchanged());
        Register<GaussianDropout>((w, _) => w.Unchanged());
        Register<GaussianNoise>((w, _) => w.Unchanged());
        Register<StopGradient>((w, _) => w.Unchanged());
        Register<Noise>((w, l) => w.Map(x => Drawn(w, x, l)));
    }

    /// <summary>An infinite bound bounds nothing.</summary>
    private static string Clipped(OnnxLayerWriter w, string x, double low, double high) => w.Do("Clip", x,
        double.IsInfinity(low) ? "" : w.Number(low), double.IsInfinity(high) ? "" : w.Number(high));

    private static string SoftplusOf(OnnxLayerWriter w, string x, Softplus f)
    {
        // ln(1 + e^20) is 20 in float, and 20 + 2e-9 in double.
        const double linear = 20;
        var scaled = f.Beta == 1 ? x : w.Mul(x, w.Number(f.Beta));
        var y = w.Do("Softplus", scaled);
        y = f.Beta == 1 ? y : w.Div(y, w.Number(f.Beta));
        return f.Threshold >= linear ? y : w.Do("Where", w.Do("Greater", scaled, w.Number(f.Threshold)), x, y);
    }

    private static OnnxEdge Gated(OnnxLayerWriter w, Func<OnnxLayerWriter, string, string, string> function)
    {
        var half = w.Input.Fixed(-1, "half of its channels") / 2;
        var parts = w.Split(w.Input.Home, w.Input.HomeAxis(-1), half, half);
        return w.Same(function(w, parts[0], parts[1]));
    }

    /// <summary>Numbers with the shape of x, of a generator of the program that runs the model.</summary>
    private static string Drawn(OnnxLayerWriter w, string x, Noise l)
    {
        if (l.Distribution == NoiseDistribution.Normal)
            return w.Graph.Node("RandomNormalLike", [x], OnnxAttributes.Number("mean", l.Location), OnnxAttributes.Number("scale", l.Spread));
        var isUniform = l.Distribution == NoiseDistribution.Uniform;
        var drawn = w.Graph.Node("RandomUniformLike", [x], OnnxAttributes.Number("low", isUniform ? l.Location : 0),
            OnnxAttributes.Number("high", isUniform ? l.Location + l.Spread : 1));
        return isUniform ? drawn : w.Do("Where", w.Do("Less", drawn, w.Number(l.Location)), w.Number(l.Spread), w.Number(0));
    }
}
