namespace Backprop.Simd.Samples;

/// <summary>The characters that a recognition knows: class 0 is none, the last is the space.</summary>
internal sealed class Alphabet
{
    private readonly string[] _characters;

    private Alphabet(string[] characters) => _characters = characters;

    /// <summary>Reads a file with one character a line.</summary>
    public static Alphabet Read(string path) => new(["", .. File.ReadAllLines(path), " "]);

    /// <summary>The most probable class of each step, once where it repeats, without the class that is none (Graves et al. 2006, best path).</summary>
    /// <param name="probabilities">[steps, classes].</param>
    /// <returns>The characters and their probabilities.</returns>
    /// <exception cref="InvalidDataException">The probabilities are of another number of characters.</exception>
    public List<(string Character, double Probability)> Decode(ReadOnlySpan<float> probabilities)
    {
        if (probabilities.Length % _characters.Length != 0)
            throw new InvalidDataException($"the model gives {probabilities.Length} numbers, no multiple of {_characters.Length} characters");
        var letters = new List<(string, double)>();
        var before = 0;
        for (var step = probabilities; !step.IsEmpty; step = step[_characters.Length..])
        {
            var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(step[.._characters.Length]);
            if (best != 0 && best != before)
                letters.Add((_characters[best], step[best]));
            before = best;
        }

        return letters;
    }
}
