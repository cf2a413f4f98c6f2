using System.Diagnostics;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Changes seeds, in the same way in every run, and reads them.</summary>
internal static class Mutations
{
    /// <summary>What a small file may make a reader allocate.</summary>
    private const long MostBytes = 256 << 20;

    private static readonly byte[] _interesting = [0, 1, 2, 4, 8, 16, 0x20, 0x22, 0x2C, 0x2D, 0x30, 0x39, 0x5B, 0x7B, 0x7D, 0x7F, 0x80, 0xC0, 0xFE, 0xFF];

    /// <summary>Reads changed seeds, so many or so long, and says what happened.</summary>
    /// <param name="target">The reader.</param>
    /// <param name="trials">The most files.</param>
    /// <param name="seconds">When to end; null for not before all are read.</param>
    /// <returns>False if a file gave an exception that is not documented, or took too much memory.</returns>
    public static bool Run(Target target, long trials, int? seconds)
    {
        var seeds = target.Seeds().ToArray();
        if (seeds.Select(target.Read).ToList().IndexOf(false) is >= 0 and var refused)
        {
            Console.Error.WriteLine($"{target.Name}: seed {refused} is refused");
            return false;
        }

        var taken = 0L;
        var random = new SplitMix(1);
        var clock = Stopwatch.StartNew();
        var trial = 0L;
        for (; trial < trials && (seconds is not { } limit || clock.Elapsed.TotalSeconds < limit); trial++)
        {
            var bytes = Changed(seeds, ref random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            string? fault = null;
            try
            {
                taken += target.Read(bytes) ? 1 : 0;
            }
#pragma warning disable CA1031 // Whatever comes out is what is looked for.
            catch (Exception e)
#pragma warning restore CA1031
            {
                fault = e.ToString();
            }

            if (fault is null && GC.GetAllocatedBytesForCurrentThread() - before is > MostBytes and var memory)
                fault = $"it allocated {memory} bytes.";
            if (fault is null)
                continue;
            Console.Error.WriteLine($"{target.Name}: trial {trial} of {bytes.Length} bytes: {fault}\nThe bytes: {Convert.ToBase64String(bytes)}");
            return false;
        }

        Console.WriteLine($"{target.Name}: {trial} files of {seeds.Length} seeds, {taken} taken, no fault");
        return true;
    }

    private static byte[] Changed(byte[][] seeds, ref SplitMix random)
    {
        List<byte> bytes = [.. seeds[random.Below(seeds.Length)]];
        for (var change = 1 + random.Below(4); change > 0; change--)
        {
            var place = random.Below(bytes.Count + 1);
            var length = Math.Min(1 + random.Below(16), bytes.Count - place);
            switch (random.Below(8))
            {
                case 0:
                    bytes.RemoveRange(place, length);
                    break;
                case 1:
                    bytes.InsertRange(place, bytes.GetRange(place, length));
                    break;
                case 2:
                    var other = seeds[random.Below(seeds.Length)];
                    var start = random.Below(other.Length);
                    bytes.InsertRange(place, other.AsSpan(start, Math.Min(other.Length - start, 1 + random.Below(64))));
                    break;
                case 3 when random.Below(8) == 0:
                    bytes.RemoveRange(place, bytes.Count - place);
                    break;
                case 4 when length > 0:
                    bytes[place] ^= (byte)(1 << random.Below(8));
                    break;
                case 5 when length > 0:
                    bytes[place] = (byte)random.Below(256);
                    break;
                case 6 when length > 0:
                    bytes[place] += (byte)(random.Below(2) == 0 ? 1 : 255);
                    break;
                default:
                    for (var i = 0; i < length; i++)
                        bytes[place + i] = _interesting[random.Below(_interesting.Length)];
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators".</summary>
    private struct SplitMix(ulong seed)
    {
        private ulong _state = seed;

        public int Below(int count)
        {
            if (count <= 1)
                return 0;
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return (int)((z ^ (z >> 31)) % (ulong)count);
        }
    }
}
