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


def distinct(*shape):
    n = torch.Size(shape).numel()
    return ("v", ((torch.randperm(n) - n // 2).double() / 8).reshape(shape))


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

for mode, before, after in (("constant", (1, 0, 2), (0, 2, 1)), ("constant", (0, 0, 0), (0, 3, 0))):
    sides = [s for b, a in zip(reversed(before), reversed(after)) for s in (b, a)]
    head = "pad %s 1.5 %s %s" % (mode, ",".join(map(str, before)), ",".join(map(str, after)))
    add(head, [values(2, 2, 3, 2)], lambda x: F.pad(x, sides, mode, 1.5))
for mode, name in (("replicate", "edge"), ("reflect", "reflect")):
    add("pad %s 0 2,1 1,3" % name, [values(2, 3, 4)], lambda x: F.pad(x.unsqueeze(0), (1, 3, 2, 1), mode).squeeze(0))
    add("pad %s 0 3 2" % name, [values(2, 4)], lambda x: F.pad(x.unsqueeze(0), (3, 2), mode).squeeze(0))
    add("pad %s 0 0,2 0,2" % name, [values(2, 2, 3)], lambda x: F.pad(x, (2, 2), mode))
add("reverse 0,2", [values(2, 2, 3, 2)], lambda x: torch.flip(x, (1, 3)))
add("reverse 1", [values(2, 2, 3, 2)], lambda x: torch.flip(x, (2,)))
add("tile 2,1,3", [values(2, 2, 3, 2)], lambda x: x.repeat(1, 2, 1, 3))
add("tile 3,2", [shared(2, 3)], lambda x: x.repeat(3, 2))

add("gather 0", [values(2, 4, 3), indices(4, 2, 5)], lambda x, i: torch.stack([a.index_select(0, j) for a, j in zip(x, i)]))
add("gather 1", [values(2, 2, 4, 3), indices(4, 2, 3)], lambda x, i: torch.stack([a.index_select(1, j) for a, j in zip(x, i)]))
add("gather -1", [values(2, 2, 4), indices(4, 2, 2, 3)], lambda x, i: torch.stack([a[:, j] for a, j in zip(x, i)]))
add("gather 0", [shared(5, 3), indices(5, 2, 4)], lambda x, i: x[i])
add("gather 1", [shared(2, 5), indices(5, 3)], lambda x, i: x[:, i].t())
add("gatherelements 1", [values(2, 3, 4), indices(4, 2, 3, 6)], lambda x, i: torch.gather(x, 2, i))
add("gatherelements 0", [values(2, 3, 4), indices(3, 2, 2, 4)], lambda x, i: torch.gather(x, 1, i))
add("gatherelements -1", [values(2, 5), indices(5, 2, 7)], lambda x, i: torch.gather(x, 1, i))
add("segmentsum 3 0", [values(2, 5, 2), indices(3, 2, 5)],
    lambda x, i: torch.stack([torch.zeros(3, 2).double().index_add(0, j, a) for a, j in zip(x, i)]))
add("segmentsum 4 -1", [values(2, 2, 6), indices(4, 2, 6)],
    lambda x, i: torch.zeros(2, 2, 4).double().scatter_add(2, i.unsqueeze(1).expand(2, 2, 6), x))

for head, f in (
        ("cumulativesum 0 False False", lambda x: torch.cumsum(x, 1)),
        ("cumulativesum 1 False False", lambda x: torch.cumsum(x, 2)),
        ("cumulativesum -1 True False", lambda x: torch.cumsum(x, 2) - x),
        ("cumulativesum -1 False True", lambda x: torch.flip(torch.cumsum(torch.flip(x, (2,)), 2), (2,))),
        ("cumulativesum 0 True True", lambda x: torch.flip(torch.cumsum(torch.flip(x, (1,)), 1), (1,)) - x)):
    add(head, [values(2, 4, 5)], f)
inf, nan = float("inf"), float("nan")
special = [[3.0, nan, -inf, -0.0, inf, 0.0, nan, -1.0], [1.0, 1.0, 1.0, 2.0, 2.0, 0.0, 0.0, -0.0]]
for descending in (False, True):
    add("sort -1 %s" % descending, [values(2, 3, 6)], lambda x: torch.sort(x, dim=2, descending=descending, stable=True).values)
    add("sort 0 %s" % descending, [values(2, 5, 2)], lambda x: torch.sort(x, dim=1, descending=descending, stable=True).values)
    add("sort 0 %s" % descending, [("v", torch.tensor(special).double())],
        lambda x: torch.sort(x, dim=1, descending=descending, stable=True).values)
add("topk 3 -1 True", [distinct(2, 2, 7)], lambda x: torch.topk(x, 3, 2).values)
add("topk 2 0 False", [distinct(2, 9, 2)], lambda x: torch.topk(x, 2, 1, largest=False).values)
add("topk 1 0 True", [("v", torch.tensor([special[0]] * 2).double() * torch.tensor([[1.0], [-1.0]]).double())], lambda x: torch.topk(x, 1, 1).values)
add("scatteradd 5 -1", [values(2, 3, 4), indices(5, 2, 3, 4)], lambda x, i: torch.zeros(2, 3, 5).double().scatter_add(2, i, x))
add("scatteradd 4 0", [values(2, 3, 4), indices(4, 2, 3, 4)], lambda x, i: torch.zeros(2, 4, 4).double().scatter_add(1, i, x))
add("scatteradd 3 0", [values(2, 7), indices(3, 2, 7)], lambda x, i: torch.zeros(2, 3).double().scatter_add(1, i, x))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "shapes.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
