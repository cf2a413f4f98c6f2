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

    public static void Ascending<TKey>(Span<TKey> keys) where TKey : unmanaged, IComparisonOperators<TKey, TKey, bool>
    {
        fixed (TKey* p = keys)
            Sort(p, keys.Length, 2 * BitOperations.Log2((uint)keys.Length + 1));
    }

    /// <summary>The smallest keys, in order, in front of the rest, which are in any order.</summary>
    public static void Smallest<TKey>(Span<TKey> keys, int count) where TKey : unmanaged, IComparisonOperators<TKey, TKey, bool>
    {
        if (count > keys.Length / 4)
        {
            Ascending(keys);
            return;
        }

        // A heap of the smallest so far, the largest of them in front.
        fixed (TKey* p = keys)
        {
            for (var root = count / 2 - 1; root >= 0; root--)
                SiftDown(p, root, count);
            for (var i = count; i < keys.Length; i++)
            {
                if (p[i] >= p[0])
                    continue;
                (p[0], p[i]) = (p[i], p[0]);
                SiftDown(p, 0, count);
            }
        }

        Ascending(keys[..count]);
    }

    /// <summary>Quicksort about the median of three; a heap where the parts turn out uneven too often.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sort<TKey>(TKey* keys, int count, int depth) where TKey : unmanaged, IComparisonOperators<TKey, TKey, bool>
    {
        while (count > Short)
        {
            if (depth-- == 0)
            {
                Heap(keys, count);
                return;
            }

            TKey least = keys[0], most = keys[count / 2], last = keys[count - 1];
            if (least > most)
                (least, most) = (most, least);
            var pivot = last < least ? least : last > most ? most : last;
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
    private static void Heap<TKey>(TKey* keys, int count) where TKey : unmanaged, IComparisonOperators<TKey, TKey, bool>
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
    private static void SiftDown<TKey>(TKey* keys, int root, int count) where TKey : unmanaged, IComparisonOperators<TKey, TKey, bool>
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
