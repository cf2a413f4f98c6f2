"""Writes arithmetic.txt: PyTorch's results and gradients, in double, of broadcast arithmetic and of reductions. Run with PyTorch 1.13.

A line: name and parameters; the shape and the numbers of each operand; z; for each operand the gradient of sum(z dz), with dz = 1, 2, 3, ...
of the elements of z.
"""
import os
import torch

inf, nan = float("inf"), float("nan")
torch.manual_seed(1)


def numbers(*shape):
    return torch.round(torch.randn(*shape, dtype=torch.float64) * 64) / 64


def positive(*shape):
    return numbers(*shape).abs() + 0.25


lines = []


def line(name, parameters, f, *operands):
    operands = [x.clone().requires_grad_() for x in operands]
    z = f(*operands)
    if z.is_floating_point():
        z.backward(torch.arange(1, z.numel() + 1, dtype=torch.float64).reshape(z.shape))
    parts = [" ".join([name] + [repr(p) for p in parameters])]
    for x in operands:
        parts += [" ".join(str(n) for n in x.shape), text(x)]
    parts.append(text(z))
    parts += [text(x.grad) for x in operands if x.grad is not None]
    lines.append(" | ".join(parts))


def text(x):
    return " ".join(repr(float(v)) for v in x.detach().reshape(-1).tolist())


pairs = [((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 1, 3), (2, 1)), ((2, 2, 3), (1, 1, 3)), ((3,), (2, 3)), ((2, 3), (2, 3))]
for xs, ys in pairs:
    line("add", [], torch.add, numbers(*xs), numbers(*ys))
    line("subtract", [], torch.sub, numbers(*xs), numbers(*ys))
    line("multiply", [], torch.mul, numbers(*xs), numbers(*ys))
    line("divide", [], torch.div, numbers(*xs), positive(*ys))
    line("maximum", [], torch.maximum, numbers(*xs), numbers(*ys))
    line("minimum", [], torch.minimum, numbers(*xs), numbers(*ys))
    line("power", [], torch.pow, positive(*xs), numbers(*ys))
edges = torch.tensor([-inf, -2.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, inf, nan], dtype=torch.float64)
ties = torch.tensor([1.0, 1.0, nan, 2.0, -0.0, inf, -inf], dtype=torch.float64)
other = torch.tensor([1.0, nan, 2.0, 3.0, 0.0, inf, inf], dtype=torch.float64)
line("power", [], torch.pow, edges.reshape(-1, 1), torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0], dtype=torch.float64))
line("maximum", [], torch.maximum, ties, other)
line("minimum", [], torch.minimum, ties, other)
for shape, axes in [((3, 4), (1,)), ((3, 4), (0,)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (1,)), ((5,), (0,)), ((2, 2, 3), (0, 1, 2))]:
    line("sum", axes, lambda x: x.sum(axes), numbers(*shape))
    line("mean", axes, lambda x: x.mean(axes), numbers(*shape))
    line("max", axes, lambda x: x.amax(axes), numbers(*shape))
    line("min", axes, lambda x: x.amin(axes), numbers(*shape))
    line("norm", axes, lambda x: torch.linalg.vector_norm(x, dim=axes), numbers(*shape))
    line("logsumexp", axes, lambda x: torch.logsumexp(x, axes), numbers(*shape))
    line("variance", axes, lambda x: torch.var(x, axes, unbiased=False), numbers(*shape))
edge = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 0.5], [inf, 1.0, 2.0], [nan, 1.0, 2.0], [-inf, 0.0, 1.0]], dtype=torch.float64)
# amax gives a whole row the gradient NaN where one element is NaN; here the NaN alone gets the gradient, as torch.max(x, 1) has it.
line("max", [1], lambda x: x.amax(1), edge[[0, 1, 2, 4]])
line("min", [1], lambda x: x.amin(1), edge[[0, 1, 2, 4]])
line("max", [1], lambda x: torch.max(x, 1).values, edge[3:4])
line("min", [1], lambda x: torch.min(x, 1).values, edge[3:4])
line("norm", [1], lambda x: torch.linalg.vector_norm(x, dim=1), edge[:2])
line("logsumexp", [1], lambda x: torch.logsumexp(x, 1), edge[[0, 1, 3, 4]])
line("argmax", [1], lambda x: x.argmax(1), edge)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "arithmetic.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
