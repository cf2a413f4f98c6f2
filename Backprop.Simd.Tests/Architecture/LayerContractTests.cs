using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Architecture;

/// <summary>What holds the library's own layers to the contract that users have.</summary>
public sealed partial class LayerContractTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly Core = typeof(Layer).Assembly;

    /// <summary>The types through which a layer and the library talk: a layer may call their public members.</summary>
    private static bool IsContract(Type type)
    {
        type = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return type == typeof(Layer) || type == typeof(LayerDeclaration) || type == typeof(ForwardContext<>) || type == typeof(BackwardContext<>)
            || type == typeof(GradientTarget<>) || type.Namespace is "Backprop.Simd.Execution" or "Backprop.Simd.Networks"
            || type.Name is "EdgeBuffer`1" or "NodeBuffers`1" or "NodePass`1" or "StepUpdates`1" or "PassState";
    }

    /// <summary>The library's layers and losses, and what is nested in them or only helps them.</summary>
    private static IEnumerable<Type> LayerTypes() => Core.GetTypes().Where(t =>
        t.Namespace is "Backprop.Simd.Layers" or "Backprop.Simd.Layers.Gates" or "Backprop.Simd.Losses"
        && t.Name != nameof(Layer) && !(IsContract(t) || t.DeclaringType is { } outer && IsContract(outer))
        && t.Name is not ("ContextGuard" or "RowBuffer`1"));

    [Fact]
    public void The_librarys_layers_use_public_members_of_the_contract_only()
    {
        var (calls, violations) = (0, new List<string>());
        foreach (var type in LayerTypes())
        {
            foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
            {
                foreach (var called in Calls(method))
                {
                    if (called.DeclaringType is not { } owner || !IsContract(owner))
                        continue;
                    calls++;
                    if (!called.IsPublic && !called.IsFamily && !called.IsFamilyOrAssembly)
                        violations.Add($"{type.Name}.{method.Name} calls {owner.Name}.{called.Name}");
                }
            }
        }

        Assert.True(calls > 500, $"Only {calls} calls of the contract found.");
        Assert.Empty(violations);
    }

    [Fact]
    public void A_call_of_an_internal_member_is_found()
    {
        var method = typeof(LayerContractTests).GetMethod(nameof(CallsInternal), All)!;
        Assert.Contains(Calls(method), m => m.DeclaringType == typeof(LayerDeclaration) && m.IsAssembly);
    }

    /// <summary>Only the table of fusion rules knows layers by their types; elsewhere a layer says what it is.</summary>
    [Fact]
    public void Nobody_but_the_fusion_table_tests_the_type_of_a_layer()
    {
        var names = Core.GetTypes().Where(t => t.IsSubclassOf(typeof(Layer))).Select(t => t.Name.Split('`')[0]).ToHashSet();
        Assert.Contains("Slice", names);
        var root = Path.Combine(RepositoryRoot.Path, "Backprop.Simd");
        var found = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj")
                && Path.GetFileName(path) != "FusionRules.cs")
            .SelectMany(path => TypeTest().Matches(SourceText.CodeOf(File.ReadAllText(path)))
                .Where(match => names.Contains(match.Groups["type"].Value)).Select(match => $"{Path.GetRelativePath(root, path)}: {match.Value}"));
        Assert.Empty(found);
        Assert.Matches(TypeTest(), "x.Layer is not Slice");
    }

    private static int CallsInternal(LayerDeclaration declaration) => declaration.CachePerRow;

    /// <summary>The methods that a method's code calls.</summary>
    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
            yield break;
        var typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethodDefinition ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var operation = Operation(code, ref at);
            if (operation.OperandType == OperandType.InlineMethod)
                yield return method.Module.ResolveMethod(BitConverter.ToInt32(code, at), typeArguments, methodArguments)!;
            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }

    private static readonly Dictionary<short, OpCode> Operations = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private static OpCode Operation(byte[] code, ref int at)
    {
        var first = code[at++];
        return Operations[first == 0xFE ? (short)(first << 8 | code[at++]) : first];
    }

    [GeneratedRegex(@"\b(is|as|case)\s+(not\s+)?\(?\s*(\w+\s+or\s+)*(?<type>[A-Z]\w+)")]
    private static partial Regex TypeTest();
}
