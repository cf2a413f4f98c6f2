"""Prints the files of NpyFileTests as NumPy writes them: header and data. python3 npy_fixtures.py"""
import io
import numpy as np

a = (np.arange(6).reshape(2, 3) - 2) / 4
for kind in ["<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "<i4", ">i4", "<i8", ">i8", "|u1"]:
    values = (a if "f" in kind else a * 4 + (2 if "u" in kind else 0)).astype(kind)
    for b in [values, np.asfortranarray(values)]:
        file = io.BytesIO()
        np.save(file, b)
        data = file.getvalue()
        assert data[:8] == b"\x93NUMPY\x01\x00"
        print(f'    [InlineData("{data[10:128].decode().strip()}",\n        "{data[128:].hex().upper()}")]')
