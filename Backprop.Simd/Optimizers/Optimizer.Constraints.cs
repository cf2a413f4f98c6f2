using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <content>What parameters must be after every step.</content>
public abstract partial class Optimizer<T>
{
    private readonly List<Constrained> _constraints = [];

    /// <summary>Applies a constraint or penalty to some parameters after every step, behind those that they have already.</summary>
    /// <remarks>A step that does not change all of a parameter, because it or its group is frozen, does not apply its constraints.
    /// They belong to the program, as groups do: checkpoints do not hold them.</remarks>
    /// <param name="parameters">The parameters: <c>network.Definition.Parameters.Matrices(p => ...)</c>.</param>
    /// <param name="constraint">The constraint.</param>
    /// <exception cref="ArgumentException">A parameter does not lie inside the optimizer's parameters, or its rows and columns are not its
    /// length; nothing changed.</exception>
    public void Constrain(IReadOnlyList<ParameterMatrix> parameters, ParameterConstraint constraint)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(constraint);
        var added = new List<Constrained>();
        foreach (var parameter in parameters)
        {
            var range = parameter.Range;
            if (range.Start < 0 || range.Length < 0 || range.Start > ParameterCount - range.Length || parameter.Rows < 0 || parameter.Columns < 0
                || (long)parameter.Rows * parameter.Columns != range.Length)
            {
                throw new ArgumentException($"'{parameter.Name}' must lie inside the {ParameterCount} parameters and hold rows x columns elements; "
                    + $"it starts at {range.Start}, has {range.Length}, and is [{parameter.Rows}, {parameter.Columns}].", nameof(parameters));
            }

            // A vector is one unit.
            var isVector = parameter.Rows <= 1;
            if (range.Length > 0)
                added.Add(new(range, isVector ? range.Length : parameter.Rows, isVector ? 1 : parameter.Columns, constraint));
        }

        _constraints.AddRange(added);
    }

    /// <summary>Ends all constraints and penalties.</summary>
    public void ClearConstraints() => _constraints.Clear();

    /// <summary>Applies the constraints of the parameters that lie inside ranges which a step has changed.</summary>
    internal void ApplyConstraints(Span<T> parameters, ReadOnlySpan<BlockRange> changed, ComputeContext? context)
    {
        for (var i = 0; i < _constraints.Count; i++)
        {
            var (range, rows, columns, constraint) = _constraints[i];
            if (Changes(range, changed, out var rate))
                constraint.Apply(new Matrix<T>(parameters.Slice(range.Start, range.Length), rows, columns), rate, context);
        }
    }

    private bool Changes(BlockRange parameter, ReadOnlySpan<BlockRange> changed, out double rate)
    {
        rate = LearningRate;
        var isInside = false;
        foreach (var range in changed)
            isInside |= range.Start <= parameter.Start && parameter.End <= range.End;
        if (!isInside || _groups.Length == 0)
            return isInside;
        var piece = _pieces[PieceOf(parameter.Start)];
        if (piece.Group is { } group)
            rate = group.LearningRate ?? LearningRate * group.RateFactor;
        return piece.Group is not { Rests: true };
    }

    private readonly record struct Constrained(BlockRange Range, int Rows, int Columns, ParameterConstraint Constraint);
}
