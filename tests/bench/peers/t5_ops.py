# SPDX-License-Identifier: Apache-2.0
"""PyTorch beside `ops_bench --benchmark_filter=t5`, in turns, least time of each, f32.

    python tests/bench/peers/t5_ops.py build/release/bin/ops_bench [--rounds 5] [--threads 1]

Attention of T5-Base's size (batch 4, 12 heads, 512 x 512, head 64, scale 1) with a bias that has a
gradient: torch.nn.functional.scaled_dot_product_attention(attn_mask=bias), and matmul + softmax +
dropout as transformers' T5 writes it. RMS norm: T5LayerNorm's lines on 2048 x 768.
With one thread the times are CPU times, which a busy machine disturbs less.
"""
import argparse
import json
import subprocess
import time

import torch
from torch.nn import functional


def least(run, seconds=0.3):
    clock = time.perf_counter if torch.get_num_threads() > 1 else time.thread_time
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until or best == float("inf"):
        start = clock()
        run()
        best = min(best, clock() - start)
    return best * 1e6


def eager(q, k, v, bias, rate):
    scores = torch.matmul(q, k.transpose(3, 2)) + bias
    weights = functional.softmax(scores, dim=-1)
    return torch.matmul(functional.dropout(weights, rate, training=rate > 0), v)


def fused(q, k, v, bias, rate):
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=rate, scale=1.0)


def attention_cases():
    torch.manual_seed(1)
    q, k, v, slopes = (torch.randn(4, 512, 12, 64).transpose(1, 2) for _ in range(4))
    q *= 0.125
    bias = torch.randn(1, 12, 512, 512)
    causal = bias.masked_fill(torch.ones(512, 512).triu(1).bool(), float("-inf"))
    for number, (mask, rate) in enumerate([(bias, 0.0), (causal, 0.0), (bias, 0.1)]):
        for name, function in (("sdpa", fused), ("eager", eager)):
            inputs = [t.detach().clone().requires_grad_() for t in (q, k, v, mask)]

            def forward(function=function, mask=mask, rate=rate):
                with torch.no_grad():
                    function(q, k, v, mask, rate)

            def both(function=function, inputs=inputs, rate=rate):
                function(*inputs, rate).backward(slopes)
                for t in inputs:
                    t.grad = None

            yield f"t5Attention case:{number} {name}", forward, both


def rms_norm():
    x = torch.randn(2048, 768, requires_grad=True)
    gamma = torch.randn(768, requires_grad=True)
    slopes = torch.randn(2048, 768)
    y = gamma * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))
    y.backward(slopes)
    x.grad = gamma.grad = None


def ours(program, threads):
    text = subprocess.run([program, f"--benchmark_filter=t5.*threads:{threads}", "--benchmark_format=json",
                           "--benchmark_min_time=0.1", "--benchmark_repetitions=3"],
                          check=True, capture_output=True, text=True).stdout
    best = {}
    for run in json.loads(text)["benchmarks"]:
        if run["run_type"] == "iteration":
            name = run["run_name"].replace("/real_time", "")
            best[name] = min(best.get(name, float("inf")), run["cpu_time" if threads == 1 else "real_time"])
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    best = {}

    def note(name, microseconds):
        best[name] = min(best.get(name, float("inf")), microseconds)

    cases = list(attention_cases())
    for _ in range(arguments.rounds):
        for name, microseconds in ours(arguments.program, arguments.threads).items():
            note("ours " + name, microseconds)
        for name, forward, both in cases:
            note("torch " + name + " forward", least(forward))
            note("torch " + name + " forward + backward", least(both))
        note("torch rms norm", least(rms_norm))
    for name, microseconds in best.items():
        print(f"{microseconds / 1000:9.2f} ms  {name}")


main()
