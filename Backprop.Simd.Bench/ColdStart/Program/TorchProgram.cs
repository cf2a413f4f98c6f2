using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

// The program of Program.cs by LibTorch: the same network, data, step and output. Its first weights are its own.
var main = Stopwatch.GetTimestamp();
var start = args is [var text] ? long.Parse(text, CultureInfo.InvariantCulture) : main;

const int Rows = 100;
using var network = nn.Sequential(nn.Linear(784, 50), nn.Sigmoid(), nn.Linear(50, 10));
using var sgd = optim.SGD(network.parameters(), learningRate: 0.1);
var built = Stopwatch.GetTimestamp();

var images = new float[Rows * 784];
for (var i = 0; i < images.Length; i++)
    images[i] = ((uint)i * 2654435761 >> 24) * (1 / 255f);
var labels = new long[Rows];
for (var row = 0; row < Rows; row++)
    labels[row] = row % 10;
using var x = tensor(images).reshape(Rows, 784);
using var y = tensor(labels);

var filled = Stopwatch.GetTimestamp();
using var scope = NewDisposeScope();
var output = nn.functional.cross_entropy(network.forward(x), y);
output.backward();
sgd.step();
var loss = (double)output.item<float>();
var stepped = Stopwatch.GetTimestamp();

Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"OK {loss:R} {Microseconds(main)} {Microseconds(built)} {Microseconds(filled)} {Microseconds(stepped)}"));
return double.IsFinite(loss) ? 0 : 1;

long Microseconds(long timestamp) => (long)Stopwatch.GetElapsedTime(start, timestamp).TotalMicroseconds;
