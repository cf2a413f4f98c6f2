using System.Numerics;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Layers;

/// <summary>How large inputs of normalizations may be: their squares are summed in the type of the network.</summary>
public class NormalizationRangeTests
{
    public static TheoryData<string> Names => ["layer", "rms", "group", "batch"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Inputs_up_to_1e15_in_float_and_1e150_in_double_are_normalized_as_small_ones(string name)
    {
        Check<float>(49, 1e-6);
        Check<double>(498, 1e-14);

        void Check<T>(int power, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            // Powers of two change no digit; epsilon is nothing beside either variance.
            var scale = Math.ScaleB(1, power);
            foreach (var shape in (Shape[])[new(8), new(3, 4), new(5, 7, 12)])
            {
                NormalizationRun<T> small = new(Create(name, 1e-30), shape, 40), large = new(Create(name, 1e-5), shape, 40, change: (_, x) => x * scale);
                Near.Assert(NormalizationRun<T>.Doubles(small.Y), large.Y, tolerance, $"{name} {shape} y");
                double[] dx = [.. NormalizationRun<T>.Doubles(large.Dx).Select(g => g * scale)];
                Near.Assert<double>(NormalizationRun<T>.Doubles(small.Dx), dx, tolerance, $"{name} {shape} dx");
                foreach (var entry in small.Network.Definition.Parameters.Entries)
                    Near.Assert(NormalizationRun<T>.Doubles(small.Gradient(entry.Name)), large.Gradient(entry.Name), tolerance, $"{name} {shape} {entry.Name}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Where_squares_overflow_the_output_is_the_bias_and_the_gradient_by_the_input_0(string name)
    {
        Check<float>(70);
        Check<double>(520);

        void Check<T>(int power) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var run = new NormalizationRun<T>(Create(name, 1e-5), new Shape(8), 40, change: (i, _) => Math.ScaleB(i % 3 - 1.5, power));
            var bias = run.Parameter("n.bias", 8, 0);
            Assert.Equal(Enumerable.Range(0, 8 * 40).Select(i => bias[i % 8]), NormalizationRun<T>.Doubles(run.Y));
            Assert.All(run.Dx, gradient => Assert.Equal(T.Zero, gradient));
        }
    }

    private static Layer Create(string name, double epsilon) => name switch
    {
        "layer" => new LayerNormalization(epsilon: epsilon),
        "rms" => new RmsNormalization(epsilon: epsilon),
        "group" => new GroupNormalization(4, epsilon),
        _ => new BatchNormalization(epsilon: epsilon),
    };
}
