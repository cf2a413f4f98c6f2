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
open("losses.txt", "w").write("\n".join(out) + "\n")
