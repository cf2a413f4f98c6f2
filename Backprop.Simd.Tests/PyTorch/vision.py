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


def case(name, function, shape=None, parameters=None, layouts=None, indices=None, lengths=None):
    """parameters: name to tensor; layouts: name to what brings it into the library's layout."""
    x = [torch.randn(*shape, dtype=torch.float64, requires_grad=True)] if shape else []
    parameters = parameters or {}
    values = [p.requires_grad_(True) for p in parameters.values()]
    y = function(*x, *values)
    dy = torch.randn_like(y)
    gradients = torch.autograd.grad(y, [*x, *values], dy)
    for kind, t in [("x", t) for t in x] + [("y", y), ("dy", dy)] + [("dx", g) for g, _ in zip(gradients, x)]:
        write(name, kind, last(t))
    for kind, t in [("i", indices), ("n", lengths)]:
        if t is not None:
            write(name, kind, t)
    for (key, p), g in zip(parameters.items(), gradients[len(x):]):
        turn = (layouts or {}).get(key, lambda t: t)
        write(name, "p." + key, turn(p))
        write(name, "g." + key, turn(g))


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


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

# Pixels and channels.
case("pixel-shuffle", lambda x: F.pixel_shuffle(x, 2), (2, 8, 2, 3))
case("pixel-unshuffle", lambda x: F.pixel_unshuffle(x, 2), (2, 2, 4, 6))

# Pooling.
case("max-pooling-1d", lambda x: F.max_pool1d(x, 3, stride=2, padding=1), (2, 2, 6))
case("max-pooling-1d-dilated", lambda x: F.max_pool1d(x, 2, stride=1, padding=1, dilation=3), (2, 2, 6))
case("max-pooling-2d-dilated", lambda x: F.max_pool2d(x, (2, 3), stride=(1, 2), padding=1, dilation=(3, 2), ceil_mode=True), (1, 2, 5, 7))
case("average-pooling-1d", lambda x: F.avg_pool1d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (2, 2, 6))
case("global-average-1d", lambda x: x.mean(2), (2, 3, 4))
case("global-max-2d", lambda x: F.adaptive_max_pool2d(x, 1).flatten(1), (2, 3, 2, 4))
lengths = torch.tensor([3, 1, 5])
mask = torch.arange(5)[None, None, :] < lengths[:, None, None]
case("masked-mean", lambda x: (x * mask).sum(2) / lengths[:, None], (3, 2, 5), lengths=lengths)
case("masked-max", lambda x: x.masked_fill(~mask, -torch.inf).amax(2), (3, 2, 5), lengths=lengths)

# Convolutions and normalizations.
line, image = lambda w: w.permute(2, 1, 0), lambda w: w.permute(2, 3, 1, 0)
case("convolution-transpose-1d", lambda x, w, b: F.conv_transpose1d(x, w, b, 2, 1, 1, 2, 2), (2, 4, 3),
     {"convolutiontranspose1d1.weight": random(4, 3, 3), "convolutiontranspose1d1.bias": random(6)}, {"convolutiontranspose1d1.weight": line})
case("separable", lambda x, d, p, b: F.conv2d(F.conv2d(x, d, stride=2, padding=1, groups=2), p, b), (1, 2, 4, 5),
     {"convolution2d1.weight": random(6, 1, 3, 3), "convolution2d2.weight": random(4, 6, 1, 1), "convolution2d2.bias": random(4)},
     {"convolution2d1.weight": image, "convolution2d2.weight": image})
case("instance-normalization", lambda x: F.instance_norm(x), (2, 2, 3, 2))
case("instance-normalization-affine", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (2, 3, 4),
     {"groupnormalization1.weight": random(3), "groupnormalization1.bias": random(3)})
case("weight-normalized", lambda x, v, g, b: F.linear(x, g * v / v.norm(dim=1, keepdim=True), b), (3, 4),
     {"map.direction": random(2, 4), "map.length": random(2, 1), "map.bias": random(2)}, {"map.direction": torch.t, "map.length": torch.t})

# Bags.
bags, sizes = torch.randint(0, 5, (4, 4)), torch.tensor([4, 2, 0, 3])
flat, offsets = torch.cat([b[:n] for b, n in zip(bags, sizes)]), torch.tensor([0, 4, 6, 6])
table = {"embeddingbag1.weight": random(5, 3)}
for mode in ("sum", "mean", "max"):
    case(f"bag-{mode}", lambda w: F.embedding_bag(flat, w, offsets, mode=mode), parameters=table, indices=bags, lengths=sizes)
case("bag-padding", lambda w: F.embedding_bag(bags, w, mode="mean", padding_idx=2), parameters=table, indices=bags)
case("bag-weighted", lambda x, w: F.embedding_bag(bags, w, mode="sum", per_sample_weights=x), (4, 4), table, indices=bags)

# Blocks.
case("squeeze-excite", lambda x, w1, b1, w2, b2: x * torch.sigmoid(F.linear(torch.relu(F.linear(x.mean((2, 3)), w1, b1)), w2, b2))[:, :, None, None],
     (2, 4, 2, 3), {"affine1.weight": random(2, 4), "affine1.bias": random(2), "affine2.weight": random(4, 2), "affine2.bias": random(4)},
     {"affine1.weight": torch.t, "affine2.weight": torch.t})
case("residual", lambda x, w, s: torch.relu(F.conv2d(x, w, padding=1)) + F.conv2d(x, s), (1, 2, 3, 3),
     {"convolution2d2.weight": random(3, 2, 3, 3), "convolution2d1.weight": random(3, 2, 1, 1)},
     {"convolution2d1.weight": image, "convolution2d2.weight": image})

# Later forms: at the end, so that the numbers above stay.
norm = lambda g, v: g * v / v.flatten(1).norm(dim=1).reshape(g.shape)
case("weight-normalized-1d", lambda x, v, g, b: F.conv1d(x, norm(g, v), b, 2, 2, 2, 2), (2, 4, 6),
     {"line.direction": random(4, 2, 3), "line.length": random(4, 1, 1), "line.bias": random(4)}, {"line.direction": line, "line.length": line})
case("weight-normalized-2d", lambda x, v, g, b: F.conv2d(x, norm(g, v), b, padding=1), (2, 2, 3, 4),
     {"image.direction": random(3, 2, 3, 2), "image.length": random(3, 1, 1, 1), "image.bias": random(3)},
     {"image.direction": image, "image.length": image})
case("adaptive-max-1d", lambda x: F.adaptive_max_pool1d(x, 3), (2, 3, 7))
case("adaptive-max-2d", lambda x: F.adaptive_max_pool2d(x, (3, 2)), (2, 2, 5, 7))
case("adaptive-max-2d-more", lambda x: F.adaptive_max_pool2d(x, (3, 4)), (1, 3, 2, 6))

open("vision.txt", "w").write("\n".join(out) + "\n")
