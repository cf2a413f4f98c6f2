using System.Globalization;
using Backprop.Simd.Datasets;
using Backprop.Simd.Samples;
using Backprop.Simd.Threading;

var accuracy = double.Parse(args[0], CultureInfo.InvariantCulture);
var seed = ulong.Parse(args[1], CultureInfo.InvariantCulture);
using var compute = new ComputeContext(int.Parse(args[2], CultureInfo.InvariantCulture));
return TimeTo.Run(accuracy, accuracy > 0.985 ? Recipe.Convolutional : Recipe.Mlp, () => Mnist.Load("/tmp/data/mnist/package/data"), seed, compute);
