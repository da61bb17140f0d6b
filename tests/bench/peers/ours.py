# SPDX-License-Identifier: Apache-2.0
"""Our side of the comparisons, without torch: a run of `upcycle train` and what it says of itself."""
import json
import os
import pathlib
import struct
import subprocess
import time


class NotComputed(Exception):
    """The program refused, in its own words."""


def call(arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotComputed(done.stderr.strip().splitlines()[0] if done.stderr.strip() else f"exit code {done.returncode}")
    return done.stdout


def device_bytes(pid):
    """What nvidia-smi shows for a process, 0 where it shows nothing."""
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        return 0
    shares = [line.split(",") for line in lines if line.count(",") == 1]
    return sum(int(used) << 20 for one, used in shares if one.strip() == str(pid) and used.strip().isdigit())


def parameters(checkpoint):
    """Elements of all tensors of a folder's model.safetensors, from its header."""
    with open(pathlib.Path(checkpoint) / "model.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    count = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            elements = 1
            for side in tensor["shape"]:
                elements *= side
            count += elements
    return count


def steps_in(run):
    try:
        return pathlib.Path(run, "events.jsonl").read_bytes().count(b'"event":"step"')
    except OSError:
        return 0


def processor_seconds(pid):
    """User and system time so far of a process that still is."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def train(upcycle, folder, config, job, batch, steps, threads, device="cpu", dtype="f32"):
    """Trains `config` from a random start; the seconds of every step, processor time by steps done (as seen every 20 ms), the process's (on a
    GPU: the device's) peak memory in bytes, and the number of parameters. NotComputed when the program says that it cannot."""
    run = os.path.join(folder, "run")
    file = os.path.join(folder, "config.json")
    with open(file, "w") as out:
        json.dump({key: value for key, value in config.items() if value is not None}, out)
    call([upcycle, "new", run, "--model", f"scratch:{file}", "--batch", str(batch), "--steps", str(steps), "--schedule", "constant",
          "--lr", "1e-4", "--keep", "1", "--set", "eval_examples=1", "--threads", str(threads), "--device", device, "--dtype", dtype, *job])
    log = open(os.path.join(folder, "log"), "w+")
    child = subprocess.Popen([upcycle, "train", run], stdout=subprocess.DEVNULL, stderr=log)
    progress, most, asked = {}, 0, 0.0
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid != 0:
            break
        progress.setdefault(steps_in(run), processor_seconds(child.pid))
        if device != "cpu" and time.monotonic() > asked + 0.3:
            most, asked = max(most, device_bytes(child.pid)), time.monotonic()
        time.sleep(0.02)
    if status != 0:
        log.seek(0)
        raise NotComputed(log.read().strip().splitlines()[-1])
    events = [json.loads(line) for line in open(os.path.join(run, "events.jsonl"))]
    newest = sorted(pathlib.Path(run, "checkpoints").glob("step-*"))[-1]
    return {"seconds": [e["seconds"] for e in events if e["event"] == "step"], "processor": progress, "peak": most or usage.ru_maxrss * 1024,
            "parameters": parameters(newest)}
