# SPDX-License-Identifier: Apache-2.0
"""Small good inputs from which the fuzz targets start.

Usage: python make_fuzz_seeds.py [FOLDER]      (default: ../fuzz/seeds)
Needs numpy, h5py, safetensors and torch.
"""
import io
import json
import os
import sys
import zipfile

import h5py
import numpy as np
import torch
from safetensors.torch import save

here = os.path.dirname(os.path.abspath(__file__))
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "fuzz", "seeds")


def seed(target, name, data):
    os.makedirs(os.path.join(folder, target), exist_ok=True)
    with open(os.path.join(folder, target, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


# safetensors
seed("safetensors", "two", save({"a": torch.arange(3.0), "b": torch.ones(2, 2).bfloat16()}, {"format": "pt", "é": "\n"}))
seed("safetensors", "empty", save({}))
seed("safetensors", "scalar", save({"s": torch.tensor(1.5), "e": torch.zeros(0, 3), "i": torch.tensor([True])}))

# shard indexes, over the shards that the target makes
for ending in ("safetensors", "bin"):
    index = {"metadata": {"total_size": 16, "more": [None, 1e3, {"x": "\u00e9"}]}, "weight_map": {"a": f"one.{ending}", "b": f"two.{ending}"}}
    seed("shard_index", ending, json.dumps(index))


# zip and npz
def npz(**options):
    data = io.BytesIO()
    (np.savez_compressed if options.pop("packed", False) else np.savez)(data, **options)
    return data.getvalue()


plain = npz(a=np.arange(3, dtype=np.float32), b=np.array([[1, 2], [3, 4]], np.int64))
packed = npz(packed=True, w=np.zeros((4, 8), np.float16), v=np.asfortranarray(np.arange(6.0).reshape(2, 3)))
big = npz(x=np.arange(2, dtype=">f4"), h=np.zeros(2, "V2"), t=np.array(True))
for name, data in (("plain", plain), ("packed", packed), ("big", big)):
    seed("zip", name, data)
    seed("npz", name, data)
zip64 = io.BytesIO()
with zipfile.ZipFile(zip64, "w") as archive:
    with archive.open("a.npy", "w", force_zip64=True) as member:
        member.write(zipfile.ZipFile(io.BytesIO(plain)).read("a.npy"))
seed("zip", "zip64", zip64.getvalue())
seed("npz", "zip64", zip64.getvalue())
for version in ((1, 0), (2, 0), (3, 0)):
    data = io.BytesIO()
    np.lib.format.write_array(data, np.zeros((2, 3), "<f4"), version=version)
    seed("npy_header", f"version_{version[0]}", data.getvalue()[:-24])
for name, text in (("fields", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }\n"), ("void", "{'descr': '|V2', 'fortran_order': True, 'shape': (2, 3), }\n")):
    seed("npy_header", name, b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())


# torch
def saved(value, **options):
    data = io.BytesIO()
    torch.save(value, data, **options)
    return data.getvalue()


base = torch.arange(12.0).reshape(3, 4)
values = {
    "small": {"a": torch.arange(3.0), "n": 1},
    "views": {"t": base.t(), "c": base[:, 1:3], "e": torch.ones(1).expand(5), "h": torch.ones(2).half(), "tied": base},
    "training": {"model": {"w": torch.nn.Parameter(torch.ones(2))}, "optimizer": {"state": {0: {"step": torch.ones(1)}}}, "epoch": 3},
    "types": {"f8": torch.ones(2).to(torch.float8_e4m3fn), "b": torch.tensor([True]), "size": torch.Size([1]), "list": [1.5, None, b"x"]},
}
for name, value in values.items():
    for protocol in (2, 4):
        data = saved(value, pickle_protocol=protocol)
        seed("torch_zip", f"{name}_{protocol}", data)
        pickle = zipfile.ZipFile(io.BytesIO(data)).read("archive/data.pkl")
        seed("pickle", f"{name}_{protocol}", pickle)
        seed("torch_state_dict", f"{name}_{protocol}", pickle)
        seed("torch_stream", f"{name}_{protocol}", saved(value, pickle_protocol=protocol, _use_new_zipfile_serialization=False)[15 if protocol == 2 else 24 :])
# storages of the size that the state dict target gives
sixteen = {"a": torch.arange(16.0).reshape(4, 4), "b": torch.arange(16.0)[::2], "c": torch.zeros(32).bfloat16().reshape(4, 8).t(), "d": torch.nn.Parameter(torch.zeros(8).double())}
seed("torch_state_dict", "views", zipfile.ZipFile(io.BytesIO(saved(sixteen))).read("archive/data.pkl"))
seed("torch_state_dict", "module", zipfile.ZipFile(io.BytesIO(saved({"module": {"module." + k: v for k, v in sixteen.items()}}))).read("archive/data.pkl"))


# HDF5
def hdf5(write):
    data = io.BytesIO()
    with h5py.File(data, "w", libver=("earliest", "v108")) as f:
        write(f)
    return data.getvalue()


def ours(f):
    f.attrs["format"] = "upcycler"
    f.attrs["config"] = '{"model_type": "vit"}'
    f["a"] = np.arange(4, dtype=np.float32)


def keras(f):
    f.attrs["layer_names"] = np.array([b"dense"])
    group = f.create_group("dense")
    group.attrs["weight_names"] = np.array([b"dense/kernel:0"])
    group["dense/kernel:0"] = np.ones((2, 3), np.float32)


seed("hdf5", "ours", hdf5(ours))
seed("hdf5", "keras", hdf5(keras))
seed("hdf5", "chunked", hdf5(lambda f: f.create_dataset("c", data=np.zeros((4, 4), np.float16), chunks=(2, 2), compression="gzip", shuffle=True)))
seed("hdf5", "nested", hdf5(lambda f: f.create_dataset("x/y/z", data=np.ones(2, ">i4"))))

# config.json and plan.json
vit = {"model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
       "image_size": 6, "patch_size": 2, "num_channels": 1, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "qkv_bias": True, "initializer_range": 0.02, "id2label": {"0": "a", "1": "b"}}
choice = {"experts": 4, "capacity": 2.0, "router": "expert-choice", "renormalize": True, "group_size": "batch"}
topk = {"experts": 4, "router": "top-k", "k": 2, "order": "softmax-topk", "dropless": True, "batch_priority": False, "renormalize": False, "group_size": 64}
seed("config", "vit", json.dumps(vit))
seed("config", "upcycled", json.dumps({**vit, "upcycling": {"schema": 1, "blocks": {"encoder.1": choice, "encoder.0": topk}}}))
seed("config", "t5", json.dumps({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": 8, "d_ff": 16, "d_kv": 4, "num_heads": 2, "num_layers": 2, "vocab_size": 32, "feed_forward_proj": "gated-gelu", "is_encoder_decoder": True}))
seed("config", "llama", json.dumps({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8}))
seed("plan", "choice", json.dumps({"schema": 1, "seed": 7, "blocks": {"encoder.1": {**choice, "experts_from": "copy", "router_init": "normal:0.02"}}}))
seed("plan", "topk", json.dumps({"schema": 1, "seed": 0, "blocks": {"encoder.0": {**topk, "experts_from": "drop:0.5", "router_init": "zero"}, "encoder.1": {**choice, "experts_from": "noise:0.01", "router_init": "lecun"}}}))

# layouts: the tensors of the layouts' fixtures, one a line
layouts = os.path.join(here, "layout")


def lines(tensors):
    return "".join(" ".join([name, *map(str, shape)]) + "\n" for name, shape in tensors)


for name in ("google_vit", "google_vit_old", "v_moe", "t5x_v1_1"):
    with np.load(os.path.join(layouts, name + ".npz")) as f:
        seed("layout", name, lines((key, f[key].shape) for key in f.files))
for name in ("t5x", "tf_t5", "tf_vit"):
    found = []
    with h5py.File(os.path.join(layouts, name + ".h5")) as f:
        f.visititems(lambda key, value: found.append((key, value.shape)) if isinstance(value, h5py.Dataset) else None)
    seed("layout", name, lines(found))
