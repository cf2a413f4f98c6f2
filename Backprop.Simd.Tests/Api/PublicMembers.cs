using System.Numerics;
using System.Reflection;
using Backprop.Simd.Activations;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Interchange;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Api;

/// <summary>What a user can call: the public constructors, methods, accessors and operators, the generic ones closed.</summary>
internal static class PublicMembers
{
    /// <summary>The public types that are no interfaces, enums or delegates, closed over float and double.</summary>
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. new[] { typeof(Layer).Assembly, typeof(LabeledImages).Assembly, typeof(PyTorchFile).Assembly }
            .SelectMany(a => a.GetExportedTypes())
            .Where(t => !t.IsInterface && !t.IsEnum && !t.IsSubclassOf(typeof(Delegate)))
            .SelectMany(t => t.IsGenericTypeDefinition
                ? Arguments(t.GetGenericArguments()[0]).Where(a => a != typeof(Half)).Select(a => t.MakeGenericType(a)) : [t]),
    ];

    /// <summary>The members that a type declares.</summary>
    public static IEnumerable<MethodBase> Of(Type type)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        return type.GetConstructors(All).Where(_ => !type.IsAbstract).Cast<MethodBase>()
            .Concat(type.GetMethods(All).SelectMany(Closed));
    }

    /// <summary>As messages write a member: <c>Elementwise.Exp(Single)</c>.</summary>
    public static string Name(MethodBase member)
    {
        var generic = member.IsGenericMethod ? $"<{string.Join(", ", member.GetGenericArguments().Select(Name))}>" : "";
        return $"{Name(member.DeclaringType!)}.{member.Name.TrimStart('.')}{generic}({string.Join(", ", member.GetParameters().Select(p => p.Name))})";
    }

    public static string Name(Type type) => type.IsGenericType
        ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;

    private static IEnumerable<MethodInfo> Closed(MethodInfo method)
    {
        if (!method.IsGenericMethodDefinition)
            return [method];
        // Objects over Half cannot be made.
        static bool TakesObjects(MethodInfo closed) =>
            closed.GetParameters().Any(p => !p.ParameterType.IsByRef && !p.ParameterType.IsValueType && p.ParameterType.IsGenericType
            && p.ParameterType.GetGenericArguments()[0] == typeof(Half) && !p.ParameterType.IsSubclassOf(typeof(Delegate)));
        var choices = method.GetGenericArguments().Select(a => Arguments(a).ToArray()).ToArray();
        return choices[0].SelectMany(first => choices.Length == 1
            ? [method.MakeGenericMethod(first)]
            : choices[1].Select(second => method.MakeGenericMethod(first, second))).Where(m => !TakesObjects(m));
    }

    /// <summary>What a type parameter is closed over. Half has the interfaces of float and double, and is neither.</summary>
    private static IEnumerable<Type> Arguments(Type parameter)
    {
        var constraints = parameter.GetGenericParameterConstraints();
        if (constraints.Contains(typeof(IActivation)))
            return [typeof(Relu), typeof(Elu)];
        if (constraints.Contains(typeof(IBinaryFunction)))
            return [typeof(Multiply), typeof(Add)];
        if (constraints.Contains(typeof(Layer)))
            return [typeof(Affine)];
        if (constraints.Contains(typeof(Enum)))
            return [typeof(LossReduction)];
        if (constraints.Contains(typeof(IRangeBody)))
            return [typeof(NoWork)];
        return constraints.Any(c => c.Name == typeof(ISimdVector<>).Name)
            ? [typeof(SimdVector128<float>), typeof(SimdVector128<double>)]
            : [typeof(float), typeof(double), typeof(Half)];
    }

    public readonly struct NoWork : IRangeBody
    {
        public void Execute(int start, int limit) { }
    }
}
