"""Writes shapes.txt: PyTorch's outputs and gradients, in double, of products of arrays, shapes, gathers, prefix sums and sorting. Run with 1.13.

A line: name and settings | inputs | output | gradients by the inputs of numbers, of sum(y dy) with dy = 1, 2, .. 5, 1, 2, ..
A tensor is its kind (v: rows of a batch, s: shared, i: indices of a batch), its shape and its numbers.
"""
import os
import torch
import torch.nn.functional as F

torch.manual_seed(15)
lines = []


def values(*shape):
    return ("v", torch.randint(-40, 41, shape).double() / 8)


def shared(*shape):
    return ("s", torch.randint(-40, 41, shape).double() / 8)


def indices(below, *shape):
    return ("i", torch.randint(0, below, shape))


def text(kind, tensor):
    return kind + "[" + ",".join(str(d) for d in tensor.shape) + "] " + " ".join(repr(v) for v in tensor.flatten().tolist())


def add(head, inputs, f):
    tensors = [t.clone().requires_grad_(k != "i") if k != "i" else t for k, t in inputs]
    y = f(*tensors)
    dy = (torch.arange(y.numel()) % 5 + 1).double().reshape(y.shape)
    y.backward(dy)
    parts = [head] + [text(k, t) for k, t in inputs] + [text("v", y.detach())]
    lines.append(" | ".join(parts + [text(k, t.grad) for (k, _), t in zip(inputs, tensors) if k != "i"]))


add("matmul", [values(2, 2, 3, 4), values(2, 2, 4, 2)], torch.matmul)
add("matmul", [values(2, 2, 3, 4), shared(4, 2)], torch.matmul)
add("matmul", [shared(3, 1, 2, 2), values(2, 1, 2, 2, 3)], torch.matmul)
add("matmul", [values(2, 2, 3, 4), shared(4)], torch.matmul)

add("transpose 2,0,1", [values(2, 2, 3, 2)], lambda x: x.permute(0, 3, 1, 2))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "shapes.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
