using System.Security.Cryptography;
using Backprop.Simd.Datasets;

namespace Backprop.Simd.Tests.Datasets;

public class DigitsTests
{
    [Fact]
    public void Load_gives_all_images_of_the_source()
    {
        LabeledImages all = Digits.Load();

        Assert.Equal(1797, all.Count);
        Assert.Equal((8, 8, 64), (all.Height, all.Width, all.PixelsPerImage));
        Assert.Equal((10, (byte)16), (all.Classes, all.MaximumValue));
        Assert.Equal(1797 * 64, all.Pixels.Length);
        Assert.Equal(0, all.Pixels.Span.IndexOf((byte)0));
        Assert.True(all.Pixels.Span.Contains((byte)16));
        Assert.Equal(-1, all.Pixels.Span.IndexOfAnyExceptInRange((byte)0, (byte)16));
        Assert.Equal(
            "8F26B2BD9D135C256808F68F14FDABDDDE6D9C7F869AE419704B051F0F14B3B3",
            Convert.ToHexString(SHA256.HashData(all.Pixels.Span)));
    }

    [Fact]
    public void Load_gives_the_published_number_of_images_per_class() =>
        Assert.Equal([178, 182, 177, 183, 181, 182, 181, 179, 174, 180], CountPerClass(Digits.Load()));

    [Fact]
    public void The_first_image_is_a_zero()
    {
        LabeledImages all = Digits.Load();

        Assert.Equal(0, all.Label(0));
        Assert.Equal([0, 0, 5, 13, 9, 1, 0, 0], all.Image(0)[..8].ToArray());
        Assert.Equal([0, 0, 6, 13, 10, 0, 0, 0], all.Image(0)[56..].ToArray());
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], all.Labels.Span[..10].ToArray());
    }

    [Fact]
    public void The_split_is_complete_and_shares_nothing()
    {
        (LabeledImages train, LabeledImages test) = Digits.Split();

        Assert.Equal((1437, 360), (train.Count, test.Count));
        Assert.Equal((Digits.TrainCount, Digits.TestCount), (train.Count, test.Count));

        // Some images may equal each other, so the multisets are compared; ShuffledOrder's own test shows that no
        // position comes twice.
        Assert.Equal(SortedRows(Digits.Load()), SortedRows(train).Concat(SortedRows(test)).Order(StringComparer.Ordinal));
    }

    // The hashes come from an independent program: image after image, 64 pixels and the label.
    [Fact]
    public void The_split_is_the_same_everywhere()
    {
        (LabeledImages train, LabeledImages test) = Digits.Split();

        Assert.Equal("8B0686CA5B400DFA0E8AC465AB306AE4F58CF70FC34D650020A70F43E92DF1E7", Hash(train));
        Assert.Equal("8516F7CAD8661D482BC26738AA5B0226CBE9088963FC46A7590E3A668E7772AD", Hash(test));
        Assert.Equal([34, 39, 31, 29, 41, 35, 32, 36, 49, 34], CountPerClass(test));
    }

    [Fact]
    public void Another_seed_gives_another_split() => Assert.NotEqual(Hash(Digits.Split().Test), Hash(Digits.Split(1).Test));

    [Fact]
    public void Resize28x28_makes_blocks_of_three_inside_a_border_of_two()
    {
        LabeledImages small = Digits.Split().Test;
        LabeledImages large = Digits.Resize28x28(small);

        Assert.Equal((small.Count, 28, 28), (large.Count, large.Height, large.Width));
        Assert.Equal((small.Classes, small.MaximumValue), (large.Classes, large.MaximumValue));
        Assert.Equal(small.Labels.ToArray(), large.Labels.ToArray());
        for (int image = 0; image < small.Count; image++)
        {
            for (int y = 0; y < 28; y++)
            {
                for (int x = 0; x < 28; x++)
                {
                    bool border = y is < 2 or > 25 || x is < 2 or > 25;
                    int expected = border ? 0 : small.Image(image)[((y - 2) / 3 * 8) + ((x - 2) / 3)];
                    Assert.Equal(expected, large.Image(image)[(y * 28) + x]);
                }
            }
        }
    }

    [Fact]
    public void Resize28x28_refuses_other_sizes()
    {
        var images = new LabeledImages(new byte[12], new byte[2], width: 3, height: 2, classes: 10, maximumValue: 16);

        var error = Assert.Throws<ArgumentException>("images", () => Digits.Resize28x28(images));
        Assert.Contains("[8, 8]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 3]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>("images", () => Digits.Resize28x28(null!));
    }

    private static int[] CountPerClass(LabeledImages images)
    {
        var counts = new int[images.Classes];
        foreach (byte label in images.Labels.Span)
        {
            counts[label]++;
        }

        return counts;
    }

    private static string[] SortedRows(LabeledImages images)
    {
        var rows = new string[images.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = $"{Convert.ToHexString(images.Image(i))}-{images.Label(i)}";
        }

        Array.Sort(rows, StringComparer.Ordinal);
        return rows;
    }

    private static string Hash(LabeledImages images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < images.Count; i++)
        {
            hash.AppendData(images.Image(i));
            hash.AppendData([(byte)images.Label(i)]);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
