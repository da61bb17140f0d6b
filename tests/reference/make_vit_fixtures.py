# SPDX-License-Identifier: Apache-2.0
"""Makes tests/core/model/fixtures: small ViTs of odd shapes with what transformers computes for them.

    python tests/reference/make_vit_fixtures.py tests/core/model/fixtures

Needs torch, transformers 4.x and safetensors. Each folder holds config.json, model.safetensors and
reference.safetensors (pixel_values, labels, logits, loss, "gradient/NAME" for every parameter; for
MoE models also aux_loss, z_loss, aux_weight, z_weight and per block router_probabilities and
combine_weights; their gradients are those of loss + aux_weight * aux_loss + z_weight * z_loss).

The MoE layers are written here from the definitions, in plain loops, on transformers' ViT modules.
"""

import json
import math
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import ViTConfig, ViTForImageClassification
from transformers.activations import ACT2FN


class Router(nn.Module):
    def __init__(self, hidden, experts):
        super().__init__()
        self.classifier = nn.Linear(hidden, experts, bias=False)


class Dense(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)


class Expert(nn.Module):
    def __init__(self, hidden, inner):
        super().__init__()
        self.intermediate = Dense(hidden, inner)
        self.output = Dense(inner, hidden)


class MoeMlp(nn.Module):
    """The MLP of one block as a Mixture of Experts; forward returns the output before the residual."""

    def __init__(self, config, settings):
        super().__init__()
        self.settings = settings
        self.router = Router(config.hidden_size, settings["experts"])
        self.experts = nn.ModuleDict(
            {
                f"expert_{e}": Expert(config.hidden_size, config.intermediate_size)
                for e in range(settings["experts"])
            }
        )
        self.activation = ACT2FN[config.hidden_act]

    def groups(self, batch, length):
        n = batch * length
        size = {"batch": n, "sequence": length}.get(self.settings["group_size"], self.settings["group_size"])
        return [list(range(begin, min(begin + size, n))) for begin in range(0, n, size)]

    def capacity(self, tokens):
        c, experts = self.settings["capacity"], self.settings["experts"]
        return min(tokens, max(1, math.ceil(c * tokens / experts - 1e-9)))

    def expert_choice(self, p, group):
        accepted = []
        for e in range(self.settings["experts"]):
            best = sorted(group, key=lambda t: (-p[t, e].item(), t))
            accepted += [(t, e) for t in best[: self.capacity(len(group))]]
        return accepted

    def top_k(self, p, group):
        """Accepted (token, expert) pairs, and what each token asked for."""
        experts, k = self.settings["experts"], self.settings["k"]
        asked = {t: sorted(range(experts), key=lambda e: (-p[t, e].item(), e))[:k] for t in group}
        order = group
        if self.settings["batch_priority"]:
            order = sorted(group, key=lambda t: (-p[t].max().item(), t))
        limit = len(group) if self.settings["dropless"] else self.capacity(len(group))
        taken = [0] * experts
        accepted = []
        for choice in range(k):
            for t in order:
                e = asked[t][choice]
                if taken[e] < limit:
                    taken[e] += 1
                    accepted.append((t, e))
        return accepted, asked

    def combine(self, logits, p, accepted, asked):
        """[n, E]: combine weights, 0 where not routed."""
        weight = p
        if asked and self.settings["order"] == "topk-softmax":
            weight = torch.zeros_like(p)
            for t, experts in asked.items():
                weight[t, experts] = torch.softmax(logits[t, experts], dim=-1)
        mask = torch.zeros_like(p)
        for t, e in accepted:
            mask[t, e] = 1.0
        weight = weight * mask
        if self.settings["renormalize"]:
            total = weight.sum(-1, keepdim=True)
            weight = weight / torch.where(total == 0, torch.ones_like(total), total)
        return weight

    def real(self, count):
        """Which of the rows count; the others are in no group."""
        return [True] * count

    def expert(self, e, x):
        expert = self.experts[f"expert_{e}"]
        return expert.output.dense(self.activation(expert.intermediate.dense(x)))

    def forward(self, x):
        batch, length, hidden = x.shape
        tokens = x.reshape(-1, hidden)
        real = self.real(batch * length)
        logits = self.router.classifier(tokens)
        p = torch.softmax(logits, dim=-1)
        accepted, asked, balance = [], {}, []
        for group in self.groups(batch, length):
            group = [t for t in group if real[t]]
            if not group:
                continue
            if self.settings["router"] == "expert-choice":
                accepted += self.expert_choice(p, group)
                continue
            pairs, wanted = self.top_k(p, group)
            accepted += pairs
            asked |= wanted
            f = torch.zeros(self.settings["experts"])
            for experts in wanted.values():
                for e in experts:
                    f[e] += 1.0 / (len(group) * self.settings["k"])
            balance.append(self.settings["experts"] * (f * p[group].mean(0)).sum())
        self.aux_loss = sum(balance) / len(balance) if balance else torch.zeros(())
        self.z_loss = (torch.logsumexp(logits[[t for t in range(len(tokens)) if real[t]]], -1) ** 2).mean()
        self.probabilities = p
        self.weights = self.combine(logits, p, accepted, asked)
        y = torch.zeros_like(tokens)
        for e in range(self.settings["experts"]):
            rows = [t for t, chosen in accepted if chosen == e]
            if rows:
                y = y.index_add(0, torch.tensor(rows), self.expert(e, tokens[rows]) * self.weights[rows, e, None])
        return y.reshape(x.shape)


def make_moe(model, config, blocks):
    """Replaces the MLPs of the named blocks; their parameters are called layer.I.mlp...."""
    layers = {}
    for name, settings in blocks.items():
        layer = model.vit.encoder.layer[int(name.split(".")[1])]
        moe = MoeMlp(config, settings)
        del layer.intermediate, layer.output
        layer.mlp = moe
        layer.intermediate = lambda hidden_states, moe=moe: moe(hidden_states)
        layer.output = lambda mlp_output, residual: mlp_output + residual
        layers[name] = moe
    return layers


def randomize(model, router_std):
    """Values of a size that lets every gradient matter."""
    for name, value in model.named_parameters():
        with torch.no_grad():
            if "router" in name:
                value.normal_(0.0, 1.0).mul_(router_std)
            elif "layernorm" in name and name.endswith("weight"):
                value.normal_(1.0, 0.2)
            elif value.dim() == 1:
                value.normal_(0.0, 0.1)
            else:
                value.normal_(0.0, 0.7 / math.sqrt(value[0].numel()))


def add_routers(reference, layers, loss, aux, z):
    """Puts the routers' losses and tables into the reference; returns the loss with what they add to it."""
    if not layers:
        return loss
    aux_loss = sum(layer.aux_loss for layer in layers.values()) / len(layers)
    z_loss = sum(layer.z_loss for layer in layers.values()) / len(layers)
    reference |= {"aux_loss": aux_loss, "z_loss": z_loss, "aux_weight": torch.tensor(aux), "z_weight": torch.tensor(z)}
    for block, layer in layers.items():
        reference[f"{block}.router_probabilities"] = layer.probabilities
        reference[f"{block}.combine_weights"] = layer.weights
    return loss + aux * aux_loss + z * z_loss


def write(target, model, blocks, weights, reference):
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads(model.config.to_json_string(use_diff=True))
    for key in ("transformers_version", "dtype", "torch_dtype"):
        config.pop(key, None)
    config["architectures"] = [type(model).__name__]
    if blocks:
        config["upcycling"] = {"schema": 1, "blocks": blocks}
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file({k: v.contiguous() for k, v in weights.items()}, target / "model.safetensors")
    save_file({k: v.detach().contiguous() for k, v in reference.items()}, target / "reference.safetensors")


def make(folder, name, seed, config, batch, prefix=True, labels=None, blocks=None, aux=0.0, z=0.0, router_std=0.5,
         pooler=False):
    torch.manual_seed(seed)
    vit = ViTConfig(attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **config)
    model = ViTForImageClassification(vit)
    layers = make_moe(model, vit, blocks or {})
    randomize(model, router_std)
    model.eval()
    pixels = torch.randn(batch, vit.num_channels, vit.image_size, vit.image_size)
    if labels is None:
        labels = torch.randint(0, vit.num_labels, (batch,)).tolist()
    labels = torch.tensor(labels)
    result = model(pixel_values=pixels, labels=labels)
    reference = {"pixel_values": pixels, "labels": labels, "logits": result.logits, "loss": result.loss}
    add_routers(reference, layers, result.loss, aux, z).backward()

    def stored(tensor_name):
        return tensor_name if prefix else tensor_name.removeprefix("vit.")

    weights = {}
    for tensor_name, value in model.named_parameters():
        weights[stored(tensor_name)] = value.detach()
        gradient = torch.zeros_like(value) if value.grad is None else value.grad
        reference["gradient/" + stored(tensor_name)] = gradient
    if pooler:
        weights[stored("vit.pooler.dense.weight")] = torch.randn(vit.hidden_size, vit.hidden_size)
        weights[stored("vit.pooler.dense.bias")] = torch.randn(vit.hidden_size)
    write(pathlib.Path(folder) / name, model, blocks, weights, reference)


def expert_choice(experts, capacity, renormalize, group_size="batch"):
    return {"experts": experts, "capacity": capacity, "router": "expert-choice", "renormalize": renormalize,
            "group_size": group_size}


def top_k(experts, k, capacity, renormalize, group_size="batch", order="softmax-topk", batch_priority=False):
    entry = {"experts": experts, "router": "top-k", "renormalize": renormalize, "group_size": group_size, "k": k,
             "order": order, "dropless": capacity is None, "batch_priority": batch_priority}
    return entry if capacity is None else entry | {"capacity": capacity}


def main(folder):
    dense = {
        "dense_gelu": (dict(hidden_size=15, num_attention_heads=3, intermediate_size=23, num_hidden_layers=2,
                            image_size=9, patch_size=3, num_channels=1, num_labels=5), dict(batch=2)),
        "dense_gelu_new": (dict(hidden_size=14, num_attention_heads=2, intermediate_size=31, num_hidden_layers=3,
                                image_size=10, patch_size=5, num_channels=3, hidden_act="gelu_new",
                                layer_norm_eps=1e-5, num_labels=7), dict(batch=3, prefix=False)),
        "dense_relu_no_bias": (dict(hidden_size=33, num_attention_heads=11, intermediate_size=17, num_hidden_layers=1,
                                    image_size=12, patch_size=4, num_channels=4, hidden_act="relu", qkv_bias=False,
                                    layer_norm_eps=1e-3, num_labels=3), dict(batch=1, pooler=True)),
        "dense_silu": (dict(hidden_size=13, num_attention_heads=1, intermediate_size=29, num_hidden_layers=2,
                            image_size=7, patch_size=7, num_channels=2, hidden_act="silu", layer_norm_eps=1e-6,
                            num_labels=2), dict(batch=3, labels=[1, -100, 0])),
        "dense_tanh_remainder": (dict(hidden_size=21, num_attention_heads=7, intermediate_size=40,
                                      num_hidden_layers=2, image_size=13, patch_size=4, num_channels=3,
                                      hidden_act="gelu_pytorch_tanh", qkv_bias=False, num_labels=11),
                                 dict(batch=2, prefix=False, pooler=True)),
        "dense_larger": (dict(hidden_size=45, num_attention_heads=5, intermediate_size=91, num_hidden_layers=3,
                              image_size=15, patch_size=3, num_channels=1, hidden_act="gelu", layer_norm_eps=1e-12,
                              num_labels=10), dict(batch=3)),
        "dense_swish": (dict(hidden_size=22, num_attention_heads=2, intermediate_size=9, num_hidden_layers=4,
                             image_size=6, patch_size=2, num_channels=2, hidden_act="swish", num_labels=4),
                        dict(batch=2)),
    }
    for seed, (name, (config, options)) in enumerate(dense.items()):
        make(folder, name, 100 + seed, config, **options)

    small = dict(hidden_size=15, num_attention_heads=3, intermediate_size=19, image_size=9, patch_size=3,
                 num_channels=1, num_labels=5)
    moe = {
        "ec_renormalized": (small | dict(num_hidden_layers=2), dict(
            batch=3, z=0.02, blocks={"encoder.1": expert_choice(3, 2.0, True)})),
        "ec_plain_sequence": (small | dict(num_hidden_layers=2, hidden_act="gelu_new"), dict(
            batch=2, prefix=False, blocks={"encoder.0": expert_choice(4, 1.0, False, "sequence")})),
        "ec_groups_of_seven": (small | dict(num_hidden_layers=3, qkv_bias=False), dict(
            batch=2, z=0.1, blocks={"encoder.1": expert_choice(5, 1.37, True, 7),
                                    "encoder.2": expert_choice(2, 0.5, False, 7)})),
        "top2_drops_renormalized": (small | dict(num_hidden_layers=2), dict(
            batch=3, aux=0.3, z=0.05, router_std=1.5, blocks={"encoder.1": top_k(4, 2, 1.25, True)})),
        "top2_topk_softmax": (small | dict(num_hidden_layers=2, hidden_act="relu"), dict(
            batch=2, aux=0.2, prefix=False, router_std=1.0,
            blocks={"encoder.0": top_k(5, 2, 1.0, False, "sequence", "topk-softmax")})),
        "top1_dropless": (small | dict(num_hidden_layers=1, hidden_act="silu"), dict(
            batch=2, aux=0.01, blocks={"encoder.0": top_k(3, 1, None, False)})),
        "top3_batch_priority": (small | dict(num_hidden_layers=2), dict(
            batch=3, aux=0.1, router_std=1.0,
            blocks={"encoder.1": top_k(4, 3, 0.9, False, 11, batch_priority=True)})),
        "top2_dropless_topk_softmax": (small | dict(num_hidden_layers=2), dict(
            batch=1, z=0.1, blocks={"encoder.1": top_k(6, 2, None, True, order="topk-softmax")})),
        "mixed_routers": (small | dict(num_hidden_layers=4, hidden_size=18, num_attention_heads=2), dict(
            batch=2, aux=0.5, z=0.03, blocks={"encoder.0": top_k(3, 2, 2.0, False),
                                              "encoder.2": expert_choice(4, 2.0, True),
                                              "encoder.3": top_k(2, 1, 0.75, True, "sequence")})),
        "zero_router_ties": (small | dict(num_hidden_layers=2), dict(
            batch=2, aux=1.0, z=0.1, router_std=0.0,
            blocks={"encoder.0": expert_choice(3, 1.0, True),
                    "encoder.1": top_k(4, 2, 1.0, False, 6, batch_priority=True)})),
    }
    for seed, (name, (config, options)) in enumerate(moe.items()):
        make(folder, name, 200 + seed, config, **options)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
