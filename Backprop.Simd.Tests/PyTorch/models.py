"""Writes Models/*.pt, state dictionaries of small modules by torch.save, and models.txt: their inputs and outputs, features last as the library
has them. Each line: a case, what the numbers are (x, an input; i, an index input; y, the output), their shape, the numbers. Made with torch 1.13.
With `check DIRECTORY` it loads DIRECTORY/<case>.pt into the modules, strictly, and compares their outputs with those in models.txt."""
import os
import sys
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))


class Lambda(nn.Module):
    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *x):
        return self.function(self, *x)


def chain(*parts):
    return nn.Sequential(*parts)


def first(module, x):
    return module(x)[0]


def rnn(module):
    return Lambda(lambda m, x: m.rnn(x)[0], rnn=module)


def attend(m, q, k, v):
    return m.attention(q, k, v)[0]


class Classifier(nn.Module):
    """The convolutional network of a textbook. Its modules are registered in another order than they run."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2 * 3 * 8, 10), nn.Linear(10, 4)
        self.conv1, self.conv2 = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(4), nn.BatchNorm2d(8)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = torch.max_pool2d(torch.relu(self.bn2(self.conv2(x))), 2)
        return self.fc2(torch.relu(self.fc1(self.dropout(x).flatten(1))))


def normalized():
    return Lambda(lambda m, x: m.fc(torch.relu(m.conv(x)).flatten(1)), conv=nn.Conv2d(2, 3, 2),
                  fc=nn.utils.weight_norm(nn.Linear(12, 4)))


def branches():
    return Lambda(lambda m, x: m.fc(torch.cat([m.a(x).flatten(1), m.b(x).mean((2, 3)), m.c(x).flatten(1)], 1)),
                  a=nn.Conv2d(2, 3, 2), b=nn.Conv2d(2, 5, 1), c=nn.Conv2d(2, 2, 3, padding=1), fc=nn.Linear(3 * 6 + 5 + 2 * 12, 4))


def encoder():
    layer = lambda first: nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=first)
    return chain(layer(False), layer(True))


def decoder():
    return Lambda(lambda m, x, memory: m.layer(x, memory, tgt_mask=nn.Transformer.generate_square_subsequent_mask(x.shape[1])),
                  layer=nn.TransformerDecoderLayer(8, 2, 12, batch_first=True))


def words():
    return Lambda(lambda m, i: m.head(m.words(i) + m.positions(torch.arange(i.shape[1]))), words=nn.Embedding(11, 6),
                  positions=nn.Embedding(9, 6), head=nn.Linear(6, 6))


def scaled():
    module = Lambda(lambda m, x: m.fc(x) * m.scale, fc=nn.Linear(4, 3))
    module.scale = nn.Parameter(torch.randn(3))
    return module


# A case: what makes the module, and the shapes of its inputs in PyTorch; i indices below 11.
CASES = {
    "linear": (lambda: chain(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5, bias=False), nn.Tanh(), nn.Linear(5, 3)), [(2, 5)]),
    "linear-sequence": (lambda: chain(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4)), [(2, 3, 4)]),
    "convolution": (lambda: chain(nn.Conv2d(3, 4, (3, 2), padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2, groups=2, bias=False)), [(2, 3, 6, 5)]),
    "depthwise": (lambda: chain(nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 5, 1)), [(2, 4, 4, 5)]),
    "convolution-1d": (lambda: chain(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv1d(4, 4, 2, groups=2)), [(2, 3, 6)]),
    "transposed": (lambda: chain(nn.ConvTranspose2d(4, 6, (3, 2), stride=2, groups=2, output_padding=1), nn.ReLU(), nn.ConvTranspose2d(6, 2, 2)), [(2, 4, 3, 2)]),
    "transposed-1d": (lambda: nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2), [(2, 4, 3)]),
    "classifier": (Classifier, [(2, 2, 8, 12)]),
    "flat-normalization": (lambda: chain(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.BatchNorm1d(18), nn.PReLU(18), nn.LayerNorm(18), nn.Linear(18, 4)), [(3, 2, 3, 4)]),
    "flat-line": (lambda: chain(nn.Conv1d(2, 4, 2), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(12, 3)), [(2, 2, 7)]),
    "flat-image": (lambda: chain(nn.Flatten(), nn.Linear(24, 5)), [(2, 2, 3, 4)]),
    "unflattened": (lambda: chain(nn.Linear(3, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Unflatten(1, (4, 2, 3)), nn.ConvTranspose2d(4, 2, 2)), [(3, 3)]),
    "autoencoder": (lambda: chain(nn.Conv2d(1, 4, 2), nn.Flatten(), nn.Linear(24, 24), nn.ReLU(), nn.Unflatten(1, (4, 2, 3)), nn.ConvTranspose2d(4, 1, 2)), [(2, 1, 3, 4)]),
    "branches": (branches, [(2, 2, 3, 4)]),
    "normalizations": (lambda: chain(nn.GroupNorm(2, 4), nn.Conv2d(4, 3, 1), nn.InstanceNorm2d(3, affine=True), nn.PReLU(3), nn.LayerNorm([3, 3, 2]), nn.BatchNorm2d(3)), [(2, 4, 3, 2)]),
    "normalization-sequence": (lambda: chain(nn.LayerNorm(6), nn.Linear(6, 4), nn.LayerNorm([3, 4])), [(2, 3, 6)]),
    "rnn": (lambda: rnn(nn.RNN(3, 4, nonlinearity="relu", batch_first=True)), [(2, 5, 3)]),
    "lstm": (lambda: rnn(nn.LSTM(3, 4, batch_first=True)), [(2, 5, 3)]),
    "gru": (lambda: rnn(nn.GRU(3, 4, batch_first=True)), [(2, 5, 3)]),
    "lstm-stacked": (lambda: rnn(nn.LSTM(3, 4, 2, batch_first=True, dropout=0.2, bidirectional=True)), [(2, 5, 3)]),
    "gru-stacked": (lambda: rnn(nn.GRU(4, 4, 3, batch_first=True)), [(2, 5, 4)]),
    "gru-both": (lambda: rnn(nn.GRU(3, 3, batch_first=True, bidirectional=True)), [(2, 5, 3)]),
    "rnn-both": (lambda: rnn(nn.RNN(4, 2, 2, batch_first=True, bidirectional=True)), [(2, 5, 4)]),
    "lstm-projection": (lambda: rnn(nn.LSTM(3, 4, 2, batch_first=True, proj_size=2)), [(2, 5, 3)]),
    "lstm-without-bias": (lambda: rnn(nn.LSTM(3, 4, bias=False, batch_first=True)), [(2, 5, 3)]),
    "two-lstms": (lambda: Lambda(lambda m, x: m.second(m.first(x)[0])[0], first=nn.LSTM(4, 4, batch_first=True), second=nn.LSTM(4, 4, batch_first=True)), [(2, 5, 4)]),
    "attention": (lambda: Lambda(lambda m, x: m.attention(x, x, x)[0], attention=nn.MultiheadAttention(8, 2, batch_first=True)), [(2, 3, 8)]),
    "attention-sizes": (lambda: Lambda(attend, attention=nn.MultiheadAttention(8, 2, kdim=5, vdim=6, batch_first=True)), [(2, 3, 8), (2, 4, 5), (2, 4, 6)]),
    "attention-without-bias": (lambda: Lambda(lambda m, x: m.attention(x, x, x)[0], attention=nn.MultiheadAttention(8, 2, bias=False, batch_first=True)), [(2, 3, 8)]),
    "transformer-encoder": (encoder, [(2, 3, 8)]),
    "transformer-decoder": (decoder, [(2, 3, 8), (2, 4, 8)]),
    "words": (words, ["i", (2, 7)]),
    "bag": (lambda: nn.EmbeddingBag(11, 4), ["i", (2, 5)]),
    "weight-normalized": (normalized, [(2, 2, 3, 3)]),
    "parameter": (scaled, [(2, 4)]),
}


def module_of(name):
    torch.manual_seed(sum(map(ord, name)))
    module = CASES[name][0]()
    for key, t in module.state_dict().items():
        if "running_var" in key:
            t.copy_(torch.rand_like(t) + 0.5)
        elif t.is_floating_point() and t.dim() == 1:
            t.copy_(torch.randn_like(t) * 0.5)
    return module.eval()


def inputs_of(name):
    torch.manual_seed(1 + sum(map(ord, name)))
    shapes = CASES[name][1]
    return [torch.randint(0, 11, shapes[1])] if shapes[0] == "i" else [torch.randn(*shape) for shape in shapes]


def last(name, t):
    """Channels from dimension 1 to the end, where PyTorch has them there."""
    is_line = any(word in name for word in ("1d", "flat-line"))
    return t.movedim(1, -1) if t.dim() == 4 or is_line and t.dim() == 3 else t


def write():
    out = []
    for name in CASES:
        module, inputs = module_of(name), inputs_of(name)
        torch.save(module.state_dict(), f"{HERE}/Models/{name}.pt")
        y = module(*inputs).detach()
        for kind, t in [("i" if t.dtype == torch.int64 else f"x{k}", t) for k, t in enumerate(inputs)] + [("y", y)]:
            t = last(name, t)
            numbers = " ".join(str(int(v)) if t.dtype == torch.int64 else format(float(v), ".9g") for v in t.reshape(-1))
            out.append(f"{name} {kind} {','.join(str(d) for d in t.shape)} {numbers}")
    open(f"{HERE}/models.txt", "w").write("\n".join(out) + "\n")
    write_files()


def write_files():
    """Files that are no plain state dictionary: a checkpoint; views, types and shared storages; a whole module."""
    torch.manual_seed(3)
    module = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        module.weight.copy_(torch.arange(6.0).reshape(3, 2))
        module.bias.copy_(torch.tensor([7.0, 8.0, 9.0]))
    torch.save({"epoch": 3, "loss": 0.25, "name": "fc", "done": None, "best": (1, 2), "model": module.state_dict(), "optimizer": optimizer.state_dict()},
               f"{HERE}/Models/@checkpoint.pt")
    base = torch.arange(24.0)
    torch.save({
        "plain": base.reshape(4, 6), "turned": base.reshape(2, 3, 4).permute(2, 0, 1), "part": base[5:17:3], "columns": base.reshape(4, 6)[:, 1:4],
        "repeated": torch.tensor([1.0, 2.0]).unsqueeze(1).expand(2, 3), "scalar": torch.tensor(5.0), "empty": torch.zeros(0, 3),
        "f64": torch.tensor([0.1, -2.0], dtype=torch.float64), "f16": torch.tensor([0.5, -2.0], dtype=torch.float16),
        "bf16": torch.tensor([0.5, -3.0], dtype=torch.bfloat16), "i64": torch.tensor([-1, 1 << 40]), "i32": torch.tensor([-7], dtype=torch.int32),
        "i16": torch.tensor([-300], dtype=torch.int16), "i8": torch.tensor([-3], dtype=torch.int8), "u8": torch.tensor([200], dtype=torch.uint8),
        "bool": torch.tensor([True, False]), "parameter": nn.Parameter(torch.ones(2)),
    }, f"{HERE}/Models/@views.pt")
    torch.save(nn.Linear(1, 1), f"{HERE}/Models/@module.pt")
    torch.save(nn.Linear(1, 1).state_dict(), f"{HERE}/Models/@legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), f"{HERE}/Models/@script.pt")
    torch.save(torch.ones(2), f"{HERE}/Models/@tensor.pt")
    torch.save({"a": 1, "b": [1, 2]}, f"{HERE}/Models/@numbers.pt")


def check(directory):
    expected = {}
    for line in open(f"{HERE}/models.txt"):
        name, kind, shape, *numbers = line.split()
        if kind == "y":
            expected[name] = torch.tensor([float(n) for n in numbers]).reshape([int(d) for d in shape.split(",")])
    for file in sorted(os.listdir(directory)):
        name = file[:-len(".pt")]
        module = CASES[name][0]().eval()
        module.load_state_dict(torch.load(f"{directory}/{file}"))
        y = last(name, module(*inputs_of(name)).detach())
        worst = float((y - expected[name]).abs().max())
        print(f"{name} {worst:.1e} {'equal' if worst < 1e-5 else 'DIFFERENT'}")


if len(sys.argv) > 2 and sys.argv[1] == "check":
    check(sys.argv[2])
else:
    write()
