using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

// Backprop.Simd.Bench.ColdStart [TIMESTAMP]: makes the network 784-50-10, does one step of SGD on a batch of 100, and prints
// its loss and, in microseconds since TIMESTAMP on Stopwatch's clock, when Main began, network and workspace were made, the
// batch was filled and the step was done.
var main = Stopwatch.GetTimestamp();
var start = args is [var text] ? long.Parse(text, CultureInfo.InvariantCulture) : main;

const int Rows = 100;
var network = GraphBuilder.Chain(784).Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
var workspace = network.CreateWorkspace(Rows);
var sgd = new Sgd<float>(network.Parameters.Length, learningRate: 0.1);
var built = Stopwatch.GetTimestamp();

// Numbers in [0, 1] and labels, whatever they are.
FillImages(workspace.Input());
var labels = workspace.IndexInput();
for (var row = 0; row < Rows; row++)
    labels[row] = row % 10;

var filled = Stopwatch.GetTimestamp();
var loss = network.Step(workspace, sgd);
var stepped = Stopwatch.GetTimestamp();

Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"OK {loss:R} {Microseconds(main)} {Microseconds(built)} {Microseconds(filled)} {Microseconds(stepped)}"));
return double.IsFinite(loss) ? 0 : 1;

static void FillImages(Span<float> images)
{
    for (var i = 0; i < images.Length; i++)
        images[i] = ((uint)i * 2654435761 >> 24) * (1 / 255f);
}

long Microseconds(long timestamp) => (long)Stopwatch.GetElapsedTime(start, timestamp).TotalMicroseconds;
