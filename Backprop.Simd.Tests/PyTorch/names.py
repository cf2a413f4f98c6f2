"""Writes names.txt: the modules, initializers, optimizers and schedules of PyTorch 1.13, and the layers of Keras 3 by their documentation."""
import inspect
import os
import torch.nn as nn
import torch.nn.init as init
import torch.optim as optim
import torch.optim.lr_scheduler as schedules


def classes(module, base):
    return [n for n in dir(module) if inspect.isclass(getattr(module, n)) and issubclass(getattr(module, n), base) and not n.startswith("_")]


lines = classes(nn, nn.Module)
lines += [n for n in dir(init) if n.endswith("_") and not n.startswith("_")] + ["calculate_gain"]
lines += classes(optim, optim.Optimizer) + classes(schedules, schedules._LRScheduler)
lines += """Dense EinsumDense Activation Masking Lambda Conv1D Conv2D Conv3D SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D
Conv1DTranspose Conv2DTranspose Conv3DTranspose MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D SimpleRNN
TimeDistributed Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D StackedRNNCells BatchNormalization LayerNormalization UnitNormalization
GroupNormalization SpectralNormalization SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise ActivityRegularization
MultiHeadAttention Attention AdditiveAttention GroupQueryAttention Reshape RepeatVector Permute Cropping1D Cropping2D Cropping3D UpSampling1D
UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Concatenate Average Maximum Minimum Add Subtract Multiply Dot L1 L2 L1L2
OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm""".split()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "names.txt"), "w") as file:
    file.write("\n".join(sorted(set(lines))) + "\n")
