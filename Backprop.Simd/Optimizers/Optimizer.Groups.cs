using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <content>Groups of parameters. A step updates the ranges piece by piece; each piece belongs to one group.</content>
public abstract partial class Optimizer<T>
{
    private ParameterGroup[] _groups = [];

    /// <summary>The pieces of the whole block, each with its group. Empty if there are no groups.</summary>
    private Piece[] _pieces = [];

    /// <summary>The group of the range in progress.</summary>
    private ParameterGroup? _current;

    /// <summary>The groups. A parameter without a group takes the optimizer's settings.</summary>
    public ReadOnlySpan<ParameterGroup> Groups => _groups;

    /// <summary>The learning rate of the range in progress, for <see cref="Update"/>: its group's rate.</summary>
    protected double RangeLearningRate => _current is null ? LearningRate : _current.LearningRate ?? LearningRate * _current.RateFactor;

    /// <summary>The weight decay of the range in progress, for <see cref="Update"/>: its group's decay.</summary>
    protected double RangeWeightDecay => _current?.WeightDecay ?? WeightDecay;

    /// <summary>Gives parameters their own learning rates and weight decays, or freezes them. Replaces the groups before.</summary>
    /// <remarks>The state and the number of steps are kept, so a group that is unfrozen later has the same bias corrections as the others.</remarks>
    /// <param name="groups">The groups. If there are none, the optimizer's settings hold for all parameters.</param>
    /// <exception cref="ArgumentException">A range lies outside the parameters, or two ranges overlap; the groups are unchanged.</exception>
    public void SetGroups(params ReadOnlySpan<ParameterGroup> groups)
    {
        var ranges = new List<Piece>();
        foreach (var group in groups)
        {
            ArgumentNullException.ThrowIfNull(group, nameof(groups));
            foreach (var range in group.Ranges)
            {
                if (range.End > ParameterCount)
                    throw new ArgumentException($"Group '{group.Name}' ends at {range.End}; there are {ParameterCount} parameters.", nameof(groups));
                if (range.Length > 0)
                    ranges.Add(new Piece(range.Start, range.End, group));
            }
        }

        ranges.Sort(static (x, y) => x.Start.CompareTo(y.Start));
        var pieces = new List<Piece>();
        var end = 0;
        foreach (var piece in ranges)
        {
            if (piece.Start < end)
            {
                throw new ArgumentException(
                    $"Groups '{pieces[^1].Group!.Name}' and '{piece.Group!.Name}' overlap at element {piece.Start}; a parameter belongs to one group.",
                    nameof(groups));
            }

            if (piece.Start > end)
                pieces.Add(new Piece(end, piece.Start, null));
            pieces.Add(piece);
            end = piece.End;
        }

        if (end < ParameterCount)
            pieces.Add(new Piece(end, ParameterCount, null));
        _groups = groups.ToArray();
        _pieces = _groups.Length == 0 ? [] : [.. pieces];
    }

    bool IUpdateSource<T>.TryVisit<TVisitor>(BlockRange range, scoped ref TVisitor visitor)
    {
        if (_groups.Length == 0)
            return TryVisit(ref visitor);

        // A range that is frozen or belongs to two groups is left to the step over ranges.
        var piece = _pieces[PieceOf(range.Start)];
        if (range.End > piece.End || piece.Group is { Rests: true })
            return false;
        _current = piece.Group;
        var visited = TryVisit(ref visitor);
        _current = null;
        return visited;
    }

    /// <summary>Changes a range, piece by piece.</summary>
    private void UpdatePieces(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        try
        {
            for (var i = PieceOf(range.Start); i < _pieces.Length && _pieces[i].Start < range.End; i++)
            {
                var piece = _pieces[i];
                if (piece.Group is { Rests: true })
                    continue;
                _current = piece.Group;
                var start = Math.Max(range.Start, piece.Start);
                Update(parameters, gradients, new BlockRange(start, Math.Min(range.End, piece.End) - start), context);
            }
        }
        finally
        {
            _current = null;
        }
    }

    /// <summary>Checks the settings of groups before a step changes anything: they may be finite in double only.</summary>
    internal void CheckGroups()
    {
        foreach (var group in _groups)
        {
            double rate = group.LearningRate ?? LearningRate * group.RateFactor, decay = group.WeightDecay ?? WeightDecay;
            if (!T.IsFinite(T.CreateTruncating(rate)) || !T.IsFinite(T.CreateTruncating(decay)))
            {
                throw new InvalidOperationException(
                    $"Group '{group.Name}' has learning rate {rate} and weight decay {decay}; both must be finite in {typeof(T).Name}.");
            }

        }
    }

    /// <summary>Checks the ranges of a step, cut into pieces, before a step changes anything.</summary>
    private void CheckPieces(ReadOnlySpan<BlockRange> ranges)
    {
        foreach (var range in ranges)
        {
            if (_groups.Length == 0)
            {
                CheckWhole(range);
                continue;
            }

            for (var i = range.Length == 0 ? _pieces.Length : PieceOf(range.Start); i < _pieces.Length && _pieces[i].Start < range.End; i++)
            {
                var start = Math.Max(range.Start, _pieces[i].Start);
                CheckWhole(new BlockRange(start, Math.Min(range.End, _pieces[i].End) - start));
            }
        }
    }

    /// <summary>The piece that holds a parameter.</summary>
    private int PieceOf(int parameter)
    {
        var (low, high) = (0, _pieces.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_pieces[middle].Start <= parameter)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    private readonly record struct Piece(int Start, int End, ParameterGroup? Group);
}
