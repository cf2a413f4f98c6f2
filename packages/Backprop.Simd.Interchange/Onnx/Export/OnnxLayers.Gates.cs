using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Interchange;

/// <content>Gates, products and reductions.</content>
internal static partial class OnnxLayers
{
    private static void AddGates()
    {
        RegisterGate<Add>("Add");
        RegisterGate<Subtract>("Sub");
        RegisterGate<Multiply>("Mul");
        RegisterGate<Divide>("Div");
        RegisterGate<Power>("Pow");
        RegisterGate<Maximum>("Max");
        RegisterGate<Minimum>("Min");
        Register<Where>((w, _) => Chosen(w));
        Register<Negate>((w, _) => w.Unary("Neg"));
        Register<Exponential>((w, _) => w.Unary("Exp"));
        Register<Reciprocal>((w, _) => w.Unary("Reciprocal"));
        Register<Scale>((w, l) => w.Map(x => w.Mul(x, w.Number(l.Factor))));
        Register<Shift>((w, l) => w.Map(x => w.Add(x, w.Number(l.Offset))));
        Register<MatrixProduct>((w, _) => Product(w));
    }

    private static void AddReductions()
    {
        Register<SquaredNorm>((w, _) => w.Input.Rank == 0 ? w.Map(x => w.Mul(x, x)) : Reduced(w, "ReduceSumSquare", [], false));
        Register<Sum>((w, l) => Reduced(w, "ReduceSum", l));
        Register<Mean>((w, l) => Reduced(w, "ReduceMean", l));
        Register<Max>((w, l) => Reduced(w, "ReduceMax", l));
        Register<Min>((w, l) => Reduced(w, "ReduceMin", l));
        Register<LogSumExp>((w, l) => Reduced(w, "ReduceLogSumExp", l));
        Register<Norm>((w, l) => w.Input.Rank == 0 ? w.Unary("Abs") : Reduced(w, "ReduceL2", l));
        Register<Variance>((w, l) => VarianceOf(w, l));
        Register<ArgMax>((w, l) => w.Last(w.Graph.Cast(w.Graph.Node("ArgMax", [w.Input.Last], OnnxAttributes.Whole("axis", w.Input.AxisIn(false, l.Axis)),
            OnnxAttributes.Whole("keepdims", l.KeepDimensions ? 1 : 0)), w.Graph.Numbers)));
        Register<CumulativeSum>((w, l) => w.Same(w.Graph.Node("CumSum", [w.Input.Home, w.Graph.Whole(OnnxType.Int64, [w.Input.HomeAxis(l.Axis)])],
            OnnxAttributes.Whole("exclusive", l.IsExclusive ? 1 : 0), OnnxAttributes.Whole("reverse", l.IsReverse ? 1 : 0))));
        RegisterAll<Sort>((w, l) => Ranked(w, w.SizeOf(w.Input, l.Axis), l.Axis, l.IsDescending));
        RegisterAll<TopK>((w, l) => Ranked(w, l.Count, l.Axis, l.IsLargest));
    }

    /// <summary>A mask that is NaN is set: it does not equal 0.</summary>
    private static OnnxEdge Chosen(OnnxLayerWriter w)
    {
        OnnxEdge[] operands = [.. w.Inputs];
        var first = w.IsFirst(operands);
        var isZero = w.Do("Equal", w.Aligned(operands[0], first), w.Number(0));
        return new(w.Graph, w.Output, w.Do("Where", isZero, w.Aligned(operands[2], first), w.Aligned(operands[1], first)), first);
    }

    private static OnnxEdge Reduced(OnnxLayerWriter w, string kind, AxisReduction l) => Reduced(w, kind, l.Axes, l.KeepDimensions);

    /// <summary>A reduction; where all dimensions but the channels go, or channels stay the last, the layout of the input may stay.</summary>
    private static OnnxEdge Reduced(OnnxLayerWriter w, string kind, IReadOnlyList<int> axes, bool keep)
    {
        if (w.Input.Rank == 0)
            return w.Unchanged();
        var first = w.Input.IsChannelsFirst && (keep || w.Output.Rank < 2);
        return new(w.Graph, w.Output, w.Graph.Reduce(kind, w.Input.In(first), w.AxesOf(axes, first), keep), first);
    }

    private static OnnxEdge VarianceOf(OnnxLayerWriter w, Variance l)
    {
        var x = w.Input.Last;
        if (w.Input.Rank == 0)
            return w.Last(w.Div(w.Sub(x, x), w.Number(1 - l.Correction)));
        var axes = w.AxesOf(l.Axes, false);
        var centered = w.Sub(x, w.Graph.Reduce("ReduceMean", x, axes, true));
        var sum = w.Graph.Reduce("ReduceSumSquare", centered, axes, l.KeepDimensions);
        IEnumerable<int> rows = l.Axes.Count > 0 ? l.Axes : Enumerable.Range(0, w.Input.Rank);
        string? count = null;
        var terms = 1.0;
        foreach (var size in rows.Select(a => w.SizeOf(w.Input, a)))
        {
            if (size.Tensor is null)
                terms *= size.Number;
            else
                count = count is null ? size.Tensor : w.Mul(count, size.Tensor);
        }

        if (count is null)
            return w.Last(w.Div(sum, w.Number(terms - l.Correction)));
        var divisor = w.Mul(w.Graph.Reshaped(w.Graph.Cast(count, w.Graph.Numbers), []), w.Number(terms));
        return w.Last(w.Div(sum, w.Sub(divisor, w.Number(l.Correction))));
    }

    private static OnnxEdge[] Ranked(OnnxLayerWriter w, OnnxSize count, int axis, bool largest)
    {
        var made = w.Graph.Nodes("TopK", 2, [w.Input.Home, w.Graph.Sizes(count)], OnnxAttributes.Whole("axis", w.Input.HomeAxis(axis)),
            OnnxAttributes.Whole("largest", largest ? 1 : 0), OnnxAttributes.Whole("sorted", 1));
        var indices = w.Graph.Cast(made[1], w.Graph.Numbers);
        return [w.Same(made[0]), new(w.Graph, w.Outputs[1], indices, w.Input.IsChannelsFirst)];
    }

    /// <summary>A vector becomes a matrix of one row or one column, whose dimension the result drops.</summary>
    private static OnnxEdge Product(OnnxLayerWriter w)
    {
        var (left, right) = (w.Inputs[0], w.Inputs[1]);
        var rank = Math.Max(Math.Max(left.Rank, right.Rank), 2);
        var y = w.Do("MatMul", Matrix(w, left, rank, isLeft: true), Matrix(w, right, rank, isLeft: false));
        List<int> dropped = [];
        var rows = left.Type.IsShared && right.Type.IsShared ? 0 : 1;
        if (left.Rank == 1)
            dropped.Add(rows + rank - 2);
        if (right.Rank == 1)
            dropped.Add(rows + rank - 1);
        return w.Last(w.Graph.Squeezed(y, dropped));
    }

    /// <summary>A side of a product with so many dimensions behind the batch.</summary>
    private static string Matrix(OnnxLayerWriter w, OnnxEdge side, int rank, bool isLeft)
    {
        var rows = side.Type.IsShared ? 0 : 1;
        var x = side.Rank > 1 ? side.Last : w.Graph.Unsqueezed(side.Last, isLeft ? rows : rows + 1);
        return w.Graph.Unsqueezed(x, [.. Enumerable.Range(rows, rank - Math.Max(side.Rank, 2))]);
    }
}
