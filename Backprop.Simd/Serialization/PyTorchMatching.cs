using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>Which module of a file in PyTorch's layout belongs to which node of a network. Everything is checked before anything is read.</summary>
/// <remarks>Modules are matched by the caller's names, then by the names of nodes, then in order: the first module of the same kind and the same
/// shapes that is not yet taken, and last of the same kind alone, to say what is different.</remarks>
internal sealed class PyTorchMatching<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int MostListed = 10;

    private readonly ITensorFile _file;
    private readonly NetworkLoadOptions _options;
    private readonly PyTorchModules _modules;
    private readonly List<FileModule> _free;
    private readonly Dictionary<PyTorchModule, FileModule> _found = [];
    private readonly List<string> _missing = [], _unexpected = [], _different = [];

    /// <summary>Matches all modules.</summary>
    /// <exception cref="ModelFileException">Something is missing, unexpected, different, or not to be told apart.</exception>
    /// <exception cref="ArgumentException">The options name what the network does not have, or have axes.</exception>
    public PyTorchMatching(Network<T> network, ITensorFile file, NetworkLoadOptions options)
    {
        if (options.Axes is not null)
            throw new ArgumentException($"{nameof(options.Axes)} is for the native layout; PyTorch's says the order of all dimensions.", nameof(options));
        NetworkFiles.RequireDistinctNames(network.Definition);
        (_file, _options) = (file, options);
        _modules = new PyTorchModules(network.Definition, options.Modules ?? new Dictionary<string, string>());
        _free = PyTorchNames.Modules(file, options.Rename);
        var open = _modules.All.ToList();
        open.RemoveAll(ByName);
        List<PyTorchModule> inOrder = [.. open.Where(m => InOrder(m, ClassOf(m))), .. open.Where(m => !_found.ContainsKey(m) && InOrder(m, null))];
        if (!file.IsInOrder)
            RequireOrder(inOrder);
        RequireWholeContainers(inOrder);
        open.RemoveAll(m => _found.ContainsKey(m) || ByClass(m));
        foreach (var module in _modules.All)
            Compare(module);
        foreach (var module in _free)
            _unexpected.AddRange(module.Parts.Values.Select(static t => $"'{t.Name}' {Text(t.Shape)}"));
        List<string> all = [.. Listed("missing", _missing), .. Listed("unexpected", _unexpected), .. Listed("different", _different)];
        if (all.Count > 0)
        {
            throw new ModelFileException($"{file.Origin} does not fit the network in PyTorch's layout. {string.Join("; ", all)}. To leave out a tensor of the "
                + $"file, let {nameof(options.Rename)} return null for its name; to say which module belongs to which node, give {nameof(options.Modules)}; "
                + $"to load without missing ones, set {nameof(options.AllowMissing)}.");
        }
    }

    /// <summary>For each node that was found, the name of its module.</summary>
    public Dictionary<string, string> Names => _found.ToDictionary(static f => f.Key.Name, static f => f.Value.Name);

    /// <summary>Reads all tensors into blocks with the layout of the network's blocks.</summary>
    public void Read(Span<T> parameters, Span<T> state)
    {
        foreach (var (module, found) in _found)
        {
            foreach (var tensor in module.Parts)
            {
                if (!found.Parts.TryGetValue(tensor.Name, out var theirs) && !tensor.IsOptional)
                    continue;
                var values = new T[tensor.Count];
                theirs?.Read<T>(values, _options.AllowNarrowing);
                tensor.Load<T>(values, parameters, state);
            }
        }
    }

    private bool ByName(PyTorchModule module)
    {
        var isNamed = _modules.TryName(module, out _);
        var (name, level) = (_modules.NameOf(module), _modules.LevelOf(module));
        var found = _free.Find(f => f.Name == name && f.Level == level);
        if (found is not null && (isNamed || Fits(module, found)))
            Take(module, found);
        return found is not null && _found.ContainsKey(module) || isNamed;
    }

    private bool InOrder(PyTorchModule module, string? kind)
    {
        var found = _free.Find(f => (kind is null || f.Class == kind) && Fits(module, f));
        if (found is not null)
            Take(module, found);
        return found is not null;
    }

    private bool ByClass(PyTorchModule module)
    {
        var kind = ClassOf(module);
        var found = _free.Find(f => f.Class == kind);
        if (found is not null)
            Take(module, found);
        return found is not null;
    }

    private void Take(PyTorchModule module, FileModule found)
    {
        _found.Add(module, found);
        _free.Remove(found);
    }

    /// <summary>Throws if the file is sorted by name, and the order alone would have to tell modules apart that fit alike.</summary>
    private void RequireOrder(List<PyTorchModule> matched)
    {
        foreach (var module in matched)
        {
            List<string> alike = [.. matched.Select(m => _found[m]).Concat(_free).Where(f => Fits(module, f)).Select(static f => f.Name).Distinct()];
            if (alike.Select(PyTorchNames.WithoutNumbers).Distinct().Count() > 1)
            {
                var names = string.Join(", ", alike.Take(MostListed).Select(static name => $"'{name}'"));
                throw new ModelFileException($"{_file.Origin} is not in the order of the modules, and {names} fit '{module.Name}' alike. "
                    + $"Say which is which with {nameof(NetworkLoadOptions)}.{nameof(NetworkLoadOptions.Modules)}, or name the nodes as there.");
            }
        }
    }

    /// <summary>Throws if nodes that were matched in order leave a container of modules and come back to it: the modules run in another order than they
    /// were registered, and those that fit alike may be exchanged.</summary>
    private void RequireWholeContainers(List<PyTorchModule> matched)
    {
        var left = new HashSet<string>();
        var (before, names) = ("", _modules.All.Where(matched.Contains).Select(m => _found[m].Name));
        foreach (var name in names)
        {
            var container = name.Contains('.') ? name[..name.IndexOf('.')] : "";
            if (container == before)
                continue;
            if (before.Length > 0)
                left.Add(before);
            if (left.Contains(container))
            {
                throw new ModelFileException($"{_file.Origin}: matched in order, the network leaves '{container}' and comes back to it for '{name}', so its "
                    + $"modules run in another order than they were registered. Say which is which with {nameof(NetworkLoadOptions)}."
                    + $"{nameof(NetworkLoadOptions.Modules)}, or name the nodes as there.");
            }

            before = container;
        }
    }

    private static string ClassOf(PyTorchModule module) => PyTorchNames.ClassOf(module.Parts.Select(static t => (t.Name, t.Shape.Length)));

    private static bool Fits(PyTorchModule module, FileModule found)
    {
        var count = 0;
        foreach (var tensor in module.Parts)
        {
            if (found.Parts.TryGetValue(tensor.Name, out var theirs) ? !tensor.Has(theirs.Shape) : !tensor.IsOptional)
                return false;
            count += theirs is null ? 0 : 1;
        }

        return count == found.Parts.Count;
    }

    private void Compare(PyTorchModule module)
    {
        if (module.Obstacle is { } obstacle)
            _different.Add($"'{module.Name}' has no form in PyTorch: {obstacle}");
        if (!_found.TryGetValue(module, out var found))
        {
            if (!_options.AllowMissing)
                _missing.AddRange(module.Parts.Select(t => $"'{NameOf(module, t.Name)}' {Text(t.Shape)}"));
            return;
        }

        foreach (var tensor in module.Parts)
        {
            if (!found.Parts.TryGetValue(tensor.Name, out var theirs))
            {
                if (!tensor.IsOptional && !_options.AllowMissing)
                    _missing.Add($"'{PyTorchModules.TensorName(found.Name, found.Level, tensor.Name)}' {Text(tensor.Shape)} of '{module.Name}'");
            }
            else if (!tensor.Has(theirs.Shape))
            {
                _different.Add($"'{theirs.Name}' is {Text(theirs.Shape)}, '{module.Name}' takes {Text(tensor.Shape)}");
            }
            else if (!TensorReading.CanRead<T>(theirs.Type, _options.AllowNarrowing))
            {
                _different.Add($"'{theirs.Name}' is {theirs.Type.Name()}, which {TensorTypes.Of<T>().Name()} cannot hold without loss");
            }
        }

        _unexpected.AddRange(found.Parts.Where(t => !module.Parts.Exists(m => m.Name == t.Key)).Select(t => $"'{t.Value.Name}' {Text(t.Value.Shape)}"));
    }

    private string NameOf(PyTorchModule module, string tensor) =>
        PyTorchModules.TensorName(_modules.NameOf(module), _modules.LevelOf(module), tensor);

    private static string Text<TSize>(ReadOnlySpan<TSize> sizes) => $"[{string.Join(", ", sizes.ToArray())}]";

    private static string Text(int[] sizes) => Text<int>(sizes);

    private static string[] Listed(string what, List<string> names)
    {
        var more = names.Count > MostListed ? $" and {names.Count - MostListed} more" : "";
        return names.Count == 0 ? [] : [$"{what}: {string.Join(", ", names.Take(MostListed))}{more}"];
    }
}
