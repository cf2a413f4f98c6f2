using System.Reflection;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Api;

/// <summary>The good arguments that their types do not tell: by type, member and parameter, or by fewer of these.</summary>
internal static class Recipes
{
    private static readonly Lazy<Dictionary<string, Func<object?>>> Table = new(Tables.All);

    /// <summary>The recipe of a parameter; null where its type tells enough.</summary>
    public static Func<object?>? For(System.Reflection.ParameterInfo parameter)
    {
        if (Tables.IsPass(parameter.Member))
            return () => null; // The default context.
        if (parameter.ParameterType == typeof(LayerDeclaration))
            return () => Tables.Declaration(parameter.Member.DeclaringType!);
        var type = parameter.Member.DeclaringType!.Name.Split('`')[0];
        var member = parameter.Member.Name.TrimStart('.');
        foreach (var key in (string[])[$"{type}.{member}.{parameter.Name}", $"{type}.{parameter.Name}", $"{member}.{parameter.Name}"])
        {
            if (Table.Value.TryGetValue(key, out var make))
                return make;
        }

        if (parameter.ParameterType == typeof(ImageSize?))
            return () => new ImageSize(1, 3);
        if (parameter.HasDefaultValue)
        {
            var value = parameter.DefaultValue;
            return () => value ?? (parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null
                ? Activator.CreateInstance(parameter.ParameterType) : null);
        }

        return Table.Value.GetValueOrDefault(parameter.Name!);
    }

    /// <summary>The recipe of the instance that a member is called on; null where its type tells enough.</summary>
    public static Func<object?>? ForInstance(MethodBase member) =>
        Table.Value.GetValueOrDefault($"{member.DeclaringType!.Name.Split('`')[0]}.{member.Name}.this");
}
