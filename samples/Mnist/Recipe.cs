using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Schedules;

namespace Backprop.Simd.Samples;

/// <summary>A network and how it is trained. The numbers were chosen by accuracy on the last 5,000 training images, and by time.</summary>
internal sealed record Recipe
{
    public required string Name { get; init; }

    /// <summary>Whether images are [height, width, 1] rather than flat.</summary>
    public required bool IsConvolutional { get; init; }

    public required int Epochs { get; init; }

    public required int Batch { get; init; }

    /// <summary>The highest learning rate of a one-cycle schedule.</summary>
    public required double LearningRate { get; init; }

    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Images are shifted by up to this many pixels, at random.</summary>
    public int Shift { get; init; }

    /// <summary>The graph up to the logits.</summary>
    public required Func<Node, Node> Layers { get; init; }

    /// <summary>784-256-10.</summary>
    public static Recipe Mlp { get; } = new()
    {
        Name = "mlp",
        IsConvolutional = false,
        Epochs = 5,
        Batch = 128,
        LearningRate = 0.006,
        Layers = x => x.Affine(256).Relu(),
    };

    /// <summary>Two convolutions with pooling, and a hidden layer with dropout.</summary>
    public static Recipe Convolutional { get; } = new()
    {
        Name = "conv",
        IsConvolutional = true,
        Epochs = 6,
        Batch = 64,
        LearningRate = 0.005,
        Shift = 1,
        Layers = x => x
            .Convolution2D(12, 5).Relu().MaxPooling2D(2)
            .Convolution2D(24, 3).Relu().MaxPooling2D(2)
            .Flatten().Dropout(0.3).Affine(64).Relu(),
    };

    public Network<float> Build(LabeledImages images, ulong seed) =>
        Layers(GraphBuilder.Chain(ShapeOf(images))).Affine(images.Classes).SoftmaxCrossEntropy().Build<float>(seed);

    public Shape ShapeOf(LabeledImages images) =>
        IsConvolutional ? new Shape(images.Height, images.Width, 1) : new Shape(images.PixelsPerImage);

    public BatchTransform<float>[] Transforms(LabeledImages images) =>
        Shift == 0 ? [] : [new RandomShift<float>(Shift, size: new ImageSize(images.Height, images.Width))];

    public Schedule Schedule(long steps) => new OneCycleSchedule(LearningRate, steps);
}
