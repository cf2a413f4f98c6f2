"""Writes arrays.txt: files as NumPy 1.24 writes them, one a line. python3 arrays.py

A line is: kind, name, type, sizes, elements in C order, the file in base64, with tabs between. The numbers are small, so that every type holds them exactly."""
import base64
import io
import os
import numpy as np


def saved(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    return file.getvalue()


def line(kind, name, array, content):
    values = " ".join(str(float(v)) for v in array.flatten(order="C"))
    sizes = " ".join(str(n) for n in array.shape)
    return "\t".join([kind, name, array.dtype.str[1:], sizes, values, base64.b64encode(content).decode()])


lines = []
for code in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
    signed = 0 if code[0] in "bu" else 3
    for order in ["<", ">"] if code[1] != "1" else ["|"]:
        array = (np.arange(6).reshape(2, 3) - signed).astype(order + code)
        lines.append(line("npy", f"{order}{code}", array, saved(array)))
        lines.append(line("npy", f"{order}{code} in Fortran order", array, saved(np.asfortranarray(array))))
cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 4
for version in [(1, 0), (2, 0), (3, 0)]:
    lines.append(line("npy", f"version {version[0]}.0", cube, saved(cube, version)))
    lines.append(line("npy", f"version {version[0]}.0 in Fortran order", cube, saved(np.asfortranarray(cube), version)))
for name, array in [("a number", np.array(2.5)), ("one size", np.arange(3.0)), ("nothing", np.zeros((3, 0, 2), np.int32)),
                    ("32 sizes", np.ones([1] * 32, np.uint8))]:
    lines.append(line("npy", name, array, saved(array)))
# As Python 2 wrote its long integers.
python2 = saved(cube).replace(b"(2, 3, 4), }   ", b"(2L, 3L, 4L), }")
assert b"2L" in python2
lines.append(line("npy", "sizes of Python 2", cube, python2))
for name, save in [("stored", np.savez), ("deflated", np.savez_compressed)]:
    file = io.BytesIO()
    save(file, x=cube, **{"layer/weight": np.arange(4, dtype=">i2"), "d\u00e9j\u00e0": np.array(True)})
    lines.append(line("npz", name, cube, file.getvalue()))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "arrays.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
