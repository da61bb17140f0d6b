# SPDX-License-Identifier: Apache-2.0
"""Whole training steps (forward, backward, optimizer) of ours and of PyTorch in turns: the same model, batch, types and threads.

    python tests/bench/peers/steps.py build/release/bin/upcycle [demo vit-s t5 ...] [--dtype f32 bf16] [--threads 2] [--rounds 3] [--steps N]
        [--device cpu|cuda] [--peers eager compiled] [--spin]
        [--before UPCYCLE] [--json FILE]

Ours: `upcycle train` on synthetic data, the `seconds` of its step events. PyTorch: torch_models.py, eager and torch.compile, fused AdamW,
bf16 by autocast over f32 weights; each in a process of its own. The first steps of every process are left out; the rest give the median.
PyTorch's threads wait for each other as ours do, with little spinning: with libgomp's own setting a busy machine slows it down two to three
times. --spin leaves that setting alone, for a quiet machine. --before: an older program of ours, which takes its turn too.
Processor time (all threads together, of a whole process over the steps that count) says what the work costs where other work disturbs.
GFLOP/s count products only (sizes.py), against the multiply-add peak and the product of 2048^3 that `ops_bench` measures in between.
The models are sizes.py's; by default those of the device. A type that a side does not compute is said and left out.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import ours
import sizes

WARM_UP = 3


def child(options):
    """One of PyTorch's turns, in a process of its own: prints one line of JSON."""
    import torch

    import torch_models

    cuda = options.device != "cpu"
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    size = sizes.MODELS[options.models[0]]
    if cuda:
        torch.set_float32_matmul_precision("highest")
    model = torch_models.build(size).to(options.device)
    count = sum(parameter.numel() for parameter in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
    function = torch.compile(model) if options.child == "compiled" else model
    batch = torch_models.batch(size, options.device)
    seconds, processor = [], [time.process_time()]
    for _ in range(WARM_UP + options.steps):
        start = time.perf_counter()
        with torch.autocast("cuda" if cuda else "cpu", dtype=torch.bfloat16, enabled=options.dtype[0] == "bf16"):
            loss = function(*batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time())
    if cuda:
        peak = torch.cuda.max_memory_reserved()
    else:
        peak = 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
    print(json.dumps({"seconds": seconds, "processor": dict(enumerate(processor)), "peak": peak, "parameters": count, "version": torch.__version__}))


def peer(options, model, dtype, how):
    command = [sys.executable, __file__, options.upcycle, model, "--child", how, "--dtype", dtype, "--threads", str(options.threads),
               "--steps", str(options.steps), "--device", options.device]
    environment = os.environ if options.spin else {"GOMP_SPINCOUNT": "1000", **os.environ}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise ours.NotComputed((done.stderr.strip().splitlines() or ["no word"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def upcycle(options, model, dtype, program):
    size = sizes.MODELS[model]
    with tempfile.TemporaryDirectory() as folder:
        job = size.job() + ["--optimizer", "adamw", "--weight-decay", "0"]
        return ours.train(program, folder, size.config(), job, size.batch, WARM_UP + options.steps, options.threads, options.device, dtype)


def ceilings(options):
    """Multiply-add peak and product rate of this moment in FLOP/s, as ops_bench measures them; on the CPU also of one core in processor time
    ("... a core"), which other work on the machine disturbs little. {} without it."""
    program = pathlib.Path(options.upcycle).with_name("ops_bench")
    if not program.exists():
        return {}
    command = [str(program), "--benchmark_filter=^ceiling(MultiplyAdd|Product)", "--benchmark_format=json", "--benchmark_min_time=0.1",
               f"--device={options.device}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return {}
    threads = options.threads if options.device == "cpu" else 1
    rates = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if "GFLOP/s" not in one:
            continue
        name, arguments = one["name"].split("/", 1)
        name += "Bf16" if "bf16:1" in arguments else ""
        if f"threads:{threads}/" in arguments:
            rates[name] = one["GFLOP/s"] * 1e9
        if options.device == "cpu" and "threads:1/" in arguments:
            rates[name + " a core"] = one["GFLOP/s"] * 1e9 * one["real_time"] / one["cpu_time"]
    return rates


def processor_a_step(progress):
    """Processor seconds of a step, all threads together, from what was used after so many steps."""
    seen = {int(steps): seconds for steps, seconds in progress.items() if int(steps) >= WARM_UP}
    first, last = min(seen), max(seen)
    return (seen[last] - seen[first]) / (last - first) if last > first else float("nan")


def measure(options, model, dtype):
    sides = {"ours": lambda: upcycle(options, model, dtype, options.upcycle)}
    if options.before:
        sides["ours before"] = lambda: upcycle(options, model, dtype, options.before)
    for how in options.peers:
        sides[f"PyTorch {how}"] = lambda how=how: peer(options, model, dtype, how)
    results = {name: {"seconds": [], "processor": [], "peak": 0} for name in sides}
    best = {}
    load = [os.getloadavg()[0]]
    for _ in range(options.rounds):
        for name, rate in ceilings(options).items():
            best[name] = max(best.get(name, 0.0), rate)
        for name, run in sides.items():
            if "refused" in results[name]:
                continue
            try:
                one = run()
            except ours.NotComputed as refusal:
                results[name]["refused"] = str(refusal)
                continue
            results[name]["seconds"] += one["seconds"][WARM_UP:]
            results[name]["processor"].append(processor_a_step(one["processor"]))
            results[name]["peak"] = max(results[name]["peak"], one["peak"])
            results[name]["parameters"] = one["parameters"]
    load.append(os.getloadavg()[0])
    return {"model": model, "dtype": dtype, "gflop": sizes.MODELS[model].flops() / 1e9, "load": load, "ceilings": best, "sides": results}


def summary(result):
    print(f"\n{result['model']}, {result['dtype']}: {result['gflop']:.1f} GFLOP of products a step; load {result['load'][0]:.1f} to {result['load'][1]:.1f}")
    for name, rate in result["ceilings"].items():
        print(f"  {name:34s} {rate / 1e9:7.0f} GFLOP/s")
    unit = "Bf16" if result["dtype"] == "bf16" else ""
    ceiling = {word: result["ceilings"].get(name) for word, name in (
        ("multiply-add peak", f"ceilingMultiplyAdd{unit}"), ("product's rate", f"ceilingProduct{unit}"),
        ("multiply-add peak a core", f"ceilingMultiplyAdd{unit} a core"), ("product's rate a core", f"ceilingProduct{unit} a core"))}
    medians = {}
    for name, side in result["sides"].items():
        if not side["seconds"]:
            print(f"  {name:17s} not computed: {side.get('refused', 'no steps')}")
            continue
        medians[name] = side["median"] = statistics.median(side["seconds"])
        rate = result["gflop"] / side["median"]
        text = f"  {name:17s} {side['median']:.4f} s a step (least {min(side['seconds']):.4f}), {rate:5.0f} GFLOP/s"
        side["processor_median"] = statistics.median(side["processor"])
        text += f", {side['processor_median']:.3f} s of processor time"
        shares = [f"{100 * result['gflop'] * 1e9 / (side['processor_median' if 'core' in word else 'median'] * rate):.0f} % of the {word}"
                  for word, rate in ceiling.items() if rate]
        text += "".join(", " + share for share in shares)
        print(text + f", peak memory {side['peak'] / 2**20:.0f} MiB, {side['parameters']} parameters")
    counts = {side["parameters"] for side in result["sides"].values() if "parameters" in side}
    if len(counts) > 1:
        print("  NOT THE SAME NUMBER OF PARAMETERS")
    theirs = [median for name, median in medians.items() if not name.startswith("ours")]
    if "ours" in medians and theirs:
        result["ratio"] = min(theirs) / medians["ours"]
        least = [min(side["seconds"]) for name, side in result["sides"].items() if name in medians and not name.startswith("ours")]
        result["least_ratio"] = min(least) / min(result["sides"]["ours"]["seconds"])
        work = [side["processor_median"] for name, side in result["sides"].items() if name in medians and not name.startswith("ours")]
        result["processor_ratio"] = min(work) / result["sides"]["ours"]["processor_median"]
        print(f"  PyTorch's better one takes {result['ratio']:.2f} times ours (least against least {result['least_ratio']:.2f}, processor time "
              f"{result['processor_ratio']:.2f})")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("upcycle")
    parser.add_argument("models", nargs="*", default=[], metavar="MODEL", help=", ".join(sizes.MODELS))
    parser.add_argument("--dtype", nargs="+", default=["f32"], choices=["f32", "bf16"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peers", nargs="*", default=["eager", "compiled"], choices=["eager", "compiled"])
    parser.add_argument("--spin", action="store_true", help="PyTorch's threads wait as libgomp does by default")
    parser.add_argument("--before", metavar="UPCYCLE", help="an older program of ours")
    parser.add_argument("--json", help="write the results here too")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options)
    names = options.models or (sizes.CPU_MODELS if options.device == "cpu" else sizes.GPU_MODELS)
    for name in names:
        if name not in sizes.MODELS:
            parser.error(f"{name} is none of {', '.join(sizes.MODELS)}")
    results = []
    for name in names:
        for dtype in options.dtype:
            results.append(measure(options, name, dtype))
            summary(results[-1])
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"threads": options.threads, "device": options.device, "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
