"""Writes attention.txt: PyTorch's numbers for attention. Each line: a case, a kind of numbers and a name, then the numbers.
Weights are written as the library has them, [in, out]. Made with torch 1.13 in double."""
import torch
import torch.nn as nn
import torch.nn.functional as F

out = []


def line(name, kind, of, numbers):
    out.append(f"{name} {kind} {of} " + " ".join(repr(float(v)) for v in numbers.detach().reshape(-1)))


def case(name, inputs, parameters, f, indices={}):
    """parameters: our name -> (tensor, how it becomes ours)."""
    for v in inputs.values():
        v.requires_grad_(True)
    y = f()
    dy = torch.randn_like(y)
    leaves = list(inputs.values()) + [p for p, _ in parameters.values()]
    gradients = torch.autograd.grad(y, leaves, dy, allow_unused=True)
    gradients = [torch.zeros_like(v) if g is None else g for g, v in zip(gradients, leaves)]
    for k, v in inputs.items():
        line(name, "input", k, v)
    for k, v in indices.items():
        line(name, "index", k, v)
    merged = {}
    for (k, (p, ours)), g in zip(parameters.items(), gradients[len(inputs):]):
        line(name, "parameter", k, ours(p))
        merged[k] = ours(g)
    line(name, "y", "y", y)
    line(name, "dy", "y", dy)
    for k, g in zip(inputs, gradients):
        line(name, "dinput", k, g)
    for k, g in merged.items():
        line(name, "dparameter", k, g)


def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def same(p):
    return p


def turned(p):
    return p.t()


def attention(m, node="multiheadattention1"):
    """The parameters of nn.MultiheadAttention under our names."""
    e = m.embed_dim
    names = ["query", "key", "value"]
    found = {}
    for i, n in enumerate(names):
        if m.in_proj_weight is not None:
            found[f"{node}.{n}Weight"] = (m.in_proj_weight, lambda p, i=i: p[i * e:(i + 1) * e].t())
        else:
            found[f"{node}.{n}Weight"] = ([m.q_proj_weight, m.k_proj_weight, m.v_proj_weight][i], turned)
        found[f"{node}.{n}Bias"] = (m.in_proj_bias, lambda p, i=i: p[i * e:(i + 1) * e])
    found[f"{node}.outputWeight"] = (m.out_proj.weight, turned)
    found[f"{node}.outputBias"] = (m.out_proj.bias, same)
    with torch.no_grad():
        m.in_proj_bias.copy_(randn(3 * e))
        m.out_proj.bias.copy_(randn(e))
    return found


def masks():
    torch.manual_seed(1)
    m = nn.MultiheadAttention(4, 2, batch_first=True, dtype=torch.float64)
    x, seen = randn(2, 3, 4), torch.tensor([[1, 1, 0], [0, 1, 1]])
    case("padding", {"x0": x}, attention(m), lambda: m(x, x, x, key_padding_mask=seen == 0)[0], {"mask": seen})
    seen = torch.tensor([[[1, 1, 0], [0, 1, 1], [1, 0, 0]], [[1, 1, 1], [0, 0, 1], [1, 0, 1]]])
    case("mask", {"x0": x}, attention(m), lambda: m(x, x, x, attn_mask=(seen == 0).repeat_interleave(2, 0))[0], {"mask": seen})
    added = randn(3, 3)
    case("added", {"x0": x, "added": added}, attention(m), lambda: m(x, x, x, attn_mask=added)[0])
    each = randn(2, 2, 3, 3)
    case("added-each", {"x0": x, "added": each}, attention(m), lambda: m(x, x, x, attn_mask=each.reshape(4, 3, 3))[0])


def sizes():
    torch.manual_seed(2)
    m = nn.MultiheadAttention(4, 2, kdim=3, vdim=2, batch_first=True, dtype=torch.float64)
    q, k, v = randn(2, 3, 4), randn(2, 5, 3), randn(2, 5, 2)
    case("sizes", {"x0": q, "x1": k, "x2": v}, attention(m), lambda: m(q, k, v)[0])


def groups():
    torch.manual_seed(3)
    x = randn(2, 3, 8)
    weights = {n: randn(*s) for n, s in [("query", (8, 8)), ("key", (8, 4)), ("value", (8, 4)), ("output", (8, 8))]}
    biases = {n: randn(w.shape[1]) for n, w in weights.items()}
    parameters = {}
    for n in weights:
        parameters[f"multiheadattention1.{n}Weight"] = (weights[n].requires_grad_(True), same)
        parameters[f"multiheadattention1.{n}Bias"] = (biases[n].requires_grad_(True), same)

    def f():
        q, k, v = [(x @ weights[n] + biases[n]).reshape(2, 3, -1, 2).transpose(1, 2) for n in ["query", "key", "value"]]
        k, v = k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)
        p = torch.softmax(q @ k.transpose(-1, -2) / 2 ** 0.5 + torch.full((3, 3), -torch.inf, dtype=torch.float64).triu(1), -1)
        return (p @ v).transpose(1, 2).reshape(2, 3, 8) @ weights["output"] + biases["output"]

    case("groups", {"x0": x}, parameters, f)


def angles(steps, width, root):
    return torch.outer(torch.arange(steps, dtype=torch.float64), root ** (-torch.arange(0, width, 2, dtype=torch.float64) / width))


def turn(x, interleaved, root=10000.0):
    """x: [N, heads, T, width]; as complex numbers, by the paper's formula."""
    pairs = x.unflatten(-1, (-1, 2)) if interleaved else x.unflatten(-1, (2, -1)).transpose(-1, -2)
    z = torch.view_as_complex(pairs.contiguous()) * torch.polar(torch.ones(()).double(), angles(x.shape[2], x.shape[3], root))
    real = torch.view_as_real(z)
    return real.flatten(-2) if interleaved else real.transpose(-1, -2).flatten(-2)


def positions():
    torch.manual_seed(4)
    for interleaved in [False, True]:
        x = randn(2, 3, 8)
        case(f"rotary-{interleaved}", {"x0": x}, {},
             lambda: turn(x.reshape(2, 3, 2, 4).transpose(1, 2), interleaved).transpose(1, 2).reshape(2, 3, 8))
    x = randn(2, 3, 6)
    a = angles(3, 6, 10000.0)
    case("sinusoidal", {"x0": x}, {}, lambda: x + torch.stack([a.sin(), a.cos()], -1).flatten(1))
    m = nn.Embedding(5, 4, dtype=torch.float64)
    x = randn(2, 3, 4)
    case("learned", {"x0": x}, {"learnedpositions1.positions": (m.weight, same)}, lambda: x + m(torch.arange(3)))


def rotary_attention():
    torch.manual_seed(5)
    x = randn(2, 3, 8)
    m = nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    parameters = attention(m)

    def f():
        q, k, v = (x @ m.in_proj_weight.t() + m.in_proj_bias).reshape(2, 3, 3, 2, 4).permute(2, 0, 3, 1, 4)
        p = torch.softmax(turn(q, False) @ turn(k, False).transpose(-1, -2) / 2, -1)
        return m.out_proj((p @ v).transpose(1, 2).reshape(2, 3, 8))

    case("rotary-attention", {"x0": x}, parameters, f)


def weights():
    torch.manual_seed(6)
    x = randn(2, 3, 4)
    m = nn.MultiheadAttention(4, 2, batch_first=True, dtype=torch.float64)
    case("weights", {"x0": x}, attention(m), lambda: m(x, x, x, average_attn_weights=False)[1])


def transformer(m, decoder):
    """The parameters of an encoder or decoder layer under our names."""
    found = attention(m.self_attn)
    if decoder:
        found.update(attention(m.multihead_attn, "multiheadattention2"))
    for i, norm in enumerate([m.norm1, m.norm2] + ([m.norm3] if decoder else []), 1):
        found[f"layernormalization{i}.weight"] = (norm.weight, same)
        found[f"layernormalization{i}.bias"] = (norm.bias, same)
    for i, linear in enumerate([m.linear1, m.linear2], 1):
        found[f"affine{i}.weight"] = (linear.weight, turned)
        found[f"affine{i}.bias"] = (linear.bias, same)
    with torch.no_grad():
        for p, _ in found.values():
            if p.dim() == 1:
                p.copy_(randn(*p.shape))
    return found


def transformers():
    torch.manual_seed(7)
    hidden = torch.full((3, 3), -torch.inf, dtype=torch.float64).triu(1)
    for first in [False, True]:
        options = dict(dim_feedforward=5, dropout=0, batch_first=True, norm_first=first, dtype=torch.float64)
        m = nn.TransformerEncoderLayer(4, 2, activation="gelu", **options)
        x, n = randn(2, 3, 4), torch.tensor([2, 3])
        padding = torch.arange(3) >= n[:, None]
        case(f"encoder-{first}", {"x0": x}, transformer(m, False), lambda: m(x, src_key_padding_mask=padding), {"lengths": n})
        m = nn.TransformerDecoderLayer(4, 2, **options)
        y, memory = randn(2, 3, 4), randn(2, 3, 4)
        case(f"decoder-{first}", {"x0": y, "x1": memory}, transformer(m, True),
             lambda: m(y, memory, tgt_mask=hidden, memory_key_padding_mask=padding), {"lengths": n})


masks()
sizes()
groups()
positions()
rotary_attention()
weights()
transformers()
open("attention.txt", "w").write("\n".join(out) + "\n")
