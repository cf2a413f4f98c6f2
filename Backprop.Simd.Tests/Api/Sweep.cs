using System.Collections;
using System.Reflection;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Serialization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Api;

/// <summary>Calls members with a good set of arguments, with one bad argument at a time, and with bad ones together.</summary>
internal sealed class Sweep
{
    private const int RandomSets = 24;

    /// <summary>What went wrong, a line each.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>The members called.</summary>
    public List<string> Called { get; } = [];

    public long Calls { get; private set; }

    /// <summary>Told of each call before it is made.</summary>
    public Action<string>? Trace { get; init; }

    public void Run(MethodBase member)
    {
        var name = PublicMembers.Name(member);
        Called.Add(name);
        try
        {
            var parameters = member.GetParameters().Select(Arguments).ToArray();
            IReadOnlyList<Candidate?> instances = member.IsStatic || member is ConstructorInfo ? [null]
                : [.. Candidates.Of(member.DeclaringType!, Recipes.ForInstance(member)).Where(c => c.Label != "null")];
            var call = MemberCall.Compile(member);
            foreach (var (instance, arguments, isValid) in Sets(instances, parameters, (uint)name.Length))
                Call(name, call, instance, arguments, isValid && !Tables.IsRefused(member));
        }
        catch (Exception e)
        {
            var inner = e is TargetInvocationException { InnerException: { } i } ? i : e;
            Faults.Add($"{name}: no recipe: {inner.GetType().Name}: {inner.Message}");
        }
    }

    private static IReadOnlyList<Candidate> Arguments(System.Reflection.ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        var all = Candidates.Of(type.IsByRef ? type.GetElementType()! : type, Recipes.For(parameter));
        if (Tables.IsFixed(parameter))
            return [all[0]];
        return Tables.TakesLong(parameter) ? [.. all.Where(c => !c.Label.Contains("65536", StringComparison.Ordinal))] : all;
    }

    private static IEnumerable<(Candidate? Instance, Candidate[] Arguments, bool IsValid)> Sets(IReadOnlyList<Candidate?> instances,
        IReadOnlyList<Candidate>[] parameters, uint seed)
    {
        Candidate[] valid = [.. parameters.Select(p => p[0])];
        foreach (var instance in instances)
        {
            yield return (instance, valid, instance == instances[0]);
            for (var i = 0; i < parameters.Length; i++)
            {
                foreach (var bad in parameters[i].Skip(1))
                {
                    Candidate[] arguments = [.. valid];
                    arguments[i] = bad;
                    yield return (instance, arguments, false);
                }
            }

            if (parameters.Length < 2)
                continue;
            foreach (var label in (string[])["null", "default", "0", "-1", $"{int.MaxValue}", $"{int.MinValue}", "NaN", "empty", "\"\""])
                yield return (instance, [.. parameters.Select(p => p.FirstOrDefault(c => c.Label == label) ?? p[0])], false);
            for (var n = 0; n < RandomSets; n++)
                yield return (instance, [.. parameters.Select(p => p[(int)((seed = (1664525 * seed) + 1013904223) >> 8) % p.Count])], false);
        }
    }

    private void Call(string name, Func<Delegate?, Delegate[], object?> call, Candidate? instance, Candidate[] arguments, bool isValid)
    {
        var text = $"{name} {(instance is null ? "" : $"on {instance.Label} ")}with ({string.Join(", ", arguments.Select(a => a.Label))})";
        Trace?.Invoke(text);
        Calls++;
        try
        {
            Use(call(instance?.Make, [.. arguments.Select(a => a.Make)]));
        }
        catch (Exception e)
        {
            if (isValid || !IsAllowed(e))
                Faults.Add($"{text}: {(isValid ? "good arguments are refused: " : "")}{e.GetType().Name}: {e.Message} {Origin(e)}");
        }

        Instances.Clear();
    }

    /// <summary>What is documented: of arguments, of state, of files and their content.</summary>
    public static bool IsAllowed(Exception e) => e is ArgumentException { ParamName: not null } or InvalidOperationException or NotSupportedException
        or OperationCanceledException
        or IOException or UnauthorizedAccessException or FormatException or ModelFileException or CheckpointException or DataFormatException
        or DatasetFormatException or DatasetNotFoundException or NonFiniteException;

    private static void Use(object? result)
    {
        Act(result);
        if (result is Task<string> task)
            _ = task.GetAwaiter().GetResult();
        if (result is IEnumerable and not string)
        {
            foreach (var _ in ((IEnumerable)result).Cast<object?>().Take(100))
            {
            }
        }

        (result as IDisposable)?.Dispose();
    }

    /// <summary>What was made is used, so that a bad argument that was kept is met.</summary>
    private static void Act(object? made)
    {
        switch (made)
        {
            case Trainer<float> trainer:
                trainer.Run();
                break;
            case BatchLoader<float> loader:
                loader.Next();
                break;
            case Evaluator<float> evaluator:
                evaluator.Run();
                break;
            case Workspace<float> workspace:
                workspace.Network.Forward(workspace);
                break;
            case Node node:
                node.Graph.Output(node);
                var built = node.Graph.Build().CreateNetwork<float>();
                built.Forward(built.CreateWorkspace(1, WorkspaceOptions.Inference));
                break;
            case Optimizer<float> { ParameterCount: < 1000 } optimizer:
                optimizer.Step(new float[optimizer.ParameterCount], new float[optimizer.ParameterCount]);
                break;
            case Lbfgs<float> { ParameterCount: < 1000 } lbfgs:
                lbfgs.Minimize(new float[lbfgs.ParameterCount], (_, gradient) => gradient.Length, 2);
                break;
            case Metric<float> metric:
                metric.Add(metric is ErrorMetric<float> or RSquaredMetric<float>
                    ? new MetricBatch<float>(2, new float[4], new float[4]) : new MetricBatch<float>(2, new float[4], (ReadOnlySpan<int>)[0, 1]));
                _ = metric.Value;
                break;
            case Schedule schedule:
                foreach (var step in (long[])[0, 1, long.MaxValue])
                    schedule.At(step);
                break;
            case Initializer initializer:
                var random = new Philox(1, 1);
                initializer.Fill(new float[4], 2, 2, ref random);
                break;
            case BatchTransform<float> transform:
                var batch = Instances.Of<Batch<float>>();
                transform.Apply(batch, new float[transform.Prepare(batch.Columns)], 1);
                break;
            case Predictor<float> predictor:
                predictor.Predict(new float[3], new float[2]);
                break;
        }
    }

    private static string Origin(Exception e) => e.StackTrace?.Split('\n')
        .FirstOrDefault(l => l.Contains("Backprop.Simd", StringComparison.Ordinal) && !l.Contains("Tests.Api", StringComparison.Ordinal))?.Trim() ?? "";
}
