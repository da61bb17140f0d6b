# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Upcycler authors
"""A T5 (v1.0, v1.1, Flan, mT5) some of whose MLPs are Mixtures of Experts ("sparse upcycling").

    from transformers import AutoModelForSeq2SeqLM
    model = AutoModelForSeq2SeqLM.from_pretrained(FOLDER, trust_remote_code=True)

It needs torch (2.1 or later) and transformers (4.40 or later, 5.x), nothing else. config.json is a T5's (model_type "t5"
or "mt5") with an entry "upcycling": {"schema": 1, "blocks": {"encoder.1": {...}, "decoder.1": {...}}}. A block that it
names has, in its last layer and in place of DenseReluDense,

    mlp.router.classifier.weight                   [experts, d_model]
    mlp.experts.expert_{e}.wi.weight               [d_ff, d_model], or wi_0 and wi_1 where the MLP is gated
    mlp.experts.expert_{e}.wo.weight               [d_model, d_ff]

All else is transformers' own T5, whose classes are used as they are. The parameters have their names in the file, so
every program that reads the file reads what `save_pretrained` writes.

How a block routes n tokens (the real ones of one routing group: the whole batch, one sequence, or a number of positions)
is in its entry:
  experts        E
  router         "expert-choice" (encoder only): each expert takes the tokens with the largest probability; "top-k": each
                 token asks its k largest experts, and an expert that is full drops what comes later
  capacity       C; an expert has min(n, max(1, ceil(C n / E))) places (none with "dropless")
  renormalize    the combine weights of a token are divided by their sum; a token without an expert keeps 0
  group_size     "batch", "sequence" or a number of positions
  k, order, dropless, batch_priority    of "top-k" alone
The router computes in float32 whatever the model's dtype; ties go to the lower index.

Placing, of "top-k": in the encoder all first choices are placed before the second ones; in the decoder the choices of one
token are placed together, token after token, so that no token takes a place from an earlier one.

Padding: positions that attention_mask (decoder: decoder_attention_mask) excludes are never routed and do not count in n.
Without a decoder_attention_mask every position of the decoder counts.

Generation: capacity is a limit of training. Inside `generate`, and wherever a cache is handed in, the routers of the
decoder place every choice, so that a token's experts do not depend on what stands beside it in the batch or on whether
it was decoded step by step or at once. A decoding loop of one's own hands in a cache from its first step. The encoder
routes as in training.

Training: `output.aux_loss` (balance loss of the top-k blocks) and `output.z_loss` are means over the MoE blocks. They are
in the output in training mode and on request (output_router_probabilities=True). They are added to `loss` by
model.config.router_aux_loss_coef and model.config.router_z_loss_coef, which count as 0 when they are not set.
"""

import contextlib
import dataclasses
import functools
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Optional

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from transformers import MT5EncoderModel, MT5ForConditionalGeneration, MT5Model
from transformers import T5EncoderModel, T5ForConditionalGeneration, T5Model
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput, Seq2SeqModelOutput

SCHEMA = 1
KEYS = {"experts", "capacity", "router", "renormalize", "group_size", "k", "order", "dropless", "batch_priority"}


@dataclass
class Pass:
    """What the blocks of one pass through a stack share."""

    mask: Optional[torch.Tensor]  # [batch, positions so far], 0 = padding; None = all real
    unlimited: bool  # no capacity
    results: list = field(default_factory=list)  # of each MoE block: aux loss, z loss, probabilities, combine weights

    def real(self, x):
        """Which positions of x [batch, positions, d_model] are no padding; of a longer mask the last ones."""
        if self.mask is None:
            return torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        return self.mask[:, -x.shape[1] :].to(x.device) != 0


PASS = ContextVar("pass", default=None)
RESULTS = ContextVar("results", default=None)
GENERATING = ContextVar("generating", default=False)


@contextlib.contextmanager
def holding(variable, value):
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)


def begin_pass(stack, args, kwargs):
    mask = kwargs.get("attention_mask", args[1] if len(args) > 1 else None)
    if mask is not None and mask.dim() != 2:
        if not stack.is_decoder:
            raise ValueError(f"attention_mask must be [batch, positions], it has {mask.dim()} axes")
        mask = None  # a causal mask that generate has made
    cached = any(kwargs.get(name) is not None for name in ("past_key_values", "cache"))
    stack.outer_pass = PASS.get()
    PASS.set(Pass(mask, stack.is_decoder and (cached or GENERATING.get())))


def end_pass(stack, args, output):
    if RESULTS.get() is not None:
        RESULTS.get().extend(PASS.get().results)
    PASS.set(stack.outer_pass)
    stack.outer_pass = None


def checkpointing(function):
    """A checkpoint function under which a block that is computed again finds the pass that it belonged to.

    Never the re-entrant one: it would cut the losses of the routers off from the graph."""
    if isinstance(function, functools.partial) and function.func is checkpoint:
        function = functools.partial(checkpoint, **{**function.keywords, "use_reentrant": False})

    def call(block, *args, **kwargs):
        mine, again = PASS.get(), []

        def run(*args, **kwargs):
            current = dataclasses.replace(mine, results=[]) if again else mine
            again.append(True)
            with holding(PASS, current):
                return block(*args, **kwargs)

        return function(run, *args, **kwargs)

    return call


def moe_blocks(config):
    """{stack: {index of the block: its entry}}, checked: a setting that this file does not know is refused."""
    upcycling = getattr(config, "upcycling", None) or {}
    if upcycling.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(f"config.upcycling.schema is {upcycling['schema']}, this file knows {SCHEMA}")
    layers = {"encoder": config.num_layers, "decoder": config.num_decoder_layers}
    blocks = {"encoder": {}, "decoder": {}}
    for name, entry in upcycling.get("blocks", {}).items():
        where = f"config.upcycling.blocks.{name}"
        stack, _, index = name.partition(".")
        if stack not in layers or not index.isdecimal() or int(index) >= layers[stack]:
            raise ValueError(f"config.upcycling.blocks names {name!r}, which is no block of this model")
        unknown = set(entry) - KEYS
        if unknown:
            raise ValueError(f"{where} has the unknown key {min(unknown)!r}")
        if entry["router"] not in ("expert-choice", "top-k"):
            raise ValueError(f"{where}.router is {entry['router']!r}, which this file does not know")
        if entry.get("order", "softmax-topk") not in ("softmax-topk", "topk-softmax"):
            raise ValueError(f"{where}.order is {entry['order']!r}, which this file does not know")
        if stack == "decoder" and (entry["router"] == "expert-choice" or entry.get("batch_priority")):
            raise ValueError(f"{where}: expert-choice and batch_priority look at later tokens, which a decoder may not")
        blocks[stack][int(index)] = entry
    return blocks


class Router(nn.Module):
    """Which expert takes which token, and with what weight."""

    def __init__(self, config, entry, causal):
        super().__init__()
        self.classifier = nn.Linear(config.d_model, entry["experts"], bias=False)
        self.std = config.initializer_factor * config.d_model**-0.5
        self.causal = causal
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
        """Places of an expert in groups of `tokens` [groups] real tokens, [groups]."""
        wanted = torch.ceil(self.factor * tokens.double() / self.experts - 1e-9).clamp(min=1)
        return torch.minimum(wanted, tokens.double()).long()

    def groups(self, positions, sequences):
        """Begin and end of the parts of the token table, with the size of the groups inside each."""
        size = {"batch": positions, "sequence": positions // sequences}.get(self.group_size, self.group_size)
        whole = positions // size * size
        parts = [(0, whole, size), (whole, positions, positions - whole)]
        return [part for part in parts if part[0] < part[1]]

    def choose_tokens(self, p, real):
        """Expert Choice: p [groups, n, E], below all else where not real -> which are taken, [groups, n, E] of bool."""
        best = torch.sort(p, dim=1, descending=True, stable=True).indices
        places = torch.arange(p.shape[1], device=p.device)[None] < self.capacity(real.sum(1))[:, None]
        return torch.zeros_like(p, dtype=torch.bool).scatter_(1, best, places[..., None].expand_as(p))

    def placing_order(self, order, experts):
        """The choices as they are placed: order [groups, n] of the tokens, experts [groups, n, k] asked by them, best
        first -> token and expert of each choice, both [groups, n * k]. In a decoder token after token, else all first
        choices before the second ones."""
        tokens = order[..., None].expand_as(experts)
        if not self.causal:
            tokens, experts = tokens.transpose(1, 2), experts.transpose(1, 2)
        return tokens.flatten(1), experts.flatten(1)

    def choose_experts(self, p, real, unlimited):
        """Top-K: p [groups, n, E] -> what was accepted and what was asked for, both [groups, n, E] of bool."""
        groups, n, _ = p.shape
        choices = torch.sort(p, dim=2, descending=True, stable=True).indices[..., : self.k]
        asked = torch.zeros_like(p, dtype=torch.bool).scatter_(2, choices, True) & real[..., None]
        if self.dropless or unlimited:
            return asked, asked
        order = torch.arange(n, device=p.device).expand(groups, n)
        if self.batch_priority:
            order = torch.sort(p.amax(2), dim=1, descending=True, stable=True).indices
        token, expert = self.placing_order(order, choices.gather(1, order[..., None].expand(-1, -1, self.k)))
        asks = F.one_hot(expert, self.experts) * real.gather(1, token)[..., None]
        place = asks.cumsum(1).gather(2, expert[..., None]).squeeze(2)  # 1 = first
        fits = place <= self.capacity(real.sum(1))[:, None]
        accepted = torch.zeros_like(p, dtype=torch.bool).view(groups, -1)
        accepted.scatter_(1, token * self.experts + expert, fits)  # a token asks an expert at most once
        return accepted.view_as(p) & asked, asked

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

    def balance(self, p, wanted, real):
        """E sum_e f_e P_e of each group that has a real token: p [groups, n, E], wanted likewise, real [groups, n]."""
        tokens = real.sum(1, keepdim=True)
        share = wanted.sum(1) / (tokens * self.k).clamp(min=1)
        mean = p.masked_fill(~real[..., None], 0.0).sum(1) / tokens.clamp(min=1)
        return (self.experts * (share * mean).sum(1))[tokens[:, 0] > 0]

    def forward(self, x, sequences, real, unlimited):
        """x [n, d_model], real [n] -> combine weights [n, E], accepted [n, E], and the results of the block."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            logits = F.linear(x.float(), self.classifier.weight.float())
            p = torch.softmax(logits, dim=-1)
            known = torch.nan_to_num(p.detach(), nan=-1.0).masked_fill(~real[:, None], -2.0)
            accepted, asked, balance = [], [], []
            for begin, end, size in self.groups(x.shape[0], sequences):
                part, inside = known[begin:end].view(-1, size, self.experts), real[begin:end].view(-1, size)
                if self.top_k:
                    taken, wanted = self.choose_experts(part, inside, unlimited)
                    balance.append(self.balance(p[begin:end].view_as(part), wanted, inside))
                else:
                    taken = wanted = self.choose_tokens(part, inside)
                accepted.append(taken.reshape(-1, self.experts))
                asked.append(wanted.reshape(-1, self.experts))
            accepted, asked = torch.cat(accepted), torch.cat(asked)
            weights = self.weights(p, accepted, asked)
            groups = torch.cat(balance) if balance else p.new_zeros(1)
            aux_loss = groups.sum() / max(1, groups.numel())
            squares = torch.logsumexp(logits, dim=-1).square().masked_fill(~real, 0.0)
            z_loss = squares.sum() / real.sum().clamp(min=1)
            return weights, accepted, (aux_loss, z_loss, p, weights)


class MoeMlp(nn.Module):
    def __init__(self, config, entry, expert, causal):
        super().__init__()
        self.router = Router(config, entry, causal)
        self.experts = nn.ModuleDict({f"expert_{e}": expert(config) for e in range(entry["experts"])})

    def forward(self, x):
        """x [batch, positions, d_model] -> the same; what the router did goes to the pass."""
        current = PASS.get() or Pass(None, False)
        tokens = x.reshape(-1, x.shape[-1])
        real = current.real(x).reshape(-1)
        weights, accepted, results = self.router(tokens, x.shape[0], real, current.unlimited)
        current.results.append(results)
        y, dtype = torch.zeros(tokens.shape, dtype=torch.float32, device=x.device), x.dtype
        for e, expert in enumerate(self.experts.values()):
            rows = accepted[:, e].nonzero().squeeze(1)
            if rows.numel() > 0:
                part = expert(tokens[rows])
                y, dtype = y.index_add(0, rows, part.float() * weights[rows, e, None]), part.dtype
        return y.to(dtype).view_as(x)


class MoeLayerFF(nn.Module):
    """The last layer of a block with experts in place of its MLP; the rest of it stays."""

    def __init__(self, dense, config, entry):
        super().__init__()
        self.layer_norm, self.dropout = dense.layer_norm, dense.dropout
        self.mlp = MoeMlp(config, entry, type(dense.DenseReluDense), causal=config.is_decoder)

    def forward(self, hidden_states):
        return hidden_states + self.dropout(self.mlp(self.layer_norm(hidden_states)))


class Upcycled:
    """What the classes below have in common, put before transformers' own."""

    _keep_in_fp32_modules = ["wo", "router"]
    _keep_in_fp32_modules_strict = ["router"]

    def post_init(self):
        """The end of transformers' __init__: the dense model is there, its weights are not."""
        sparse = False
        for name, entries in moe_blocks(self.config).items():
            stack = getattr(self, name, None)
            if stack is None:
                continue
            stack.outer_pass = None
            stack.register_forward_pre_hook(begin_pass, with_kwargs=True)
            stack.register_forward_hook(end_pass, always_call=True)
            for index, entry in entries.items():
                layers = stack.block[index].layer
                layers[-1] = MoeLayerFF(layers[-1], stack.config, entry)
                sparse = True
        if not sparse:  # some versions refuse a name that no module has
            self._keep_in_fp32_modules, self._keep_in_fp32_modules_strict = ["wo"], None
        super().post_init()

    def _init_weights(self, module):
        super()._init_weights(module)
        if isinstance(module, Router):
            nn.init.normal_(module.classifier.weight, mean=0.0, std=module.std)

    def _set_gradient_checkpointing(self, enable=True, gradient_checkpointing_func=checkpoint, **options):
        super()._set_gradient_checkpointing(
            enable=enable, gradient_checkpointing_func=checkpointing(gradient_checkpointing_func), **options)

    def finish(self, output, results, output_class, show, return_dict):
        """transformers' output with the routers' losses and, on request, their tables."""
        aux_losses, z_losses, probabilities, weights = zip(*results) if results else ((), (), (), ())
        more = {}
        if results:
            aux_loss, z_loss = torch.stack(aux_losses).mean(), torch.stack(z_losses).mean()
            if output.get("loss") is not None:
                coefficients = [getattr(self.config, f"router_{name}_loss_coef", None) or 0.0 for name in ("aux", "z")]
                output["loss"] = output["loss"] + coefficients[0] * aux_loss + coefficients[1] * z_loss
            show = getattr(self.config, "output_router_probabilities", False) if show is None else show
            if self.training or show:
                more.update(aux_loss=aux_loss, z_loss=z_loss)
            if show:
                more.update(router_probabilities=probabilities, combine_weights=weights)
        output = output_class(**output, **more)
        as_dict = getattr(self.config, "return_dict", True) if return_dict is None else return_dict
        return output if as_dict else output.to_tuple()


def routed(native, output_class):
    """transformers' forward, with the same signature and what `finish` adds."""

    @functools.wraps(native)
    def forward(self, *args, output_router_probabilities=None, return_dict=None, **kwargs):
        with holding(RESULTS, []) as results:
            output = native(self, *args, return_dict=True, **kwargs)
        return self.finish(output, results, output_class, output_router_probabilities, return_dict)

    return forward


class UpcycledGeneration(Upcycled):
    def generate(self, *args, **kwargs):
        with holding(GENERATING, True):
            return super().generate(*args, **kwargs)


@dataclass
class UpcycledSeq2SeqLMOutput(Seq2SeqLMOutput):
    aux_loss: Optional[torch.FloatTensor] = None
    z_loss: Optional[torch.FloatTensor] = None
    # Of each MoE block, encoder first, [batch * positions, experts]: the full softmax, and 0 where a token is not routed
    router_probabilities: Optional[tuple] = None
    combine_weights: Optional[tuple] = None


@dataclass
class UpcycledSeq2SeqModelOutput(Seq2SeqModelOutput):
    aux_loss: Optional[torch.FloatTensor] = None
    z_loss: Optional[torch.FloatTensor] = None
    router_probabilities: Optional[tuple] = None
    combine_weights: Optional[tuple] = None


@dataclass
class UpcycledEncoderOutput(BaseModelOutput):
    aux_loss: Optional[torch.FloatTensor] = None
    z_loss: Optional[torch.FloatTensor] = None
    router_probabilities: Optional[tuple] = None
    combine_weights: Optional[tuple] = None


class UpcycledT5ForConditionalGeneration(UpcycledGeneration, T5ForConditionalGeneration):
    forward = routed(T5ForConditionalGeneration.forward, UpcycledSeq2SeqLMOutput)


class UpcycledT5Model(Upcycled, T5Model):
    forward = routed(T5Model.forward, UpcycledSeq2SeqModelOutput)


class UpcycledT5EncoderModel(Upcycled, T5EncoderModel):
    forward = routed(T5EncoderModel.forward, UpcycledEncoderOutput)


class UpcycledMT5ForConditionalGeneration(UpcycledGeneration, MT5ForConditionalGeneration):
    forward = routed(MT5ForConditionalGeneration.forward, UpcycledSeq2SeqLMOutput)


class UpcycledMT5Model(Upcycled, MT5Model):
    forward = routed(MT5Model.forward, UpcycledSeq2SeqModelOutput)


class UpcycledMT5EncoderModel(Upcycled, MT5EncoderModel):
    forward = routed(MT5EncoderModel.forward, UpcycledEncoderOutput)


# So that save_pretrained takes this file along
UpcycledT5ForConditionalGeneration.register_for_auto_class("AutoModelForSeq2SeqLM")
UpcycledT5Model.register_for_auto_class("AutoModel")
UpcycledT5EncoderModel.register_for_auto_class("AutoModelForTextEncoding")
UpcycledMT5ForConditionalGeneration.register_for_auto_class("AutoModelForSeq2SeqLM")
UpcycledMT5Model.register_for_auto_class("AutoModel")
UpcycledMT5EncoderModel.register_for_auto_class("AutoModelForTextEncoding")
