using System.Diagnostics;
using Backprop.Simd.Datasets;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>Mini-batch gradient descent over shuffled images. Nothing is allocated after construction.</summary>
internal sealed class Trainer
{
    private const double Momentum = 0.9;

    private readonly Network<float> _network;
    private readonly LabeledImages _images;
    private readonly Workspace<float> _workspace;
    private readonly Sgd<float> _optimizer;
    private readonly int[] _order;
    private Philox _random;

    public Trainer(Network<float> network, LabeledImages images, DigitsOptions options, ComputeContext compute)
    {
        _network = network;
        _images = images;
        _workspace = network.CreateWorkspace(options.Batch, compute: compute);
        _optimizer = new Sgd<float>(network, options.LearningRate, Momentum);
        _order = [.. Enumerable.Range(0, images.Count)];
        _random = new Philox(options.Seed, stream: 0x73687566666c65);
    }

    /// <summary>Trains on every image once, in a new order.</summary>
    /// <returns>The mean loss of an image.</returns>
    public double Epoch()
    {
        Shuffle();
        var sum = 0.0;
        for (var start = 0; start < _order.Length; start += _workspace.Capacity)
        {
            var count = Math.Min(_workspace.Capacity, _order.Length - start);
            sum += count * Step(start, count);
        }

        return sum / _order.Length;
    }

    /// <summary>
    /// The bytes that a step allocates on the managed heap, in all threads, with the gathering of its batch. Measured on a copy of
    /// the network over 1,000 steps, or over at least one epoch until two seconds have passed.
    /// </summary>
    public static double BytesPerStep(
        Network<float> network, LabeledImages images, DigitsOptions options, ComputeContext compute, out int steps)
    {
        const int Enough = 1_000;
        var limit = TimeSpan.FromSeconds(2);
        var trainer = new Trainer(network.ConvertTo<float>(), images, options, compute);
        trainer.Epoch();

        var stepsPerEpoch = (images.Count + options.Batch - 1) / options.Batch;
        var start = Stopwatch.GetTimestamp();
        steps = 0;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        do
        {
            trainer.Epoch();
            steps += stepsPerEpoch;
        }
        while (steps < Enough && Stopwatch.GetElapsedTime(start) < limit);
        return (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / steps;
    }

    private double Step(int start, int count)
    {
        _workspace.Rows = count; // The last batch of an epoch may be shorter.
        var rows = _order.AsSpan(start, count);
        _images.CopyRows(rows, _workspace.Input());
        _images.CopyLabels(rows, _workspace.IndexInput());
        return _network.Step(_workspace, _optimizer);
    }

    /// <summary>Fisher and Yates: each place takes a row that has no place yet.</summary>
    private void Shuffle()
    {
        for (var i = _order.Length - 1; i > 0; i--)
        {
            var j = (int)Math.BigMul(_random.NextUInt64(), (ulong)(i + 1), out _);
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }
    }
}
