using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Finds the state dictionary among the dictionaries of a checkpoint.</summary>
internal static class StateDictionaries
{
    private const int MostListed = 10;

    /// <summary>The dictionary at a path, or the dictionary with the most tensors.</summary>
    /// <exception cref="ModelFileException">There is none.</exception>
    public static (string Path, PickleDictionary Dictionary) Choose(object? root, string? path, string origin)
    {
        if (root is not PickleDictionary dictionary)
            throw new ModelFileException($"{origin} holds {Kind(root)}, not a dictionary of tensors.");
        if (path is not null)
            return (path, At(dictionary, path, origin));
        var best = new Place(null, "", dictionary);
        var most = Tensors(dictionary);
        foreach (var place in All(best))
        {
            if (Tensors(place.Dictionary) > most)
                (best, most) = (place, Tensors(place.Dictionary));
        }

        return most > 0 ? (best.Path, best.Dictionary) : throw new ModelFileException($"{origin} has no tensors; its keys are {Keys(dictionary)}.");
    }

    private static PickleDictionary At(PickleDictionary dictionary, string path, string origin)
    {
        foreach (var key in path.Length == 0 ? [] : path.Split('/'))
        {
            if (!dictionary.TryFind(key, out var value) || value is not PickleDictionary next)
                throw new ModelFileException($"{origin} has no dictionary '{path}': '{key}' is not among {Keys(dictionary)}.");
            dictionary = next;
        }

        return dictionary;
    }

    /// <summary>Each dictionary inside of another once, wherever it occurs: a pickle may be a circle.</summary>
    private static IEnumerable<Place> All(Place root)
    {
        var seen = new HashSet<PickleDictionary>(ReferenceEqualityComparer.Instance) { root.Dictionary };
        var open = new Queue<Place>([root]);
        while (open.TryDequeue(out var at))
        {
            foreach (var (key, value) in at.Dictionary.Items)
            {
                if (value is not PickleDictionary next || !seen.Add(next))
                    continue;
                var place = new Place(at, key, next);
                yield return place;
                open.Enqueue(place);
            }
        }
    }

    private static int Tensors(PickleDictionary dictionary) => dictionary.Items.Count(static item => item.Value is PickleTensor);

    private static string Keys(PickleDictionary dictionary) =>
        string.Join(", ", dictionary.Items.Take(MostListed).Select(static item => $"'{Texts.Shown(item.Key)}'")) is { Length: > 0 } keys ? keys : "none";

    private static string Kind(object? value) => value switch
    {
        PickleTensor => "one tensor",
        PickleSequence => "a list",
        null => "None",
        _ => "a number or a text",
    };

    /// <summary>Where a dictionary is.</summary>
    private sealed class Place(Place? parent, string key, PickleDictionary dictionary)
    {
        private const int DeepestPath = 16;

        public PickleDictionary Dictionary => dictionary;

        /// <summary>The keys that lead here; the last ones, if there are many.</summary>
        public string Path
        {
            get
            {
                var keys = new Stack<string>();
                for (var (at, up) = (key, parent); up is not null && keys.Count < DeepestPath; (at, up) = (up.Key, up.Parent))
                    keys.Push(at);
                return string.Join('/', keys);
            }
        }

        private string Key => key;

        private Place? Parent => parent;
    }
}
