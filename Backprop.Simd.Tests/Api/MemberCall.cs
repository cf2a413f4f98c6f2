using System.Reflection;
using System.Reflection.Emit;

namespace Backprop.Simd.Tests.Api;

/// <summary>Calls a member with arguments that reflection cannot pass: spans and other ref structs.</summary>
internal static class MemberCall
{
    /// <summary>
    /// A method that makes each argument by its <see cref="Func{TResult}"/> and calls the member; what is returned is boxed, or
    /// null for a ref struct.
    /// </summary>
    public static Func<Delegate?, Delegate[], object?> Compile(MethodBase member)
    {
        var call = new DynamicMethod("call", typeof(object), [typeof(Delegate), typeof(Delegate[])], typeof(MemberCall).Module, skipVisibility: true);
        var il = call.GetILGenerator();
        if (!member.IsStatic && member is MethodInfo)
        {
            Make(il, member.DeclaringType!, () => il.Emit(OpCodes.Ldarg_0));
            if (member.DeclaringType!.IsValueType)
                Address(il, member.DeclaringType!);
        }

        var parameters = member.GetParameters();
        for (var i = 0; i < parameters.Length; i++)
        {
            var type = parameters[i].ParameterType;
            var index = i;
            Make(il, type.IsByRef ? type.GetElementType()! : type, () =>
            {
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Ldc_I4, index);
                il.Emit(OpCodes.Ldelem_Ref);
            });
            if (type.IsByRef)
                Address(il, type.GetElementType()!);
        }

        Type result;
        if (member is ConstructorInfo constructor)
        {
            il.Emit(OpCodes.Newobj, constructor);
            result = member.DeclaringType!;
        }
        else
        {
            var method = (MethodInfo)member;
            il.Emit(method.IsStatic || method.DeclaringType!.IsValueType ? OpCodes.Call : OpCodes.Callvirt, method);
            result = method.ReturnType;
        }

        if (result.IsByRef)
        {
            result = result.GetElementType()!;
            il.Emit(OpCodes.Ldobj, result);
        }

        if (result.IsByRefLike)
            il.Emit(OpCodes.Pop);
        if (result.IsByRefLike || result == typeof(void))
            il.Emit(OpCodes.Ldnull);
        else if (result.IsValueType)
            il.Emit(OpCodes.Box, result);
        il.Emit(OpCodes.Ret);
        return call.CreateDelegate<Func<Delegate?, Delegate[], object?>>();
    }

    private static void Make(ILGenerator il, Type type, Action loadMaker)
    {
        var maker = typeof(Func<>).MakeGenericType(type);
        loadMaker();
        il.Emit(OpCodes.Castclass, maker);
        il.Emit(OpCodes.Callvirt, maker.GetMethod("Invoke")!);
    }

    private static void Address(ILGenerator il, Type type)
    {
        var local = il.DeclareLocal(type);
        il.Emit(OpCodes.Stloc, local);
        il.Emit(OpCodes.Ldloca, local);
    }
}
