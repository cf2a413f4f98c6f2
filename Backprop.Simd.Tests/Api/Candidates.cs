using System.Numerics;
using System.Numerics.Tensors;
using System.Reflection;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Api;

/// <summary>One value of an argument: a <see cref="Func{TResult}"/> that makes it, since a ref struct cannot be boxed.</summary>
internal sealed record Candidate(string Label, Delegate Make);

/// <summary>A recipe that failed: the fault of this test, not of the library.</summary>
internal sealed class RecipeException(string message, Exception inner) : Exception(message, inner);

/// <summary>For each type of an argument a good value and bad ones.</summary>
internal static class Candidates
{
    /// <summary>The good value first. <paramref name="given"/> takes its place where it is not null.</summary>
    public static IReadOnlyList<Candidate> Of(Type type, Func<object?>? given = null)
    {
        if (type.IsByRefLike)
        {
            var name = type.Name.Split('`')[0];
            var make = typeof(Candidates).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)
                ?? throw new InvalidOperationException($"No recipe for {PublicMembers.Name(type)}.");
            return ((IEnumerable<Candidate>)make.MakeGenericMethod(type.GetGenericArguments()).Invoke(null, [given])!).ToArray();
        }

        var box = typeof(Candidates).GetMethod(nameof(Typed), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type);
        return [.. Values.Of(type, given).Select(v => new Candidate(v.Label, (Delegate)box.Invoke(null, [v.Label, v.Make])!))];
    }

    private static Func<T> Typed<T>(string label, Func<object?> make) => () =>
    {
        try
        {
            return (T)make()!;
        }
        catch (Exception e)
        {
            throw new RecipeException($"{typeof(T)} '{label}': {e.Message}", e);
        }
    };

    private static IEnumerable<Candidate> Span<T>(Func<object?>? given) =>
        Values.Of(typeof(T[]), given).Select(v => new Candidate(v.Label, new Func<Span<T>>(() => (T[]?)v.Make())));

    private static IEnumerable<Candidate> ReadOnlySpan<T>(Func<object?>? given) =>
        Values.Of(typeof(T[]), given).Select(v => new Candidate(v.Label, new Func<ReadOnlySpan<T>>(() => (T[]?)v.Make())));

    private static IEnumerable<Candidate> Matrix<T>(Func<object?>? given) where T : unmanaged =>
        Views.Of(given).Select(v => new Candidate(v.Label, new Func<Matrix<T>>(() => v.Rows < 0 ? default
            : new Matrix<T>(new T[Math.Max(1, v.Rows * v.Stride * v.Columns)], v.Rows, v.Columns,
                v.IsTransposed ? 1 : v.Columns * v.Stride, v.IsTransposed ? v.Rows * v.Stride : 1))));

    private static IEnumerable<Candidate> ReadOnlyMatrix<T>(Func<object?>? given) where T : unmanaged =>
        Matrix<T>(given).Select(c => new Candidate(c.Label, new Func<ReadOnlyMatrix<T>>(() => ((Func<Matrix<T>>)c.Make)())));

    private static IEnumerable<Candidate> ShapedSpan<T>(Func<object?>? given) where T : unmanaged
    {
        var good = given?.Invoke() as int[] ?? [2, 2];
        foreach (var sizes in (int[][])[good, [], [0], [3], [2, 3], [.. good, 1], [1, .. good], [0, 2], [1, 1, 1, 1, 1, 1, 1, 1], [2, 1, 2, 1, 2, 1, 2, 1]])
        {
            var n = sizes.Aggregate(1, (a, b) => a * b);
            yield return new($"[{string.Join(", ", sizes)}]", new Func<ShapedSpan<T>>(() => new ShapedSpan<T>(new T[n], sizes)));
        }

        yield return new("default", new Func<ShapedSpan<T>>(() => default));
        yield return new("shape alone", new Func<ShapedSpan<T>>(() => new ShapedSpan<T>((ReadOnlySpan<int>)good)));
    }

    private static IEnumerable<Candidate> TensorSpan<T>(Func<object?>? given)
    {
        var sizes = given?.Invoke() as int[] ?? [2, 2];
        var lengths = Array.ConvertAll(sizes, size => (nint)size);
        var elements = sizes.Aggregate(1, (a, b) => a * b);
        yield return new($"[{string.Join(", ", sizes)}]", new Func<TensorSpan<T>>(() => new TensorSpan<T>(new T[elements], lengths)));
        yield return new("default", new Func<TensorSpan<T>>(() => default));
        yield return new("[4]", new Func<TensorSpan<T>>(() => new TensorSpan<T>(new T[4])));
    }

    private static IEnumerable<Candidate> ReadOnlyTensorSpan<T>(Func<object?>? given) =>
        TensorSpan<T>(given).Select(c => new Candidate(c.Label, new Func<ReadOnlyTensorSpan<T>>(() => ((Func<TensorSpan<T>>)c.Make)())));

    private static IEnumerable<Candidate> MetricBatch<T>(Func<object?>? given) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dense = given?.Invoke() is true;
        yield return new(dense ? "targets" : "labels", new Func<MetricBatch<T>>(() => dense
            ? new MetricBatch<T>(2, new T[4], new T[4]) : new MetricBatch<T>(2, new T[4], new[] { 0, 1 })));
        yield return new("default", new Func<MetricBatch<T>>(() => default));
        yield return new("other targets", new Func<MetricBatch<T>>(() => dense
            ? new MetricBatch<T>(2, new T[4], new[] { 0, 1 }) : new MetricBatch<T>(2, new T[4], new T[4])));
        yield return new("no outputs", new Func<MetricBatch<T>>(() => new MetricBatch<T>(2, [], new[] { 0, 1 })));
        yield return new("no targets", new Func<MetricBatch<T>>(() => new MetricBatch<T>(2, new T[4], (ReadOnlySpan<T>)[])));
        foreach (var label in new[] { -1, 2, int.MinValue, int.MaxValue })
            yield return new($"label {label}", new Func<MetricBatch<T>>(() => new MetricBatch<T>(2, new T[4], new[] { label, label })));
    }

    private static IEnumerable<Candidate> ForwardContext<T>(Func<object?>? given) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (given is null)
            yield return new("own", new Func<ForwardContext<T>>(Contexts<T>.Forward));
        yield return new("default", new Func<ForwardContext<T>>(() => default));
    }

    private static IEnumerable<Candidate> BackwardContext<T>(Func<object?>? given) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (given is null)
            yield return new("own", new Func<BackwardContext<T>>(Contexts<T>.Backward));
        yield return new("default", new Func<BackwardContext<T>>(() => default));
    }

    private static IEnumerable<Candidate> GradientTarget<T>(Func<object?>? given) where T : unmanaged, IFloatingPointIeee754<T>
    {
        yield return new("own", new Func<GradientTarget<T>>(() => Contexts<T>.Backward().ParameterGradient(0)));
        yield return new("default", new Func<GradientTarget<T>>(() => default));
    }

    private static IEnumerable<Candidate> Destination<T>(Func<object?>? given) where T : unmanaged => Values.Of(typeof(T[]), given)
        .SelectMany(v => new[] { false, true }
            .Select(adds => new Candidate($"{v.Label}, adds {adds}", new Func<Destination<T>>(() => new((T[]?)v.Make(), adds)))))
        .Append(new("default", new Func<Destination<T>>(() => default)));

    private static IEnumerable<Candidate> PredictorLease<T>(Func<object?>? given) where T : unmanaged, IFloatingPointIeee754<T>
    {
        yield return new("rented", new Func<PredictorLease<T>>(() => Instances<T>.Predictor.Rent(2)));
        yield return new("default", new Func<PredictorLease<T>>(() => default));
        yield return new("returned", new Func<PredictorLease<T>>(() =>
        {
            var lease = Instances<T>.Predictor.Rent(2);
            lease.Dispose();
            return lease;
        }));
    }

    /// <summary>Sizes of a matrix view; -1 rows: the default view.</summary>
    private sealed record Views(string Label, int Rows, int Columns, int Stride = 1, bool IsTransposed = false)
    {
        public static IEnumerable<Views> Of(Func<object?>? given)
        {
            var (rows, columns) = given?.Invoke() is (int r, int c) ? (r, c) : (2, 2);
            yield return new($"{rows} x {columns}", rows, columns);
            yield return new("default", -1, 0);
            yield return new("0 x 0", 0, 0);
            yield return new("0 x n", 0, columns);
            yield return new("n x 0", rows, 0);
            yield return new("1 x 1", 1, 1);
            yield return new("one more row", rows + 1, columns);
            yield return new("one more column", rows, columns + 1);
            yield return new("transposed", rows, columns, 1, true);
            yield return new("with gaps", rows, columns, 2);
        }
    }
}

/// <summary>Contexts of a node with one of everything: 2 rows of 3 inputs, 2 outputs.</summary>
internal static class Contexts<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private static PassState _pass = new() { Training = true };

    public static ForwardContext<T> Forward() => new(Node(), in _pass, 0, 2, ComputeContext.SingleThreaded);

    public static BackwardContext<T> Backward() => new(Node(), in _pass, 0, 2, ComputeContext.SingleThreaded);

    private static NodeBuffers<T> Node() => new()
    {
        Index = 0,
        Name = "node",
        Traits = LayerTraits.ReadsInput | LayerTraits.ReadsOutput,
        Inputs = [Edge(3), new EdgeBuffer<T>(new EdgeType(EdgeKind.Indices, new Shape(3))) { IndexBlock = new(6), IndexSnapshot = new(6) }],
        Outputs = [Edge(2)],
        Parameters = [new BlockSlot(new BlockRange(0, 6), new Shape(3, 2))],
        States = [new BlockSlot(new BlockRange(0, 2), new Shape(2))],
        ParameterBlock = new(6),
        StateBlock = new(2),
        GradientBlock = new(6),
        ProposedState = new(2),
        Cache = new(null, 0, 0, isAsked: true),
        IndexCache = new(null, 0, 0, isAsked: true),
        NeedsInputGradient = [true, false],
        AddsInputGradient = [false, false],
    };

    private static EdgeBuffer<T> Edge(int size) => new(new EdgeType(EdgeKind.Values, new Shape(size))) { Block = new(2 * size), GradientBlock = new(2 * size) };
}
