# SPDX-License-Identifier: Apache-2.0
"""Routing by the rules, written as loops over tokens and apart from everything that Upcycler computes with.

`ByTheRules` is transformers' own dense T5 whose MLPs in the MoE blocks are replaced by these loops; check_t5_exports.py
compares the modelling file of an export, and `upcycle forward`, with it.
"""
import math

import torch
from torch.nn import functional as F

ACTIVATIONS = {"relu": F.relu, "silu": F.silu, "gelu": F.gelu, "gelu_new": lambda x: F.gelu(x, approximate="tanh")}


def capacity(factor, tokens, experts):
    return min(tokens, max(1, math.ceil(factor * tokens / experts - 1e-9)))


def best_first(values, count):
    """Indices of the largest, ties to the lower index."""
    return sorted(range(len(values)), key=lambda i: (-values[i], i))[:count]


def routing_groups(size, batch, length):
    positions = list(range(batch * length))
    size = {"batch": batch * length, "sequence": length}.get(size, size)
    return [positions[begin : begin + size] for begin in range(0, batch * length, size)]


def place(tokens, choices, k, places, causal):
    """{(token, expert)} that found a place: an encoder places all first choices before the second ones, a decoder the
    choices of one token after the other's."""
    asked = [(t, choices[t][c]) for t in tokens for c in range(k)] if causal else \
            [(t, choices[t][c]) for c in range(k) for t in tokens]
    taken, accepted = {}, set()
    for token, expert in asked:
        if taken.get(expert, 0) < places:
            taken[expert] = taken.get(expert, 0) + 1
            accepted.add((token, expert))
    return accepted


def route(entry, p, real, batch, length, causal, unlimited):
    """p: rows of probabilities. -> accepted and asked pairs (token, expert), and [(share asked of each expert, tokens)]
    of the groups with a real token."""
    experts, accepted, asked, shares = entry["experts"], set(), set(), []
    for group in routing_groups(entry["group_size"], batch, length):
        tokens = [t for t in group if real[t]]
        n = len(tokens)
        if n == 0:
            continue
        if entry["router"] == "expert-choice":
            places = capacity(entry["capacity"], n, experts)
            for e in range(experts):
                accepted |= {(tokens[i], e) for i in best_first([p[t][e] for t in tokens], places)}
            continue
        k = entry["k"]
        choices = {t: best_first(p[t], k) for t in tokens}
        wanted = {(t, e) for t in tokens for e in choices[t]}
        asked |= wanted
        shares.append(([sum(e == mine for _, e in wanted) / (n * k) for mine in range(experts)], tokens))
        if entry["dropless"] or unlimited:
            accepted |= wanted
            continue
        order = sorted(tokens, key=lambda t: (-max(p[t]), t)) if entry["batch_priority"] else tokens
        accepted |= place(order, choices, k, capacity(entry["capacity"], n, experts), causal)
    return accepted, asked, shares


class MoeByTheRules(torch.nn.Module):
    def __init__(self, owner, name, entry, weights, activation):
        super().__init__()
        self.owner, self.entry, self.weights, self.activation = [owner], entry, weights, activation
        self.stack, self.causal = name.split(".")[0], name.startswith("decoder")

    def expert(self, e, x):
        matrix = {name: self.weights[f"experts.expert_{e}.{name}.weight"] for name in ("wi", "wi_0", "wi_1", "wo")
                  if f"experts.expert_{e}.{name}.weight" in self.weights}
        if "wi" in matrix:
            inner = self.activation(x @ matrix["wi"].T)
        else:
            inner = self.activation(x @ matrix["wi_0"].T) * (x @ matrix["wi_1"].T)
        return inner @ matrix["wo"].T

    def forward(self, hidden):
        owner, entry = self.owner[0], self.entry
        batch, length = hidden.shape[:2]
        x = hidden.reshape(batch * length, -1)
        mask = owner.masks[self.stack]
        real = [True] * (batch * length) if mask is None else (mask.reshape(-1) != 0).tolist()
        logits = x.double() @ self.weights["router.classifier.weight"].double().T
        p = torch.softmax(logits, dim=-1)
        accepted, asked, shares = route(entry, p.tolist(), real, batch, length, self.causal,
                                        self.causal and owner.unlimited)
        rows = []
        for t in range(batch * length):
            mine = [e for e in range(entry["experts"]) if (t, e) in accepted]
            below = 1.0
            if entry["renormalize"] and mine:
                below = sum(p[t, e] for e in mine)
            elif not entry["renormalize"] and entry.get("order") == "topk-softmax" and mine:
                below = sum(p[t, e] for e in range(entry["experts"]) if (t, e) in asked)
            zero = p.new_zeros(())
            rows.append(torch.stack([p[t, e] / below if e in mine else zero for e in range(entry["experts"])]))
        weights = torch.stack(rows)
        y = sum(weights[:, e, None].to(x.dtype) * self.expert(e, x) for e in range(entry["experts"]))
        aux = p.new_zeros(()) + sum(entry["experts"] * (p.new_tensor(share) * p[tokens].mean(0)).sum() for share, tokens in shares)
        squares = torch.logsumexp(logits, dim=-1)[torch.tensor(real)] ** 2
        owner.results.append((aux / max(1, len(shares)), squares.mean(), p, weights))
        return y.view_as(hidden)


class ByTheRules:
    """`dense` (changed): transformers' model; `weights`: the tensors of the export; `blocks`: of its config.json."""

    def __init__(self, dense, weights, blocks):
        self.model, self.masks, self.unlimited, self.results = dense.eval(), {}, False, []
        self.leaves = {name: value.clone().requires_grad_() for name, value in weights.items() if ".mlp." in name}
        for name, entry in blocks.items():
            stack, index = name.split(".")
            place = f"{stack}.block.{index}.layer.{1 if stack == 'encoder' else 2}."
            inside = {key[len(place) + 4 :]: value for key, value in self.leaves.items() if key.startswith(place + "mlp.")}
            layer = getattr(dense, stack).block[int(index)].layer[-1]
            layer.DenseReluDense = MoeByTheRules(self, name, entry, inside, ACTIVATIONS[dense.config.dense_act_fn])

    def __call__(self, unlimited=False, **inputs):
        """-> transformers' output, aux loss, z loss (means over the MoE blocks), probabilities, combine weights"""
        self.masks = {"encoder": inputs.get("attention_mask"), "decoder": inputs.get("decoder_attention_mask")}
        self.unlimited, self.results = unlimited, []
        output = self.model(**inputs, use_cache=False)
        aux, z, probabilities, weights = zip(*self.results)
        return output, sum(aux) / len(aux), sum(z) / len(z), probabilities, weights
