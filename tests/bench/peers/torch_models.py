# SPDX-License-Identifier: Apache-2.0
"""The models of sizes.py as a PyTorch user would write them to be fast: scaled_dot_product_attention, one batched product for all experts
of a layer, nothing that a compiler cannot follow. The routers compute in f32 under autocast, as ours do."""
import math

import torch
import torch.nn.functional as F
from torch import nn

import sizes


class Experts(nn.Module):
    """E MLPs side by side: [E, rows, d] -> [E, rows, d]; gated as T5 v1.1 or plain with biases as ViT."""

    def __init__(self, experts, d, inner, gated):
        super().__init__()
        self.gated = gated

        def weight(*shape):
            return nn.Parameter(torch.randn(*shape) * 0.02)

        self.up, self.down = weight(experts, d, inner), weight(experts, inner, d)
        if gated:
            self.gate = weight(experts, d, inner)
        else:
            self.up_bias = nn.Parameter(torch.zeros(experts, 1, inner))
            self.down_bias = nn.Parameter(torch.zeros(experts, 1, d))

    def forward(self, x):
        if self.gated:
            return torch.bmm(F.gelu(torch.bmm(x, self.up), approximate="tanh") * torch.bmm(x, self.gate), self.down)
        return torch.baddbmm(self.down_bias, F.gelu(torch.baddbmm(self.up_bias, x, self.up)), self.down)


def probabilities(router, flat):
    with torch.autocast(flat.device.type, enabled=False):
        return router(flat.float()).softmax(-1)


class ExpertChoice(nn.Module):
    def __init__(self, d, inner, experts, capacity, gated=False, renormalize=True):
        super().__init__()
        self.capacity, self.renormalize = capacity, renormalize
        self.router = nn.Linear(d, experts, bias=False)
        self.experts = Experts(experts, d, inner, gated)

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        n, experts = flat.shape[0], self.router.out_features
        p = probabilities(self.router, flat)
        take = min(n, max(1, math.ceil(self.capacity * n / experts)))
        weight, index = p.t().topk(take, dim=-1)
        rows = index.reshape(-1)
        if self.renormalize:
            total = torch.zeros(n, dtype=weight.dtype, device=x.device).index_add(0, rows, weight.reshape(-1))
            weight = weight / total[index]
        y = self.experts(flat[rows].view(experts, take, -1)) * weight.unsqueeze(-1)
        return torch.zeros_like(flat).index_add(0, rows, y.reshape(-1, y.shape[-1]).to(flat.dtype)).view_as(x), None


class TopK(nn.Module):
    """Top-K with capacity, placed in token order (a causal decoder), and its balance loss."""

    def __init__(self, d, inner, experts, capacity, k=2, gated=True):
        super().__init__()
        self.capacity, self.k = capacity, k
        self.router = nn.Linear(d, experts, bias=False)
        self.experts = Experts(experts, d, inner, gated)

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        n, experts = flat.shape[0], self.router.out_features
        p = probabilities(self.router, flat)
        weight, index = p.topk(self.k, dim=-1)
        room = min(n, max(1, math.ceil(self.capacity * n / experts)))
        chosen = F.one_hot(index.reshape(-1), experts)
        place = ((chosen.cumsum(0) - 1) * chosen).sum(-1)
        kept = place < room
        slot = torch.where(kept, index.reshape(-1) * room + place, experts * room)  # the last row takes what is dropped
        tokens = torch.arange(n, device=x.device).repeat_interleave(self.k)
        source = torch.zeros(experts * room + 1, dtype=torch.long, device=x.device).index_copy(0, slot, tokens)
        y = self.experts(flat[source[:-1]].view(experts, room, -1)).reshape(experts * room, -1)
        y = torch.cat([y, y.new_zeros(1, y.shape[-1])])
        out = (y[slot] * (weight.reshape(-1) * kept).unsqueeze(-1)).view(n, self.k, -1).sum(1)
        balance = experts * ((chosen.float().mean(0)) * p.mean(0)).sum()
        return out.view_as(x).to(x.dtype), balance


class Dense(nn.Module):
    def __init__(self, d, inner, gated):
        super().__init__()
        self.gated = gated
        self.up, self.down = nn.Linear(d, inner, bias=not gated), nn.Linear(inner, d, bias=not gated)
        if gated:
            self.gate = nn.Linear(d, inner, bias=False)

    def forward(self, x):
        if self.gated:
            return self.down(F.gelu(self.up(x), approximate="tanh") * self.gate(x)), None
        return self.down(F.gelu(self.up(x))), None


class VitBlock(nn.Module):
    def __init__(self, size, moe):
        super().__init__()
        d = size.d
        self.heads = size.heads
        self.before, self.after = nn.LayerNorm(d, 1e-6), nn.LayerNorm(d, 1e-6)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = ExpertChoice(d, size.inner, size.experts, size.capacity) if moe else Dense(d, size.inner, False)

    def forward(self, x):
        b, s, d = x.shape
        q, k, v = self.qkv(self.before(x)).view(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, s, d))
        return x + self.mlp(self.after(x))[0]


class Vit(nn.Module):
    def __init__(self, size):
        super().__init__()
        d = size.d
        self.patches = nn.Conv2d(size.channels, d, size.patch, size.patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.positions = nn.Parameter(torch.zeros(1, size.tokens, d))
        self.blocks = nn.Sequential(*[VitBlock(size, i in size.moe) for i in range(size.layers)])
        self.norm, self.head = nn.LayerNorm(d, 1e-6), nn.Linear(d, size.classes)

    def forward(self, pixels, labels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return F.cross_entropy(self.head(self.norm(self.blocks(x))[:, 0]).float(), labels)


def buckets(queries, keys, both_ways, count, distance):
    """T5's buckets of relative positions, [queries, keys]."""
    relative = torch.arange(keys)[None, :] - torch.arange(queries)[:, None]
    base = torch.zeros_like(relative)
    if both_ways:
        count //= 2
        base = (relative > 0).long() * count
        relative = relative.abs()
    else:
        relative = -torch.clamp(relative, max=0)
    exact = count // 2
    far = exact + (torch.log(relative.float().clamp(min=1) / exact) / math.log(distance / exact) * (count - exact)).long()
    return base + torch.where(relative < exact, relative, far.clamp(max=count - 1))


class T5Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.heads, wide = size.heads, size.heads * size.head
        self.q, self.k, self.v = (nn.Linear(size.d, wide, bias=False) for _ in range(3))
        self.o = nn.Linear(wide, size.d, bias=False)

    def forward(self, x, memory, bias):
        def heads(t):
            return t.view(*t.shape[:2], self.heads, -1).transpose(1, 2)

        q, k, v = heads(self.q(x)), heads(self.k(memory)), heads(self.v(memory))
        bias = bias.to(q.dtype) if bias is not None else None
        return self.o(F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0).transpose(1, 2).flatten(2))


class T5Block(nn.Module):
    def __init__(self, size, decoder, moe):
        super().__init__()
        self.norms = nn.ModuleList([nn.RMSNorm(size.d, 1e-6) for _ in range(3 if decoder else 2)])
        self.attention = T5Attention(size)
        self.cross = T5Attention(size) if decoder else None
        if not moe:
            self.mlp = Dense(size.d, size.inner, True)
        elif decoder:
            self.mlp = TopK(size.d, size.inner, size.experts, size.capacity)
        else:
            self.mlp = ExpertChoice(size.d, size.inner, size.experts, size.capacity, gated=True, renormalize=False)

    def forward(self, x, bias, memory=None):
        y = self.norms[0](x)
        x = x + self.attention(y, y, bias)
        if self.cross is not None:
            x = x + self.cross(self.norms[1](x), memory, None)
        y, balance = self.mlp(self.norms[-1](x))
        return x + y, balance


class T5(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.embed = nn.Embedding(size.vocab, size.d)
        self.encoder = nn.ModuleList([T5Block(size, False, i in size.moe) for i in range(size.layers)])
        self.decoder = nn.ModuleList([T5Block(size, True, i in size.moe) for i in range(size.layers)])
        self.encoder_norm, self.decoder_norm = nn.RMSNorm(size.d, 1e-6), nn.RMSNorm(size.d, 1e-6)
        self.encoder_bias, self.decoder_bias = nn.Embedding(size.buckets, size.heads), nn.Embedding(size.buckets, size.heads)
        self.head = nn.Linear(size.d, size.vocab, bias=False)
        self.register_buffer("encoder_buckets", buckets(size.inputs, size.inputs, True, size.buckets, size.distance))
        self.register_buffer("decoder_buckets", buckets(size.targets, size.targets, False, size.buckets, size.distance))
        future = torch.ones(size.targets, size.targets).triu(1).bool()
        self.register_buffer("future", torch.zeros(size.targets, size.targets).masked_fill(future, -math.inf))
        for table in (self.encoder_bias, self.decoder_bias):
            nn.init.normal_(table.weight, std=0.05)
        for stack in (self.encoder, self.decoder):
            for name, parameter in stack.named_parameters():
                if name.endswith("q.weight"):
                    nn.init.normal_(parameter, std=(size.d * size.head) ** -0.5)

    def forward(self, inputs, labels):
        bias = self.encoder_bias(self.encoder_buckets).permute(2, 0, 1)[None]
        x = self.embed(inputs)
        for block in self.encoder:
            x, _ = block(x, bias)
        memory = self.encoder_norm(x)
        bias = self.decoder_bias(self.decoder_buckets).permute(2, 0, 1)[None] + self.future
        x = self.embed(F.pad(labels, (1, 0))[:, :-1])
        balances = []
        for block in self.decoder:
            x, balance = block(x, bias, memory)
            if balance is not None:
                balances.append(balance)
        logits = self.head(self.decoder_norm(x))
        loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
        return loss + 0.01 * torch.stack(balances).mean() if balances else loss


def build(size):
    return Vit(size) if isinstance(size, sizes.Vit) else T5(size)


def batch(size, device):
    if isinstance(size, sizes.Vit):
        return (torch.randn(size.batch, size.channels, size.image, size.image, device=device),
                torch.randint(size.classes, (size.batch,), device=device))
    return (torch.randint(2, size.vocab, (size.batch, size.inputs), device=device),
            torch.randint(2, size.vocab, (size.batch, size.targets), device=device))
