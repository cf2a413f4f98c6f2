"""Writes optimizers.txt: parameters after each step, by torch.optim. Run with PyTorch 1.13: python3 optimizers.py > optimizers.txt

A case is two lines: its name, and 5 parameters after each of 8 steps, in double. w starts at (0.5, -1, 0.25, 2, -0.125);
the gradient of parameter i in step t (from 1) is (i + 1) cos(0.7 t (i + 1)).
NAdam is left out: release 1.13 multiplies the product of its momenta by the current momentum twice. Later releases do not.
"""
import math
import torch

cases = {
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "adadelta decay": lambda p: torch.optim.Adadelta(p, lr=0.05, rho=0.7, eps=1e-3, weight_decay=0.1),
    "adamax": lambda p: torch.optim.Adamax(p),
    "adamax decay": lambda p: torch.optim.Adamax(p, lr=0.05, betas=(0.8, 0.7), eps=1e-3, weight_decay=0.1),
    "radam": lambda p: torch.optim.RAdam(p),
    "radam decay": lambda p: torch.optim.RAdam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1),
    "adagrad": lambda p: torch.optim.Adagrad(p),
    "rmsprop": lambda p: torch.optim.RMSprop(p, momentum=0.8, centered=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
}
for name, make in cases.items():
    w = torch.tensor([0.5, -1, 0.25, 2, -0.125], dtype=torch.float64, requires_grad=True)
    optimizer = make([w])
    numbers = []
    for t in range(1, 9):
        w.grad = torch.tensor([(i + 1) * math.cos(0.7 * t * (i + 1)) for i in range(5)], dtype=torch.float64)
        optimizer.step()
        numbers += w.detach().tolist()
    print(name)
    print(" ".join(repr(x) for x in numbers))
