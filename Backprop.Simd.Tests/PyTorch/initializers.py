"""Writes initializers.txt: PyTorch's gains, the bounds and standard deviations that its random rules draw with, and the numbers of eye_ and dirac_.
A weight of torch is [out, in] or [out, in, h, w]; here it is written as the library has it, [in, out] or [h, w, in, out]. Made with torch 1.13."""
import torch
from torch.nn import init

out = []
for name, parameter in [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
                        ("leaky_relu", None), ("leaky_relu", 0.2), ("leaky_relu", -1.5)]:
    out.append(f"gain {name} {'-' if parameter is None else parameter} {init.calculate_gain(name, parameter)!r}")

drawn = []
torch.Tensor.uniform_ = lambda self, low, high: drawn.append(high) or self
torch.Tensor.normal_ = lambda self, mean, std: drawn.append(std) or self
for shape in [(100, 300), (16, 8, 3, 5)]:
    w = torch.empty(*shape)
    fans = "{} {}".format(*init._calculate_fan_in_and_fan_out(w))
    for kind in ["uniform", "normal"]:
        for mode in ["fan_in", "fan_out"]:
            for slope in [0, 0.2]:
                getattr(init, f"kaiming_{kind}_")(w, slope, mode)
                out.append(f"scale {kind} {mode} {fans} {init.calculate_gain('leaky_relu', slope)!r} {drawn.pop()!r}")
        getattr(init, f"xavier_{kind}_")(w, 5 / 3)
        out.append(f"scale {kind} average {fans} {5 / 3!r} {drawn.pop()!r}")


def write(name, groups, t):
    t = t.movedim((0, 1), (-1, -2))
    out.append(f"{name} {groups} {','.join(str(d) for d in t.shape)} {' '.join(str(int(v)) for v in t.reshape(-1))}")


for shape in [(3, 3), (2, 4), (4, 2)]:
    write("eye", 1, init.eye_(torch.empty(*shape)))
for shape, groups in [((3, 3, 3), 1), ((2, 4, 2), 1), ((4, 2, 3, 3), 1), ((6, 2, 2, 3), 2), ((4, 1, 3, 3), 4), ((4, 3, 1, 5), 2)]:
    write("dirac", groups, init.dirac_(torch.empty(*shape), groups))

with open("initializers.txt", "w") as f:
    f.write("\n".join(out) + "\n")
