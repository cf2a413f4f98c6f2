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

alike = torch.tensor([1.0, -1, 1, -1, -1], dtype=torch.float64)
for reduction in ("mean", "sum", "none"):
    many(f"cosine-{reduction}", lambda a, b: F.cosine_embedding_loss(a, b, alike, margin=0.1, reduction=reduction), randn(5, 3), randn(5, 3))
    for swap in (False, True):
        many(f"triplet-{swap}-{reduction}", lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=1.5, swap=swap, reduction=reduction),
             randn(4, 3), randn(4, 3), randn(4, 3))
for shape in ((3, 4), (3, 1), (3,)):
    name = "x".join(str(s) for s in shape)
    many(f"gaussian-{name}", lambda m, t, v: F.gaussian_nll_loss(m, t, v), randn(3, 4), randn(3, 4), randn(*shape).abs() + 0.1)
    many(f"gaussian-full-{name}", lambda m, t, v: F.gaussian_nll_loss(m, t, v, full=True, eps=0.5, reduction="sum"),
         randn(3, 4), randn(3, 4), randn(*shape).abs() + 0.1)


def infonce(a, b, temperature, symmetric):
    s = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
    rows = F.cross_entropy(s, torch.arange(len(s)))
    return (rows + F.cross_entropy(s.T, torch.arange(len(s)))) / 2 if symmetric else rows


def focal(x, t, alpha, gamma):
    """As torchvision's sigmoid_focal_loss, with reduction mean."""
    p = torch.sigmoid(x)
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none") * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
    return (loss if alpha is None else loss * (alpha * t + (1 - alpha) * (1 - t))).mean()


def dice(p, t, smooth):
    return (1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


def smoothed(x, t, smoothing):
    """As Keras's BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)."""
    return F.binary_cross_entropy_with_logits(x, t * (1 - smoothing) + 0.5 * smoothing)


for symmetric in (False, True):
    many(f"infonce-{symmetric}", lambda a, b: infonce(a, b, 0.2, symmetric), randn(5, 3), randn(5, 3))
hard, soft = (torch.rand(3, 4) > 0.5).double(), torch.rand(3, 4, dtype=torch.float64)
many("focal", lambda x, t: focal(x, t, 0.25, 2), 3 * randn(3, 4), hard)
many("focal-none", lambda x, t: focal(x, t, None, 1.5), 3 * randn(3, 4), soft)
many("dice-logits", lambda x, t: dice(torch.sigmoid(x), t, 1), randn(3, 4), hard)
many("dice-probabilities", lambda x, t: dice(x, t, 0.25), torch.rand(3, 4, dtype=torch.float64), soft)
many("smoothed", lambda x, t: smoothed(x, t, 0.2), 3 * randn(3, 4), hard)


def ctc(name, targets, steps, lengths, blank=0, zero=False, reduction="mean", t=5, c=3):
    """Logits of a row behind each other; labels, padded; the steps and the labels of each row."""
    def loss(x, labels):
        return F.ctc_loss(F.log_softmax(x, 2).transpose(0, 1), labels, torch.tensor(steps), torch.tensor(lengths), blank, reduction, zero)

    many(f"ctc-{name}", loss, 2 * randn(len(targets), t, c), labels=torch.tensor(targets))
    out.append(f"ctc-{name} steps " + " ".join(str(v) for v in steps))
    out.append(f"ctc-{name} lengths " + " ".join(str(v) for v in lengths))


# Plain, repeated, empty, of one step; the last has no alignment: three equal labels need five steps.
rows, ends, sizes = [[1, 2, 1], [2, 2, 1], [2, 2, 2], [1, 1, 1], [2, 2, 2]], [5, 4, 5, 1, 4], [3, 3, 0, 1, 3]
for reduction in ("mean", "sum", "none"):
    ctc(f"possible-{reduction}", rows[:4], ends[:4], sizes[:4], reduction=reduction)
for zero in (True, False):
    ctc(f"infinite-{zero}-mean", rows[:1] + rows[4:], ends[:1] + ends[4:], sizes[:1] + sizes[4:], zero=zero)
ctc("blank-mean", [[0, 1, 1, 3], [3, 0, 0, 0]], [6, 5], [4, 2], blank=2, t=6, c=4)
open("losses.txt", "w").write("\n".join(out) + "\n")
