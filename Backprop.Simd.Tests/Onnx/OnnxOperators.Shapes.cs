using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Onnx;

/// <content>Operators that move numbers.</content>
internal static partial class OnnxOperators
{
    private static int[] Small(OnnxTensor tensor) =>
        tensor.Rank <= Shape.MaxRank ? tensor.Dimensions : throw new LeftOutException($"more than {Shape.MaxRank} dimensions");

    private static OnnxTensor?[] Flatten(OnnxCase test)
    {
        var x = Number(test.Inputs[0]);
        var axis = test.Node.Integer("axis", 1);
        axis = axis < 0 ? axis + x.Rank : axis;
        var rows = x.Size(0, axis);
        return One(Run(x, rows).Values(x.Values, x.Dimensions.AsSpan(axis)).Outputs(new Flatten())[0], x, rows, x.Size(axis, x.Rank));
    }

    private static OnnxTensor?[] Reshape(OnnxCase test)
    {
        var x = Number(test.Inputs[0]);
        var target = test.Outputs[0]!;
        return One(Run(x).Values(x.Values, Small(x)).Outputs(new Reshape(Small(target)))[0], x, target.Dimensions);
    }

    private static OnnxTensor?[] Concat(OnnxCase test)
    {
        var parts = Array.ConvertAll(test.Inputs, Number);
        var run = Run(parts[0]);
        foreach (var part in parts)
            run.Values(part.Values, Small(part));
        return One(run.Outputs(new Concatenate(test.Node.Integer("axis", 0)))[0], parts[0], test.Outputs[0]!.Dimensions);
    }

    /// <summary>One slice of the library for each dimension, one behind the other.</summary>
    private static OnnxTensor?[] Slice(OnnxCase test)
    {
        var x = Number(test.Inputs[0]);
        double[] starts = test.Inputs[1]!.Values, ends = test.Inputs[2]!.Values;
        var axes = test.Inputs.Length > 3 && test.Inputs[3] is { } given ? given.Values : [.. Enumerable.Range(0, starts.Length).Select(i => (double)i)];
        if (test.Inputs.Length > 4 && test.Inputs[4] is { } steps && steps.Values.Any(s => s != 1))
            throw new LeftOutException("steps");
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = (int)axes[i] < 0 ? (int)axes[i] + x.Rank : (int)axes[i];
            int size = x[axis], start = Clamp(starts[i], size), end = Clamp(ends[i], size);
            if (end <= start)
                throw new LeftOutException("no elements");
            int[] dimensions = [.. x.Dimensions[..axis], end - start, .. x.Dimensions[(axis + 1)..]];
            x = One(Run(x).Values(x.Values, Small(x)).Outputs(new Slice(axis, start, end - start))[0], x, dimensions)[0]!;
        }

        return [x];

        static int Clamp(double value, int size) => (int)Math.Clamp(value < 0 ? value + size : value, 0, size);
    }

    private static OnnxTensor?[] Gather(OnnxCase test)
    {
        var table = Number(test.Inputs[0]);
        var indices = test.Inputs[1]!;
        if (test.Node.Integer("axis", 0) != 0)
            throw new LeftOutException("not the first dimension");
        if (indices.Values.Any(i => i < 0))
            throw new LeftOutException("negative indices");
        var size = table.Size(1, table.Rank);
        var run = Run(table, indices.Values.Length).Indices(indices.Values).Parameter("weight", table.Values);
        return One(run.Outputs(new Embedding(table[0], size))[0], table, [.. indices.Dimensions, .. table.Dimensions[1..]]);
    }

    /// <summary>In inference the identity. The masks of training are numpy's.</summary>
    private static OnnxTensor?[] Dropout(OnnxCase test)
    {
        var x = Number(test.Inputs[0]);
        var trains = test.Inputs.Length > 2 && test.Inputs[2] is { } mode && mode.Values[0] != 0;
        var ratio = test.Inputs.Length > 1 && test.Inputs[1] is { } given ? given.Values[0] : test.Node.Float("ratio", 0.5f);
        if (trains && ratio != 0)
            throw new LeftOutException("the mask is numpy's");
        var run = new LayerRun { IsDouble = x.IsDouble, Training = trains }.Values(x.Values, x.Values.Length);
        var y = new OnnxTensor(x.Dimensions, run.Outputs(new Dropout(ratio))[0], x.Type);
        return [y, .. test.Outputs[1..].Select(_ => (OnnxTensor?)null)];
    }
}
