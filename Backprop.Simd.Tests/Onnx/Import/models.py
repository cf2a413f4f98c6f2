"""Small modules of PyTorch as models of ONNX, with inputs and PyTorch's outputs: python3 models.py (PyTorch 1.13, onnx 1.12) writes Models/.

NAME.onnx is the model; NAME.values holds tensors as the initializers of a model: rows/in/INPUT and rows/out/OUTPUT.
"""
import os
import warnings

import numpy as np
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import numpy_helper, helper

warnings.filterwarnings("ignore")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Models")
MODELS = []


def model(*shapes, opset=13, fold=True, dynamic=True, rows_at=0, ints=()):
    """Registers a module; shapes of its inputs without the batch; rows_at is the place of the batch."""
    def add(kind):
        MODELS.append((kind, shapes, opset, fold, dynamic, rows_at, ints))
        return kind
    return add


class Forward(nn.Module):
    """A module whose forward calls run."""
    def forward(self, *x):
        return self.run(*x)


@model((7,), opset=9)
class Mlp(Forward):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(7, 11), nn.ReLU(), nn.Dropout(0.3), nn.Linear(11, 8, bias=False), nn.Tanh(), nn.Linear(8, 3), nn.LogSoftmax(-1))
        self.run = self.layers.forward


@model((1, 12, 12), opset=11)
class LeNet(Forward):
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.l1, self.l2 = nn.Conv2d(1, 4, 5, padding=2), nn.Conv2d(4, 6, 3), nn.Linear(6 * 2 * 2, 10), nn.Linear(10, 4)

    def run(self, x):
        x = F.max_pool2d(torch.relu(self.c1(x)), 2)
        x = F.max_pool2d(torch.relu(self.c2(x)), 2)
        return self.l2(torch.relu(self.l1(x.view(x.size(0), -1))))


@model((3, 9, 7), opset=12)
class Residual(Forward):
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.Conv2d(6, 6, 3, 1, 1, bias=False), nn.Conv2d(3, 6, 1, 2)
        self.b1, self.b2 = nn.BatchNorm2d(6), nn.BatchNorm2d(6)
        self.head = nn.Linear(6, 3)

    def run(self, x):
        y = self.b2(self.c2(torch.relu(self.b1(self.c1(x)))))
        y = torch.relu(y + self.c3(x))
        return self.head(F.adaptive_avg_pool2d(y, 1).flatten(1))


@model((4, 8, 8), opset=13, fold=False)
class Depthwise(Forward):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.BatchNorm2d(4), nn.ReLU6(), nn.Conv2d(4, 8, 1, groups=2), nn.Hardswish(),
                                 nn.AvgPool2d(2, ceil_mode=True), nn.Flatten(), nn.Linear(8 * 16, 5))
        self.run = self.net.forward


@model((3, 5, 6), opset=11)
class Transposed(Forward):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.ConvTranspose2d(3, 4, 3, 2, 1, output_padding=1), nn.LeakyReLU(0.1), nn.ConvTranspose2d(4, 2, (2, 3), (2, 1), groups=2),
                                 nn.Sigmoid())
        self.run = self.net.forward


@model((4, 10), opset=13)
class Lines(Forward):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(4, 6, 3, padding=1, dilation=1), nn.BatchNorm1d(6), nn.SiLU(), nn.MaxPool1d(2), nn.ConvTranspose1d(6, 3, 4, 2, 1),
                                 nn.AvgPool1d(3, 1, 1), nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.run = self.net.forward


@model((6, 5, 4), opset=13)
class Normalizations(Forward):
    def __init__(self):
        super().__init__()
        self.g, self.i, self.l, self.m = nn.GroupNorm(3, 6), nn.InstanceNorm2d(6, affine=True), nn.LayerNorm(4), nn.LayerNorm([5, 4])

    def run(self, x):
        return self.m(self.l(self.i(self.g(x))))


@model((5, 8), opset=12)
class Activations(Forward):
    def run(self, x):
        y = F.gelu(x) + 0.5 * x * (1 + torch.tanh(0.7978845608028654 * (x + 0.044715 * x ** 3)))
        return torch.cat([y, F.silu(x), F.hardswish(x), F.mish(x), F.elu(x), F.selu(x), F.softplus(x), F.hardsigmoid(x), F.softsign(x), F.celu(x),
                          F.relu6(x), F.hardtanh(x), torch.erf(x), x.clamp(min=-0.5)], -1)


@model((3, 4, 4), opset=16)
class Slopes(Forward):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.PReLU(), nn.PReLU(3, init=0.1), nn.Conv2d(3, 3, 1)
        self.b.weight.data = torch.tensor([0.1, -0.4, 0.7])

    def run(self, x):
        return self.b(self.c(self.a(x)))


@model((5, 4), opset=11)
class LstmLayer(Forward):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.LSTM(4, 6, 2, batch_first=True, bidirectional=True), nn.Linear(12, 2)

    def run(self, x):
        return self.head(self.rnn(x)[0][:, -1])


@model((5, 4), (2, 3), opset=14, rows_at=1)
class LstmStates(Forward):
    """[T, N, D], and the states [layers, N, H] of two inputs."""
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(4, 3, 2)

    def run(self, x, h):
        y, (a, b) = self.rnn(x, (h, h * 0.5))
        return y, a, b


@model((5, 4), opset=13)
class GruLayer(Forward):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 6, batch_first=True, bidirectional=True)

    def run(self, x):
        y, h = self.rnn(x)
        return y, h.transpose(0, 1)


@model((5, 4), opset=9, rows_at=1)
class RnnLayer(Forward):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.RNN(4, 5), nn.RNN(5, 3, nonlinearity="relu", bidirectional=True)

    def run(self, x):
        return self.b(self.a(x)[0])[0]


@model((6, 8), opset=14)
class Attention(Forward):
    def __init__(self):
        super().__init__()
        self.a = nn.MultiheadAttention(8, 2, batch_first=True)

    def run(self, x):
        return self.a(x, x, x, need_weights=False)[0]


@model((6, 8), opset=13, fold=False)
class Encoder(Forward):
    def __init__(self):
        super().__init__()
        self.a = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")

    def run(self, x):
        return self.a(x * 1.0)


@model((6, 8), opset=14, rows_at=1)
class EncoderTimeFirst(Forward):
    def __init__(self):
        super().__init__()
        self.a = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 4, 12, norm_first=True), 2)

    def run(self, x):
        return self.a(x)


@model((7,), opset=13, ints=(0,))
class Embedded(Forward):
    def __init__(self):
        super().__init__()
        self.words, self.places, self.norm = nn.Embedding(11, 6), nn.Embedding(7, 6), nn.LayerNorm(6)

    def run(self, x):
        return self.norm(self.words(x) + self.places(torch.arange(x.size(1)))).mean(1)


@model((5, 6, 8), opset=11)
class Adaptive(Forward):
    def run(self, x):
        return torch.cat([F.adaptive_avg_pool2d(x, 1).flatten(1), F.adaptive_max_pool2d(x, 1).flatten(1), F.adaptive_avg_pool2d(x, (3, 4)).flatten(1)], 1)


@model((2, 4, 6), opset=11)
class Interpolated(Forward):
    def run(self, x):
        return (F.interpolate(x, scale_factor=2, mode="nearest"), F.interpolate(x, size=(7, 9), mode="bilinear", align_corners=True),
                F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))


@model((2, 3, 3), (2, 6, 6), opset=9)
class UpsampledTo(Forward):
    """The size comes from another value: Shape, Slice, Concat."""
    def run(self, x, y):
        return F.interpolate(x, scale_factor=2) + y


@model((2, 3, 3), (2, 7, 5), opset=13)
class ResizedTo(Forward):
    def run(self, x, y):
        return F.interpolate(x, size=y.shape[2:], mode="bilinear", align_corners=False) + y


@model((8, 3, 4), opset=13)
class Shuffled(Forward):
    def run(self, x):
        y = F.pixel_shuffle(x, 2)
        b, c, h, w = x.size()
        return y, x.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, -1, h, w)


@model((3, 5, 6), opset=11)
class Padded(Forward):
    def run(self, x):
        return (F.pad(x, (1, 2, 0, 1)), F.pad(x, (1, 1, 2, 2), mode="reflect"), F.pad(x, (2, 1, 1, 0), mode="replicate"), F.pad(x, (0, 0, -1, -1), value=2.0))


@model((6, 8), opset=14)
class AttentionByParts(Forward):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)

    def run(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, 2, 4).permute(2, 0, 3, 1, 4)
        a = (q @ k.transpose(-2, -1)) * 0.5
        a = a.masked_fill(torch.triu(torch.ones(t, t, dtype=torch.bool), 1), float("-inf"))
        return self.out((a.softmax(-1) @ v).transpose(1, 2).reshape(b, t, d))


@model((4, 6), opset=13)
class Views(Forward):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(6, 5)

    def run(self, x):
        b, t, d = x.size()
        y = self.l(x.reshape(b * t, d)).view(b, t, 5)
        return y.permute(0, 2, 1).flatten(1), y.unsqueeze(1).expand(-1, 2, -1, -1).reshape(b, 2, -1)


@model((4, 6), opset=13)
class Parts(Forward):
    def run(self, x):
        a, b = x.chunk(2, 2)
        c, d, e = x.split([1, 2, 1], 1)
        return torch.stack([a, b], 1), torch.cat([c, e, d * 2], 1), x[:, ::2, 1:-1], x[:, :, [3, 0, 5]], torch.flip(x, [1])


@model((5, 4), (5, 1), opset=13)
class Masked(Forward):
    def run(self, x, m):
        return torch.sigmoid(x) * m + x.max(-1, keepdim=True)[0], (x * m).sum(1) / (m.sum(1) + 1e-3)


@model((6, 5, 5), opset=11)
class SqueezeExcite(Forward):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)

    def run(self, x):
        s = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.b(torch.relu(self.a(s))))


@model((5, 3, 4), opset=12)
class Channels(Forward):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(5, 4, 1)

    def run(self, x):
        y = self.c(x)
        return y.softmax(1), y.mean((2, 3)), y.amax(1), y.norm(dim=1), y.sum(-1), y.argmax(1)


@model((3, 4), (4,), (2, 3), opset=13)
class SeveralInputs(Forward):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4))

    def run(self, x, y, z):
        return z @ x, x * y.unsqueeze(1) + self.w, (x @ y.unsqueeze(-1)).squeeze(-1)


@model((3, 8, 8), opset=13)
class Patches(Forward):
    """A vision transformer's patches, a class token and positions."""
    def __init__(self):
        super().__init__()
        self.c, self.p = nn.Conv2d(3, 6, 4, 4), nn.Parameter(torch.randn(1, 4, 6))
        self.a = nn.MultiheadAttention(6, 3, batch_first=True)
        self.n = nn.LayerNorm(6)

    def run(self, x):
        x = self.c(x).flatten(2).transpose(1, 2) + self.p
        y = self.n(x)
        return (x + self.a(y, y, y, need_weights=False)[0]).mean(1)


@model((3, 8, 8), opset=13)
class ClassToken(Forward):
    def __init__(self):
        super().__init__()
        self.c, self.t, self.p = nn.Conv2d(3, 6, 4, 4), nn.Parameter(torch.randn(1, 1, 6)), nn.Parameter(torch.randn(1, 5, 6))

    def run(self, x):
        y = self.c(x).flatten(2).transpose(1, 2)
        y = torch.cat([self.t.expand(x.shape[0], -1, -1), y], 1) + self.p
        return y[:, 0]


@model((2, 6, 6), opset=16)
class UNet(Forward):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(8, 2, 3, padding=1)
        self.u = nn.ConvTranspose2d(4, 4, 2, 2)

    def run(self, x):
        a = F.silu(self.a(x))
        return self.c(torch.cat([a, self.u(F.gelu(self.b(a)))], 1))


@model((4, 9), opset=10, dynamic=False)
class FixedRows(Forward):
    """No size is free: the batch is written into the shapes."""
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(36, 4)

    def run(self, x):
        return self.l(x.view(3, 36)).view(3, 2, 2).softmax(-1)


@model((6,), opset=13)
class Arithmetic(Forward):
    def __init__(self):
        super().__init__()
        self.register_buffer("k", torch.arange(6.0))

    def run(self, x):
        y = torch.sqrt(x.abs() + 1) / (x.exp() + 2) - x.pow(2) * self.k
        return torch.maximum(y, x), torch.minimum(y, -x), y.floor(), 1 - y, 2 / (y.abs() + 1), torch.sin(y) + torch.cos(x), torch.log(x.abs() + 1), x.cumsum(1)


@model((6, 4), opset=13)
class Sorted(Forward):
    def run(self, x):
        v, i = x.topk(3, 1)
        return v, i, x.argmin(2), torch.logsumexp(x, 2), x.std(2), x.var(1, unbiased=False)


@model((2, 12), opset=11, dynamic=False)
class Glu(Forward):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv1d(2, 4, 3, padding=2, dilation=2, padding_mode="zeros")

    def run(self, x):
        return F.glu(self.c(x), 1)


@model((5, 6), opset=15)
class Bottleneck(Forward):
    """Batch normalization of [N, C] and [N, C, L], without a bias, without weights."""
    def __init__(self):
        super().__init__()
        self.a, self.b, self.l = nn.BatchNorm1d(5), nn.BatchNorm1d(6, affine=False), nn.Linear(30, 6)

    def run(self, x):
        return self.b(self.l(self.a(x).flatten(1)))


@model((8,), opset=13)
class Folded(Forward):
    """Sizes that are computed: Shape, Gather, Mul, Concat, Reshape."""
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(8, 12)

    def run(self, x):
        y = self.l(x)
        n = y.size(1) // 4
        return y.view(-1, n, 4).transpose(1, 2).reshape(x.size(0), y.size(1) // n, -1), y.view(x.shape[0], 3, 4).sum(1).view(-1, 2, 2)


def inputs_of(shapes, rows, rows_at, ints, generator):
    result = []
    for i, shape in enumerate(shapes):
        full = list(shape[:rows_at]) + [rows] + list(shape[rows_at:])
        result.append(torch.randint(0, 7, full, generator=generator) if i in ints else torch.randn(full, generator=generator))
    return result


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for n, (kind, shapes, opset, fold, dynamic, rows_at, ints) in enumerate(MODELS):
        torch.manual_seed(n)
        generator = torch.Generator().manual_seed(100 + n)
        net = kind()
        for part in net.modules():
            if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
                part.running_mean.uniform_(-0.5, 0.5)
                part.running_var.uniform_(0.5, 1.5)
        net.eval()
        names = [f"x{i}" for i in range(len(shapes))]
        example = inputs_of(shapes, 3, rows_at, ints, generator)
        path = os.path.join(FOLDER, kind.__name__ + ".onnx")
        try:
            with torch.no_grad():
                outputs = net(*example)
            count = len(outputs) if isinstance(outputs, tuple) else 1
            torch.onnx.export(net, tuple(example), path, opset_version=opset, do_constant_folding=fold, input_names=names,
                              output_names=[f"y{i}" for i in range(count)], dynamic_axes={i: {rows_at: "batch"} for i in names} if dynamic else None)
            values = []
            for rows in (1, 3) if dynamic else (3,):
                x = inputs_of(shapes, rows, rows_at, ints, generator)
                with torch.no_grad():
                    y = net(*x)
                y = y if isinstance(y, tuple) else (y,)
                values += [numpy_helper.from_array(v.numpy(), f"{rows}/in/x{i}") for i, v in enumerate(x)]
                values += [numpy_helper.from_array(v.contiguous().numpy(), f"{rows}/out/y{i}") for i, v in enumerate(y)]
            graph = helper.make_graph([], "values", [], [], values)
            onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]), path.replace(".onnx", ".values"))
        except Exception as e:
            print(kind.__name__, "FAILED", str(e).split("\n")[0][:200])
            if os.path.exists(path):
                os.remove(path)


main()
