# SPDX-License-Identifier: Apache-2.0
"""Opening and writing checkpoints beside the programs that people use for it, in turns, in one sitting.

usage: checkpoint_io.py UPCYCLE [--folder DIR] [--tensors 20000] [--experts 8] [--rounds 5] [--skip-open] [--skip-convert]

Open: a safetensors file of many small tensors; `upcycle inspect` as whole processes, safetensors.safe_open in this process
and as a whole process. (In process: tests/bench/checkpoint.)
Convert: ViT-B/16 with random weights, the last half of its MLPs to experts, f32; `upcycle convert`, `dd` with fsync of the same
number of bytes, and a writer in the manner of mergekit (safe_open tensor by tensor, a shard in memory, aliased copies
cloned, safetensors.torch.save_file, then fsync). Wall time is from the start of the process to its end with the data on
disk; peak memory is the child's ru_maxrss. Needs torch and safetensors; numbers count only on an idle machine.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

MERGEKIT_LIKE = """
import json, os, re, sys
import torch
from safetensors import safe_open
from safetensors.torch import save_file
source, target, experts, shard = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
os.makedirs(target)
held, size, files = {}, 0, 0
def flush():
    global held, size, files
    if not held: return
    files += 1
    path = f"{target}/model-{files:05}.safetensors"
    save_file(held, path, {"format": "pt"})
    with open(path, "rb+") as f: os.fsync(f.fileno())
    held, size = {}, 0
def put(name, tensor):
    global size
    held[name] = tensor
    size += tensor.numel() * tensor.element_size()
    if size >= shard: flush()
with safe_open(source + "/model.safetensors", "pt") as f:
    for name in f.keys():
        tensor = f.get_tensor(name)
        m = re.match(r"vit\\.encoder\\.layer\\.(\\d+)\\.(intermediate|output)\\.dense\\.(.*)", name)
        if m is None or int(m[1]) < 6:
            put(name, tensor)
            continue
        for e in range(experts):
            put(f"vit.encoder.layer.{m[1]}.mlp.experts.expert_{e}.{m[2]}.dense.{m[3]}", tensor.clone())
        if m[2] == "intermediate" and m[3] == "weight":
            put(f"vit.encoder.layer.{m[1]}.mlp.router.classifier.weight", torch.randn(experts, tensor.shape[1]) * 0.02)
flush()
"""


def write_safetensors(path, tensors):
    """{name: (shape, bytes or None for zeros)} in f32, without any library: the same file for everyone."""
    header, offset = {}, 0
    for name, (shape, _) in tensors.items():
        size = 4
        for n in shape:
            size *= n
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps({"__metadata__": {"format": "pt"}} | header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, (_, values) in tensors.items():
            begin, end = header[name]["data_offsets"]
            file.write(values if values is not None else bytes(end - begin))


def many_tensors(path, count):
    names = (f"decoder.block.{i // 80}.layer.2.mlp.experts.expert_{i // 2 % 40}.{('wi', 'wo')[i % 2]}.weight" for i in range(count))
    write_safetensors(path, {name: ((4, 4), None) for name in names})


def vit_base(folder):
    folder.mkdir()
    hidden, inner, layers = 768, 3072, 12
    shapes = {"vit.embeddings.cls_token": (1, 1, hidden), "vit.embeddings.position_embeddings": (1, 197, hidden),
              "vit.embeddings.patch_embeddings.projection.weight": (hidden, 3, 16, 16),
              "vit.embeddings.patch_embeddings.projection.bias": (hidden,)}
    for i in range(layers):
        place = f"vit.encoder.layer.{i}."
        for name, (out, into) in {"attention.attention.query": (hidden, hidden), "attention.attention.key": (hidden, hidden),
                                  "attention.attention.value": (hidden, hidden), "attention.output.dense": (hidden, hidden),
                                  "intermediate.dense": (inner, hidden), "output.dense": (hidden, inner)}.items():
            shapes |= {place + name + ".weight": (out, into), place + name + ".bias": (out,)}
        for name in ("layernorm_before", "layernorm_after"):
            shapes |= {place + name + ".weight": (hidden,), place + name + ".bias": (hidden,)}
    shapes |= {"vit.layernorm.weight": (hidden,), "vit.layernorm.bias": (hidden,), "classifier.weight": (1000, hidden),
               "classifier.bias": (1000,)}

    def noise(shape):
        count = 4
        for n in shape:
            count *= n
        return (os.urandom(1 << 16) * (count // (1 << 16) + 1))[:count]

    write_safetensors(folder / "model.safetensors", {name: (shape, noise(shape)) for name, shape in shapes.items()})
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": 12, "intermediate_size": inner, "image_size": 224, "patch_size": 16, "num_channels": 3,
        "id2label": {str(i): f"LABEL_{i}" for i in range(1000)}, "label2id": {f"LABEL_{i}": i for i in range(1000)}}))


LAUNCHER = """
import json, os, sys, time
begin = time.perf_counter()
null = os.open(os.devnull, os.O_RDWR)
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ,
                        file_actions=[(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
_, status, usage = os.wait4(child, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.perf_counter() - begin, usage.ru_utime + usage.ru_stime,
                  usage.ru_maxrss / 1024]))
"""


def measured(command):
    """Seconds, CPU seconds and peak MiB of one whole process. A small process starts it: ru_maxrss begins at the parent's."""
    launched = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *map(str, command)], check=True, capture_output=True)
    code, *numbers = json.loads(launched.stdout)
    assert code == 0, command
    return numbers


def show(name, results, scale=1e3, unit="ms", size=0):
    wall, cpu, peak = ([result[i] for result in results] for i in range(3))
    rate = f" | {size / statistics.median(wall) / 1e9:.2f} GB/s" if size else ""
    print(f"| {name} | {min(wall) * scale:.2f} | {statistics.median(wall) * scale:.2f} | {statistics.median(cpu) * scale:.2f} {unit} | "
          f"{statistics.median(peak):.0f} MiB{rate} |", flush=True)


def open_many(upcycle, folder, count, rounds):
    path = folder / "many.safetensors"
    many_tensors(path, count)
    print(f"\nopen: {count} tensors, {path.stat().st_size / 1e6:.1f} MB\n")
    print("| | least | median | CPU, median | peak memory |\n| --- | --- | --- | --- | --- |")
    commands = {
        "`upcycle inspect`": [upcycle, "inspect", path],
        "`upcycle inspect --json`": [upcycle, "inspect", path, "--json"],
        "`upcycle --version` (the start alone)": [upcycle, "--version"],
        "python, safe_open + keys": [sys.executable, "-c", "import sys; from safetensors import safe_open\n"
                                     "with safe_open(sys.argv[1], 'np') as f: f.keys()", path],
    }
    results = {name: [] for name in commands}
    for _ in range(4 * rounds):
        for name, command in commands.items():
            results[name].append(measured(command))
    for name, result in results.items():
        show(name, result)
    from safetensors import safe_open
    times = []
    for _ in range(4 * rounds):
        begin, cpu = time.perf_counter(), time.process_time()
        with safe_open(path, "np") as f:
            f.keys()
        times.append((time.perf_counter() - begin, time.process_time() - cpu, 0))
    show("safe_open + keys in process", times)
    path.unlink()


def convert(upcycle, folder, experts, rounds):
    dense, plan, out = folder / "dense", folder / "plan.json", folder / "out"
    vit_base(dense)
    subprocess.run([upcycle, "plan", dense, "-o", plan, "--experts", str(experts)], check=True, stdout=subprocess.DEVNULL)
    source = dense / "model.safetensors"
    jobs = {
        "`upcycle convert`": [upcycle, "convert", dense, "--plan", plan, "-o", out],
        "in the manner of mergekit": [sys.executable, "-c", MERGEKIT_LIKE, dense, out, str(experts), str(5_000_000_000)],
    }
    results, size = {name: [] for name in [*jobs, "`dd` with fsync"]}, 0
    for _ in range(rounds):
        for name, command in jobs.items():
            subprocess.run(["cat", source], check=True, stdout=subprocess.DEVNULL)  # as warm for the one as for the other
            results[name].append(measured(command))
            size = sum(path.stat().st_size for path in out.glob("*.safetensors"))
            shutil.rmtree(out)
        target = folder / "dd"
        results["`dd` with fsync"].append(measured(["dd", "if=/dev/zero", f"of={target}", "bs=8M",
                                                    f"count={size // (8 << 20)}", "conv=fsync"]))
        target.unlink()
    print(f"\nconvert: {source.stat().st_size / 1e9:.2f} GB to {size / 1e9:.2f} GB, {experts} experts in 6 of 12 layers, f32\n")
    print("| | least | median | CPU, median | peak memory | rate |\n| --- | --- | --- | --- | --- | --- |")
    for name, result in results.items():
        show(name, result, 1, "s", size)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("upcycle")
    parser.add_argument("--folder", help="on the disk that is to be measured")
    parser.add_argument("--tensors", type=int, default=20000)
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-open", action="store_true")
    parser.add_argument("--skip-convert", action="store_true")
    options = parser.parse_args()
    upcycle = os.path.abspath(options.upcycle)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if not options.skip_open:
            open_many(upcycle, pathlib.Path(folder), options.tensors, options.rounds)
        if not options.skip_convert:
            convert(upcycle, pathlib.Path(folder), options.experts, options.rounds)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
