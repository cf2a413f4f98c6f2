using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>The inputs of a model as nodes: which dimension is the batch, and whether the channels lie last.</summary>
/// <param name="Values">The inputs, by name.</param>
/// <param name="Rows">The size that the model gives the batch; null where it is free, or where there is no batch.</param>
internal sealed record ModelInputs(IReadOnlyDictionary<string, ImportValue> Values, int? Rows)
{
    public static ModelInputs Make(OnnxModel model, GraphBuilder graph, OnnxLoadOptions options)
    {
        RequireNames(model, options);
        OnnxValue[] inputs = [.. model.Inputs];
        var batches = BatchesOf(inputs, options);
        var hasBatch = batches.Values.Any(b => b >= 0);
        var channelsFirst = inputs.Length == 0 ? [] : ChannelOrder.Wanted(model);
        int? rows = null;
        var values = new Dictionary<string, ImportValue>();
        foreach (var input in inputs)
        {
            var batch = batches[input.Name];
            var sizes = SizesOf(input, batch, options);
            if (batch >= 0 && input.Dimensions?[batch].Size is > 0 and <= int.MaxValue and var size)
            {
                if (rows is not null && rows != size)
                    throw new ArgumentException($"The inputs have {rows} and {size} rows: give their {nameof(options.BatchDimensions)}.", nameof(options));
                rows = (int)size;
            }

            int[] order = [.. Enumerable.Range(0, sizes.Length).Where(a => a != batch)];
            if (sizes.Length is 3 or 4 && batch <= 0 && channelsFirst.Contains(input.Name))
                order = [.. order.Where(a => a != 1), 1];
            int[][] axes = [.. Enumerable.Range(0, sizes.Length).Select(a => Views.Of(a == batch ? 0 : Array.IndexOf(order, a) + 1))];
            values[input.Name] = new NodeValue(NodeOf(input, [.. order.Select(a => sizes[a])], batch < 0 && hasBatch, graph, options), axes);
        }

        return new(values, rows);
    }

    private static void RequireNames(OnnxModel model, OnnxLoadOptions options)
    {
        HashSet<string> known = [.. model.Inputs.Select(i => i.Name)];
        foreach (var name in options.Sizes.Keys.Concat(options.BatchDimensions.Keys).Concat(options.Inputs.Keys))
        {
            if (!known.Contains(name))
                throw new ArgumentException($"The model has no input '{name}'; it has: {string.Join(", ", known)}.", nameof(options));
        }
    }

    /// <summary>The dimension of each input that is the batch: what is given; one that is called so; dimension 0, unless another one is free and it is
    /// not, or another has the name that is dimension 0 of an input before.</summary>
    private static Dictionary<string, int> BatchesOf(OnnxValue[] inputs, OnnxLoadOptions options)
    {
        HashSet<string> names = [];
        var batches = new Dictionary<string, int>();
        foreach (var input in inputs)
        {
            var rank = input.Dimensions?.Count ?? options.Sizes.GetValueOrDefault(input.Name)?.Length ?? 0;
            if (rank > Shape.MaxRank + 1)
                throw new ModelFileException($"The input '{Texts.Shown(input.Name)}' has {rank} dimensions; at most {Shape.MaxRank + 1} are read.");
            if (options.BatchDimensions.TryGetValue(input.Name, out var given))
            {
                batches[input.Name] = given >= -1 && given < rank ? given
                    : throw new ArgumentException($"The batch of '{input.Name}' cannot be dimension {given} of {rank}.", nameof(options));
                continue;
            }

            batches[input.Name] = input.Dimensions is { } dimensions ? BatchOf(dimensions, names) : rank == 0 ? -1 : 0;
            if (batches[input.Name] is var batch and >= 0 && input.Dimensions?[batch].Name is { Length: > 0 } name)
                names.Add(name);
        }

        return batches;
    }

    private static bool IsFree(OnnxValue input, int dimension) => input.Dimensions is null || input.Dimensions[dimension].Size is null or < 1;

    private static int BatchOf(IReadOnlyList<OnnxDimension> dimensions, HashSet<string> names)
    {
        int[] all = [.. Enumerable.Range(0, dimensions.Count)];
        int[] free = [.. all.Where(d => dimensions[d].Size is null or < 1)];
        int[] called = [.. free.Where(d => dimensions[d].Name?.Contains("batch", StringComparison.OrdinalIgnoreCase) == true)];
        int[] same = [.. free.Where(d => dimensions[d].Name is { } name && names.Contains(name))];
        return all.Length == 0 ? -1 : called.Length == 1 ? called[0] : same.Length == 1 ? same[0]
            : free.Length == 1 && dimensions[0].Size is > 1 ? free[0] : 0;
    }

    private static int[] SizesOf(OnnxValue input, int batch, OnnxLoadOptions options)
    {
        options.Sizes.TryGetValue(input.Name, out var given);
        var rank = input.Dimensions?.Count ?? given?.Length
            ?? throw new ArgumentException($"The model does not say what '{input.Name}' is: give its {nameof(options.Sizes)}.", nameof(options));
        if (given is not null && given.Length != rank)
            throw new ArgumentException($"'{input.Name}' has {rank} dimensions; {nameof(options.Sizes)} has {given.Length}.", nameof(options));
        var sizes = new int[rank];
        for (var d = 0; d < rank; d++)
        {
            var own = input.Dimensions?[d].Size is > 0 and <= int.MaxValue and var number ? (int?)number : null;
            sizes[d] = given?[d] ?? own ?? (d == batch ? 1 : throw new ArgumentException(
                $"Dimension {d} of '{input.Name}' [{string.Join(", ", input.Dimensions!)}] is free: give all sizes of it in {nameof(options.Sizes)}.",
                    nameof(options)));
            if (sizes[d] < 1)
                throw new ArgumentException($"Dimension {d} of '{input.Name}' [{string.Join(", ", input.Dimensions!)}] cannot be {sizes[d]}.", nameof(options));
        }

        return sizes;
    }

    private static Node NodeOf(OnnxValue input, int[] row, bool isShared, GraphBuilder graph, OnnxLoadOptions options)
    {
        if (row.Length > Shape.MaxRank)
            throw new ModelFileException($"The input '{Texts.Shown(input.Name)}' has {row.Length} dimensions beside the batch; at most {Shape.MaxRank} are.");
        try
        {
            return NodeOf(input, row, new Shape(row), isShared, graph, options);
        }
        catch (ArgumentException e) when (e.ParamName != nameof(options))
        {
            var advice = $"Where its name is taken, give a {nameof(options.Prefix)}, or a node in {nameof(options.Inputs)}; "
                + $"where it is too large, other {nameof(options.Sizes)}.";
            throw new ArgumentException($"'{options.Prefix}{input.Name}' cannot be an input: {e.Message} {advice}", nameof(options), e);
        }
    }

    private static Node NodeOf(OnnxValue input, int[] row, Shape shape, bool isShared, GraphBuilder graph, OnnxLoadOptions options)
    {
        var isIndex = input.Type is OnnxType.Int32 or OnnxType.Int64;
        if (options.Inputs.TryGetValue(input.Name, out var node))
        {
            var kind = isIndex ? EdgeKind.Indices : isShared ? EdgeKind.Shared : EdgeKind.Values;
            var isNone = node == default;
            return !isNone && node.Type == new EdgeType(kind, shape) && node.Graph == graph ? node : throw new ArgumentException(
                $"'{input.Name}' needs a node of this graph that is {new EdgeType(kind, shape)}; it is {(isNone ? "of no graph" : node)}.", nameof(options));
        }

        var name = options.Prefix + input.Name;
        return input.Type switch
        {
            OnnxType.Int32 or OnnxType.Int64 when !isShared => graph.IndexInput(name, shape),
            OnnxType.Float or OnnxType.Double or OnnxType.Half or OnnxType.BFloat16 or OnnxType.Bool => isShared ? graph.SharedInput(name, row)
                : graph.Input(name, shape),
            _ => throw new ModelFileException($"The input '{Texts.Shown(input.Name)}' holds {input.Type}{(isShared ? " without a batch" : "")}."),
        };
    }
}
