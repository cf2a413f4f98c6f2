"""Writes vision.txt: PyTorch's numbers for layers of images and sequences. Each line: a case, what the numbers are, their shape, the numbers.
x and i are inputs, y the output, dy its gradient, dx the gradient by x; p.name is a parameter, g.name its gradient. All are features last,
as the library has them. Made with torch 1.13 in double."""
import torch
import torch.nn.functional as F

torch.manual_seed(15)
out = []


def write(name, kind, t):
    numbers = " ".join(repr(float(v)) for v in t.detach().reshape(-1)) if t.is_floating_point() else " ".join(str(int(v)) for v in t.reshape(-1))
    out.append(f"{name} {kind} {','.join(str(d) for d in t.shape)} {numbers}")


def last(t):
    """Channels from dimension 1 to the end."""
    return t.movedim(1, -1) if t.dim() > 2 else t


def case(name, function, shape, parameters=None, layouts=None, indices=None):
    """parameters: name to tensor; layouts: name to what brings it into the library's layout."""
    x = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    parameters = parameters or {}
    values = [p.requires_grad_(True) for p in parameters.values()]
    y = function(x, *values)
    dy = torch.randn_like(y)
    gradients = torch.autograd.grad(y, [x, *values], dy)
    for kind, t in [("x", x), ("y", y), ("dy", dy), ("dx", gradients[0])]:
        write(name, kind, last(t))
    if indices is not None:
        write(name, "i", indices)
    for (key, p), g in zip(parameters.items(), gradients[1:]):
        turn = (layouts or {}).get(key, lambda t: t)
        write(name, "p." + key, turn(p))
        write(name, "g." + key, turn(g))


# Upsampling.
case("upsample-nearest", lambda x: F.interpolate(x, scale_factor=2), (1, 2, 2, 3))
case("upsample-nearest-real", lambda x: F.interpolate(x, scale_factor=(1.5, 2.4)), (1, 2, 3, 4))
case("upsample-nearest-size", lambda x: F.interpolate(x, size=(5, 3)), (1, 2, 3, 7))
case("upsample-exact-size", lambda x: F.interpolate(x, size=(5, 3), mode="nearest-exact"), (1, 2, 3, 7))
case("upsample-bilinear", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), (1, 2, 2, 3))
case("upsample-bilinear-real", lambda x: F.interpolate(x, scale_factor=(1.7, 0.6), mode="bilinear"), (1, 2, 3, 4))
case("upsample-bilinear-size", lambda x: F.interpolate(x, size=(5, 2), mode="bilinear"), (1, 2, 3, 7))
case("upsample-aligned", lambda x: F.interpolate(x, size=(5, 4), mode="bilinear", align_corners=True), (1, 2, 3, 7))
case("upsample-aligned-one", lambda x: F.interpolate(x, size=(1, 4), mode="bilinear", align_corners=True), (1, 2, 3, 2))
case("upsample-linear", lambda x: F.interpolate(x, scale_factor=2.5, mode="linear"), (2, 2, 3))

open("vision.txt", "w").write("\n".join(out) + "\n")
