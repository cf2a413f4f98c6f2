using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public sealed class KeySortTests
{
    [Fact]
    public void Equals_the_sort_of_the_base_library_for_every_order()
    {
        var random = new TestRandom(3);
        foreach (var count in (int[])[0, 1, 2, 3, 15, 16, 17, 18, 31, 33, 64, 100, 257, 1000, 5000])
        {
            foreach (var order in (string[])["random", "ascending", "descending", "saw", "organ", "few"])
            {
                var keys = new ulong[count];
                for (var i = 0; i < count; i++)
                {
                    var high = order switch
                    {
                        "random" => random.Next() >> 33,
                        "ascending" => (ulong)i,
                        "descending" => (ulong)(count - i),
                        "saw" => (ulong)(i % 7),
                        "organ" => (ulong)Math.Min(i, count - i),
                        _ => random.Next() >> 62,
                    };
                    keys[i] = high << 32 | (uint)i;
                }

                var expected = keys.ToArray();
                Array.Sort(expected);
                KeySort.Ascending(keys);
                Assert.Equal(expected, keys);
            }
        }
    }
}
