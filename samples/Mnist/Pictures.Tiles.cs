using Backprop.Simd.Datasets;
using Backprop.Simd.Networks;
using SkiaSharp;

namespace Backprop.Simd.Samples;

/// <content>Small images, many on a page.</content>
internal static partial class Pictures
{
    private const int MostWeights = 64, MostMistakes = 48;

    private static readonly SKColor Negative = new(0x0B, 0x55, 0xA0), Positive = new(0xB4, 0x1F, 0x2C);

    /// <summary>
    /// What the units of the first layer look for: their weights as images, red above zero, blue below, the largest norms first.
    /// The weights of several channels are added: the unit's answer to grey.
    /// </summary>
    /// <param name="network">A network whose first weights are of an affine layer on images, or of a two-dimensional convolution.</param>
    /// <param name="imageHeight">The height of the images.</param>
    /// <param name="imageWidth">Their width.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException">The first weights are of another kind or size.</exception>
    public static void FirstLayerWeights(Network<float> network, int imageHeight, int imageWidth, string path)
    {
        var info = network.Definition.Parameters.Entries.FirstOrDefault(e => e.Shape.Rank >= 2)
            ?? throw new ArgumentException("The network has no weights.", nameof(network));
        var shape = info.Shape;
        var isAffine = shape.Rank == 2;
        var (height, width) = isAffine ? (imageHeight, imageWidth) : (shape[0], shape.Rank > 1 ? shape[1] : 1);
        if (shape.Rank is not (2 or 4) || (isAffine && shape[0] % (height * width) != 0))
        {
            throw new ArgumentException(
                $"Expected weights [{height * width}, units] or [height, width, channels, filters]; '{info.Name}' is {shape}.", nameof(network));
        }

        var units = shape[shape.Rank - 1];
        var weights = network.ParameterOf(info.Name);
        var images = new float[units][];
        for (var unit = 0; unit < units; unit++)
        {
            images[unit] = new float[height * width];
            var channels = shape.Size / units / images[unit].Length;
            for (var i = 0; i < images[unit].Length; i++)
            {
                for (var c = 0; c < channels; c++)
                    images[unit][i] += weights[(i * channels + c) * units + unit];
            }
        }

        var norms = images.Select(i => Math.Sqrt(i.Sum(w => (double)w * w))).ToArray();
        var shown = Enumerable.Range(0, units).OrderByDescending(i => norms[i]).Take(MostWeights).ToArray();
        var largest = Scale(shown.SelectMany(i => images[i]));
        var what = isAffine ? "unit" : "filter";
        using var sheet = new PictureSheet($"Weights of the first layer ({info.Name})", Text(
            $"{shown.Length} of {units} {what}s, {height} x {width} weights each, the largest norms first: number and norm below each"));

        var body = PictureSheet.Body;
        const float Bar = 44, Caption = 16;
        var grid = Grid.Fit(shown.Length, new SKRect(body.Left, body.Top, body.Right, body.Bottom - Bar), height, width, Caption, narrowest: 0);
        for (var i = 0; i < shown.Length; i++)
        {
            var tile = grid.Tile(i);
            sheet.Tile(Array.ConvertAll(images[shown[i]], w => Diverging(w / largest)), width, tile);
            sheet.Text(Text($"{shown[i]}: {norms[shown[i]]:F2}"), tile.MidX, tile.Bottom + 13, 12, PictureSheet.Faint, widest: grid.CellWidth);
        }

        ColourBar(sheet, new SKRect(body.MidX - 200, body.Bottom - 30, body.MidX + 200, body.Bottom - 16), largest);
        sheet.Save(path);
    }

    /// <summary>The misclassified images, the surest mistakes first.</summary>
    /// <param name="images">The images.</param>
    /// <param name="predicted">The class predicted for each.</param>
    /// <param name="probabilityOfPredicted">The probability that the network gives it.</param>
    /// <param name="classes">The names of the classes.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException">The numbers of predictions, probabilities and images differ, or those of names and classes.</exception>
    public static void Misclassified(
        LabeledImages images, ReadOnlySpan<int> predicted, ReadOnlySpan<float> probabilityOfPredicted, IReadOnlyList<string> classes, string path)
    {
        CheckNames(classes, images.Classes);
        if (predicted.Length != images.Count || probabilityOfPredicted.Length != images.Count)
            throw new ArgumentException($"Expected {images.Count} predictions and probabilities; got {predicted.Length} and {probabilityOfPredicted.Length}.",
                nameof(predicted));
        var wrong = new List<(int Image, int Predicted, float Probability)>();
        for (var i = 0; i < images.Count; i++)
        {
            if (predicted[i] != images.Label(i))
                wrong.Add((i, predicted[i], probabilityOfPredicted[i]));
        }

        var shown = wrong.OrderByDescending(w => w.Probability).ThenBy(w => w.Image).Take(MostMistakes).ToArray();
        var which = shown.Length < wrong.Count ? Text($"the {shown.Length} most confident of {wrong.Count:N0}") : Text($"all {wrong.Count:N0}");
        using var sheet = new PictureSheet("Mistakes", wrong.Count == 0
            ? Text($"none in {images.Count:N0} images")
            : Text($"{which} in {images.Count:N0} images: true → predicted, and the probability that the network gives it"));
        const float Caption = 44, NarrowestCell = 110; // For the names of classes.
        var grid = Grid.Fit(shown.Length, PictureSheet.Body, images.Height, images.Width, Caption, NarrowestCell);
        var fits = shown.All(w => PictureSheet.TextWidth($"{classes[images.Label(w.Image)]} → {classes[w.Predicted]}", 16, bold: true) < grid.CellWidth - 8);
        for (var i = 0; i < shown.Length; i++)
        {
            var (image, taken, probability) = shown[i];
            var tile = grid.Tile(i);
            var label = classes[images.Label(image)];
            sheet.Tile(Grey(images, image), images.Width, tile);
            if (fits)
            {
                sheet.Text($"{label} → {classes[taken]}", tile.MidX, tile.Bottom + 18, 16, PictureSheet.Ink, bold: true);
                sheet.Text(Text($"{100 * probability:F1} %"), tile.MidX, tile.Bottom + 35, 13, PictureSheet.Faint);
            }
            else
            {
                sheet.Text(label, tile.MidX, tile.Bottom + 14, 13, PictureSheet.Ink, bold: true, grid.CellWidth - 8);
                sheet.Text($"→ {classes[taken]}", tile.MidX, tile.Bottom + 28, 13, Positive, bold: true, grid.CellWidth - 8);
                sheet.Text(Text($"{100 * probability:F1} %"), tile.MidX, tile.Bottom + 42, 12, PictureSheet.Faint);
            }
        }

        sheet.Save(path);
    }

    /// <summary>Black on white, as ink on paper.</summary>
    private static SKColor[] Grey(LabeledImages images, int index)
    {
        var pixels = images.Image(index);
        var colours = new SKColor[pixels.Length];
        for (var i = 0; i < pixels.Length; i++)
        {
            var light = (byte)(255 - pixels[i] * 255 / images.MaximumValue);
            colours[i] = new SKColor(light, light, light);
        }

        return colours;
    }

    /// <summary>The size that all weights but one in 500 stay within, so that a few large weights do not make the rest pale.</summary>
    private static double Scale(IEnumerable<float> weights)
    {
        var sizes = weights.Select(w => Math.Abs((double)w)).Where(double.IsFinite).Order().ToArray();
        var scale = sizes.Length == 0 ? 0 : sizes[(int)(0.998 * (sizes.Length - 1))];
        return scale > 0 ? scale : 1;
    }

    /// <summary>-1 is blue, 0 white, 1 red.</summary>
    private static SKColor Diverging(double value)
    {
        if (double.IsNaN(value))
            return SKColors.Black;
        var end = value < 0 ? Negative : Positive;
        var amount = Math.Min(1, Math.Abs(value));
        byte Mix(byte to) => (byte)(255 + amount * (to - 255));
        return new SKColor(Mix(end.Red), Mix(end.Green), Mix(end.Blue));
    }

    private static void ColourBar(PictureSheet sheet, SKRect where, double largest)
    {
        var colours = new SKColor[201];
        for (var i = 0; i < colours.Length; i++)
            colours[i] = Diverging((i - 100) / 100.0);
        sheet.Tile(colours, colours.Length, where);
        sheet.Text(Text($"{-largest:G2}"), where.Left, where.Bottom + 16, 14, PictureSheet.Ink);
        sheet.Text("0", where.MidX, where.Bottom + 16, 14, PictureSheet.Ink);
        sheet.Text(Text($"{largest:G2}"), where.Right, where.Bottom + 16, 14, PictureSheet.Ink);
        sheet.Text("weight", where.Right + 50, where.Bottom, 14, PictureSheet.Ink);
    }

    /// <summary>Tiles of one size in rows, as large as possible.</summary>
    private readonly record struct Grid(SKRect Place, int Columns, float CellWidth, float CellHeight, float Width, float Height)
    {
        private const float LargestTile = 140, Gap = 6, SideGap = 14;

        /// <summary>A pixel becomes a whole number of the file's pixels. Of grids with equally large tiles, the one with the fewest empty
        /// cells wins, then the one whose shape is nearest to the space.</summary>
        public static Grid Fit(int count, SKRect place, int height, int width, float caption, float narrowest)
        {
            var best = new Grid(place, 1, place.Width, place.Height, 0, 0);
            var bestRank = (Zoom: 0f, Empty: 0, Form: 0f);
            for (var columns = 1; columns <= count && (columns == 1 || place.Width / columns >= narrowest); columns++)
            {
                var rows = (count + columns - 1) / columns;
                var (cellWidth, cellHeight) = (place.Width / columns, place.Height / rows);
                var zoom = Math.Min((cellWidth - SideGap) / width, (cellHeight - caption - Gap) / height);
                zoom = Math.Min(zoom, LargestTile / Math.Max(width, height)) * PictureSheet.Density;
                zoom = (zoom >= 1 ? MathF.Floor(zoom) : zoom) / PictureSheet.Density;
                var (tileWidth, tileHeight) = (zoom * width, zoom * height);
                var form = columns * (tileWidth + SideGap) / (rows * (tileHeight + caption + Gap)) / (place.Width / place.Height);
                var rank = (zoom, count - columns * rows, -Math.Abs(MathF.Log(form)));
                if (zoom <= 0 || rank.CompareTo(bestRank) <= 0)
                    continue;
                bestRank = rank;
                best = new Grid(place, columns, cellWidth, Math.Min(cellHeight, tileHeight + caption + 2 * Gap), tileWidth, tileHeight);
            }

            return best;
        }

        public SKRect Tile(int index) => SKRect.Create(
            MathF.Round(Place.Left + (index % Columns + 0.5f) * CellWidth - Width / 2), MathF.Round(Place.Top + index / Columns * CellHeight), Width, Height);
    }
}
