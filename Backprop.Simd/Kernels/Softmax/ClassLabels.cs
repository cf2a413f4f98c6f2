using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>Class labels: each in [0, classes), or the one that is ignored.</summary>
internal static class ClassLabels
{
    /// <summary>The labels that are not ignored; a row has one for each of its positions.</summary>
    /// <exception cref="ArgumentException">A label is neither a class nor ignored.</exception>
    public static int CountKept(ReadOnlySpan<int> labels, int classes, int ignoreIndex, int positions = 1)
    {
        var (kept, valid) = Count(labels, classes, ignoreIndex);
        if (valid != labels.Length)
            Throw(labels, classes, ignoreIndex, positions);
        return kept;
    }

    /// <summary>The labels that are not ignored, and those that are a class or ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (int Kept, int Valid) Count(ReadOnlySpan<int> labels, int classes, int ignoreIndex)
    {
        // Masks are -1: a sum of them counts.
        Vector<int> ignored = Vector.Create(ignoreIndex), ignoredCount = default, validCount = default;
        var limit = Vector.Create((uint)classes);
        var i = 0;
        for (; i <= labels.Length - Vector<int>.Count; i += Vector<int>.Count)
        {
            var label = Vector.Create(labels[i..]);
            var isIgnored = Vector.Equals(label, ignored);
            ignoredCount -= isIgnored;
            validCount -= isIgnored | Vector.LessThan(Vector.As<int, uint>(label), limit).As<uint, int>();
        }

        var (skipped, valid) = (Vector.Sum(ignoredCount), Vector.Sum(validCount));
        for (; i < labels.Length; i++)
        {
            skipped += labels[i] == ignoreIndex ? 1 : 0;
            valid += labels[i] == ignoreIndex || (uint)labels[i] < (uint)classes ? 1 : 0;
        }

        return (labels.Length - skipped, valid);
    }

    [DoesNotReturn]
    public static void ThrowChanged(int label, int classes) =>
        throw new ArgumentException($"Labels lie in [0, {classes}); one became {label} while it was in use.", "labels");

    [DoesNotReturn]
    private static void Throw(ReadOnlySpan<int> labels, int classes, int ignoreIndex, int positions)
    {
        for (var i = 0; i < labels.Length; i++)
        {
            var label = labels[i];
            if (label == ignoreIndex || (uint)label < (uint)classes)
                continue;
            var where = positions == 1 ? "" : $" at position {i % positions}";
            throw new ArgumentException($"Labels lie in [0, {classes}); row {i / positions} has {label}{where}.", nameof(labels));
        }

        throw new ArgumentException($"Labels lie in [0, {classes}); another thread wrote a different one while they were checked.", nameof(labels));
    }
}
