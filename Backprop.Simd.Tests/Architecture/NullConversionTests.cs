using System.Reflection;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Interchange;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Architecture;

/// <summary>
/// <c>Rows = condition ? array : null</c> gives, where <c>Rows</c> is a nullable struct that arrays convert to, an empty struct and not null,
/// without a warning; another conversion throws. So no public property or parameter is such a struct.
/// </summary>
public sealed class NullConversionTests
{
    [Fact]
    public void No_nullable_struct_takes_null_by_a_conversion()
    {
        var members = new[] { typeof(Dataset<>).Assembly, typeof(CsvData).Assembly, typeof(PyTorchFile).Assembly }
            .SelectMany(a => a.GetExportedTypes()).SelectMany(t => t.GetMembers()).ToArray();
        var types = members.OfType<PropertyInfo>().Select(p => (Member: (MemberInfo)p, Type: p.PropertyType))
            .Concat(members.OfType<MethodBase>().SelectMany(m => m.GetParameters().Select(p => (Member: (MemberInfo)m, Type: p.ParameterType))))
            .ToArray();
        Assert.Contains(types, t => Nullable.GetUnderlyingType(t.Type) is not null);
        Assert.Empty(types.Where(t => Nullable.GetUnderlyingType(t.Type) is { } s && TakesNull(s)).Select(t => $"{t.Member.DeclaringType}.{t.Member}"));
        Assert.True(TakesNull(typeof(ReadOnlyMemory<int>)) && !TakesNull(typeof(double)));
    }

    [Fact]
    public void Rows_of_an_evaluator_may_be_given_by_a_condition()
    {
        int[] rows = [1];
        Assert.Null(new EvaluatorOptions<float> { Rows = rows.Length > 1 ? rows : null }.Rows);
        Assert.Same(rows, new EvaluatorOptions<float> { Rows = rows.Length > 0 ? rows : null }.Rows);
    }

    private static bool TakesNull(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Static).Any(m =>
            m.Name == "op_Implicit" && m.ReturnType == type && !m.GetParameters()[0].ParameterType.IsValueType);
}
