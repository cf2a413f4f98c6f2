"""Writes functions.txt: PyTorch's outputs and gradients, in double, of functions and activations. Run with PyTorch 1.13.

A line: name and parameters; x; y; the gradient of sum(y dy) by x with dy = 1, 2, 3, ... of the elements of y.
"""
import os
import torch
import torch.nn.functional as F

inf, nan = float("inf"), float("nan")
common = [-inf, -30.0, -3.5, -1.0, -0.75, -1e-3, -0.0, 0.0, 1e-3, 0.5, 1.0, 2.0, 3.25, 6.0, 7.5, 40.0, inf, nan]
positive = [0.0, 1e-300, 1e-3, 0.5, 1.0, 2.0, 10.0, 1e10, inf, nan, -1.0]
angles = [-1e5, -3.0, -0.5, -0.0, 0.0, 1e-9, 0.7853981633974483, 1.5707963267948966, 3.0, 100.0, 1e16, 1e300, inf, nan]
bounds = [-inf, -3.0, -1.0, -0.9999, 0.0, 0.5, 1.0, 1.0001, 2.0, 6.0, inf, nan]

forms = [
    ("log", [], torch.log, positive),
    ("sqrt", [], torch.sqrt, positive),
    ("abs", [], torch.abs, common),
    ("sin", [], torch.sin, angles),
    ("cos", [], torch.cos, angles),
    ("erf", [], torch.erf, common),
    ("floor", [], torch.floor, common),
    ("clip", [-1.0, 2.0], lambda x: torch.clamp(x, -1.0, 2.0), bounds),
    ("clip", [-inf, 0.5], lambda x: torch.clamp(x, max=0.5), bounds),
    ("clip", [2.0, -1.0], lambda x: torch.clamp(x, 2.0, -1.0), bounds),
    ("hardtanh", [-1.0, 1.0], F.hardtanh, bounds),
    ("hardtanh", [-3.0, 2.0], lambda x: F.hardtanh(x, -3.0, 2.0), bounds),
    ("relu6", [], F.relu6, common),
    ("celu", [1.0], F.celu, common),
    ("celu", [0.3], lambda x: F.celu(x, 0.3), common),
    ("thresholdedrelu", [1.0], lambda x: F.threshold(x, 1.0, 0.0), common),
    ("thresholdedrelu", [-0.75], lambda x: F.threshold(x, -0.75, 0.0), common),
    ("logsigmoid", [], F.logsigmoid, common),
]
forms += [("pow", [p], (lambda p: lambda x: torch.pow(x, p))(p), common) for p in (0.0, 1.0, 2.0, 3.0, 0.75, 2.5, -1.0, -2.0, -1.5)]
halves = [-3.0, 0.5, 2.0, 7.0, 40.0, -1.5, 0.25, -100.0, 3.5, 0.0, -0.0, 2.0]
forms += [
    ("glu", [], F.glu, halves),
    ("swiglu", [], lambda x: F.silu(x[:6]) * x[6:], halves),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "functions.txt"), "w") as file:
    for name, parameters, f, values in forms:
        x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        y = f(x)
        y.backward(torch.arange(1, len(y) + 1, dtype=torch.float64))
        parts = [" ".join([name] + [repr(p) for p in parameters])]
        parts += [" ".join(repr(v) for v in t.tolist()) for t in (x.detach(), y.detach(), x.grad)]
        file.write(" | ".join(parts) + "\n")
