using Backprop.Simd.Serialization;
using ScottPlot;
using SkiaSharp;

namespace Backprop.Simd.Samples;

/// <summary>A white page with a headline; plots and tiles go under it. Lengths count on a page of 1200 x 800; the file has twice as many pixels.</summary>
internal sealed class PictureSheet : IDisposable
{
    public const int Width = 1200, Height = 800, Margin = 24;

    /// <summary>Pixels of the file per unit.</summary>
    public const int Density = 2;

    private const float TitleSize = 28, SubtitleSize = 17;

    public static readonly SKColor Ink = new(0x22, 0x26, 0x2B), Faint = new(0x68, 0x70, 0x78);

    /// <summary>Fonts for text: the first that exists, or else the system's own.</summary>
    private static readonly string[] Families =
        ["Inter", "Segoe UI", "Helvetica Neue", "Open Sans", "Noto Sans", "Roboto", "Liberation Sans", "Arial", "DejaVu Sans"];

    private readonly SKSurface _surface = SKSurface.Create(new SKImageInfo(Width * Density, Height * Density));

    static PictureSheet() => Fonts.Default = Families.FirstOrDefault(SKFontManager.Default.FontFamilies.Contains) ?? Fonts.Default;

    public PictureSheet(string title, string subtitle)
    {
        _surface.Canvas.Scale(Density);
        _surface.Canvas.Clear(SKColors.White);
        Text(title, Width / 2f, 44, TitleSize, Ink, bold: true, Width - 2 * Margin);
        Text(subtitle, Width / 2f, 74, SubtitleSize, Faint, bold: false, Width - 2 * Margin);
    }

    /// <summary>The free space under the headline.</summary>
    public static SKRect Body { get; } = new(Margin, 92, Width - Margin, Height - Margin);

    public SKCanvas Canvas => _surface.Canvas;

    public void Dispose() => _surface.Dispose();

    /// <summary>Text centred at x, smaller if it would be too wide.</summary>
    public void Text(string text, float x, float baseline, float size, SKColor colour, bool bold = false, float widest = float.MaxValue)
    {
        using var font = Font(size, bold);
        if (!font.ContainsGlyphs("→"))
            text = text.Replace("→", "->", StringComparison.Ordinal);
        var width = font.MeasureText(text);
        if (width > widest)
            font.Size *= widest / width;
        using var paint = new SKPaint { Color = colour, IsAntialias = true };
        Canvas.DrawText(text, x, baseline, SKTextAlign.Center, font, paint);
    }

    public static float TextWidth(string text, float size, bool bold)
    {
        using var font = Font(size, bold);
        return font.MeasureText(text);
    }

    public void Plot(Plot plot, SKRect where)
    {
        Canvas.Save();
        Canvas.ClipRect(where); // A plot clears everything it can reach.
        plot.Render(Canvas, new PixelRect(where.Left, where.Right, where.Bottom, where.Top));
        Canvas.Restore();
    }

    /// <summary>A small image, its pixels as squares.</summary>
    /// <param name="pixels">Row by row.</param>
    /// <param name="width">The pixels of a row.</param>
    /// <param name="where">Where to.</param>
    public void Tile(ReadOnlySpan<SKColor> pixels, int width, SKRect where)
    {
        using var bitmap = new SKBitmap(width, pixels.Length / width);
        bitmap.Pixels = pixels.ToArray();
        using var image = SKImage.FromBitmap(bitmap);
        Canvas.DrawImage(image, where, new SKSamplingOptions(SKFilterMode.Nearest));
        using var frame = new SKPaint { Color = new SKColor(0xB8, 0xBE, 0xC4), IsStroke = true, StrokeWidth = 1, IsAntialias = true };
        Canvas.DrawRect(where, frame);
    }

    public void Save(string path)
    {
        using var image = _surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        AtomicFile.Write(path, data.SaveTo);
    }

    private static SKFont Font(float size, bool bold) => new(Fonts.GetTypeface(Fonts.Default, bold, italic: false), size) { Subpixel = true };
}
