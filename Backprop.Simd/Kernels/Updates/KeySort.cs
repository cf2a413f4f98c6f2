using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Sorts distinct keys, in place, without an allocation. (The sort of the base library boxes keys while the runtime still
/// instruments it.)
/// </summary>
internal static unsafe class KeySort
{
    /// <summary>Runs of no more keys are sorted by insertion.</summary>
    private const int Short = 16;

    public static void Ascending(Span<ulong> keys)
    {
        fixed (ulong* p = keys)
            Sort(p, keys.Length, 2 * BitOperations.Log2((uint)keys.Length + 1));
    }

    /// <summary>Quicksort about the median of three; a heap where the parts turn out uneven too often.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sort(ulong* keys, int count, int depth)
    {
        while (count > Short)
        {
            if (depth-- == 0)
            {
                Heap(keys, count);
                return;
            }

            ulong first = keys[0], middle = keys[count / 2], last = keys[count - 1];
            var pivot = Math.Max(Math.Min(first, middle), Math.Min(Math.Max(first, middle), last));
            int low = 0, high = count - 1;
            while (true)
            {
                while (low < count - 1 && keys[low] < pivot)
                    low++;
                while (high > 0 && keys[high] > pivot)
                    high--;
                if (low >= high)
                    break;
                (keys[low], keys[high]) = (keys[high--], keys[low++]);
            }

            // Everything before `low` is less than or equal to the pivot, the rest is not less.
            Sort(keys, low, depth);
            keys += low;
            count -= low;
        }

        for (var i = 1; i < count; i++)
        {
            var key = keys[i];
            var at = i;
            for (; at > 0 && keys[at - 1] > key; at--)
                keys[at] = keys[at - 1];
            keys[at] = key;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Heap(ulong* keys, int count)
    {
        for (var root = count / 2 - 1; root >= 0; root--)
            SiftDown(keys, root, count);
        for (var end = count - 1; end > 0; end--)
        {
            (keys[0], keys[end]) = (keys[end], keys[0]);
            SiftDown(keys, 0, end);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SiftDown(ulong* keys, int root, int count)
    {
        for (var child = 2 * root + 1; child < count; child = 2 * root + 1)
        {
            if (child + 1 < count && keys[child + 1] > keys[child])
                child++;
            if (keys[root] >= keys[child])
                return;
            (keys[root], keys[child]) = (keys[child], keys[root]);
            root = child;
        }
    }
}
