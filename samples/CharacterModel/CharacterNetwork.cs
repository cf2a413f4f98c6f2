using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>A small GPT over characters: it learns which character follows, and writes by drawing one after the other.</summary>
internal sealed class CharacterNetwork
{
    /// <summary>The characters that the network sees at once.</summary>
    public const int Context = 64;

    private const int Rows = 16, Heads = 4;

    private readonly CharacterOptions _options;
    private readonly int[] _text;
    private readonly char[] _letters;
    private readonly Network<float> _network;
    private readonly Workspace<float> _workspace;
    private readonly AdamW<float> _optimizer;
    private readonly Schedule _rates;
    private readonly Random _random;
    private readonly SequenceGenerator<float> _generator;

    public CharacterNetwork(string text, CharacterOptions options, ComputeContext compute)
    {
        _options = options;
        _letters = [.. text.Distinct().Order()];
        _text = [.. text.Select(c => Array.BinarySearch(_letters, c))];

        var graph = new GraphBuilder();
        var h = graph.IndexInput("letters", Context).Embedding(_letters.Length, options.Width);
        for (var i = 0; i < options.Layers; i++)
        {
            h = h.TransformerEncoderLayer(Heads, 4 * options.Width, dropout: 0.1, normalizeFirst: true, activation: x => x.Gelu(), causal: true,
                rotary: new RotaryPositions());
        }

        h.LayerNormalization().Affine(_letters.Length).SoftmaxCrossEntropy();
        _network = graph.Build().CreateNetwork<float>(options.Seed);
        _workspace = _network.CreateWorkspace(Rows, compute: compute);
        _optimizer = new(_network, options.LearningRate);
        _rates = new CosineSchedule(options.LearningRate, Math.Max(1, options.Steps)).WithWarmUp(Math.Min(30, options.Steps));
        _random = new((int)(options.Seed % int.MaxValue));                          // a Random with a seed gives the same numbers everywhere
        _generator = new(_network, compute: compute);
    }

    public int Letters => _letters.Length;

    public int Parameters => _network.Definition.Parameters.Count;

    /// <summary>Whether the network has seen all these characters.</summary>
    public static bool Knows(string text, string prompt) => prompt.All(text.Contains);

    /// <summary>One step on pieces of the text. Returns the loss before it, in nats per character.</summary>
    public double Step()
    {
        Span<int> letters = _workspace.IndexInput("letters"), next = _workspace.IndexInput("labels");
        for (var row = 0; row < Rows; row++)
        {
            var piece = _text.AsSpan(_random.Next(_text.Length - Context), Context + 1);
            piece[..Context].CopyTo(letters[(row * Context)..]);
            piece[1..].CopyTo(next[(row * Context)..]);
        }

        _optimizer.LearningRate = _rates.At(_optimizer.Steps);
        return _network.Step(_workspace, _optimizer);
    }

    /// <summary>Goes on from a prompt, and hands over each character when it is drawn.</summary>
    public void Write(string prompt, int count, Action<char> write)
    {
        _generator.Update();                                                        // the weights of now
        _generator.Reset();
        var sampler = new Sampler(_options.Seed, _options.Temperature, topP: _options.TopP);
        List<int> written = [.. prompt.Select(c => Array.BinarySearch(_letters, c))];
        var read = Math.Max(0, written.Count - Context / 2);
        for (var i = 0; i < count; i++)
        {
            // The network sees Context characters. When they are full, it begins again with the last half.
            if (_generator.Length + written.Count - read > Context)
            {
                _generator.Reset();
                read = written.Count - Context / 2;
            }

            while (read < written.Count - 1)
                _generator.Next(written[read++]);
            written.Add(sampler.Next(_generator.Next(written[read++])));
            write(_letters[written[^1]]);
        }
    }
}
