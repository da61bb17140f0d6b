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
with hdf5("group.h5") as f:
    f["encoder/weight"] = np.zeros(2, np.float32)
with hdf5("keras.h5") as f:
    f.attrs["layer_names"] = np.array(["vit"], dtype="S3")
    f.create_group("vit")
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
