using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Two outputs of one input: y0 = 2 x, y1 = x * x.</summary>
internal sealed class Fork : Layer
{
    public override string Kind => "fork";

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.Traits = LayerTraits.ReadsInput;
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.Input(0);
        for (var i = 0; i < x.Length; i++)
        {
            context.Output(0)[i] = x[i] + x[i];
            context.Output(1)[i] = x[i] * x[i];
        }
    }

    public override void Backward<T>(in BackwardContext<T> context)
    {
        var x = context.Input(0);
        var two = T.CreateChecked(2);
        var dx = context.InputGradient(0);
        for (var i = 0; !dx.IsEmpty && i < x.Length; i++)
            dx.Put(i, two * context.OutputGradient(0)[i] + two * x[i] * context.OutputGradient(1)[i]);
    }
}

/// <summary>y = x + state; each training forward proposes state + 1.</summary>
internal sealed class Counter : Layer
{
    public override string Kind => "counter";

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        declaration.AddState("count", Shape.Scalar, initial: 10);
        declaration.Traits = LayerTraits.None;
        declaration.AddOutput(declaration.RequireNumbers(0));
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        for (var i = 0; i < context.Input(0).Length; i++)
            context.Output()[i] = context.Input(0)[i] + context.State(0)[0];
        if (context.Training)
            context.ProposedState(0)[0] += T.One;
    }

    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        for (var i = 0; !dx.IsEmpty && i < context.OutputGradient().Length; i++)
            dx.Put(i, context.OutputGradient()[i]);
    }
}

/// <summary>Keeps what it needs in caches only: y = x^2 with x in the row cache, its sign in the index cache, all scaled by a
/// number in the batch cache.</summary>
internal sealed class CachedSquare : Layer
{
    public override string Kind => "cachedsquare";

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        declaration.UseCache(perRow: type.Shape.Size, perBatch: 3);
        declaration.UseIndexCache(perRow: type.Shape.Size);
        declaration.UseScratch(perRow: 2 * type.Shape.Size, perBatch: 5);
        declaration.AddOutput(type);
        declaration.Traits = LayerTraits.None;
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.Input(0);
        context.Scratch.Fill(T.NaN);
        context.BatchScratch.Fill(T.NaN);
        for (var i = 0; i < x.Length; i++)
        {
            context.Output()[i] = x[i] * x[i];
            if (!context.Training)
                continue;
            context.Cache[i] = T.Abs(x[i]);
            context.IndexCache[i] = T.Sign(x[i]);
        }

        if (context.Training)
            context.BatchCache[2] = T.CreateChecked(2);
    }

    public override void Backward<T>(in BackwardContext<T> context)
    {
        context.Scratch.Fill(T.NaN);
        context.BatchScratch.Fill(T.NaN);
        var dx = context.InputGradient(0);
        for (var i = 0; !dx.IsEmpty && i < context.Cache.Length; i++)
            dx.Put(i, context.OutputGradient()[i] * context.BatchCache[2] * context.Cache[i] * T.CreateChecked(context.IndexCache[i]));
    }
}

/// <summary>Throws in forward when input 0 starts with a negative number.</summary>
internal sealed class Picky : Backprop.Simd.Layers.Gates.UnaryGate
{
    public override string Kind => "picky";

    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (T.IsNegative(context.Input(0)[0]))
            throw new ArgumentException("negative");
        context.Input(0).CopyTo(context.Output());
    }

    public override void Backward<T>(in BackwardContext<T> context) => context.OutputGradient().CopyTo(context.InputGradient(0).Span);
}
