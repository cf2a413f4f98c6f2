using System.Globalization;

namespace Backprop.Simd.Interchange;

/// <content>Names and constants.</content>
internal sealed partial class OnnxWriter
{
    /// <summary>Constants of at most so many elements are compared, so that equal ones are written once.</summary>
    private const int MostCompared = 16;

    /// <summary>Does to a constant what would be a node of its own; null if the tensor is no constant.</summary>
    private string? Folded(string x, string how, Func<OnnxTensor, OnnxTensor> fold)
    {
        if (!_constants.TryGetValue(x, out var constant))
            return null;
        var key = $"{how}\n{x}";
        if (!_made.TryGetValue(key, out var made))
            _made[key] = made = [Add(x, fold(constant))];
        return made[0];
    }

    private string Keep(string stem, OnnxType type, int[] shape, string content, int count, Func<OnnxTensor> make)
    {
        if (count > MostCompared)
            return Add($"{Scope}.{stem}", make());
        var key = $"constant {type} [{string.Join(' ', shape)}] {content}";
        if (!_made.TryGetValue(key, out var made))
            _made[key] = made = [Add(stem, make())];
        return made[0];
    }

    private string Add(string stem, OnnxTensor constant)
    {
        var name = Free(stem);
        _constants.Add(name, constant);
        return name;
    }

    private string NewName(string kind) => Free($"{Scope}.{kind.ToLowerInvariant()}");

    private string Free(string stem)
    {
        var name = stem;
        for (var i = 2; !_names.Add(name); i++)
            name = string.Create(CultureInfo.InvariantCulture, $"{stem}_{i}");
        return name;
    }

    private static string KeyOf(OnnxAttribute attribute) => string.Create(CultureInfo.InvariantCulture,
        $"{attribute.Name} {attribute.Float} {attribute.Integer} {attribute.Text} {string.Join(' ', attribute.Integers)} {string.Join(' ', attribute.Texts)}");
}
