# SPDX-License-Identifier: Apache-2.0
"""Ops of ours and of PyTorch in turns, the least time of each.

    python tests/bench/peers/ops.py build/release/bin/ops_bench [--device cpu|cuda] [--threads 1] [--dtype f32 bf16] [--rounds 2]
        [--only WORD ...] [--json FILE]

The names are ops_bench's; PyTorch does the same with what it has for it: linear, gelu, scaled_dot_product_attention, layer_norm, rms_norm,
cross_entropy, fused AdamW, and torch_models.py's layer of 32 experts. What has a backward in its name or in ops_bench's comment is timed
with autograd: its forward is in PyTorch's figure, and ours is the sum of both. On the CPU with one thread, CPU time counts (of the process: a busy
machine disturbs it less), otherwise wall time.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

import torch_models

SIZES = {"cpu": {0: (128, 50, 96, 3, 384), 1: (8, 197, 384, 6, 1536)}, "cuda": {1: (8, 197, 384, 6, 1536), 2: (128, 197, 768, 12, 3072)}}
T5 = (4, 512, 12, 64)  # batch, tokens, heads, head


class Cases:
    """name -> (a call of PyTorch's, the benchmarks of ours that do the same together)."""

    def __init__(self, device, dtype):
        self.device, self.dtype, self.all = device, dtype, {}
        kind = "cpu" if device == "cpu" else "cuda"
        for number, size in SIZES[kind].items():
            self.sized(number, *size)
        self.t5()
        self.rest(kind)

    def randn(self, *shape, grad=False, dtype=None):
        return torch.randn(*shape, device=self.device, dtype=dtype or self.dtype).requires_grad_(grad)

    def add(self, name, parts, call, inputs=(), slopes=None):
        if slopes is None:
            self.all[name] = (call, parts)
            return

        def both():
            call().backward(slopes)
            for one in inputs:
                one.grad = None

        self.all[name] = (both, parts)

    def sized(self, number, batch, tokens, d, heads, inner):
        rows, at = batch * tokens, f"size:{number}"
        x, weight, bias = self.randn(rows, d), self.randn(inner, d), self.randn(inner)
        self.add(f"linear {at}", [f"linearForward {at}"], lambda: F.linear(x, weight, bias))
        self.add(f"linear + GELU {at}", [f"linearGeluForward {at}"], lambda: F.gelu(F.linear(x, weight, bias)))
        gx, gw, gb = x.clone().requires_grad_(), weight.clone().requires_grad_(), bias.clone().requires_grad_()
        self.add(f"linear, both ways {at}", [f"linearForward {at}", f"linearBackward {at}"], lambda: F.linear(gx, gw, gb), (gx, gw, gb),
                 self.randn(rows, inner))
        h = self.randn(rows, inner, grad=True)
        self.add(f"GELU, both ways {at}", [f"geluForward {at}", f"geluBackward {at}"], lambda: F.gelu(h), (h,), self.randn(rows, inner))
        q, k, v = (self.randn(batch, tokens, heads, d // heads).transpose(1, 2).requires_grad_() for _ in range(3))
        self.add(f"attention, both ways {at}", [f"attentionForward {at}", f"attentionBackward {at}"],
                 lambda: F.scaled_dot_product_attention(q, k, v), (q, k, v), self.randn(batch, heads, tokens, d // heads))
        gamma, beta = self.randn(d, grad=True), self.randn(d, grad=True)
        self.add(f"layer norm, both ways {at}", [f"layerNorm {at}"], lambda: F.layer_norm(gx, (d,), gamma, beta, 1e-6), (gx, gamma, beta),
                 self.randn(rows, d))

    def t5(self):
        batch, tokens, heads, head = T5
        q, k, v = (self.randn(batch, tokens, heads, head).transpose(1, 2).requires_grad_() for _ in range(3))
        slopes = self.randn(batch, heads, tokens, head)
        bias = self.randn(1, heads, tokens, tokens)
        causal = bias.masked_fill(torch.ones(tokens, tokens, device=self.device).triu(1).bool(), float("-inf"))
        for case, (mask, rate) in enumerate([(bias, 0.0), (causal, 0.0), (bias, 0.1)]):
            mask = mask.clone().requires_grad_()
            self.add(f"T5 attention, both ways case:{case}", [f"t5AttentionForward case:{case}", f"t5AttentionBackward case:{case}"],
                     lambda mask=mask, rate=rate: F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate), (q, k, v, mask), slopes)
        x, gamma = self.randn(2048, 768, grad=True), self.randn(768, grad=True)
        self.add("RMS norm, both ways", ["t5RmsNorm"], lambda: F.rms_norm(x, (768,), gamma, 1e-6), (x, gamma), self.randn(2048, 768))

    def rest(self, kind):
        logits = self.randn(512, 32128, grad=True)
        labels = torch.randint(32128, (512,), device=self.device)
        self.add("cross entropy of 32128, both ways", ["crossEntropy32128"], lambda: F.cross_entropy(logits, labels), (logits,), torch.tensor(1.0, device=self.device, dtype=self.dtype))
        if self.dtype == torch.float32:
            weight = torch.nn.Parameter(self.randn(8 << 20))
            weight.grad = self.randn(8 << 20)
            optimizer = torch.optim.AdamW([weight], fused=True)
            self.add("AdamW of 8 Mi", ["adamw"], optimizer.step)
            self.add("norm of 8 Mi", ["gradientNorm"], lambda: torch.linalg.vector_norm(weight.grad))
        rows = (8 if kind == "cpu" else 128) * 197
        layer = torch_models.ExpertChoice(768, 3072, 32, 2.0).to(self.device)
        layer.experts.to(self.dtype)
        x = self.randn(1, rows, 768, grad=True)
        slopes = self.randn(1, rows, 768)

        def forward():
            with torch.no_grad():
                layer(x)

        def both():
            layer(x)[0].backward(slopes)
            layer.zero_grad(set_to_none=True)
            x.grad = None

        self.add("MoE layer d 768, 32 experts", ["moeLayer case:0"], forward)
        self.add("MoE layer d 768, 32 experts, both ways", ["moeLayer case:1"], both)


def least(call, options, seconds=0.3):
    cuda = options.device != "cpu"
    clock = time.process_time if not cuda and options.threads == 1 else time.perf_counter
    call()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until or best == float("inf"):
        if cuda:
            torch.cuda.synchronize()
        start = clock()
        call()
        if cuda:
            torch.cuda.synchronize()
        best = min(best, clock() - start)
    return best * 1e3


def ours(options, dtype, names):
    """Least milliseconds of ops_bench's benchmarks by "name case:1", and their rates."""
    threads = options.threads if options.device == "cpu" else 1
    words = "|".join(sorted({name.split(" ")[0] for name in names} | {"ceilingProduct", "ceilingCopy"}))
    done = subprocess.run([options.program, f"--device={options.device}", f"--benchmark_filter=^({words})/threads:{threads}/bf16:", "--benchmark_format=json",
                           "--benchmark_min_time=0.1", "--benchmark_repetitions=2"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    found = {}
    clock = "cpu_time" if options.device == "cpu" and options.threads == 1 else "real_time"
    for one in json.loads(done.stdout)["benchmarks"]:
        if one.get("run_type") != "iteration" or one.get("error_occurred"):
            continue
        words = one["run_name"].replace("/real_time", "").split("/")
        bf16 = "bf16:1" in words
        if bf16 != (dtype == torch.bfloat16) and words[0] != "ceilingCopy":
            continue
        name = " ".join([words[0]] + [word for word in words if word.startswith(("size:", "case:"))])
        # ops_bench counts its rates over wall time: here over the clock that counts.
        rate = tuple(one[unit] * one["real_time"] / one[clock] if unit in one else None for unit in ("GFLOP/s", "GB/s"))
        if name not in found or one[clock] < found[name][0] * 1e3:
            found[name] = (one[clock] / 1e3, rate)
    return found


def measure(options, dtype):
    cases = Cases(options.device, dtype).all
    if options.only:
        cases = {name: case for name, case in cases.items() if any(word in name for word in options.only)}
    theirs, mine = {}, {}
    for _ in range(options.rounds):
        for name, entry in ours(options, dtype, [part for _, parts in cases.values() for part in parts]).items():
            if name not in mine or entry[0] < mine[name][0]:
                mine[name] = entry
        for name, (call, _) in cases.items():
            try:
                theirs[name] = min(theirs.get(name, float("inf")), least(call, options))
            except RuntimeError as refusal:
                theirs.setdefault(name, float("nan"))
                print(f"PyTorch, {name}: {str(refusal).splitlines()[0]}", file=sys.stderr)
    word = "bf16" if dtype == torch.bfloat16 else "f32"
    product, copy = mine.get("ceilingProduct", (0, (0, 0)))[1][0], mine.get("ceilingCopy", (0, (0, 0)))[1][1]
    print(f"\n{word} on {options.device}: ceilings {product or 0:.0f} GFLOP/s, {copy or 0:.1f} GB/s")
    print(f"{'op':46s} {'ours ms':>9s} {'PyTorch':>9s} {'ratio':>6s}  of the ceiling")
    rows = []
    for name, (_, parts) in cases.items():
        if not all(part in mine for part in parts):
            print(f"{name:46s} {'–':>9s} {theirs[name]:9.3f}         ours does not compute it")
            continue
        milliseconds = sum(mine[part][0] for part in parts)
        shares = []
        for part in parts:
            flops, bytes_ = mine[part][1]
            if flops and product:
                shares.append(100 * flops / product)
            elif bytes_ and copy:
                shares.append(100 * bytes_ / copy)
        rows.append({"op": name, "dtype": word, "ours_ms": milliseconds, "pytorch_ms": theirs[name], "of_ceiling": shares})
        print(f"{name:46s} {milliseconds:9.3f} {theirs[name]:9.3f} {theirs[name] / milliseconds:6.2f}  " + ", ".join(f"{share:.0f} %" for share in shares))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--dtype", nargs="+", default=["f32"], choices=["f32", "bf16"])
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name holds one of these words")
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    rows = []
    for word in options.dtype:
        rows += measure(options, torch.bfloat16 if word == "bf16" else torch.float32)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"device": options.device, "threads": options.threads, "ops": rows}, indent=1))


if __name__ == "__main__":
    main()
