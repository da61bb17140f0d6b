# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Upcycler authors
"""A Vision Transformer some of whose MLPs are Mixtures of Experts ("sparse upcycling").

    from transformers import AutoModelForImageClassification
    model = AutoModelForImageClassification.from_pretrained(FOLDER, trust_remote_code=True)

It needs torch and transformers (4.x or 5.x), nothing else. config.json is a ViT's (model_type "vit") with an entry
"upcycling": {"schema": 1, "blocks": {"encoder.6": {...}}}. A block that it names has, in place of its MLP,

    mlp.router.classifier.weight                          [experts, hidden_size]
    mlp.experts.expert_{e}.intermediate.dense.{weight,bias}   [intermediate_size, hidden_size]
    mlp.experts.expert_{e}.output.dense.{weight,bias}         [hidden_size, intermediate_size]

The parameters have their names in the file, so every program that reads the file reads what `save_pretrained` writes.

How a block routes n tokens (of one routing group: the whole batch, one image, or a number of tokens) is in its entry:
  experts        E
  router         "expert-choice": each expert takes the tokens with the largest probability; "top-k": each token asks
                 its k largest experts, all first choices are placed before the second ones, and an expert that is full
                 drops what comes later
  capacity       C; an expert has min(n, max(1, ceil(C n / E))) places (none with "dropless")
  renormalize    the combine weights of a token are divided by their sum; a token without an expert keeps 0
  group_size     "batch", "sequence" or a number of tokens
  k, order, dropless, batch_priority    of "top-k" alone
The router computes in float32 whatever the model's dtype; ties go to the lower index.

Training: `output.aux_loss` (balance loss of the top-k blocks) and `output.z_loss` are means over the MoE blocks. They are
in the output in training mode and on request (output_router_probabilities=True). They are added to `loss` by
model.config.router_aux_loss_coef and model.config.router_z_loss_coef, which count as 0 when they are not set.
"""

import math
from dataclasses import dataclass
from typing import Optional

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel, ViTConfig
from transformers.activations import ACT2FN
from transformers.utils import ModelOutput

SCHEMA = 1
KEYS = {"experts", "capacity", "router", "renormalize", "group_size", "k", "order", "dropless", "batch_priority"}


@dataclass
class UpcycledModelOutput(ModelOutput):
    last_hidden_state: Optional[torch.FloatTensor] = None
    pooler_output: Optional[torch.FloatTensor] = None
    hidden_states: Optional[tuple] = None
    attentions: Optional[tuple] = None
    aux_loss: Optional[torch.FloatTensor] = None
    z_loss: Optional[torch.FloatTensor] = None
    router_probabilities: Optional[tuple] = None  # of each MoE block [batch * tokens, experts], the full softmax
    combine_weights: Optional[tuple] = None  # likewise, 0 where a token is not routed


@dataclass
class UpcycledImageClassifierOutput(ModelOutput):
    loss: Optional[torch.FloatTensor] = None
    logits: Optional[torch.FloatTensor] = None
    hidden_states: Optional[tuple] = None
    attentions: Optional[tuple] = None
    aux_loss: Optional[torch.FloatTensor] = None
    z_loss: Optional[torch.FloatTensor] = None
    router_probabilities: Optional[tuple] = None
    combine_weights: Optional[tuple] = None


def moe_blocks(config):
    """{index of the block: its entry}, checked: a setting that this file does not know is refused."""
    upcycling = getattr(config, "upcycling", None) or {}
    if upcycling.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(f"config.upcycling.schema is {upcycling['schema']}, this file knows {SCHEMA}")
    blocks = {}
    for name, entry in upcycling.get("blocks", {}).items():
        stack, _, index = name.partition(".")
        if stack != "encoder" or not index.isdecimal() or int(index) >= config.num_hidden_layers:
            raise ValueError(f"config.upcycling.blocks names {name!r}, which is no block of this model")
        unknown = set(entry) - KEYS
        if unknown:
            raise ValueError(f"config.upcycling.blocks.{name} has the unknown key {min(unknown)!r}")
        if entry["router"] not in ("expert-choice", "top-k"):
            raise ValueError(f"config.upcycling.blocks.{name}.router is {entry['router']!r}, which this file does not know")
        if entry.get("order", "softmax-topk") not in ("softmax-topk", "topk-softmax"):
            raise ValueError(f"config.upcycling.blocks.{name}.order is {entry['order']!r}, which this file does not know")
        blocks[int(index)] = entry
    return blocks


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


class Router(nn.Module):
    """Which expert takes which token, and with what weight."""

    def __init__(self, config, entry):
        super().__init__()
        self.classifier = nn.Linear(config.hidden_size, entry["experts"], bias=False)
        self.experts = entry["experts"]
        self.top_k = entry["router"] == "top-k"
        self.k = entry.get("k", 0)
        self.over_chosen = self.top_k and entry["order"] == "topk-softmax"
        self.dropless = self.top_k and entry["dropless"]
        self.batch_priority = self.top_k and entry["batch_priority"]
        self.factor = entry.get("capacity", 0.0)
        self.renormalize = entry["renormalize"]
        self.group_size = entry["group_size"]

    def capacity(self, tokens):
        return min(tokens, max(1, math.ceil(self.factor * tokens / self.experts - 1e-9)))

    def groups(self, tokens, images):
        """Begin and end of the parts of the token table, with the size of the groups inside each."""
        size = {"batch": tokens, "sequence": tokens // images}.get(self.group_size, self.group_size)
        whole = tokens // size * size
        parts = [(0, whole, size), (whole, tokens, tokens - whole)]
        return [part for part in parts if part[0] < part[1]]

    def choose_tokens(self, p):
        """Expert Choice: p [groups, n, E] -> which are taken, [groups, n, E] of bool."""
        best = torch.sort(p, dim=1, descending=True, stable=True).indices[:, : self.capacity(p.shape[1])]
        return torch.zeros_like(p, dtype=torch.bool).scatter_(1, best, True)

    def choose_experts(self, p):
        """Top-K: p [groups, n, E] -> what was accepted and what was asked for, both [groups, n, E] of bool."""
        groups, n, _ = p.shape
        choices = torch.sort(p, dim=2, descending=True, stable=True).indices[..., : self.k]
        asked = torch.zeros_like(p, dtype=torch.bool).scatter_(2, choices, True)
        if self.dropless:
            return asked, asked
        order = torch.arange(n, device=p.device).expand(groups, n)
        if self.batch_priority:
            order = torch.sort(p.amax(2), dim=1, descending=True, stable=True).indices
        # All first choices in the order of placing, then all second ones: [groups, k * n]
        token = order.repeat(1, self.k)
        expert = torch.gather(choices, 1, order[..., None].expand(-1, -1, self.k)).transpose(1, 2).reshape(groups, -1)
        asks = F.one_hot(expert, self.experts)
        place = torch.gather(asks.cumsum(1), 2, expert[..., None]).squeeze(2)  # 1 = first
        fits = place <= self.capacity(n)
        accepted = torch.zeros_like(p, dtype=torch.bool).view(groups, -1)
        accepted.scatter_(1, token * self.experts + expert, fits)  # a token asks an expert at most once
        return accepted.view_as(p), asked

    def weights(self, p, accepted, asked):
        """Combine weights [n, E], 0 where a token is not routed; the gradient flows through the sum."""
        taken = p * accepted
        if self.renormalize:
            total = taken.sum(1, keepdim=True)
        elif self.over_chosen:
            total = (p * asked).sum(1, keepdim=True)
        else:
            return taken
        return taken / torch.where(total == 0, torch.ones_like(total), total)

    def forward(self, x, images):
        """x [n, hidden] -> probabilities [n, E], combine weights [n, E], accepted [n, E], aux loss, z loss."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            logits = F.linear(x.float(), self.classifier.weight.float())
            p = torch.softmax(logits, dim=-1)
            known = torch.nan_to_num(p.detach(), nan=-1.0)
            accepted, asked, balance = [], [], []
            for begin, end, size in self.groups(x.shape[0], images):
                part = known[begin:end].view(-1, size, self.experts)
                if self.top_k:
                    taken, wanted = self.choose_experts(part)
                    share = wanted.sum(1) / (size * self.k)
                    mean = p[begin:end].view(part.shape).mean(1)
                    balance.append(self.experts * (share * mean).sum(1))
                else:
                    taken = wanted = self.choose_tokens(part)
                accepted.append(taken.reshape(-1, self.experts))
                asked.append(wanted.reshape(-1, self.experts))
            accepted, asked = torch.cat(accepted), torch.cat(asked)
            aux_loss = torch.cat(balance).mean() if balance else logits.new_zeros(())
            z_loss = torch.logsumexp(logits, dim=-1).square().mean()
            return p, self.weights(p, accepted, asked), accepted, aux_loss, z_loss


class Dense(nn.Module):
    """A linear layer under the name that it has in the file."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.dense(x)


class Expert(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.intermediate = Dense(config.hidden_size, config.intermediate_size)
        self.output = Dense(config.intermediate_size, config.hidden_size)
        self.activation = ACT2FN[config.hidden_act]

    def forward(self, x):
        return self.output(self.activation(self.intermediate(x)))


class MoeMlp(nn.Module):
    def __init__(self, config, entry):
        super().__init__()
        self.router = Router(config, entry)
        self.experts = nn.ModuleDict({f"expert_{e}": Expert(config) for e in range(entry["experts"])})

    def forward(self, x):
        """x [batch, tokens, hidden] -> the same, and the router's results."""
        tokens = x.reshape(-1, x.shape[-1])
        probabilities, weights, accepted, aux_loss, z_loss = self.router(tokens, x.shape[0])
        y = torch.zeros(tokens.shape, dtype=torch.float32, device=x.device)
        for e, expert in enumerate(self.experts.values()):
            rows = accepted[:, e].nonzero().squeeze(1)
            if rows.numel() > 0:
                y = y.index_add(0, rows, expert(tokens[rows]).float() * weights[rows, e, None])
        return y.to(x.dtype).view_as(x), aux_loss, z_loss, probabilities, weights


class PatchEmbeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        patch = pair(config.patch_size)
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, kernel_size=patch, stride=patch)

    def forward(self, pixel_values):
        return self.projection(pixel_values).flatten(2).transpose(1, 2)


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.image_size, self.patch_size = pair(config.image_size), pair(config.patch_size)
        self.grid = tuple(image // patch for image, patch in zip(self.image_size, self.patch_size))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.grid[0] * self.grid[1] + 1, config.hidden_size))
        self.patch_embeddings = PatchEmbeddings(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def interpolated(self, height, width):
        """Position embeddings for another image size, bicubic as in transformers' ViT."""
        cls, patches = self.position_embeddings[:, :1], self.position_embeddings[:, 1:]
        grid = patches.reshape(1, *self.grid, -1).permute(0, 3, 1, 2)
        size = (height // self.patch_size[0], width // self.patch_size[1])
        grid = F.interpolate(grid, size=size, mode="bicubic", align_corners=False)
        return torch.cat((cls, grid.flatten(2).transpose(1, 2)), dim=1)

    def forward(self, pixel_values, interpolate_pos_encoding):
        size = tuple(pixel_values.shape[-2:])
        if size != self.image_size and not interpolate_pos_encoding:
            raise ValueError(f"the images are {size[0]} x {size[1]}, this model takes {self.image_size[0]} x "
                             f"{self.image_size[1]} (or interpolate_pos_encoding=True)")
        x = self.patch_embeddings(pixel_values)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        return self.dropout(x + (self.position_embeddings if size == self.image_size else self.interpolated(*size)))


class SelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob
        self.query = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.key = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.value = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)

    def forward(self, x, output_attentions):
        q, k, v = (f(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in (self.query, self.key, self.value))
        dropout = self.dropout if self.training else 0.0
        if output_attentions or self.config._attn_implementation == "eager":
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            probabilities = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
            y = F.dropout(probabilities, dropout, self.training) @ v
        else:
            probabilities = None
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        return y.transpose(1, 2).flatten(2), probabilities


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = SelfAttention(config)
        self.output = Dense(config.hidden_size, config.hidden_size)

    def forward(self, x, output_attentions):
        y, probabilities = self.attention(x, output_attentions)
        return self.output(y), probabilities


class UpcycledViTLayer(nn.Module):
    def __init__(self, config, entry):
        super().__init__()
        self.attention = Attention(config)
        if entry is None:
            self.intermediate = Dense(config.hidden_size, config.intermediate_size)
            self.output = Dense(config.intermediate_size, config.hidden_size)
            self.activation = ACT2FN[config.hidden_act]
        else:
            self.mlp = MoeMlp(config, entry)
        self.is_moe = entry is not None
        self.layernorm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x, output_attentions=False):
        """[batch, tokens, hidden] -> the same, the attention probabilities or None, of a MoE block the router's results."""
        y, probabilities = self.attention(self.layernorm_before(x), output_attentions)
        x = x + self.dropout(y)
        normed = self.layernorm_after(x)
        if self.is_moe:
            y, *routing = self.mlp(normed)
        else:
            y, routing = self.output(self.activation(self.intermediate(normed))), ()
        return x + self.dropout(y), probabilities, *routing  # flat: gradient checkpointing looks no deeper


class UpcycledViTEncoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        entries = moe_blocks(config)
        self.layer = nn.ModuleList(UpcycledViTLayer(config, entries.get(i)) for i in range(config.num_hidden_layers))
        self.gradient_checkpointing = False

    def forward(self, x, output_attentions):
        states, attentions, routings = [x], [], []
        for layer in self.layer:
            if self.gradient_checkpointing and self.training:
                x, probabilities, *routing = self._gradient_checkpointing_func(layer.__call__, x, output_attentions)
            else:
                x, probabilities, *routing = layer(x, output_attentions)
            states.append(x)
            attentions.append(probabilities)
            if routing:
                routings.append(routing)
        return x, tuple(states), tuple(attentions), routings


class Pooler(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, getattr(config, "pooler_output_size", None) or config.hidden_size)
        self.activation = ACT2FN[getattr(config, "pooler_act", "tanh")]

    def forward(self, x):
        return self.activation(self.dense(x[:, 0]))


class UpcycledViTPreTrainedModel(PreTrainedModel):
    config_class = ViTConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["Embeddings", "UpcycledViTLayer"]
    _keep_in_fp32_modules_strict = ["router"]
    _keys_to_ignore_on_load_unexpected = [r"pooler\.dense\.", r"embeddings\.mask_token"]

    def _init_weights(self, module):
        """Of what no file has given: as transformers' ViT, the router like every other matrix."""
        std = self.config.initializer_range
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.trunc_normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, Embeddings):
            nn.init.trunc_normal_(module.cls_token, std=std)
            nn.init.trunc_normal_(module.position_embeddings, std=std)

    def wanted(self, name, value):
        return bool(getattr(self.config, name, False) if value is None else value)

    def as_tuple(self, return_dict):
        return not (getattr(self.config, "return_dict", True) if return_dict is None else return_dict)


class UpcycledViTModel(UpcycledViTPreTrainedModel):
    """The encoder without a head. After each pass `aux_loss` and `z_loss` hold the losses of its routers."""

    def __init__(self, config, add_pooling_layer=True):
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.encoder = UpcycledViTEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = Pooler(config) if add_pooling_layer else None
        self.aux_loss = self.z_loss = None
        self.post_init()

    def get_input_embeddings(self):
        return self.embeddings.patch_embeddings

    def forward(self, pixel_values, interpolate_pos_encoding=None, output_attentions=None, output_hidden_states=None,
                output_router_probabilities=None, return_dict=None):
        output_attentions = self.wanted("output_attentions", output_attentions)
        pixel_values = pixel_values.to(self.embeddings.patch_embeddings.projection.weight.dtype)
        x = self.embeddings(pixel_values, bool(interpolate_pos_encoding))
        x, states, attentions, routings = self.encoder(x, output_attentions)
        x = self.layernorm(x)
        aux_losses, z_losses, probabilities, weights = zip(*routings) if routings else ((), (), (), ())
        self.aux_loss = torch.stack(aux_losses).mean() if routings else None
        self.z_loss = torch.stack(z_losses).mean() if routings else None
        show = self.wanted("output_router_probabilities", output_router_probabilities)
        output = UpcycledModelOutput(
            last_hidden_state=x,
            pooler_output=None if self.pooler is None else self.pooler(x),
            hidden_states=states if self.wanted("output_hidden_states", output_hidden_states) else None,
            attentions=attentions if output_attentions else None,
            aux_loss=self.aux_loss if self.training or show else None,
            z_loss=self.z_loss if self.training or show else None,
            router_probabilities=probabilities if show else None,
            combine_weights=weights if show else None)
        return output.to_tuple() if self.as_tuple(return_dict) else output


class UpcycledViTForImageClassification(UpcycledViTPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.vit = UpcycledViTModel(config, add_pooling_layer=False)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels) if config.num_labels > 0 else nn.Identity()
        self.post_init()

    def task_loss(self, logits, labels):
        """By config.problem_type; classes unless it says otherwise, or there is one label alone."""
        labels, logits = labels.to(logits.device), logits.float()
        kind = getattr(self.config, "problem_type", None)
        if kind == "regression" or (kind is None and self.num_labels == 1):
            return F.mse_loss(logits.squeeze(), labels.float().squeeze())
        if kind == "multi_label_classification":
            return F.binary_cross_entropy_with_logits(logits, labels.float())
        return F.cross_entropy(logits.view(-1, self.num_labels), labels.view(-1))

    def forward(self, pixel_values=None, labels=None, interpolate_pos_encoding=None, output_attentions=None,
                output_hidden_states=None, output_router_probabilities=None, return_dict=None):
        if pixel_values is None:
            raise ValueError("pixel_values [batch, channels, height, width] are missing")
        y = self.vit(pixel_values, interpolate_pos_encoding, output_attentions, output_hidden_states,
                     output_router_probabilities, True)
        logits = self.classifier(y.last_hidden_state[:, 0])
        loss = None if labels is None else self.task_loss(logits, labels)
        if loss is not None and self.vit.aux_loss is not None:
            loss = loss + (getattr(self.config, "router_aux_loss_coef", None) or 0.0) * self.vit.aux_loss
            loss = loss + (getattr(self.config, "router_z_loss_coef", None) or 0.0) * self.vit.z_loss
        output = UpcycledImageClassifierOutput(
            loss=loss, logits=logits, hidden_states=y.hidden_states, attentions=y.attentions, aux_loss=y.aux_loss,
            z_loss=y.z_loss, router_probabilities=y.router_probabilities, combine_weights=y.combine_weights)
        return output.to_tuple() if self.as_tuple(return_dict) else output


# So that save_pretrained takes this file along
UpcycledViTModel.register_for_auto_class("AutoModel")
UpcycledViTForImageClassification.register_for_auto_class("AutoModelForImageClassification")

try:  # transformers 5 renames the tensors of model_type "vit" on loading; ours keep their names
    from transformers.conversion_mapping import register_checkpoint_conversion_mapping
except ImportError:
    pass
else:
    for model in (UpcycledViTModel, UpcycledViTForImageClassification):
        register_checkpoint_conversion_mapping(model.__name__, [], overwrite=True)
