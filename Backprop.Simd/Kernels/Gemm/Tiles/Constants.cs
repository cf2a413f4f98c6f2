using System.Runtime.InteropServices;

namespace Backprop.Simd.Kernels;

/// <summary>
/// A number as a type argument: its size in bytes. The compiler knows <c>sizeof</c> before it reads the code that depends on
/// it, so that what a small tile leaves out is never compiled; a constant property would be known only after inlining, when
/// all of the largest tile has been read, and compiling a kernel would take three times as long.
/// </summary>
internal interface IConstant;

[StructLayout(LayoutKind.Sequential, Size = 1)]
internal readonly struct N1 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 2)]
internal readonly struct N2 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 3)]
internal readonly struct N3 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 4)]
internal readonly struct N4 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 5)]
internal readonly struct N5 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 6)]
internal readonly struct N6 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 7)]
internal readonly struct N7 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 8)]
internal readonly struct N8 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 9)]
internal readonly struct N9 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 10)]
internal readonly struct N10 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 11)]
internal readonly struct N11 : IConstant;

[StructLayout(LayoutKind.Sequential, Size = 12)]
internal readonly struct N12 : IConstant;
