# SPDX-License-Identifier: Apache-2.0
"""Files of torch.save, good and malicious, for the tests of the reader.

Usage: python make_torch_fixtures.py [FOLDER]      (default: torch/ beside this script)
Needs torch and safetensors. Beside each good NAME.pt stands NAME.safetensors with the values that torch.load gives.
The malicious files would run a command when they are unpickled: the script writes them and never loads them.
"""
import collections
import os
import pickle
import sys
import zipfile

import torch
from safetensors.torch import save_file

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")
os.makedirs(folder, exist_ok=True)


def path(name):
    return os.path.join(folder, name)


def counting(shape, dtype=torch.float32):
    count = 1
    for size in shape:
        count *= size
    return torch.arange(-3, count - 3).to(dtype).reshape(shape)


def flat(saved):
    """The tensors of a state dict as torch gives them, apart from each other."""
    return {k: v.detach().clone().contiguous() for k, v in saved.items() if isinstance(v, torch.Tensor)}


def good(name, saved, pick=lambda loaded: loaded, **options):
    torch.save(saved, path(name + ".pt"), **options)
    save_file(flat(pick(torch.load(path(name + ".pt"), weights_only=False))), path(name + ".safetensors"))


def everything():
    big = counting((6, 4))
    dict_ = collections.OrderedDict(
        f64=counting((4,), torch.float64),
        f32=counting((2, 3)),
        f16=counting((5,), torch.float16),
        bf16=counting((3, 2), torch.bfloat16),
        i64=counting((3,), torch.int64),
        i32=counting((4,), torch.int32),
        i16=counting((2, 2), torch.int16),
        i8=counting((7,), torch.int8),
        u8=torch.arange(250, 256).to(torch.uint8),
        boolean=torch.tensor([True, False, True]),
        scalar=torch.tensor(-3.5),
        empty=torch.zeros(0, 4),
        parameter=torch.nn.Parameter(counting((2, 2))),
        transposed=big.t(),
        rows=big[2:5],
        columns=big[:, 1:3],
        every_other=big[::2, ::3],
        last=big[5, 3],
        expanded=counting((3, 1)).expand(3, 5),
        permuted=counting((2, 3, 4, 5)).permute(3, 1, 0, 2),
        inner=counting((4, 5, 6))[1:3, :, 2:5],
        windows=counting((10,)).unfold(0, 4, 2),
    )
    dict_["tied.a"] = counting((3, 3), torch.bfloat16)
    dict_["tied.b"] = dict_["tied.a"]
    dict_["nämé 𝄞"] = counting((1,))
    return dict_


def with_metadata(dict_):
    dict_._metadata = collections.OrderedDict([("", {"version": 1}), ("layer", {"version": 2})])
    return dict_


new_types = {
    "e4m3": counting((4,)).to(torch.float8_e4m3fn),
    "e5m2": counting((2, 2)).to(torch.float8_e5m2),
    "u16": torch.tensor([1, 65535], dtype=torch.uint16),
    "u32": torch.tensor([1, 2**32 - 1], dtype=torch.uint32),
    "u64": torch.tensor([1, 2**63 + 5], dtype=torch.uint64),
    "e4m3.t": torch.arange(6.0).reshape(2, 3).to(torch.float8_e4m3fn).t(),
    "u32.end": torch.tensor([1, 2, 3, 4], dtype=torch.uint32)[2:],
}

good("zip", with_metadata(everything()))
good("stream", with_metadata(everything()), _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    good(f"zip_protocol_{protocol}", with_metadata(everything()), pickle_protocol=protocol)
good("stream_protocol_4", everything(), pickle_protocol=4, _use_new_zipfile_serialization=False)
good("new_types", new_types)

model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
optimizer = torch.optim.AdamW(model.parameters())
model(torch.ones(2, 3)).sum().backward()
optimizer.step()
training = {
    "epoch": 3,
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "loss": [0.5, 0.25],
    "best": torch.tensor(0.25),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
    "size": torch.Size([1, 2]),
    "large": 1 << 200,
    "set": {1, 2},
    "bytes": b"\x00\xff",
    "complex": 1j,
}
good("training", training, pick=lambda loaded: loaded["model"])
good("training_stream", training, pick=lambda loaded: loaded["model"], _use_new_zipfile_serialization=False)
good("nested", {"trainer": {"state_dict": model.state_dict()}}, pick=lambda loaded: loaded["trainer"]["state_dict"])
good("mixed", {"weight": counting((2, 2)), "step": 7, 3: counting((1,)), "name": "x"}, pick=lambda loaded: {"weight": loaded["weight"]})

tensor = counting((2, 2))
tensor.note = "an attribute"
parameter = torch.nn.Parameter(counting((2,)))
parameter.note = "an attribute"
good("attributes", {"tensor": tensor, "parameter": parameter})

# DataParallel's names, without the prefix in what is expected.
torch.save({"module." + k: v for k, v in model.state_dict().items()}, path("data_parallel.pt"))
save_file(flat(model.state_dict()), path("data_parallel.safetensors"))

# Members deflated, as when an archive was packed again.
with zipfile.ZipFile(path("zip.pt")) as source, zipfile.ZipFile(path("deflated.pt"), "w", zipfile.ZIP_DEFLATED) as packed:
    for name in source.namelist():
        packed.writestr(name, source.read(name))

# Written on a big-endian machine: the same elements the other way round.
values = {"f32": counting((2, 3)), "bf16": counting((3,), torch.bfloat16), "i64": counting((2,), torch.int64), "u8": torch.tensor([1, 2], dtype=torch.uint8)}
torch.save(values, path("little.pt"))
widths = [4, 2, 8, 1]
with zipfile.ZipFile(path("little.pt")) as source, zipfile.ZipFile(path("big_endian.pt"), "w") as swapped:
    for name in source.namelist():
        data = source.read(name)
        if name.endswith("/byteorder"):
            data = b"big"
        elif "/data/" in name:
            width = widths[int(name.rsplit("/", 1)[1])]
            data = b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))
        swapped.writestr(name, data)
os.remove(path("little.pt"))
save_file(flat(values), path("big_endian.safetensors"))

# Shards with their index.
os.makedirs(path("shards"), exist_ok=True)
names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
torch.save({"a": counting((2, 2)), "b": counting((3,)).half()}, path("shards/" + names[0]))
torch.save({"c": counting((4,))}, path("shards/" + names[1]))
with open(path("shards/pytorch_model.bin.index.json"), "w") as f:
    f.write('{"metadata": {"total_size": 38}, "weight_map": {"a": "%s", "b": "%s", "c": "%s"}}\n' % (names[0], names[0], names[1]))

# What must be refused, each with its reason.


class Runs:
    """Unpickling it would call `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


MARK = "touch upcycler-was-here"
torch.save({"weight": Runs(os.system, MARK)}, path("bad_system.pt"))
torch.save({"weight": Runs(os.system, MARK)}, path("bad_system_stream.pt"), _use_new_zipfile_serialization=False)
torch.save({"weight": counting((2,)), "x": Runs(eval, "__import__('os').system('%s')" % MARK)}, path("bad_eval.pt"), pickle_protocol=4)
torch.save({"weight": Runs(getattr, "text", "upper")}, path("bad_getattr.pt"))
torch.save(model, path("bad_module.pt"))
torch.save({"weight": torch.zeros(2, dtype=torch.complex64)}, path("bad_complex.pt"))
torch.save({"weight": torch.zeros(2, dtype=torch.complex64).conj()}, path("bad_conjugate.pt"))
torch.save({"weight": torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)}, path("bad_quantised.pt"))
torch.save({"weight": torch.zeros(2, 2).to_sparse()}, path("bad_sparse.pt"))
torch.save({"weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, path("bad_petabyte.pt"))
torch.save({"model": {"a": counting((1,))}, "state_dict": {"a": counting((1,))}}, path("bad_two_models.pt"))
torch.save(optimizer.state_dict(), path("bad_optimizer.pt"))
torch.save(counting((2,)), path("bad_tensor.pt"))
torch.save([counting((2,))], path("bad_list.pt"))
with open(path("bad_pickle.pt"), "wb") as f:
    pickle.dump({"weight": [1, 2]}, f, protocol=2)
with zipfile.ZipFile(path("bad_byteorder.pt"), "w") as archive:
    with zipfile.ZipFile(path("big_endian.pt")) as source:
        for name in source.namelist():
            archive.writestr(name, b"middle" if name.endswith("/byteorder") else source.read(name))


class Scripted(torch.nn.Module):
    def forward(self, x):
        return x + 1


torch.jit.save(torch.jit.script(Scripted()), path("bad_script.pt"))
