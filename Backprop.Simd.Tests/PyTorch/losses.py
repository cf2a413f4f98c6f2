"""Writes losses.txt: PyTorch's numbers for losses. Each line: a name and a kind of numbers, then the numbers. Made with torch 1.13 in double."""
import torch
import torch.nn.functional as F

torch.manual_seed(1)
out = []


def case(name, loss, *inputs):
    tensors = [i.clone().requires_grad_(True) for i in inputs]
    value = loss(*tensors)
    gradients = torch.autograd.grad(value, tensors)
    for kind, numbers in [("y", inputs[0]), ("t", inputs[1]), ("loss", value.detach()), ("dy", gradients[0]), ("dt", gradients[1])]:
        out.append(f"{name} {kind} " + " ".join(repr(float(v)) for v in numbers.reshape(-1)))


y, t = torch.randn(3, 4, dtype=torch.float64), torch.rand(3, 4, dtype=torch.float64) * 4
sign = torch.where(t > 2, 1.0, -1.0).double()
for full in (False, True):
    case(f"poisson-log-{full}", lambda a, b: F.poisson_nll_loss(a, b, log_input=True, full=full), y, t)
    case(f"poisson-rate-{full}", lambda a, b: F.poisson_nll_loss(a, b, log_input=False, full=full), y.abs() + 0.1, t)
case("hinge", lambda a, b: torch.relu(1 - a * b).mean(), y, sign)
case("quantile", lambda a, b: torch.maximum(0.3 * (b - a), -0.7 * (b - a)).mean(), y, t)


def many(name, loss, *inputs, labels=None):
    """The numbers x0, x1, ... and labels; the loss or the losses; the gradients d0, d1, ... of their sum, where PyTorch has them."""
    tensors = [i.clone().requires_grad_(True) for i in inputs]
    value = loss(*tensors) if labels is None else loss(*tensors, labels)
    gradients = torch.autograd.grad(value.sum(), tensors, allow_unused=True)
    kinds = [(f"x{i}", x) for i, x in enumerate(inputs)] + [("loss", value.detach())]
    kinds += [] if labels is None else [("labels", labels)]
    kinds += [(f"d{i}", g) for i, g in enumerate(gradients) if g is not None]
    for kind, numbers in kinds:
        out.append(f"{name} {kind} " + " ".join(repr(float(v)) for v in numbers.reshape(-1)))


def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


labels, classes = torch.tensor([2, 0, 3]), torch.tensor([0.5, 2, 0, 1.5], dtype=torch.float64)
for reduction in ("mean", "sum", "none"):
    many(f"multiclasshinge-{reduction}", lambda x, l: F.multi_margin_loss(x, l, reduction=reduction), randn(3, 4), labels=labels)
    many(f"multiclasshinge-squared-{reduction}", lambda x, l: F.multi_margin_loss(x, l, p=2, margin=0.7, weight=classes, reduction=reduction),
         randn(3, 4), labels=labels)
open("losses.txt", "w").write("\n".join(out) + "\n")
