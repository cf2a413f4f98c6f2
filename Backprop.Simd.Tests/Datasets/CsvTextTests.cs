using System.Globalization;
using System.IO.Compression;
using System.Text;
using Backprop.Simd.Datasets;
using CsCheck;

namespace Backprop.Simd.Tests.Datasets;

/// <summary>Quotes, lines and bytes of text files.</summary>
public sealed class CsvTextTests
{
    private static readonly CsvOptions Labelled = new() { Label = 1, HasHeader = false, Unlabelled = CsvUnlabelled.EmptyClass };

    private static string Refusal(Func<CsvData> read) => Assert.Throws<DatasetFormatException>(read).Message;

    private static CsvData Read(string text, CsvOptions options) => CsvData.Read(new StringReader(text), options);

    private static CsvData Read(byte[] bytes, Encoding? encoding = null) =>
        CsvData.Read(new MemoryStream(bytes), new CsvOptions { Label = "kind", Encoding = encoding });

    [Theory]
    [InlineData("y,part,z\n1,5\" pipe,7\n2,6\" pipe,8\n", "Line 2 of the text, column 1, character 4: a quote stands inside a cell")]
    [InlineData("a,k\n2,\"b\n3,4\n5,6\n", "Line 2 of the text opens a quote that nothing closes")]
    [InlineData("a,k\n1,\"x\r\ny\rz\nw\"\r\n2,\"b\"c\n", "Line 6 of the text, column 1, character 6: 'c' stands behind")]
    [InlineData("a,k\n1,\"b\" \"c\"\n", "Line 2 of the text, column 1, character 7: a quote stands behind")]
    [InlineData("a,k\n1,\"b\n", "Line 2")]
    [InlineData("a,k\n1,\"", "Line 2")]
    [InlineData("\"a,k\n1,b", "Line 1")]
    [InlineData("a\",k\n1,b", "Line 1 of the text, column 0, character 2")]
    public void A_quote_where_none_may_stand_is_refused(string text, string expected)
    {
        Assert.Contains(expected, Refusal(() => Read(text, new CsvOptions { Label = 1 })), StringComparison.Ordinal);
        Assert.Contains(expected, Refusal(() => Read(text.Replace(',', ';'), new CsvOptions { Label = 1, Separator = ';' })), StringComparison.Ordinal);
    }

    // Sep takes up to 2^24 characters for a row.
    [Fact]
    public void An_open_quote_is_named_however_much_stands_behind_it()
    {
        string text = "a,k\n1,\"b\n" + new string('x', 1 << 25);
        Assert.Contains("Line 2 of the text opens a quote", Refusal(() => Read(text, new CsvOptions { Label = 1 })), StringComparison.Ordinal);
    }

    [Fact]
    public void Quotes_are_those_of_the_standard() =>
        Gen.Select(Gen.Char[",;\t\"\"\n\r abé"].Array[0, 6].Array[1, 8], Gen.Char[",;\t|"], Gen.Int, Gen.Int[0, 4]).Sample((cells, separator, seed, changes) =>
        {
            var random = new Random(seed);
            var text = new StringBuilder();
            for (int i = 0; i < cells.Length; i++)
            {
                string cell = new(cells[i]);
                bool isQuoted = cell.IndexOfAny([separator, '"', '\r', '\n']) >= 0 || random.Next(2) == 0;
                cell = isQuoted ? $" \"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\" "[random.Next(2)..^random.Next(2)] : cell;
                text.Append(CultureInfo.InvariantCulture, $"{i}{separator}{cell}").Append(random.Next(3) switch { 0 => "\r\n", 1 => "\r", _ => "\n" });
            }

            for (int i = 0; i < changes; i++)
            {
                int at = random.Next(text.Length + 1);
                _ = random.Next(2) == 0 && at < text.Length ? text.Remove(at, 1) : text.Insert(at, "\"\" \n1"[random.Next(5)]);
            }

            string all = text.ToString();
            string expected = Naive(all, separator);
            string read;
            try
            {
                CsvData data = Read(all, Labelled with { Separator = separator });
                read = string.Join('|', Enumerable.Range(0, data.Features.Length)
                    .Select(i => $"{data.Features.Span[i]}:{data.Classes[data.Labels.Span[i / data.FeatureNames.Count]]}"));
            }
            catch (DatasetFormatException error)
            {
                read = string.Join(' ', error.Message.Split(' ', ',')[..2]);
            }
            catch (ArgumentException)
            {
                read = "columns";
            }

            Assert.Equal(expected, read);
        }, iter: 20_000);

    [Theory]
    [InlineData("a;b,b;c\n1;2;3", ';')]
    [InlineData("a,\"b;;;\",c\n1,2,3", ',')]
    [InlineData("\n\r\na\tb\n1\t2", '\t')]
    [InlineData("a|b\n1|2", '|')]
    [InlineData("a;b,c\n1,2", ',')]
    [InlineData("\"a\n,,,\";c\n1;2", ';')]
    public void The_separator_is_found_in_the_first_line(string text, char separator)
    {
        int cells = text[(text.LastIndexOf('\n') + 1)..].Split(separator).Length;
        Assert.Equal(cells, Read(text, new CsvOptions { Separator = null }).FeatureNames.Count);
    }

    [Fact]
    public void Texts_longer_than_a_block_are_read_alike()
    {
        var text = new StringBuilder("a,k\n");
        for (int i = 0; i < 50_000; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{i},\"x\"\"\r\n{i % 7}\"\r\n");
        }

        CsvData data = Read(text.ToString(), new CsvOptions { Label = "k" });
        Assert.Equal(50_000, data.Count);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"x\"\r\n{i}"), data.Classes);
        Assert.Equal(Enumerable.Range(0, 50_000).Select(i => (double)i), data.Features.ToArray());
        Assert.Contains("Line 100002 of", Refusal(() => Read(text + "z,k", new CsvOptions { Label = "k" })), StringComparison.Ordinal);
        Assert.Contains("Line 100003 of", Refusal(() => Read(text + "1,k\n2,k\"", new CsvOptions { Label = "k" })), StringComparison.Ordinal);
    }

    // Where a block ends between returns, in the text or in what a stream gives at once, Sep must not see them apart.
    [Fact]
    public void Returns_in_a_row_end_one_line_each_wherever_a_block_ends()
    {
        string rows = "a\r\r\n" + string.Concat(Enumerable.Range(0, 30_000).Select(i => $"{1_000_000 + i * 7}\r\r\n"));
        double[] numbers = [.. Enumerable.Range(0, 30_000).Select(i => 1_000_000.0 + i * 7)];
        Assert.Equal(numbers, Read(rows, new CsvOptions()).Features.ToArray());
        foreach (int most in (int[])[1, 2, 3, 1460, 1461, 1462, 65_536])
        {
            Assert.Equal(numbers, CsvData.Read(new ShortStream(Encoding.UTF8.GetBytes(rows), most)).Features.ToArray());
        }

        // One letter more each time, so that every end of a block falls on every part of the line ends.
        for (int letters = 32_740; letters < 32_780; letters++)
        {
            foreach (string ends in (string[])["\r\r\n", "\r\r\r\r\r", "\r\n\r\n\r", "\n\r\r"])
            {
                string cell = new string('a', letters) + ends + "b" + string.Concat(Enumerable.Repeat(ends, 12_000));
                CsvData data = Read($"1,\"{cell}\"\n2,c\n", Labelled);
                Assert.Equal([cell, "c"], data.Classes);
            }
        }
    }

    // A surrogate pair does not fit into a span of one character, which Sep asks for behind a return.
    [Fact]
    public void Letters_of_two_characters_are_read_wherever_a_block_ends()
    {
        foreach (Encoding encoding in (Encoding[])[Encoding.UTF8, Encoding.Unicode, Encoding.UTF32])
        {
            string Class(string cells) => Read([.. encoding.Preamble, .. encoding.GetBytes("n,kind\n1," + cells + "\n")]).Classes[^1];
            for (int letters = 32_750; letters < 32_770; letters++)
            {
                string cell = new string('a', letters) + "😀";
                Assert.Equal(cell, Class(cell));
                Assert.Equal("😀", Class(new string('a', letters) + "\r2,😀"));
            }

            Assert.Equal("😀😀", Class(string.Concat(Enumerable.Repeat("😀😀\n1,", 40_000)) + "😀😀"));
            string many = string.Concat(Enumerable.Repeat("😀", 100_000));
            Assert.Equal(many, Class(many));
            Assert.Equal("a" + many, Class("a" + many));
        }
    }

    [Theory]
    [InlineData("  \na;b\n1;2\n", "a b")]
    [InlineData("\n \r\n\t \r  \ra|b\n1|2\n", "a b")]
    [InlineData("\ta\tb;c\n1\t2\t3\n", " a b;c")]
    [InlineData(" \"a\n;\"\tb\n1\t2\n", "a\n; b")]
    [InlineData(" \n,;,\n1,2,3\n", " ; ")]
    public void The_first_line_with_text_tells_the_separator(string text, string names) =>
        Assert.Equal(names, string.Join(' ', Read(text, new CsvOptions { Separator = null }).FeatureNames));

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        const string Names = "kind,n\nBär,1\nBör,2\n";
        byte[] latin = Encoding.Latin1.GetBytes(Names);
        string message = Refusal(() => Read(latin));
        Assert.Contains("Line 2 of the stream, column 0, character 2: the bytes E4 are no text in utf-8", message, StringComparison.Ordinal);
        Assert.Contains("CsvOptions.Encoding", message, StringComparison.Ordinal);
        Assert.Equal(["Bär", "Bör"], Read(latin, Encoding.Latin1).Classes);
        Assert.Equal(["Bär", "Bör"], Read(Encoding.UTF8.GetBytes(Names)).Classes);
        Assert.Contains("Line 2 of the stream, column 0", Refusal(() => Read(Encoding.UTF8.GetBytes(Names), Encoding.ASCII)), StringComparison.Ordinal);

        // In a column that nobody asked for, inside quotes, cut at the end, in a marked file, behind a whole block.
        Assert.Contains("Line 2 of the stream, column 2", Refusal(() => Read([.. "n,kind,z\n1,k,\""u8, 0xFF, .. "\""u8])), StringComparison.Ordinal);
        Assert.Contains("Line 2 of the stream, column 1, character 3", Refusal(() => Read([.. "n,kind\n1,"u8, 0xC3])), StringComparison.Ordinal);
        Assert.Contains("Line 1 of the stream, column 1", Refusal(() => Read([.. Encoding.UTF8.Preamble, .. "kind,"u8, 0x80])), StringComparison.Ordinal);
        string lines = "kind,n\n" + string.Concat(Enumerable.Repeat("é,1\n", 40_000));
        Assert.Contains("Line 40002 of the stream, column 0, character 1: the bytes E9",
            Refusal(() => Read([.. Encoding.UTF8.GetBytes(lines), 0xE9, .. ",1"u8])), StringComparison.Ordinal);
        Assert.Equal(40_000, Read(Encoding.UTF8.GetBytes(lines)).Count);
    }

    // The code point that stands for such bytes, and the one that others put in their place, are text where a file has them.
    [Fact]
    public void What_stands_for_bytes_is_text_where_it_is_written() =>
        Assert.Equal(["\uFFFF", "\uFFFD"], Read(Encoding.UTF8.GetBytes("kind,n\n\uFFFF,1\n\uFFFD,2")).Classes);

    [Fact]
    public void A_byte_order_mark_says_the_encoding_and_is_cut()
    {
        const string Names = "kind,n\nBär,1\n";
        string path = Path.GetTempFileName();
        try
        {
            foreach (Encoding encoding in (Encoding[])[Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32,
                new UTF32Encoding(true, true)])
            {
                byte[] bytes = [.. encoding.Preamble, .. encoding.GetBytes(Names)];
                File.WriteAllBytes(path, bytes);
                var packed = new MemoryStream();
                using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                {
                    gzip.Write(bytes);
                }

                packed.Position = 0;
                using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
                var options = new CsvOptions { Label = "kind", Encoding = Encoding.Latin1 };
                foreach (CsvData data in (CsvData[])[CsvData.Read(path, options), CsvData.Read(unpacked, options), Read("\uFEFF" + Names, options)])
                {
                    Assert.Equal(["Bär"], data.Classes);
                }
            }
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Throws<ArgumentNullException>("stream", () => CsvData.Read((Stream)null!));
    }

    // RFC 4180 read letter by letter, with spaces around cells cut: the rows of two cells as they are expected, or what is refused.
    private static string Naive(string text, char separator)
    {
        var rows = new List<(int Line, string Raw, List<string> Cells)>();
        (int at, int line) = (0, 1);
        bool IsAt(char c) => at < text.Length && text[at] == c;
        bool IsEnd() => at == text.Length || text[at] is '\r' or '\n';
        void Next()
        {
            line += IsAt('\r') || (IsAt('\n') && !(at > 0 && text[at - 1] == '\r')) ? 1 : 0;
            at++;
        }

        while (at < text.Length)
        {
            (int begin, int first, var cells) = (at, line, new List<string>());
            do
            {
                at += cells.Count > 0 ? 1 : 0;
                while (IsAt(' '))
                    at++;
                var cell = new StringBuilder();
                if (!IsAt('"'))
                {
                    for (; !IsEnd() && !IsAt(separator); at++)
                    {
                        if (IsAt('"'))
                            return $"Line {line}";
                        cell.Append(text[at]);
                    }

                    cells.Add(cell.ToString().TrimEnd(' '));
                    continue;
                }

                int open = line;
                for (at++; !IsAt('"') || (at + 1 < text.Length && text[at + 1] == '"'); Next())
                {
                    if (at == text.Length)
                        return $"Line {open}";
                    at += IsAt('"') ? 1 : 0;
                    cell.Append(text[at]);
                }

                at++;
                while (IsAt(' '))
                    at++;
                if (!IsEnd() && !IsAt(separator))
                    return $"Line {line}";
                cells.Add(cell.ToString());
            }
            while (IsAt(separator));

            rows.Add((first, text[begin..at], cells));
            if (IsAt('\r') && at + 1 < text.Length && text[at + 1] == '\n')
                at++;
            line++;
            at++;
        }

        rows.RemoveAll(r => r.Cells.Count == 1 && string.IsNullOrWhiteSpace(r.Raw));
        if (rows.Count == 0)
            return "the text";
        if (rows[0].Cells.Count < 2)
            return "columns";
        foreach ((int first, _, List<string> cells) in rows)
        {
            if (cells.Count != rows[0].Cells.Count)
                return $"Line {first}";
            if (cells.Where((_, i) => i != 1).Any(c => !double.TryParse(c, NumberStyles.Float, CultureInfo.InvariantCulture, out _)))
                return $"Line {first}";
        }

        return string.Join('|', rows.SelectMany(r =>
            r.Cells.Where((_, i) => i != 1).Select(c => $"{double.Parse(c, CultureInfo.InvariantCulture)}:{r.Cells[1]}")));
    }

    /// <summary>Gives some bytes at once at most, as a network does.</summary>
    private sealed class ShortStream(byte[] bytes, int most) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(most, buffer.Length)]);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(most, count));
    }
}
