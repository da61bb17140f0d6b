# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files written by other programs, for the readers' tests.

Usage: python make_checkpoint_fixtures.py [FOLDER]      (default: checkpoint/ beside this script)
Needs numpy, h5py, safetensors and torch. Values: element i of tensor t is i - 3 (or 0/1 for bool).
"""
import io
import os
import sys
import zipfile

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoint")
os.makedirs(folder, exist_ok=True)


def path(name):
    return os.path.join(folder, name)


def counting(shape, dtype):
    return torch.arange(-3, int(np.prod(shape)) - 3).to(dtype).reshape(shape)


save_file(
    {
        "f32": counting((2, 3), torch.float32),
        "f16": counting((5,), torch.float16),
        "bf16": counting((3, 2), torch.bfloat16),
        "f64": counting((4,), torch.float64),
        "i64": counting((3,), torch.int64),
        "i8": counting((7,), torch.int8),
        "f8": counting((4,), torch.float8_e4m3fn),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(-3.0),
        "empty": torch.zeros(0, 4),
        "nämé \"quoted\" \\ 𝄞": counting((1,), torch.float32),
    },
    path("library.safetensors"),
    metadata={"format": "pt", "note": "naïve \"text\"\n"},
)


def hdf5(name):
    return h5py.File(path(name), "w", libver=("earliest", "v108"))


with hdf5("h5py.h5") as f:
    f.attrs["format"] = "upcycler"
    f.attrs["config"] = '{"model_type": "vit"}'
    f.attrs["note"] = np.bytes_("fixed length")
    f.attrs["number"] = 3
    f["f32"] = counting((2, 3), torch.float32).numpy()
    f["f16"] = counting((5,), torch.float16).numpy()
    f["f64"] = counting((4,), torch.float64).numpy()
    f["bf16"] = counting((3, 2), torch.bfloat16).view(torch.uint16).numpy()
    f["bf16"].attrs["dtype"] = "BF16"
    f["big.endian"] = counting((2, 2), torch.float32).numpy().astype(">f4")
    f["big.half"] = counting((3,), torch.float16).numpy().astype(">f2")
    f["i64"] = counting((3,), torch.int64).numpy()
    f["bool"] = np.array([True, False, True])
    f["scalar"] = np.float32(-3)
    f["empty"] = np.zeros((0, 4), np.float32)
    f.create_dataset("chunked", data=counting((5, 4, 3), torch.float32).numpy(), chunks=(2, 3, 2), compression="gzip", shuffle=True)
    f.create_dataset("compact.chunk", data=counting((4,), torch.int32).numpy(), chunks=(3,), fletcher32=True)

with hdf5("plain.h5") as f:  # no format attribute, no config
    f["weight"] = counting((2, 2), torch.float32).numpy()

# What must be refused, each with its reason.
with hdf5("soft_link.h5") as f:
    f["weight"] = np.zeros(2, np.float32)
    f["alias"] = h5py.SoftLink("/weight")
with hdf5("external_link.h5") as f:
    f["weight"] = h5py.ExternalLink("plain.h5", "/weight")
with hdf5("external_storage.h5") as f:
    f.create_dataset("weight", (2,), np.float32, external=[("plain.h5", 0, 8)])
with hdf5("string.h5") as f:
    f["weight"] = "not a number"
with hdf5("compound.h5") as f:
    f["weight"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
with hdf5("lying_label.h5") as f:
    f["weight"] = np.zeros(2, np.float32)
    f["weight"].attrs["dtype"] = "BF16"
with hdf5("unstored.h5") as f:  # 4 TiB claimed, nothing stored
    f.create_dataset("weight", (1 << 40,), np.float32)
with hdf5("unstored_chunks.h5") as f:
    f.create_dataset("weight", (1 << 40,), np.float32, chunks=(1024,))
with hdf5("lzf.h5") as f:
    f.create_dataset("weight", data=np.zeros(64, np.float32), chunks=(64,), compression="lzf")
with h5py.File(path("virtual.h5"), "w") as f:
    layout = h5py.VirtualLayout((2, 2), np.float32)
    layout[:] = h5py.VirtualSource("plain.h5", "weight", (2, 2))
    f.create_virtual_dataset("weight", layout)


with hdf5("windows.h5") as f:  # more than is decoded at once; byte i of "wide" is i // 512000
    wide = np.repeat(np.arange(36, dtype=np.uint8), 512000).reshape(18000, 1024)
    f.create_dataset("wide", data=wide, chunks=(500, 1024), compression="gzip", compression_opts=9)

# Datasets in groups: tensors are named by their paths.
with hdf5("groups.h5") as f:
    f["params/encoder/layers_0/mlp/wi/kernel"] = counting((2, 3), torch.float32).numpy()
    f["params/encoder/layers_0/mlp/wo/kernel"] = counting((3, 2), torch.float32).numpy()
    f["params/encoder/layers_10/scale"] = counting((4,), torch.float32).numpy()
    f.create_dataset("params/chunked", data=counting((5, 4, 3), torch.float32).numpy(), chunks=(2, 3, 2), compression="gzip")
    f["params/tied"] = f["params/encoder/layers_10/scale"]  # a second hard link to the same dataset
    f.create_group("empty")
with hdf5("circle.h5") as f:
    f["a/weight"] = np.zeros(2, np.float32)
    f["a/b"] = f["a"]
with hdf5("link_in_group.h5") as f:
    f["weight"] = np.zeros(2, np.float32)
    f["a/alias"] = h5py.SoftLink("/weight")
with hdf5("type_in_group.h5") as f:
    f["a/type"] = np.dtype("f4")


# Weights as Keras's save_weights_to_hdf5_group writes them, which transformers' tf_model.h5 are made by; long lists
# are split (save_attributes_to_hdf5_group).
def save_list(group, name, values, most=64512):
    parts = 1
    while any(part.nbytes > most for part in np.array_split(np.array(values), parts)):
        parts += 1
    for i, part in enumerate(np.array_split(np.array(values), parts)):
        group.attrs[name if parts == 1 else f"{name}{i}"] = part


def save_layers(group, layers, top_level=(), most=64512):
    save_list(group, "layer_names", [name.encode() for name in layers], most // 5)
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = b"2.15.0"
    for layer in sorted(layers):
        save_weights(group.create_group(layer), layers[layer], most)
    save_weights(group.create_group("top_level_model_weights"), dict(top_level), most)


def save_weights(group, weights, most):
    save_list(group, "weight_names", [name.encode() for name in weights] if weights else [], most)
    for name, value in weights.items():
        group.create_dataset(name, value.shape, value.dtype)[...] = value


MODEL = "tf_t5for_conditional_generation"
LAYERS = {
    "shared": {f"{MODEL}/shared/shared.weight:0": counting((5, 2), torch.float32).numpy()},
    "encoder": {
        f"{MODEL}/encoder/block_._0/layer_._0/SelfAttention/q/kernel:0": counting((2, 3), torch.float32).numpy(),
        f"{MODEL}/encoder/final_layer_norm/weight:0": counting((2,), torch.float32).numpy(),
    },
    "decoder": {f"{MODEL}/decoder/final_layer_norm/weight:0": counting((2,), torch.float32).numpy()},
    "dropout_1": {},
}
EMBEDDING = {"cls_token:0": counting((1, 1, 2), torch.float32).numpy()}
with hdf5("tf_model.h5") as f:
    save_layers(f, LAYERS)
with hdf5("keras_split.h5") as f:
    save_layers(f, LAYERS, EMBEDDING, most=90)
    assert "layer_names1" in f.attrs and "weight_names1" in f["encoder"].attrs
with hdf5("keras_model.h5") as f:  # a whole model
    f.attrs["model_config"] = '{"class_name": "Functional"}'
    f.attrs["keras_version"] = "2.15.0"
    save_layers(f.create_group("model_weights"), LAYERS)
    f["optimizer_weights/Adam/iteration:0"] = 7
with hdf5("tf_shard.h5") as f:  # as transformers shards: layer_names lists datasets
    names = ["encoder/final_layer_norm/weight:0", "shared/shared/weight:0"]
    for name in names:
        f[name] = counting((4,), torch.float32).numpy()
    save_list(f, "layer_names", [name.encode() for name in names])
with hdf5("keras_variable.h5") as f:  # lists of texts of variable length
    f.attrs["layer_names"] = ["dense"]
    f.create_group("dense").attrs["weight_names"] = ["dense/kernel:0", "dense/bias:0"]
    f["dense/dense/kernel:0"] = counting((2, 2), torch.float32).numpy()
    f["dense/dense/bias:0"] = counting((2,), torch.float32).numpy()


# Refused, each with its reason.
def keras(name, layers, weights, make=lambda f: None):
    with hdf5(name) as f:
        f.attrs["layer_names"] = layers
        f.create_group("dense").attrs["weight_names"] = weights
        f["dense/kernel:0"] = np.zeros(2, np.float32)
        make(f)


keras("keras_missing.h5", [b"dense"], [b"bias:0"])
keras("keras_numbers.h5", [1.0], [b"kernel:0"])
keras("keras_twice.h5", [b"dense", b"dense"], [b"kernel:0"])
keras("keras_root.h5", [b"dense"], [b"/dense/kernel:0"])
keras("keras_link.h5", [b"alias"], [b"kernel:0"], lambda f: f.__setitem__("alias", h5py.SoftLink("/dense")))
keras("keras_external.h5", [b"dense"], [b"far:0"], lambda f: f.__setitem__("dense/far:0", h5py.ExternalLink("plain.h5", "/weight")))
keras("keras_group.h5", [b"dense"], [b"sub"], lambda f: f.create_group("dense/sub"))
keras("keras_utf8.h5", [b"dense"], np.array([b"\xc3\x28"]))
with hdf5("keras_unlisted.h5") as f:
    f.attrs["layer_names"] = [b"dense"]
    f["dense/kernel:0"] = np.zeros(2, np.float32)


# NumPy's archives.
def member(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def npz(name, members, comment=b"", **options):
    with zipfile.ZipFile(path(name), "w") as archive:
        archive.comment = comment
        for key, content in members.items():
            info = zipfile.ZipInfo(key)
            info.compress_type = options.get("compression", zipfile.ZIP_STORED)
            with archive.open(info, "w", force_zip64=options.get("force_zip64", False)) as out:
                out.write(content)


ALL = {
    "f32": counting((2, 3), torch.float32).numpy(),
    "f16": counting((5,), torch.float16).numpy(),
    "f64": counting((4,), torch.float64).numpy(),
    "bf16": counting((3, 2), torch.bfloat16).view(torch.int16).numpy().view("V2"),
    "big/f32": counting((2, 2), torch.float32).numpy().astype(">f4"),
    "big/f16": counting((3,), torch.float16).numpy().astype(">f2"),
    "big/i64": counting((3,), torch.int64).numpy().astype(">i8"),
    "fortran/2": np.asfortranarray(counting((5, 7), torch.float32).numpy()),
    "fortran/3": np.asfortranarray(counting((2, 3, 4), torch.float64).numpy()),
    "fortran/big": np.asfortranarray(counting((3, 2), torch.int16).numpy().astype(">i2")),
    "i64": counting((3,), torch.int64).numpy(),
    "i32": counting((3,), torch.int32).numpy(),
    "i16": counting((3,), torch.int16).numpy(),
    "i8": counting((7,), torch.int8).numpy(),
    "bool": np.array([True, False, True]),
    "scalar": np.float32(-3),
    "empty": np.zeros((0, 4), np.float32),
    "nämé 𝄞": counting((1,), torch.float32).numpy(),
    "Transformer/encoderblock_0/MlpBlock_3/Dense_0/kernel": counting((30, 20), torch.float32).numpy(),
}
np.savez(path("numpy.npz"), **ALL)
np.savez_compressed(path("deflated.npz"), **ALL)
# Zip64 fields for small members, as a writer makes them that does not know the sizes beforehand; arrays with headers
# of version 2.0 and 3.0; members that are no arrays; a comment.
npz(
    "zip64.npz",
    {
        "v2.npy": member(counting((2, 3), torch.float32).numpy(), (2, 0)),
        "v3.npy": member(counting((2, 3), torch.float32).numpy(), (3, 0)),
        "readme.txt": b"not an array",
        "folder/": b"",
    },
    comment=b"a comment",
    force_zip64=True,
)


class Unseekable(io.RawIOBase):
    """A pipe: sizes and checksums then follow the data (flag bit 3)."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


with open(path("piped.npz"), "wb") as file:
    np.savez_compressed(Unseekable(file), f32=ALL["f32"], f64=ALL["f64"])

np.savez(path("objects.npz"), objects=np.array([{}], dtype=object))
np.savez(path("complex.npz"), value=np.zeros(2, np.complex64))
np.savez(path("text.npz"), value=np.array(["text"]))
np.savez(path("structured.npz"), value=np.zeros(2, [("a", "f4"), ("b", "i4")]))
