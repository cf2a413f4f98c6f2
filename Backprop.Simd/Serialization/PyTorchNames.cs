using System.Globalization;
using System.Text.RegularExpressions;

namespace Backprop.Simd.Serialization;

/// <summary>A module of a file in PyTorch's layout, or one level of its recurrences.</summary>
/// <param name="Name">Its name: <c>encoder.fc1</c>; empty if the tensors' names have no dot.</param>
/// <param name="Level">The level of recurrences.</param>
internal sealed record FileModule(string Name, int Level)
{
    /// <summary>The tensors, by their names in the module; those of recurrences as at level 0.</summary>
    public Dictionary<string, INamedTensor> Tensors { get; } = [];

    /// <summary>What kind of module has such tensors.</summary>
    public string Class => PyTorchNames.ClassOf(Tensors.Select(static t => (t.Key, t.Value.Shape.Length)));

    /// <summary>The name of a tensor in the file.</summary>
    public string TensorName(string tensor) => Tensors[tensor].Name;
}

/// <summary>What the names of tensors say about modules.</summary>
internal static partial class PyTorchNames
{
    private static readonly HashSet<string> OfModules =
    [
        "weight", "bias", "running_mean", "running_var", "in_proj_weight", "in_proj_bias", "q_proj_weight", "k_proj_weight", "v_proj_weight",
        "bias_k", "bias_v", PyTorchModules.Length, PyTorchModules.Direction,
    ];

    /// <summary>Whether a tensor of this name belongs to a module, and is no parameter with a name of its own.</summary>
    public static bool IsOfModules(string leaf) => OfModules.Contains(leaf);

    /// <summary>What kind of module has tensors of these names and ranks.</summary>
    public static string ClassOf(IEnumerable<(string Name, int Rank)> tensors)
    {
        var ranks = new Dictionary<string, int>();
        foreach (var (name, rank) in tensors)
            ranks[name] = rank;
        if (ranks.ContainsKey("weight_ih_l0"))
            return "recurrence";
        if (ranks.ContainsKey("in_proj_weight") || ranks.ContainsKey("q_proj_weight"))
            return "attention";
        if (ranks.ContainsKey(PyTorchModules.Direction))
            return "normalized map";
        if (ranks.ContainsKey("running_mean"))
            return "statistics";
        return ranks.TryGetValue("weight", out var weight) ? $"weight of rank {weight}" : "parameter";
    }

    /// <summary>Sorts the tensors of a file into modules, in the file's order.</summary>
    /// <param name="file">The file.</param>
    /// <param name="rename">The caller's names for tensors, null to leave a tensor out; or null for the file's names.</param>
    /// <exception cref="ModelFileException">Two tensors have one name.</exception>
    public static List<FileModule> Modules(ITensorFile file, Func<string, string?>? rename)
    {
        var tensors = new List<(string Name, INamedTensor Tensor)>();
        foreach (var tensor in file.Tensors)
        {
            if ((rename is null ? tensor.Name : rename(tensor.Name)) is { } name)
                tensors.Add((name, tensor));
        }

        if (!file.IsInOrder)
            tensors.Sort(static (x, y) => CompareNumbers(x.Name, y.Name));
        var attentions = tensors.Select(static t => Split(t.Name)).Where(static t => t.Leaf is "in_proj_weight" or "q_proj_weight")
            .Select(static t => t.Module).ToHashSet();
        var modules = new List<FileModule>();
        var byName = new Dictionary<(string, int), FileModule>();
        foreach (var (name, tensor) in tensors)
        {
            var (module, leaf, level) = Place(name, attentions);
            if (leaf == "num_batches_tracked")
                continue;
            if (!byName.TryGetValue((module, level), out var found))
                modules.Add(byName[(module, level)] = found = new(module, level));
            if (!found.Tensors.TryAdd(leaf, tensor))
                throw new ModelFileException($"{file.Origin} has '{name}' twice: as '{found.TensorName(leaf)}' and '{tensor.Name}'.");
        }

        return modules;
    }

    /// <summary>A name with its numbers as one sign: names that differ in numbers alone are in the order of the numbers.</summary>
    public static string WithoutNumbers(string name) => Number().Replace(name, "#");

    private static (string Module, string Leaf) Split(string name) =>
        name.LastIndexOf('.') is >= 0 and var dot ? (name[..dot], name[(dot + 1)..]) : ("", name);

    private static (string Module, string Leaf, int Level) Place(string name, HashSet<string> attentions)
    {
        var (module, leaf) = Split(name);
        if (leaf is "weight" or "bias" && Split(module) is (var attention, "out_proj") && attentions.Contains(attention))
            return (attention, "out_proj." + leaf, 0);
        if (leaf is "original0" or "original1" && module.EndsWith("parametrizations.weight", StringComparison.Ordinal))
            return (Split(Split(module).Module).Module, leaf == "original0" ? PyTorchModules.Length : PyTorchModules.Direction, 0);
        if (Recurrent().Match(leaf) is { Success: true } match)
        {
            var level = int.Parse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
            return (module, match.Groups[1].Value + "_l0" + match.Groups[3].Value, level);
        }

        return OfModules.Contains(leaf) || leaf == "num_batches_tracked" ? (module, leaf, 0) : (name, "", 0);
    }

    /// <summary>Orders names with runs of digits as numbers.</summary>
    private static int CompareNumbers(string x, string y)
    {
        var (i, j) = (0, 0);
        while (i < x.Length && j < y.Length)
        {
            if (!char.IsAsciiDigit(x[i]) || !char.IsAsciiDigit(y[j]))
            {
                if (x[i] != y[j])
                    return x[i].CompareTo(y[j]);
                (i, j) = (i + 1, j + 1);
                continue;
            }

            ReadOnlySpan<char> a = Digits(x, ref i), b = Digits(y, ref j);
            var order = a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.SequenceCompareTo(b);
            if (order != 0)
                return order;
        }

        return (x.Length - i).CompareTo(y.Length - j);
    }

    private static ReadOnlySpan<char> Digits(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        return text.AsSpan(start, at - start).TrimStart('0');
    }

    [GeneratedRegex(@"^(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l([0-9]{1,4})(_reverse)?$")]
    private static partial Regex Recurrent();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();
}
