using System.Linq.Expressions;
using System.Reflection;
using Backprop.Simd.Datasets;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Api;

/// <summary>For each type that can be boxed a good value and bad ones.</summary>
internal static class Values
{
    /// <summary>One value and what messages call it.</summary>
    public sealed record Value(string Label, Func<object?> Make);

    /// <summary>The good value first; <paramref name="given"/> takes its place where it is not null.</summary>
    public static IEnumerable<Value> Of(Type type, Func<object?>? given = null)
    {
        var all = Elements(type) is { } element ? Collections(type, element, given) : Singles(type);
        return given is null || Elements(type) is not null ? all : all.Skip(1).Prepend(new("valid", () => Converted(given(), type)));
    }

    /// <summary>The element type of arrays, memory and lists; null for other types.</summary>
    private static Type? Elements(Type type)
    {
        if (type.IsArray)
            return type.GetElementType();
        if (!type.IsGenericType)
            return null;
        var definition = type.GetGenericTypeDefinition();
        return definition == typeof(Memory<>) || definition == typeof(ReadOnlyMemory<>) || definition == typeof(IReadOnlyList<>)
            || definition == typeof(IReadOnlyCollection<>) || definition == typeof(IEnumerable<>) ? type.GetGenericArguments()[0] : null;
    }

    /// <summary>A given value is the elements, or how many there are; 4 by default.</summary>
    private static IEnumerable<Value> Collections(Type type, Type element, Func<object?>? given)
    {
        Array Filled(int length, Func<object?> make)
        {
            var array = Array.CreateInstance(element, length);
            for (var i = 0; i < length; i++)
                array.SetValue(make(), i);
            return array;
        }

        var elements = Of(element).ToArray();
        int Length() => given?.Invoke() switch { null => 4, Array a => a.Length, var n => (int)n };
        object Valid()
        {
            if (given?.Invoke() is not Array a)
                return Filled(Length(), element == typeof(int) ? () => 0 : elements[0].Make);
            var at = 0;
            return Filled(a.Length, () => Converted(a.GetValue(at++), element));
        }

        var isMemory = type.IsValueType;
        object As(object array) => isMemory ? Activator.CreateInstance(type, array)! : array;
        yield return new("valid", () => As(Valid()));
        if (!isMemory)
            yield return new("null", () => null);
        yield return new("empty", () => As(Filled(0, () => null)));
        yield return new("1 element", () => As(Filled(1, elements[0].Make)));
        yield return new("one more", () => As(Filled(Length() + 1, element == typeof(int) ? () => 0 : elements[0].Make)));
        foreach (var bad in elements.Skip(1))
        {
            yield return new($"all {bad.Label}", () => As(Filled(Math.Max(1, Length()), bad.Make)));
            yield return new($"ends with {bad.Label}", () =>
            {
                var array = (Array)Valid();
                if (array.Length > 0)
                    array.SetValue(bad.Make(), array.Length - 1);
                return As(array);
            });
        }
    }

    private static IEnumerable<Value> Singles(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Of(underlying).Append(new("null", () => null));
        if (type.IsEnum)
            return [.. Enum.GetValues(type).Cast<object>().Select(v => new Value($"{v}", () => v)),
                .. new[] { -1, 99, int.MaxValue, int.MinValue }.Select(n => new Value($"{n}", () => Enum.ToObject(type, n)))];
        if (Numbers(type) is { } numbers)
            return numbers.Select(n => new Value($"{n}", () => n));
        if (type == typeof(string))
            return new string?[] { "a", null, "", " ", "\0", "\ud800", "no such name", new('n', 300) }
                .Select(s => new Value(s is null ? "null" : $"\"{(s.Length > 20 ? "long" : s)}\"", () => s));
        if (type == typeof(object))
            return [new("\"text\"", () => "text"), new("null", () => null)];
        if (type.IsSubclassOf(typeof(Delegate)))
            return [new("default results", () => Returning(type)), new("null", () => null)];
        if (type == typeof(Shape))
            return [new("[4]", () => new Shape(4)), new("default", () => default(Shape)), new($"[{int.MaxValue}]", () => new Shape(int.MaxValue)),
                new("[1, 1, 1, 1]", () => new Shape(1, 1, 1, 1))];
        if (type.IsValueType)
            return [new("valid", () => Instances.Of(type)), new("default", () => Activator.CreateInstance(type)), .. Extreme(type)];
        IEnumerable<Value> all = [new("valid", () => Instances.Of(type)), new("null", () => null), .. Altered(type)];
        return type.IsAssignableTo(typeof(IDisposable)) && !type.IsInterface ? all.Append(new("disposed", () => Disposed(Instances.Of(type)))) : all;
    }

    /// <summary>Options and records with one property changed; a property that refuses the value leaves the object as it is.</summary>
    private static IEnumerable<Value> Altered(Type type)
    {
        if (type.Assembly != typeof(Layer).Assembly && type.Assembly != typeof(LabeledImages).Assembly)
            yield break;
        foreach (var property in type.GetProperties()
            .Where(p => p.SetMethod is { IsPublic: true } set && set.ReturnParameter.GetRequiredCustomModifiers().Length > 0))
        {
            foreach (var bad in Of(property.PropertyType).Skip(1))
            {
                yield return new($"{property.Name} {bad.Label}", () =>
                {
                    var altered = Instances.Anew(type);
                    try
                    {
                        property.SetValue(altered, bad.Make());
                    }
                    catch (TargetInvocationException e) when (Sweep.IsAllowed(e.InnerException!))
                    {
                    }

                    return altered;
                });
            }
        }
    }

    private static object[]? Numbers(Type type)
    {
        if (type == typeof(bool))
            return [false, true];
        if (type == typeof(char))
            return ['a', '\0', '"', '\n', '\uffff'];
        if (type == typeof(int))
            return [2, 0, -1, 1, 65536, int.MinValue, int.MaxValue];
        if (type == typeof(long))
            return [2L, 0L, -1L, 1L, 1L << 32, (long)int.MaxValue, long.MinValue, long.MaxValue];
        if (type == typeof(double))
            return [0.5, 0.0, -1.0, 1.0, 2.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon];
        if (type == typeof(float))
            return [0.5f, 0f, -1f, float.NaN, float.PositiveInfinity, float.MaxValue, float.Epsilon];
        if (type == typeof(Half))
            return [Half.One, Half.NaN];
        if (type == typeof(byte))
            return [(byte)1, (byte)0, byte.MaxValue];
        if (type == typeof(uint))
            return [1u, 0u, uint.MaxValue];
        if (type == typeof(ulong))
            return [1ul, 0ul, ulong.MaxValue];
        if (type == typeof(nint))
            return [(nint)1, (nint)0, (nint)(-1), nint.MaxValue];
        if (type == typeof(TimeSpan))
            return [TimeSpan.FromSeconds(1), TimeSpan.Zero, TimeSpan.MinValue, TimeSpan.MaxValue];
        return type == typeof(CancellationToken) ? [CancellationToken.None, new CancellationToken(true)] : null;
    }

    /// <summary>What the constructors of a struct make of bad numbers, where they accept them.</summary>
    private static IEnumerable<Value> Extreme(Type type)
    {
        foreach (var constructor in type.GetConstructors()
            .Where(c => c.GetParameters().Length > 0 && c.GetParameters().All(p => Numbers(p.ParameterType) is not null)))
        {
            for (var i = 0; i < 6; i++)
            {
                var arguments = constructor.GetParameters().Select(p => Numbers(p.ParameterType)!).Select(n => n[Math.Min(i, n.Length - 1)]).ToArray();
                object made;
                try
                {
                    made = constructor.Invoke(arguments);
                }
                catch (TargetInvocationException)
                {
                    continue;
                }

                yield return new($"({string.Join(", ", arguments)})", () => made);
            }
        }
    }

    private static object? Disposed(object value)
    {
        ((IDisposable)value).Dispose();
        return value;
    }

    /// <summary>A delegate that does nothing and returns the default value.</summary>
    private static Delegate Returning(Type type)
    {
        var invoke = type.GetMethod("Invoke")!;
        if (invoke.ReturnType.IsByRefLike)
            return (Delegate)typeof(Values).GetMethod(nameof(NoSpan), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(invoke.ReturnType.GetGenericArguments()).Invoke(null, null)!;
        return Expression.Lambda(type, Expression.Default(invoke.ReturnType),
            invoke.GetParameters().Select(p => Expression.Parameter(p.ParameterType))).Compile();
    }

    private static Func<ReadOnlySpan<T>> NoSpan<T>() => () => default;

    /// <summary>Tables write numbers as they come.</summary>
    private static object? Converted(object? value, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (value is null || type.IsInstanceOfType(value))
            return value;
        if (type == typeof(Half))
            return (Half)Convert.ToDouble(value);
        return type.IsPrimitive ? Convert.ChangeType(value, type) : Instances.Convert(value, type);
    }
}
