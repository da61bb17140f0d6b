# SPDX-License-Identifier: Apache-2.0
"""Reads checkpoints that Upcycler wrote with the formats' own libraries and compares them.

Usage: python check_checkpoint_files.py SAFETENSORS OTHER...
where all are one model, as files or folders, the others in HDF5 or .npz, e.g. from
    upcycle convert MODEL --dtype bf16 -o a
    upcycle convert MODEL --dtype bf16 --format hdf5 -o b
    upcycle convert MODEL --dtype bf16 -o c.npz
Every tensor must be in all of them with the same name, shape, type and bytes. Needs h5py, numpy, safetensors and torch.
"""
import glob
import json
import os
import sys
import zipfile

import h5py
import numpy as np
import torch
from safetensors import safe_open


def inside(path, pattern):
    return sorted(glob.glob(os.path.join(path, pattern))) if os.path.isdir(path) else [os.fspath(path)]


def read_safetensors(path):
    tensors = {}
    for name in inside(path, "*.safetensors"):
        with safe_open(name, "pt") as f:
            for key in f.keys():
                assert key not in tensors, key
                tensors[key] = f.get_tensor(key)
    return tensors


def read_hdf5(path):
    (name,) = inside(path, "*.h5")
    tensors = {}
    with h5py.File(name, "r") as f:
        assert f.attrs["format"] == "upcycler", f.attrs["format"]
        if "config" in f.attrs:
            json.loads(f.attrs["config"])
        datasets = []
        f.visititems(lambda key, item: datasets.append((key, item)) if isinstance(item, h5py.Dataset) else None)
        for key, dataset in datasets:
            values = np.array(dataset[()])
            label = dataset.attrs.get("dtype")
            if label == "BF16":
                tensors[key] = torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
            elif label == "BOOL":
                tensors[key] = torch.from_numpy(values).bool()
            elif label is not None:
                tensors[key] = torch.from_numpy(values).view({"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}[label])
            else:
                tensors[key] = torch.from_numpy(values)
    return tensors


def read_npz(path):
    (name,) = inside(path, "*.npz")
    with zipfile.ZipFile(name) as archive:
        assert archive.testzip() is None, archive.testzip()
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in archive.infolist())
        mark, _, config = archive.comment.partition(b"\n")
        if not os.path.isdir(path) and archive.comment:
            assert mark == b"upcycler.config", mark
            json.loads(config)
    tensors = {}
    with np.load(name) as arrays:
        for key in arrays.files:
            values = arrays[key]
            if values.dtype == np.dtype("V2"):
                tensors[key] = torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
            else:
                tensors[key] = torch.from_numpy(values)
    return tensors


def read(path):
    return read_npz(path) if inside(path, "*.npz") and inside(path, "*.npz")[0].endswith(".npz") else read_hdf5(path)


def raw(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def compare(safetensors, other):
    """Both files or folders hold the same tensors, bit for bit; returns how many, and their types."""
    a, b = read_safetensors(safetensors), read(other)
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype, (name, a[name].dtype, b[name].dtype)
        assert a[name].shape == b[name].shape, (name, a[name].shape, b[name].shape)
        assert torch.equal(raw(a[name]), raw(b[name])), name
    return len(a), sorted({str(t.dtype) for t in a.values()})


if __name__ == "__main__":
    for path in sys.argv[2:]:
        count, types = compare(sys.argv[1], path)
        print(f"{count} tensors are the same in {sys.argv[1]} and {path}: {types}")
