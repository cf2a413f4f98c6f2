using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>A map of the plane: (x, y) to (xx x + xy y + x0, yx x + yy y + y0).</summary>
internal readonly record struct AffineMap(double XX, double XY, double X0, double YX, double YY, double Y0);

/// <summary>
/// Reads an image between its pixels: with i = floor x, j = floor y, u = x - i, v = y - j, the value at (x, y) is
/// (1 - v) ((1 - u) p[j, i] + u p[j, i + 1]) + v ((1 - u) p[j + 1, i] + u p[j + 1, i + 1]). Around the image lies a fill value.
/// </summary>
/// <remarks>An image is [height, width, channels] and is replaced in place: it is first copied into a frame of the fill value.
/// Coordinates are held within the frame, so that no pixel needs a check. Places and weights of a line are computed in registers; the
/// pixels are then read one by one, as a gather would.</remarks>
internal readonly unsafe ref struct Bilinear<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The most pixels of an image with its frame: float counts them exactly.</summary>
    public const int LargestFramed = 1 << 24;

    /// <summary>What the frame adds to height and width: one line before, two behind.</summary>
    private const int Frame = 3;

    /// <summary>Lines of coordinates are rounded up to a multiple of all registers.</summary>
    private const int Lanes = 16;

    private readonly int _height, _width, _channels;
    private readonly Span<T> _framed;

    /// <summary>Copies an image into its frame.</summary>
    /// <param name="image">The image, height x width x channels.</param>
    /// <param name="height">The lines.</param>
    /// <param name="width">The pixels of a line.</param>
    /// <param name="channels">The numbers of a pixel.</param>
    /// <param name="fill">What lies around the image.</param>
    /// <param name="framed">Room for <see cref="Elements"/>.</param>
    public Bilinear(ReadOnlySpan<T> image, int height, int width, int channels, double fill, Span<T> framed)
    {
        (_height, _width, _channels) = (height, width, channels);
        _framed = framed[..Elements(height, width, channels)];
        var around = T.CreateTruncating(fill);
        var (line, framedLine) = (width * channels, (width + Frame) * channels);
        _framed[..(framedLine + channels)].Fill(around);
        var place = framedLine + channels;
        for (var y = 0; y < height; y++)
        {
            image.Slice(y * line, line).CopyTo(_framed.Slice(place, line));
            _framed.Slice(place + line, framedLine - line).Fill(around);
            place += framedLine;
        }

        _framed[place..].Fill(around);
    }

    /// <summary>The pixels of an image with its frame.</summary>
    public static long Framed(int height, int width) => ((long)height + Frame) * (width + Frame);

    /// <summary>The elements of a framed image.</summary>
    public static int Elements(int height, int width, int channels) => checked((int)(Framed(height, width) * channels));

    /// <summary>The elements of a line of coordinates.</summary>
    public static int LineElements(int width) => (width + Lanes - 1) / Lanes * Lanes;

    /// <summary>Each pixel (x, y) becomes what is at map(x, y).</summary>
    /// <param name="map">The map.</param>
    /// <param name="image">The destination.</param>
    /// <param name="lines">Three lines of coordinates.</param>
    public void Warp(AffineMap map, Span<T> image, Span<T> lines) =>
        new SimdRange<T, WarpBody>(new(this, map, image, lines), RegisterWidth.OfColumns<T>(LineElements(_width))).Execute(0, _height);

    /// <summary>Writes a line of an image.</summary>
    /// <param name="xs">The x of each pixel; replaced. A multiple of the registers long, the end finite.</param>
    /// <param name="ys">The y of each pixel; replaced.</param>
    /// <param name="places">Room for as many numbers.</param>
    /// <param name="line">The pixels to be written, as many as an image has in a line.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ReadLine<TVector>(T* xs, T* ys, T* places, T* line) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        Locate<TVector>(xs, ys, places, _width, _height, (_width + TVector.Count - 1) / TVector.Count * TVector.Count);
        fixed (T* framed = _framed)
        {
            if (_channels == 1)
                Single(framed, (nint)(_width + Frame), places, xs, ys, line, _width);
            else
                Several(framed, (nint)(_width + Frame) * _channels, _channels, places, xs, ys, line, _width);
        }
    }

    /// <summary>Coordinates become the pixel to their upper left, in the frame, and the distances from it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Locate<TVector>(T* xs, T* ys, T* places, int width, int height, int n) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        // Adding and subtracting so large a number rounds to an integer.
        var rounding = TVector.Create(1 << 23, 1L << 52);
        var one = TVector.One;
        TVector right = TVector.Create(width + 1.0), bottom = TVector.Create(height + 1.0), stride = TVector.Create((double)(width + Frame));
        for (var i = 0; i < n; i += TVector.Count)
        {
            // What is no number lies in the frame: an offset is made of it.
            var x = TVector.Load(xs + i);
            x = TVector.AndNot(TVector.Max(TVector.Zero, TVector.Min(right, x + one)), TVector.IsNaN(x));
            var y = TVector.Load(ys + i);
            y = TVector.AndNot(TVector.Max(TVector.Zero, TVector.Min(bottom, y + one)), TVector.IsNaN(y));
            var column = x + rounding - rounding;
            var row = y + rounding - rounding;
            column -= one & (column > x);
            row -= one & (row > y);
            TVector.Store(xs + i, x - column);
            TVector.Store(ys + i, y - row);
            TVector.Store(places + i, TVector.MultiplyAdd(row, stride, column));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Single(T* framed, nint stride, T* places, T* us, T* vs, T* line, int n)
    {
        for (nint i = 0; i < n; i++)
        {
            var pixel = framed + T.ConvertToIntegerNative<int>(places[i]);
            var upper = T.MultiplyAddEstimate(us[i], pixel[1] - pixel[0], pixel[0]);
            pixel += stride;
            var lower = T.MultiplyAddEstimate(us[i], pixel[1] - pixel[0], pixel[0]);
            line[i] = T.MultiplyAddEstimate(vs[i], lower - upper, upper);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Several(T* framed, nint stride, nint channels, T* places, T* us, T* vs, T* line, int n)
    {
        for (nint i = 0; i < n; i++)
        {
            var pixel = framed + T.ConvertToIntegerNative<int>(places[i]) * channels;
            for (nint channel = 0; channel < channels; channel++, pixel++, line++)
            {
                var upper = T.MultiplyAddEstimate(us[i], pixel[channels] - pixel[0], pixel[0]);
                var lower = T.MultiplyAddEstimate(us[i], pixel[stride + channels] - pixel[stride], pixel[stride]);
                *line = T.MultiplyAddEstimate(vs[i], lower - upper, upper);
            }
        }
    }

    private readonly ref struct WarpBody(Bilinear<T> source, AffineMap map, Span<T> image, Span<T> lines) : ISimdRangeBody<T>
    {
        private readonly Bilinear<T> _source = source;
        private readonly Span<T> _image = image, _lines = lines;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var length = LineElements(_source._width);
            fixed (T* image = _image, lines = _lines)
            {
                for (var y = start; y < limit; y++)
                {
                    TVector x = TVector.Indices, xx = TVector.Create(map.XX), yx = TVector.Create(map.YX);
                    TVector x0 = TVector.Create(map.XY * y + map.X0), y0 = TVector.Create(map.YY * y + map.Y0);
                    for (var i = 0; i < length; i += TVector.Count)
                    {
                        TVector.Store(lines + i, TVector.MultiplyAdd(x, xx, x0));
                        TVector.Store(lines + length + i, TVector.MultiplyAdd(x, yx, y0));
                        x += TVector.Create((double)TVector.Count);
                    }

                    _source.ReadLine<TVector>(lines, lines + length, lines + 2 * length, image + y * _source._width * _source._channels);
                }
            }
        }
    }
}
