"""Writes recurrent.txt: PyTorch's outputs and gradients, in double, of recurrent layers. Run with PyTorch 1.13.

A line: form, name of an array, its numbers. The arrays: x [rows, T, D]; lengths; initial states h, c; for each set of parameters i, in
PyTorch's order, w{i} [D, gates H], u{i} [H, gates H], b{i} (both biases in one), a{i} (the GRU's bias that the reset gate multiplies), r{i} (the
projection of an LSTM); outputs y, hn, cn; the gradients of sum(y sy) + sum(hn sh) + sum(cn sc), dx, dh, dc, dw{i}, ..., with seeds sy, sh, sc.
"""
import os
import random
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

rows, steps, columns, units = 3, 4, 2, 3
lines = []


def numbers(*shape):
    count = 1
    for size in shape:
        count *= size
    return torch.tensor([round(random.uniform(-1, 1), 2) for _ in range(count)], dtype=torch.float64).reshape(shape).requires_grad_()


def write(form, name, values):
    cells = [repr(v) for v in values.reshape(-1).tolist()]
    lines.append(" ".join([form, name] + cells))


def biases(module, suffix, gradient=False):
    pick = (lambda p: p.grad) if gradient else (lambda p: p.detach())
    first, second = pick(getattr(module, "bias_ih" + suffix)), pick(getattr(module, "bias_hh" + suffix))
    whole = first if gradient else first + second
    if not isinstance(module, torch.nn.GRU):
        return whole, None
    return (whole if gradient else torch.cat([whole[:2 * units], first[2 * units:]])), second[2 * units:]


def form(name, module, lengths=None, state=False):
    """One module; its last direction alone where the name says reverse."""
    random.seed(name)
    reverse = "reverse" in name
    module = module.double()
    x = numbers(rows, steps, columns)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(numbers(*parameter.shape))
    directions = 2 if module.bidirectional else 1
    states = []
    if state:
        sizes = [module.proj_size or units] + ([units] if isinstance(module, torch.nn.LSTM) else [])
        states = [numbers(module.num_layers * directions, rows, size) for size in sizes]
    hx = None if not state else tuple(states) if len(states) == 2 else states[0]
    packed = x if lengths is None else pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    y, last = module(packed, hx)
    if lengths is not None:
        y = pad_packed_sequence(y, batch_first=True, total_length=steps)[0]
    outputs = {"y": y[..., y.shape[-1] // 2:] if reverse else y}
    if module.num_layers == 1 and (directions == 1 or reverse):
        for key, value in zip(("hn", "cn"), last if isinstance(last, tuple) else (last,)):
            outputs[key] = value[-1]
    loss = 0
    for key, value in outputs.items():
        seeds = numbers(*value.shape).detach()
        write(name, "s" + key[0], seeds)
        write(name, key, value.detach())
        loss = loss + (value * seeds).sum()
    loss.backward()
    write(name, "x", x.detach())
    write(name, "dx", x.grad)
    if lengths is not None:
        write(name, "lengths", torch.tensor(lengths))
    for key, value in zip(("h", "c"), states):
        write(name, key, value.detach()[-1])
        write(name, "d" + key, value.grad[-1])
    suffixes = [f"_l{layer}{end}" for layer in range(module.num_layers) for end in ([""] if directions == 1 else ["_reverse"] if reverse else ["", "_reverse"])]
    for i, suffix in enumerate(suffixes):
        for key, parameter in (("w", "weight_ih"), ("u", "weight_hh")):
            value = getattr(module, parameter + suffix)
            write(name, f"{key}{i}", value.detach().T)
            write(name, f"d{key}{i}", value.grad.T)
        if module.proj_size:
            value = getattr(module, "weight_hr" + suffix)
            write(name, f"r{i}", value.detach().T)
            write(name, f"dr{i}", value.grad.T)
        for prefix, gradient in (("", False), ("d", True)):
            bias, inner = biases(module, suffix, gradient)
            write(name, f"{prefix}b{i}", bias)
            if inner is not None:
                write(name, f"{prefix}a{i}", inner)


def reset_before(name, lengths):
    """A GRU whose reset gate comes before the product, which PyTorch does not have: written out, with its gradients."""
    random.seed(name)
    x, h0 = numbers(rows, steps, columns), numbers(rows, units)
    w, u, b = numbers(columns, 3 * units), numbers(units, 3 * units), numbers(3 * units)
    sy, sh = numbers(rows, steps, units).detach(), numbers(rows, units).detach()
    h, outputs, last = h0, [], [None] * rows
    for t in range(steps):
        p = x[:, t] @ w + b
        r = torch.sigmoid(p[:, :units] + h @ u[:, :units])
        z = torch.sigmoid(p[:, units:2 * units] + h @ u[:, units:2 * units])
        n = torch.tanh(p[:, 2 * units:] + (r * h) @ u[:, 2 * units:])
        h = (1 - z) * n + z * h
        outputs.append(torch.stack([h[row] if t < lengths[row] else torch.zeros(units, dtype=torch.float64) for row in range(rows)]))
        for row in range(rows):
            if t == lengths[row] - 1:
                last[row] = h[row]
    y, hn = torch.stack(outputs, 1), torch.stack(last)
    ((y * sy).sum() + (hn * sh).sum()).backward()
    write(name, "lengths", torch.tensor(lengths))
    for key, value in (("sy", sy), ("sh", sh), ("y", y.detach()), ("hn", hn.detach())):
        write(name, key, value)
    for key, value in (("x", x), ("h", h0), ("w0", w), ("u0", u), ("b0", b)):
        write(name, key, value.detach())
        write(name, "d" + key, value.grad)


some = [4, 1, 3]
form("rnn-tanh", torch.nn.RNN(columns, units, batch_first=True))
form("rnn-tanh-lengths-state", torch.nn.RNN(columns, units, batch_first=True), some, True)
form("rnn-relu", torch.nn.RNN(columns, units, nonlinearity="relu", batch_first=True))
form("rnn-relu-lengths-state", torch.nn.RNN(columns, units, nonlinearity="relu", batch_first=True), some, True)
form("lstm-lengths-state", torch.nn.LSTM(columns, units, batch_first=True), some, True)
form("gru-lengths-state", torch.nn.GRU(columns, units, batch_first=True), some, True)
form("rnn-reverse-lengths-state", torch.nn.RNN(columns, units, batch_first=True, bidirectional=True), some, True)
form("lstm-reverse-lengths-state", torch.nn.LSTM(columns, units, batch_first=True, bidirectional=True), some, True)
form("gru-reverse-lengths-state", torch.nn.GRU(columns, units, batch_first=True, bidirectional=True), some, True)
form("rnn-both", torch.nn.RNN(columns, units, batch_first=True, bidirectional=True))
form("lstm-both-lengths", torch.nn.LSTM(columns, units, batch_first=True, bidirectional=True), some)
form("gru-both-lengths", torch.nn.GRU(columns, units, batch_first=True, bidirectional=True), some)
form("lstm-projection", torch.nn.LSTM(columns, units, batch_first=True, proj_size=2))
form("lstm-projection-lengths-state", torch.nn.LSTM(columns, units, batch_first=True, proj_size=2), some, True)
form("lstm-projection-reverse-lengths-state", torch.nn.LSTM(columns, units, batch_first=True, proj_size=2, bidirectional=True), some, True)
form("rnn-stacked", torch.nn.RNN(columns, units, num_layers=3, batch_first=True))
form("lstm-stacked-both-lengths", torch.nn.LSTM(columns, units, num_layers=2, batch_first=True, bidirectional=True), some)
form("gru-stacked-lengths", torch.nn.GRU(columns, units, num_layers=2, batch_first=True), some)
reset_before("gru-before-lengths-state", some)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recurrent.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
