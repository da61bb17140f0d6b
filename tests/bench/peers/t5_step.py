# SPDX-License-Identifier: Apache-2.0
"""Seconds per training step and peak memory of a T5 in transformers, beside the same job in upcycle: random weights, random tokens
without padding, f32, Adafactor with parameter scaling and no momentum. The two take turns; both medians and their ratio are printed.

usage: t5_step.py UPCYCLE CONFIG.json [--batch 2] [--inputs 512] [--targets 114] [--steps 4] [--threads 2] [--rounds 2]
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import ours


def peer(options):
    import torch
    from transformers import Adafactor, T5Config, T5ForConditionalGeneration

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    config = T5Config.from_pretrained(pathlib.Path(options.config).parent, _configuration_file=pathlib.Path(options.config).name)
    config.dropout_rate = 0.0
    model = T5ForConditionalGeneration(config).train()
    optimizer = Adafactor(model.parameters(), lr=1e-3, scale_parameter=True, relative_step=False, warmup_init=False)
    seconds = []
    for _ in range(options.steps):
        begin = time.perf_counter()
        inputs = torch.randint(2, config.vocab_size, (options.batch, options.inputs))
        labels = torch.randint(2, config.vocab_size, (options.batch, options.targets))
        optimizer.zero_grad(set_to_none=True)
        model(input_ids=inputs, labels=labels).loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": seconds[1:], "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def upcycle(options):
    config = json.load(open(options.config))
    config["dropout_rate"] = 0.0
    data = f"synthetic:tokens,vocab={config['vocab_size']},inputs={options.inputs},targets={options.targets}"
    job = ["--data", data, "--objective", "text-to-text", "--optimizer", "adafactor"]
    with tempfile.TemporaryDirectory() as folder:
        result = ours.train(options.upcycle, folder, config, job, options.batch, options.steps, options.threads)
    return {"seconds": result["seconds"][1:], "peak": result["peak"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("upcycle")
    parser.add_argument("config")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--inputs", type=int, default=512)
    parser.add_argument("--targets", type=int, default=114)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    if options.peer:
        return peer(options)
    results = {"upcycle": [], "transformers": []}
    for _ in range(options.rounds):
        results["upcycle"].append(upcycle(options))
        text = subprocess.run([sys.executable, *sys.argv, "--peer"], check=True, capture_output=True, text=True).stdout
        results["transformers"].append(json.loads(text.strip().splitlines()[-1]))
    median = {}
    for name, rounds in results.items():
        seconds = [s for one in rounds for s in one["seconds"]]
        median[name] = statistics.median(seconds)
        peak = max(one["peak"] for one in rounds) / 2**30
        print(f"{name:13s} median {median[name]:.2f} s a step (best {min(seconds):.2f}), peak {peak:.2f} GiB")
    print(f"upcycle needs {median['upcycle'] / median['transformers']:.2f} of transformers' time")


if __name__ == "__main__":
    main()
