# SPDX-License-Identifier: Apache-2.0
"""Makes tests/core/model/fixtures/t5: small T5s of odd shapes with what transformers computes for them.

    python tests/reference/make_t5_fixtures.py tests/core/model/fixtures/t5

Needs torch, transformers 4.x and safetensors. Each folder holds config.json, model.safetensors and
reference.safetensors: the batch (input_ids, labels, decoder_input_ids and the masks where given),
logits, loss, "gradient/NAME" for every parameter; for MoE models also aux_loss, z_loss, logit_z_loss,
their weights, and per block router_probabilities and combine_weights. The gradients are those of the
weighted sum.

T5, mT5 and SwitchTransformers are transformers' own classes. The other MoE layers are written here
from the definitions, in plain loops, on transformers' T5 modules.
"""

import math
import pathlib
import sys

import torch
from make_vit_fixtures import MoeMlp, Router, add_routers, expert_choice, top_k, write
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import (MT5Config, MT5ForConditionalGeneration, SwitchTransformersConfig,
                          SwitchTransformersForConditionalGeneration, T5Config, T5ForConditionalGeneration)
from transformers.activations import ACT2FN


class Expert(nn.Module):
    def __init__(self, config):
        super().__init__()
        for name in ("wi_0", "wi_1") if config.is_gated_act else ("wi",):
            setattr(self, name, nn.Linear(config.d_model, config.d_ff, bias=False))
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.act, self.gated = ACT2FN[config.dense_act_fn], config.is_gated_act

    def forward(self, x):
        return self.wo(self.act(self.wi_0(x)) * self.wi_1(x) if self.gated else self.act(self.wi(x)))


class T5Moe(MoeMlp):
    """The MLP of one T5 block as a Mixture of Experts: padding rows (mask 0) are in no group."""

    def __init__(self, config, settings, causal):
        nn.Module.__init__(self)
        self.settings, self.causal, self.mask = settings, causal, None
        self.router = Router(config.d_model, settings["experts"])
        self.experts = nn.ModuleDict({f"expert_{e}": Expert(config) for e in range(settings["experts"])})

    def real(self, count):
        return super().real(count) if self.mask is None else (self.mask.reshape(-1) != 0).tolist()

    def expert(self, e, x):
        return self.experts[f"expert_{e}"](x)

    def top_k(self, p, group):
        """In a causal decoder in token order: no token's place depends on a later token."""
        if not self.causal:
            return super().top_k(p, group)
        experts, k = self.settings["experts"], self.settings["k"]
        limit = len(group) if self.settings["dropless"] else self.capacity(len(group))
        taken, accepted, asked = [0] * experts, [], {}
        for t in group:
            asked[t] = sorted(range(experts), key=lambda e: (-p[t, e].item(), e))[:k]
            for e in asked[t]:
                if taken[e] < limit:
                    taken[e] += 1
                    accepted.append((t, e))
        return accepted, asked


def make_moe(model, config, blocks):
    layers = {}
    for name, settings in blocks.items():
        stack, index = name.split(".")
        sublayer = getattr(model, stack).block[int(index)].layer[-1]
        moe = T5Moe(config, settings, stack == "decoder")
        del sublayer.DenseReluDense
        sublayer.mlp = moe
        sublayer.DenseReluDense = lambda x, moe=moe: moe(x)
        layers[name] = moe
    return layers


def randomize(model, router_std):
    """Values of a size that lets every gradient matter."""
    for name, value in model.named_parameters():
        with torch.no_grad():
            if "router" in name:
                value.normal_(0.0, router_std)
            elif value.dim() == 1:
                value.normal_(1.0, 0.2)
            elif name == "shared.weight" or "relative_attention_bias" in name:
                value.normal_(0.0, 1.0)
            else:
                value.normal_(0.0, 0.8 / math.sqrt(value[0].numel()))


CLASSES = {
    "t5": (T5Config, T5ForConditionalGeneration),
    "mt5": (MT5Config, MT5ForConditionalGeneration),
    "switch": (SwitchTransformersConfig, SwitchTransformersForConditionalGeneration),
}


def batch_of(config, sizes, pad, decoder_pad, ignored):
    """Random tokens; `pad` and `decoder_pad`: the padding at the end of each sequence."""
    sequences, length, targets = sizes
    batch = {"input_ids": torch.randint(2, config.vocab_size, (sequences, length)),
             "labels": torch.randint(2, config.vocab_size, (sequences, targets))}
    for name, key, paddings, width in (("attention_mask", "input_ids", pad, length),
                                       ("decoder_attention_mask", "labels", decoder_pad, targets)):
        if paddings is None:
            continue
        mask = torch.tensor([[1] * (width - n) + [0] * n for n in paddings])
        batch[name] = mask
        batch[key] = torch.where(mask == 0, torch.tensor(-100 if key == "labels" else config.pad_token_id),
                                 batch[key])
    for place in ignored:
        batch["labels"][place] = -100
    return batch


def make(folder, name, seed, kind, config, sizes, pad=None, decoder_pad=None, ignored=(), blocks=None, aux=0.0, z=0.0,
         logit_z=0.0, router_std=0.7):
    torch.manual_seed(seed)
    config_class, model_class = CLASSES[kind]
    config = config_class(decoder_start_token_id=0, **config)
    config._attn_implementation = "eager"
    model = model_class(config)
    layers = make_moe(model, config, blocks or {})
    randomize(model, router_std)
    model.eval()
    batch = batch_of(config, sizes, pad, decoder_pad, ignored)
    for block, layer in layers.items():
        layer.mask = batch.get("attention_mask" if block.startswith("encoder") else "decoder_attention_mask")
    batch["decoder_input_ids"] = model._shift_right(batch["labels"])
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    logits = model(**inputs, use_cache=False).logits
    flat, labels = logits.reshape(-1, config.vocab_size), batch["labels"].reshape(-1)
    loss = cross_entropy(flat, labels, ignore_index=-100)
    logit_z_loss = (torch.logsumexp(flat[labels != -100], -1) ** 2).mean()
    reference = batch | {"logits": logits, "loss": loss, "logit_z_loss": logit_z_loss,
                         "logit_z_weight": torch.tensor(logit_z)}
    add_routers(reference, layers, loss + logit_z * logit_z_loss, aux, z).backward()
    weights = {}
    for tensor_name, value in model.named_parameters():
        weights[tensor_name] = value.detach()
        reference["gradient/" + tensor_name] = torch.zeros_like(value) if value.grad is None else value.grad
    write(pathlib.Path(folder) / name, model, blocks, weights, reference)


def main(folder):
    base = dict(vocab_size=37, d_model=14, d_kv=5, d_ff=19, num_heads=3, num_layers=2, num_decoder_layers=2)
    gelu = dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    switch = base | dict(num_experts=3, num_sparse_encoder_layers=1, num_sparse_decoder_layers=2, expert_capacity=64)
    fixtures = {
        "v10_tied_relu": ("t5", base, dict(sizes=(3, 7, 5), pad=(0, 2, 5))),
        "v11_untied_gated_gelu": ("t5", base | gelu | dict(d_kv=7, num_heads=3), dict(
            sizes=(2, 6, 7), ignored=((0, 5), (0, 6), (1, 2)))),
        "gated_silu_unequal_depths": ("t5", base | dict(feed_forward_proj="gated-silu", num_layers=1,
                                                        num_decoder_layers=3, d_model=9), dict(sizes=(1, 5, 6))),
        "one_target": ("t5", base | dict(d_model=15, num_layers=3, num_decoder_layers=1), dict(
            sizes=(2, 7, 1), pad=(0, 6))),
        "one_input": ("t5", base | gelu, dict(sizes=(3, 1, 4))),
        "few_buckets_far_distances": ("t5", base | dict(
            relative_attention_num_buckets=10, relative_attention_max_distance=17, layer_norm_epsilon=1e-3),
            dict(sizes=(2, 33, 27), pad=(4, 0), decoder_pad=(0, 9))),
        "untied_silu": ("t5", base | dict(feed_forward_proj="silu", tie_word_embeddings=False, num_heads=2,
                                          d_kv=7), dict(sizes=(2, 5, 5), decoder_pad=(2, 0))),
        "mt5": ("mt5", base | dict(num_heads=4, d_kv=3), dict(sizes=(2, 8, 6), pad=(3, 0), ignored=((0, 0),))),
        "larger": ("t5", base | gelu | dict(vocab_size=101, d_model=24, d_kv=8, num_heads=4, d_ff=33), dict(
            sizes=(3, 12, 9), pad=(0, 5, 1), decoder_pad=(3, 0, 4))),
        "switch_top1": ("switch", switch, dict(sizes=(3, 7, 5), pad=(0, 2, 4))),
        "switch_drops": ("switch", switch | dict(expert_capacity=2, num_layers=3, num_sparse_encoder_layers=3),
                         dict(sizes=(2, 9, 7), pad=(0, 3))),
    }
    for seed, (name, (kind, config, options)) in enumerate(fixtures.items()):
        make(folder, name, 300 + seed, kind, config, **options)
    moe = {
        "moe_paper": (base | gelu, dict(
            sizes=(3, 8, 6), pad=(0, 3, 5), decoder_pad=(2, 0, 1), aux=0.2, z=0.05, logit_z=0.01,
            blocks={"encoder.1": expert_choice(3, 2.0, False), "decoder.1": top_k(3, 2, 2.0, False)})),
        "moe_drops": (base, dict(
            sizes=(2, 9, 8), pad=(4, 0), decoder_pad=(0, 3), aux=0.3, logit_z=0.1, router_std=1.5,
            blocks={"encoder.0": top_k(4, 2, 1.0, True, 7, batch_priority=True),
                    "encoder.1": expert_choice(2, 1.0, True, "sequence"),
                    "decoder.0": top_k(4, 3, 1.5, True, "sequence", order="topk-softmax"),
                    "decoder.1": top_k(3, 2, 0.75, False, 5)})),
        "moe_dropless": (base | dict(feed_forward_proj="gated-silu"), dict(
            sizes=(2, 5, 4), pad=(1, 0), aux=0.1, z=0.1,
            blocks={"encoder.0": top_k(3, 1, None, False), "decoder.1": top_k(3, 2, None, True)})),
    }
    for seed, (name, (config, options)) in enumerate(moe.items()):
        make(folder, name, 400 + seed, "t5", config, **options)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
