# SPDX-License-Identifier: Apache-2.0
"""Seconds per training step of the demo's upcycled ViT in PyTorch: d 96, 6 blocks, the last 3 with 8 experts (Expert Choice, C = 2,
renormalised), 28x28x1 images, patch 4, batch 128, f32, fused AdamW. The faster of eager and torch.compile is printed.

usage: vit_step.py [--threads 2] [--steps 30] [--dense]
"""
import argparse
import math
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        b, s, d = x.shape
        q, k, v = self.qkv(x).view(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, s, d))


class Mlp(nn.Module):
    def __init__(self, d, f):
        super().__init__()
        self.up, self.down = nn.Linear(d, f), nn.Linear(f, d)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


class ExpertChoice(nn.Module):
    def __init__(self, d, f, experts, capacity):
        super().__init__()
        self.experts, self.capacity = experts, capacity
        self.router = nn.Linear(d, experts, bias=False)
        self.w1 = nn.Parameter(torch.randn(experts, d, f) * 0.02)
        self.b1 = nn.Parameter(torch.zeros(experts, 1, f))
        self.w2 = nn.Parameter(torch.randn(experts, f, d) * 0.02)
        self.b2 = nn.Parameter(torch.zeros(experts, 1, d))

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        n = flat.shape[0]
        p = self.router(flat).softmax(-1)
        take = min(n, max(1, math.ceil(self.capacity * n / self.experts)))
        weight, index = p.t().topk(take, dim=-1)
        total = torch.zeros(n, dtype=x.dtype).index_add(0, index.reshape(-1), weight.reshape(-1))
        weight = weight / total[index]
        slots = flat[index.reshape(-1)].view(self.experts, take, -1)
        hidden = F.gelu(torch.baddbmm(self.b1, slots, self.w1))
        y = torch.baddbmm(self.b2, hidden, self.w2) * weight.unsqueeze(-1)
        return torch.zeros_like(flat).index_add(0, index.reshape(-1), y.reshape(-1, y.shape[-1])).view_as(x)


class Block(nn.Module):
    def __init__(self, d, heads, mlp):
        super().__init__()
        self.n1, self.attention, self.n2, self.mlp = nn.LayerNorm(d, 1e-12), Attention(d, heads), nn.LayerNorm(d, 1e-12), mlp

    def forward(self, x):
        x = x + self.attention(self.n1(x))
        return x + self.mlp(self.n2(x))


class Vit(nn.Module):
    def __init__(self, dense, d=96, f=384, heads=3, layers=6, patch=4, side=28, classes=10):
        super().__init__()
        self.patches = nn.Conv2d(1, d, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.positions = nn.Parameter(torch.zeros(1, (side // patch) ** 2 + 1, d))
        self.blocks = nn.Sequential(*[
            Block(d, heads, Mlp(d, f) if dense or i < layers // 2 else ExpertChoice(d, f, 8, 2.0)) for i in range(layers)])
        self.norm, self.head = nn.LayerNorm(d, 1e-12), nn.Linear(d, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


def measure(model, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    x, y = torch.randn(128, 1, 28, 28), torch.randint(10, (128,))
    times = []
    for i in range(steps + 5):
        start = time.perf_counter()
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()
        if i >= 5:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--dense", action="store_true")
    parser.add_argument("--no-compile", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    eager = measure(Vit(a.dense), a.steps)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    compiled = math.inf
    if not a.no_compile:
        try:
            compiled = measure(torch.compile(Vit(a.dense)), a.steps)
        except Exception as error:  # no C++ compiler for inductor, say
            print("torch.compile failed:", error)
    print(f"torch {torch.__version__}, {a.threads} threads: eager {eager:.4f} s/step, compiled {compiled:.4f} s/step, "
          f"peak RSS after eager {rss:.0f} MiB")


if __name__ == "__main__":
    main()
