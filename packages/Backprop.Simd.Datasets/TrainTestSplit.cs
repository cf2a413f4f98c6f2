namespace Backprop.Simd.Datasets;

/// <summary>The images to train on and the images to test on.</summary>
/// <param name="Train">The images to train on.</param>
/// <param name="Test">The images to test on.</param>
public sealed record TrainTestSplit(LabeledImages Train, LabeledImages Test);
