using System.Globalization;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Layers;
using CsCheck;

namespace Backprop.Simd.Tests.Datasets;

public class CsvDataTests
{
    private const string Flowers = """
        length,width,kind,price
        5.1,3.5,setosa,1
        7.0,-3.2e-1,versicolor,2.5

        6.3,3.3,setosa,-0
        4.9,2.5,"a ""virginica"", or
        another",1e3

        """;

    private static readonly CsvOptions Labelled = new() { Label = "kind", Targets = ["price"] };

    private static CsvData Read(string text, CsvOptions? options = null) => CsvData.Read(new StringReader(text), options);

    private static void Refused(string text, CsvOptions options, params ReadOnlySpan<string> reasons)
    {
        var error = Assert.Throws<DatasetFormatException>(() => Read(text, options));
        foreach (string reason in reasons)
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Features_targets_and_classes_are_read()
    {
        CsvData data = Read(Flowers, Labelled);
        Assert.Equal(4, data.Count);
        Assert.Equal(["length", "width"], data.FeatureNames);
        Assert.Equal(["price"], data.TargetNames);
        Assert.Equal([5.1, 3.5, 7.0, -0.32, 6.3, 3.3, 4.9, 2.5], data.Features.ToArray());
        Assert.Equal([1, 2.5, -0.0, 1000], data.Targets.ToArray());
        Assert.Equal([0, 1, 0, 2], data.Labels.ToArray());
        Assert.Equal(["setosa", "versicolor", $"a \"virginica\", or\nanother"], data.Classes.Select(c => c.Replace("\r", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void Classes_may_be_sorted_or_given()
    {
        CsvData data = Read(Flowers, Labelled with { SortClasses = true });
        Assert.Equal(["a", "s", "v"], data.Classes.Select(c => c[..1]));
        Assert.Equal([1, 2, 1, 0], data.Labels.ToArray());

        string[] known = ["other", .. data.Classes];
        data = Read(Flowers, Labelled with { Classes = known, SortClasses = true });
        Assert.Equal(known, data.Classes);
        Assert.Equal([2, 3, 2, 1], data.Labels.ToArray());
        Refused(Flowers, Labelled with { Classes = ["setosa"] }, "Line 3", "'kind'", "'versicolor'", "none of the classes");
        Assert.Throws<ArgumentException>("options", () => Read(Flowers, Labelled with { Classes = ["a", "a"] }));
    }

    [Fact]
    public void Columns_are_chosen_by_name_or_place()
    {
        CsvData data = Read(Flowers, new CsvOptions { Features = [3, "length"] });
        Assert.Equal(["price", "length"], data.FeatureNames);
        Assert.Equal([1, 5.1, 2.5, 7, -0.0, 6.3, 1000, 4.9], data.Features.ToArray());
        Assert.True(data.Labels.IsEmpty && data.Targets.IsEmpty && data.Classes.Count == 0);

        data = Read("1;2\n3;4", new CsvOptions { HasHeader = false, Separator = ';', Targets = [0] });
        Assert.Equal(["1"], data.FeatureNames);
        Assert.Equal(["0"], data.TargetNames);
        Assert.Equal([2.0, 4], data.Features.ToArray());
        Assert.Equal([1.0, 3], data.Targets.ToArray());
        Assert.Equal(data.Features.ToArray(),
            Read("1\t2\r\n3\t4\r\n", new CsvOptions { HasHeader = false, Separator = null, Targets = [0] }).Features.ToArray());
    }

    [Fact]
    public void Columns_that_are_not_there_are_refused()
    {
        static string Message(string text, CsvOptions options) =>
            Assert.Throws<ArgumentException>(nameof(options), () => Read(text, options)).Message;

        Assert.Contains("'length', 'width', 'kind', 'price'; got 'size'", Message(Flowers, Labelled with { Features = ["size"] }), StringComparison.Ordinal);
        Assert.Contains("0 to 3; got 4", Message(Flowers, Labelled with { Features = [4] }), StringComparison.Ordinal);
        Assert.Contains("'kind' is chosen twice", Message(Flowers, Labelled with { Features = ["kind"] }), StringComparison.Ordinal);
        Assert.Contains("chosen twice", Message(Flowers, Labelled with { Features = [0, "length"] }), StringComparison.Ordinal);
        Assert.Contains("no header", Message("1,2", new CsvOptions { HasHeader = false, Label = "a" }), StringComparison.Ordinal);
        Assert.Contains("several columns 'a'", Message("a,a\n1,2", new CsvOptions { Features = ["a"] }), StringComparison.Ordinal);
        Assert.Contains("no column left", Message("a,b\n1,2", new CsvOptions { Targets = ["a", "b"] }), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CsvColumn(-1));
        Assert.Equal([1.0, 2], Read("a,a\n1,2").Features.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("NA")]
    [InlineData("nan")]
    [InlineData("\"\"")]
    [InlineData("?")]
    public void Missing_numbers_are_refused_or_replaced(string cell)
    {
        string text = $"a,b\n1,2\n\n3,{cell}\n5,6\n";
        Refused(text, new CsvOptions(), "Line 4", "column 'b'", "is missing");
        Assert.Equal([1, 2, 3, -1.5, 5, 6], Read(text, new CsvOptions { MissingValue = -1.5 }).Features.ToArray());
        Refused(text, new CsvOptions { MissingValue = 0, MissingTexts = ["none"] }, "Line 4", "is no finite number");
    }

    [Fact]
    public void A_missing_target_is_refused_or_its_row_dropped_never_invented()
    {
        const string Text = "a,b,y\n1,2,10\n3,,NA\nx,5,?\n6,7,11\n";
        var options = new CsvOptions { Targets = ["y"], MissingValue = 0 };
        Refused(Text, options, "Line 3", "column 'y'", "is missing");
        Refused(Text, options with { Unlabelled = CsvUnlabelled.EmptyClass }, "Line 3", "column 'y'", "is missing");

        CsvData data = Read(Text, options with { Unlabelled = CsvUnlabelled.Drop });
        Assert.Equal((2, 2), (data.Count, data.Dropped));
        Assert.Equal([1.0, 2, 6, 7], data.Features.ToArray());
        Assert.Equal([10.0, 11], data.Targets.ToArray());
        Refused("a,y\n1,2\n1,z", options with { Unlabelled = CsvUnlabelled.Drop }, "Line 3", "is no finite number");
        Refused("a,y\n1,2\n1", options with { Unlabelled = CsvUnlabelled.Drop }, "Line 3", "has 1 cells");
    }

    [Fact]
    public void An_empty_label_is_refused_dropped_or_a_class()
    {
        const string Text = "k,a\nNA,1\n,2\nb,3\n\"\",4\n  ,5\n";
        var options = new CsvOptions { Label = "k" };
        Refused(Text, options, "Line 3", "column 'k'", "is missing");

        CsvData data = Read(Text, options with { Unlabelled = CsvUnlabelled.Drop });
        Assert.Equal((2, 3), (data.Count, data.Dropped));
        Assert.Equal(["NA", "b"], data.Classes);
        Assert.Equal([1.0, 3], data.Features.ToArray());

        data = Read(Text, options with { Unlabelled = CsvUnlabelled.EmptyClass });
        Assert.Equal((5, 0), (data.Count, data.Dropped));
        Assert.Equal(["NA", "", "b"], data.Classes);
        Assert.Equal([0, 1, 2, 1, 1], data.Labels.ToArray());

        foreach (CsvUnlabelled unlabelled in Enum.GetValues<CsvUnlabelled>())
        {
            Assert.Equal([1, 0, 2, 0, 0], Read(Text, options with { Classes = ["", "NA", "b"], Unlabelled = unlabelled }).Labels.ToArray());
        }

        Refused(Text, options with { Classes = ["NA", "b"], Unlabelled = CsvUnlabelled.EmptyClass }, "Line 3", "none of the classes");
    }

    [Fact]
    public void A_number_may_say_that_a_number_is_missing()
    {
        const string Text = "a\n-999\n1\n";
        var options = new CsvOptions { MissingTexts = ["-999"] };
        Refused(Text, options, "Line 2", "is missing");
        Assert.Equal([7.0, 1], Read(Text, options with { MissingValue = 7 }).Features.ToArray());
        Refused("a\nNaN", options with { MissingValue = 7 }, "Line 2", "is no finite number");
        Refused("a\n1\0", new CsvOptions(), "Line 2", "is no finite number");
    }

    [Fact]
    public void The_first_line_is_line_1() => Refused("1,x\n", new CsvOptions { HasHeader = false }, "Line 1", "'x'");

    [Fact]
    public void No_column_may_be_given_by_a_condition()
    {
        bool isThere = Flowers.Length == 0;
        var options = new CsvOptions { Label = isThere ? new CsvColumn(0) : null };
        Assert.Null(options.Label);
        options = new CsvOptions { Label = isThere ? "kind" : null };
        Assert.Null(options.Label);
        options = new CsvOptions { Label = isThere ? 0 : null };
        Assert.Null(options.Label);
        Assert.Equal(["a", "b"], Read("a,b\n1,2", options).FeatureNames);
        Assert.Throws<ArgumentException>("options", () => Read("a,b\n1,2", new CsvOptions { Targets = [null!] }));
        Assert.Equal(new CsvColumn("a"), "a");
        Assert.Equal(new CsvColumn(3), 3);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("12abc")]
    [InlineData("1_000")]
    [InlineData("1.2.3")]
    [InlineData("0x10")]
    [InlineData("1 2")]
    [InlineData("\"1,5\"")]
    [InlineData("1e999")]
    [InlineData("Infinity")]
    [InlineData("-inf")]
    [InlineData("--1")]
    public void What_is_no_number_is_refused(string cell)
    {
        Refused($"a,b\n1,2\n\"3\",{cell}\n", new CsvOptions { MissingValue = 0 }, "Line 3", "column 'b'", $"'{cell.Trim('"')}'", "no finite number");
        Refused($"a,b\n1,2\n\"3\",{cell}\n", new CsvOptions { Targets = ["b"] }, "Line 3", "column 'b'");
    }

    [Fact]
    public void Lines_are_counted_across_quoted_line_ends() =>
        Refused("a,k\r\n1,\"x\r\ny\"\r\nz,x\r\n", new CsvOptions { Label = "k" }, "Line 4", "'z'");

    [Fact]
    public void Rows_of_another_length_and_empty_texts_are_refused()
    {
        Refused("a,b\n1,2\n3\n", new CsvOptions(), "Line 3", "has 1 cells", "expected 2");
        Refused("a,b\n1,2\n3,4,5\n", new CsvOptions(), "Line 3", "has 3 cells", "expected 2");
        Refused("a,k\n1,\n", new CsvOptions { Label = "k" }, "Line 2", "column 'k'", "is missing");
        Refused("", new CsvOptions(), "is empty");
        Refused("\n\n", new CsvOptions(), "is empty");
        Assert.Equal(0, Read("a,b\n").Count);
        Assert.Equal(0, Read("a,b\n").ToDataset<float>().Count);
    }

    [Fact]
    public void Numbers_are_read_as_they_are_written_in_any_culture() =>
        Gen.Double.Where(double.IsFinite).Array[1, 50].Sample(numbers =>
        {
            CultureInfo before = CultureInfo.CurrentCulture;
            var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NumberGroupSeparator) = (",", ".");
            try
            {
                CultureInfo.CurrentCulture = other;
                string text = string.Join('\n', numbers.Select(n => $"{n.ToString("R", CultureInfo.InvariantCulture)} , 1"));
                double[] read = Read(text, new CsvOptions { HasHeader = false, Features = [0] }).Features.ToArray();
                Assert.Equal(numbers.Select(BitConverter.DoubleToInt64Bits), read.Select(BitConverter.DoubleToInt64Bits));
            }
            finally
            {
                CultureInfo.CurrentCulture = before;
            }
        });

    // Whatever stands in it, a text is read or refused.
    [Fact]
    public void Any_text_is_read_or_refused() =>
        Gen.Char["0123456789,,,\n\n\"\"\r\t .-+eEabN?;é\0"].Array[0, 60].Sample(letters =>
        {
            try
            {
                Read("a,b\n" + new string(letters), new CsvOptions { MissingValue = 0 });
            }
            catch (DatasetFormatException)
            {
            }
        }, iter: 5000);

    [Fact]
    public void A_file_may_have_a_mark_of_its_encoding()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, Flowers, new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
            Assert.Equal("length", CsvData.Read(path, Labelled).FeatureNames[0]);
            File.WriteAllText(path, "a\nx");
            Assert.Contains(path, Assert.Throws<DatasetFormatException>(() => CsvData.Read(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Throws<FileNotFoundException>(() => CsvData.Read(path));
        Assert.Throws<ArgumentException>("path", () => CsvData.Read(""));
    }

    [Fact]
    public void A_set_has_a_column_for_each_kind()
    {
        CsvData data = Read(Flowers, Labelled);
        Dataset<float> set = data.ToDataset<float>();
        Assert.Equal(["x", "targets", "labels"], set.Columns.ToArray().Select(c => c.Name));
        Batch<float> batch = set.CreateBatch(3);
        set.Read([3, 0, 1], batch);
        Assert.Equal([4.9f, 2.5f, 5.1f, 3.5f, 7.0f, -0.32f], batch.Values(0).ToArray());
        Assert.Equal([1000f, 1, 2.5f], batch.Values(1).ToArray());
        Assert.Equal([2, 0, 1], batch.Indices(2).ToArray());

        Dataset<double> doubles = data.ToDataset<double>("a", "b", "c", new Shape(2, 1, 1));
        Assert.Equal(["a", "b", "c"], doubles.Columns.ToArray().Select(c => c.Name));
        Assert.Equal(new Shape(2, 1, 1), doubles["a"].Type.Shape);
        Assert.Equal("x", Assert.Single(Read("a\n1").ToDataset<double>().Columns.ToArray()).Name);
        Assert.Throws<ArgumentException>("shape", () => data.ToDataset<float>(shape: new Shape(3)));

        var error = Assert.Throws<OverflowException>(() => Read("a,b\n1,2\n3,1e39").ToDataset<float>());
        Assert.Contains("'b' of row 1", error.Message, StringComparison.Ordinal);
    }
}
