// Writes @pybridge.pt into a folder: a state dictionary as TorchSharp.PyBridge saves it. Prints the outputs that TorchSharp computes with it.
//
//     dotnet run write.cs ../Models
//
// On Debian 12 the native library of TorchSharp wants a newer libstdc++: Backprop.Simd.Bench's `peers prepare` makes it load.
#:package TorchSharp@0.107.0
#:package TorchSharp.PyBridge@1.4.4
#:package libtorch-cpu-linux-x64@2.10.0
#:property ManagePackageVersionsCentrally=false
#:property PublishAot=false
#:property RunAnalyzers=false
#:property TargetFramework=net10.0
#:property NuGetAudit=false

using TorchSharp;
using TorchSharp.PyBridge;
using static TorchSharp.torch;

manual_seed(16);
var module = nn.Sequential(
    ("conv", nn.Conv2d(1, 2, 3, padding: 1)), ("bn", nn.BatchNorm2d(2)), ("relu", nn.ReLU()), ("pool", nn.MaxPool2d(2)), ("flat", nn.Flatten()),
    ("fc", nn.Linear(8, 3)));
module.train();
for (var i = 0; i < 3; i++)
    module.forward(randn(5, 1, 4, 4)); // running statistics
module.eval();
module.save_py(Path.Combine(args[0], "@pybridge.pt"));
var x = arange(16, dtype: ScalarType.Float32).reshape(1, 1, 4, 4) / 8 - 1;
Console.WriteLine(string.Join(", ", module.forward(x).data<float>().ToArray().Select(y => $"{y:R}f")));
