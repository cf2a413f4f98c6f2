using Backprop.Simd.Activations;
using Backprop.Simd.Gradients;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>The code of docs/own-layer.md, compiled against the public surface alone; <see cref="OwnLayerDocumentTests"/> runs it.</summary>
internal static class OwnLayerExamples
{
    public static GradientCheckReport ProveSnake()
    {
        // begin ProveSnake
        EdgeType numbers = new(EdgeKind.Values, new Shape(33));                // 33 for each row: whole registers and a rest
        var report = GradientCheck.Layer(new Activation<Snake>(new Snake(2)), [numbers], rows: 4);
        Console.WriteLine(report.Passes());                                    // True: against central differences in double
        // end ProveSnake
        return report;
    }

    public static GradientCheckReport ProveLowRank()
    {
        // begin ProveLowRank
        var report = GradientCheck.Layer(new LowRank(5, rank: 2), [new EdgeType(EdgeKind.Values, new Shape(7))], rows: 4);
        Console.WriteLine(report);                                             // a line for each parameter and input: the worst element
        Console.WriteLine(report.Passes());                                    // True
        // end ProveLowRank
        return report;
    }

    public static (Network<float> Trained, Network<float> Loaded) Train(string path)
    {
        // begin Train
        static Network<float> Build() => GraphBuilder.Chain(1).Affine(24).Snake().LowRank(24, rank: 6).Snake()
            .Affine(1).MeanSquaredError().Build<float>(seed: 1);

        var network = Build();
        Console.WriteLine(network.Summary());                                  // lowrank1 has a row like any other layer
        var workspace = network.CreateWorkspace(rows: 64);
        for (var i = 0; i < 64; i++)
        {
            workspace.Input("x")[i] = i / 8f - 4;
            workspace.Input("targets")[i] = MathF.Sin(2 * workspace.Input("x")[i]);
        }

        var adam = new AdamW<float>(network, 0.003);
        for (var step = 0; step < 1000; step++)
            network.Step(workspace, adam);
        network.Save(path);                                                    // "lowrank1.down", "lowrank1.up", "lowrank1.bias", ...

        var loaded = Build();
        loaded.Load(path);
        // end Train
        return (network, loaded);
    }

    public static Network<float> OneFile(Network<float> network, string path)
    {
        // begin OneFile
        LayerKinds.RegisterActivation<Snake>("snake", (s, f) => new(s.Number("a", f?.A)));
        LayerKinds.Register<LowRank>("lowrank", (s, l) => new(s.WholeNumber("outputs", l?.Outputs), s.WholeNumber("rank", l?.Rank)));
        new Model<float>(network).Save(path);
        var model = Model.Load<float>(path);                                   // model.Network
        // end OneFile
        return model.Network;
    }

    public static GradientCheckReport ProveLogCosh()
    {
        // begin ProveLogCosh
        EdgeType rows = new(EdgeKind.Values, new Shape(4, 3)), weights = new(EdgeKind.Values, new Shape(4));
        var report = GradientCheck.Layer(new LogCosh(), [rows, rows, weights], rows: 3);
        Console.WriteLine(report.Passes());                                    // True, for predictions, targets and weights
        // end ProveLogCosh
        return report;
    }

    public static Network<float> UseCentered()
    {
        // begin UseCentered
        Console.WriteLine(GradientCheck.Layer(new Centered(), [new EdgeType(EdgeKind.Values, new Shape(3))], rows: 4).Passes());      // True

        var network = GraphBuilder.Chain(3).Apply(new Centered()).Affine(1).MeanSquaredError().Build<float>(seed: 1);
        var workspace = network.CreateWorkspace(rows: 4);
        workspace.Input("x").Fill(5);
        var sgd = new Sgd<float>(network, 0.01);
        for (var step = 0; step < 100; step++)
            network.Step(workspace, sgd);
        Console.WriteLine(network.StateOf("centered1.mean")[0]);                                                                      // close to 5
        // end UseCentered
        return network;
    }

    public static Network<double> TwoLosses()
    {
        // begin TwoLosses
        var graph = new GraphBuilder();
        Node y = graph.Input("y", 4, 3), t = graph.Input("t", 4, 3), kept = graph.Input("kept", 4);
        graph.Loss(y.Apply(new LogCosh(), t, kept).Named("formula"));          // kept: 1 where a step counts, 0 where it does not

        var d = (y - t).Abs();
        graph.Loss((d + (d * -2).Softplus() - Math.Log(2)).Mean(), 0.5);       // the same formula of nodes; nothing is left out
        // end TwoLosses
        return graph.Build().CreateNetwork<double>();
    }

    public static Network<double> UseHypotenuse()
    {
        // begin UseHypotenuse
        EdgeType matrix = new(EdgeKind.Values, new Shape(3, 4)), row = new(EdgeKind.Values, new Shape(4));
        Console.WriteLine(GradientCheck.Layer(new BinaryGate<Hypotenuse>(), [matrix, row], rows: 2).Passes());     // True

        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 3, 4).Apply(new BinaryGate<Hypotenuse>(), graph.Input("y", 4)));             // broadcast to [3, 4]
        // end UseHypotenuse
        return graph.Build().CreateNetwork<double>();
    }
}

// begin Snake
/// <summary>y = x + sin(a x)^2 / a. Ziyin, Hartwig and Ueda, "Neural networks fail to learn periodic functions", NeurIPS 2020.</summary>
public readonly struct Snake(double a) : IActivation
{
    public double A => a;

    public string Name => "Snake";

    public bool BackwardUsesInput => true;

    public Initializer? PreferredInitializer => Initialize.He;                 // for the weights of the layer before; null for Xavier

    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var s = VectorMath.Sin(x * a);
        return x + s * s / a;
    }

    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * (1 + VectorMath.Sin(x * (2 * a)));                    // dy/dx = 1 + 2 sin(a x) cos(a x) = 1 + sin(2 a x)
}
// end Snake

// begin LowRank
/// <summary>y = x U V + b, with x [n], U [n, rank], V [rank, outputs], b [outputs].</summary>
public sealed class LowRank(int outputs, int rank) : Layer
{
    public int Outputs => outputs;                                 // settings are public: enough to make the layer again

    public int Rank => rank;

    public override string Kind => "lowrank";                      // nodes are named lowrank1, lowrank2, ...

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        var inputs = declaration.Require(0, EdgeKind.Values, rank: 1)[0];
        declaration.AddParameter("down", new Shape(inputs, Rank), inputs, Rank, Initialize.Xavier);
        declaration.AddParameter("up", new Shape(Rank, Outputs), Rank, Outputs, null);      // as suits the layer that follows
        declaration.AddParameter("bias", new Shape(Outputs), Rank, Outputs, Initialize.Zeros);
        declaration.UseCache(perRow: Rank);                        // kept from forward to backward
        declaration.UseScratch(perRow: Rank);                      // for one call
        declaration.AddOutput(new Shape(Outputs));
        declaration.Traits = LayerTraits.ReadsInput | LayerTraits.StridedRows;              // backward does not read the output
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        var h = new Matrix<T>(context.Training ? context.Cache : context.Scratch, context.Rows, Rank);
        Gemm.Multiply(context.InputMatrix(0), context.ParameterMatrix(0), h, context.Compute);
        Gemm.MultiplyAddRow(h, context.ParameterMatrix(1), context.Parameter(2), context.OutputMatrix(), context.Compute);
    }

    public override void Backward<T>(in BackwardContext<T> context)
    {
        ReadOnlyMatrix<T> x = context.InputMatrix(0), u = context.ParameterMatrix(0), v = context.ParameterMatrix(1);
        ReadOnlyMatrix<T> h = new(context.Cache, context.Rows, Rank), dy = context.OutputGradientMatrix();
        var dh = new Matrix<T>(context.Scratch, context.Rows, Rank);
        Gemm.Multiply(dy, v.Transposed, dh, context.Compute);
        context.InputGradient(0).Product(dh, u.Transposed);
        context.ParameterGradient(0).Product(x.Transposed, dh);
        context.ParameterGradient(1).Product(h.Transposed, dy);
        context.ParameterGradient(2).ColumnSums(dy);
    }
}
// end LowRank

// begin Centered
/// <summary>y = x - m, with m the running mean of what training has seen, [n] as x.</summary>
public sealed class Centered(double momentum = 0.1) : Layer
{
    public double Momentum => momentum;

    public override string Kind => "centered";

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        var shape = declaration.Require(0, EdgeKind.Values, rank: 1);
        declaration.AddState("mean", shape);                       // starts at 0; saved and loaded with the parameters
        declaration.AddOutput(shape);
        declaration.Traits = LayerTraits.StridedRows;              // inputs are read as matrices; backward reads nothing
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.InputMatrix(0);
        var y = context.OutputMatrix();
        var mean = context.State(0);
        for (var r = 0; r < x.Rows; r++)
        {
            var from = x.Span.Slice(r * x.RowStride, x.Columns);
            var to = y.Span.Slice(r * y.RowStride, y.Columns);
            for (var i = 0; i < from.Length; i++)
                to[i] = from[i] - mean[i];
        }

        if (!context.Training || context.IsStateFrozen(0))
            return;
        var next = context.ProposedState(0);                       // a copy of the state; committed with the step
        var share = T.CreateTruncating(Momentum / x.Rows);
        for (var r = 0; r < x.Rows; r++)
        {
            var row = x.Span.Slice(r * x.RowStride, x.Columns);
            for (var i = 0; i < row.Length; i++)
                next[i] += share * (row[i] - mean[i]);
        }
    }

    public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
}
// end Centered

// begin Chain
public static class OwnLayers
{
    public static Node Snake(this Node node, double a = 1) => node.Activation(new Snake(a));

    public static Node LowRank(this Node node, int outputs, int rank) => node.Apply(new LowRank(outputs, rank));
}
// end Chain

// begin LogCosh
/// <summary>log cosh(y - t): close to (y - t)^2 / 2 near 0, and to |y - t| - log 2 far away.</summary>
public sealed class LogCosh(LossReduction reduction = LossReduction.Mean) : ElementwiseLoss(reduction)
{
    public override string Kind => "logcosh";

    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, default(Formula));

    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, default(Formula));

    private readonly struct Formula : IElementLoss
    {
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var d = TVector.Abs(y - t);                                        // cosh of 800 is beyond double; this form is not
            return d + VectorMath.Softplus(d * -2) - Math.Log(2);
        }

        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Tanh(y - t);

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Tanh(t - y);
    }
}
// end LogCosh

// begin Hypotenuse
/// <summary>z = sqrt(x^2 + y^2); the gradients at (0, 0) are 0.</summary>
public readonly struct Hypotenuse : IBinaryFunction
{
    public string Name => "hypotenuse";

    public bool BackwardUsesInputs => true;

    public TVector Forward<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => TVector.Sqrt(x * x + y * y);

    public TVector LeftGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>
    {
        var z = Forward(x, y);
        return TVector.Select(TVector.Equal(z, TVector.Zero), TVector.Zero, dz * x / z);
    }

    public TVector RightGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => LeftGradient(dz, y, x);
}
// end Hypotenuse
