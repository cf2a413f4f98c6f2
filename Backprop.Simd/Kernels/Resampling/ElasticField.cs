using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Displaces every pixel of an image by a smooth random field: (x, y) becomes what is at (x + a f, y + a g), where f and g are fields of
/// numbers uniform in [-1, 1), convolved with a Gaussian; beyond the image they are 0.
/// </summary>
/// <remarks>Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis", ICDAR
/// 2003, section 2. The Gaussian is separable: a line of both fields is smoothed as soon as it is drawn, and the columns when the line
/// is used. A random word gives both fields their number: 16 bits are plenty under a sum.</remarks>
internal readonly unsafe ref struct ElasticField<T> : ISimdRangeBody<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Lines of a field are a multiple of two registers, and of what a group of random blocks gives.</summary>
    private const int Block = 32;

    private readonly Bilinear<T> _source;
    private readonly Span<T> _image, _lines, _noise, _fields, _words;
    private readonly ReadOnlySpan<T> _gaussian;
    private readonly int _height, _width, _channels;
    private readonly double _strength;
    private readonly WordStream _stream;

    /// <summary>Distorts an image in place.</summary>
    /// <param name="image">The image.</param>
    /// <param name="height">The lines.</param>
    /// <param name="width">The pixels of a line.</param>
    /// <param name="channels">The numbers of a pixel.</param>
    /// <param name="gaussian">An odd number of weights, the middle one for the pixel itself.</param>
    /// <param name="strength">a.</param>
    /// <param name="fill">What lies around the image.</param>
    /// <param name="stream">The random words, from block 2^32 on.</param>
    /// <param name="scratch">Room for <see cref="Scratch"/>.</param>
    public static void Distort(Span<T> image, int height, int width, int channels, ReadOnlySpan<T> gaussian, double strength, double fill, WordStream stream, Span<T> scratch)
    {
        var body = new ElasticField<T>(image, height, width, channels, gaussian, strength, fill, stream, scratch);
        new SimdRange<T, ElasticField<T>>(body, RegisterWidth.OfColumns<T>(Block)).Execute(0, height);
    }

    /// <summary>The elements of scratch for an image and a number of weights.</summary>
    public static int Scratch(int height, int width, int channels, int weights)
    {
        var line = Line(width);
        return checked(Bilinear<T>.Elements(height, width, channels) + 3 * line + 2 * (line + Within(weights, width) - 1) + 2 * line * height + line);
    }

    private ElasticField(Span<T> image, int height, int width, int channels, ReadOnlySpan<T> gaussian, double strength, double fill, WordStream stream, Span<T> scratch)
    {
        (_height, _width, _channels) = (height, width, channels);
        _image = image;
        _gaussian = gaussian;
        (_strength, _stream) = (strength, stream);
        var line = Line(width);
        var used = Bilinear<T>.Elements(height, width, channels);
        _source = new(image, height, width, channels, fill, scratch[..used]);
        _lines = Take(scratch, ref used, 3 * line);
        _noise = Take(scratch, ref used, 2 * (line + Within(gaussian.Length, width) - 1));
        _fields = Take(scratch, ref used, 2 * line * height);
        _words = Take(scratch, ref used, line);
        _noise.Clear();
    }

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var line = Line(_width);
        var taps = Within(_gaussian.Length, _width);
        fixed (T* image = _image, lines = _lines, noise = _noise, fields = _fields, gaussian = _gaussian)
        {
            for (var y = 0; y < _height; y++)
            {
                Draw(y, line, taps / 2);
                SmoothLine<TVector>(noise, line + taps - 1, gaussian + (_gaussian.Length - taps) / 2, taps, fields + y * 2 * line, line);
            }

            var radius = _gaussian.Length / 2;
            for (var y = start; y < limit; y++)
            {
                int first = Math.Max(0, y - radius), last = Math.Min(_height - 1, y + radius);
                SmoothColumns<TVector>(fields + first * 2 * line, gaussian + (first - y + radius), last - first + 1, lines, 2 * line);
                Displace<TVector>(lines, line, y);
                _source.ReadLine<TVector>(lines, lines + line, lines + 2 * line, image + y * _width * _channels);
            }
        }
    }

    /// <summary>Two lines of numbers uniform in [-1, 1): the halves of words, as signed multiples of 2^-15.</summary>
    private void Draw(int y, int line, int margin)
    {
        fixed (T* buffer = _words, noise = _noise)
        {
            var words = (uint*)buffer;
            PhiloxBlocks.Fill((1UL << 32) + (ulong)y * (ulong)(line / 4), _stream.CounterHigh, _stream.Key, words, line / 4);
            Spread(words, noise + margin, noise + (_noise.Length / 2) + margin, _width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Spread(uint* words, T* x, T* y, int n)
    {
        var unit = T.CreateTruncating(1.0 / (1 << 15));
        for (nint i = 0; i < n; i++)
        {
            x[i] = T.CreateTruncating((int)(short)words[i]) * unit;
            y[i] = T.CreateTruncating((int)words[i] >> 16) * unit;
        }
    }

    /// <summary>destination[c] = sum of gaussian[k] noise[c + k], for both fields.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void SmoothLine<TVector>(T* noise, int noiseLine, T* gaussian, int taps, T* destination, int line) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        for (var i = 0; i < line; i += 2 * TVector.Count, noise += 2 * TVector.Count, destination += 2 * TVector.Count)
        {
            TVector a = TVector.Zero, b = a, c = a, d = a;
            T* x = noise, y = noise + noiseLine;
            for (nint k = 0; k < taps; k++, x++, y++)
            {
                var weight = TVector.Create(gaussian[k]);
                a = TVector.MultiplyAdd(TVector.Load(x), weight, a);
                b = TVector.MultiplyAdd(TVector.Load(x + TVector.Count), weight, b);
                c = TVector.MultiplyAdd(TVector.Load(y), weight, c);
                d = TVector.MultiplyAdd(TVector.Load(y + TVector.Count), weight, d);
            }

            TVector.Store(destination, a);
            TVector.Store(destination + TVector.Count, b);
            TVector.Store(destination + line, c);
            TVector.Store(destination + line + TVector.Count, d);
        }
    }

    /// <summary>destination[c] = sum of gaussian[k] rows[k, c].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void SmoothColumns<TVector>(T* rows, T* gaussian, int taps, T* destination, int n) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        for (var i = 0; i < n; i += 4 * TVector.Count)
        {
            TVector a = TVector.Zero, b = a, c = a, d = a;
            var row = rows + i;
            for (nint k = 0; k < taps; k++, row += n)
            {
                var weight = TVector.Create(gaussian[k]);
                a = TVector.MultiplyAdd(TVector.Load(row), weight, a);
                b = TVector.MultiplyAdd(TVector.Load(row + TVector.Count), weight, b);
                c = TVector.MultiplyAdd(TVector.Load(row + 2 * TVector.Count), weight, c);
                d = TVector.MultiplyAdd(TVector.Load(row + 3 * TVector.Count), weight, d);
            }

            TVector.Store(destination + i, a);
            TVector.Store(destination + i + TVector.Count, b);
            TVector.Store(destination + i + 2 * TVector.Count, c);
            TVector.Store(destination + i + 3 * TVector.Count, d);
        }
    }

    /// <summary>Displacements become coordinates.</summary>
    private void Displace<TVector>(T* lines, int line, int y) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        TVector x = TVector.Indices, strength = TVector.Create(_strength), row = TVector.Create((double)y);
        for (var i = 0; i < line; i += TVector.Count)
        {
            TVector.Store(lines + i, TVector.MultiplyAdd(TVector.Load(lines + i), strength, x));
            TVector.Store(lines + line + i, TVector.MultiplyAdd(TVector.Load(lines + line + i), strength, row));
            x += TVector.Create((double)TVector.Count);
        }
    }

    private static int Line(int width) => (width + Block - 1) / Block * Block;

    /// <summary>The weights that reach from one pixel of a line to another.</summary>
    private static int Within(int weights, int width) => Math.Min(weights, 2 * width - 1);

    private static Span<T> Take(Span<T> scratch, scoped ref int used, int count)
    {
        var part = scratch.Slice(used, count);
        used += count;
        return part;
    }
}
