#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""T5 checkpoints without weights, as transformers would save them: config.json and a model.safetensors whose header names
every tensor and whose data are a hole in a sparse file. For looking at sizes and plans of models that fit no test machine.

    make_t5_headers.py OUT [MODEL...]     writes OUT/MODEL/; without MODEL: all
    make_t5_headers.py --tiny OUT         the fixtures in tests/reference/t5: one small model of each kind
    make_t5_headers.py --table            tensors, parameters and forward FLOPs of each, as tests/core/surgery/t5_cost_test.cpp
                                          has them

Needs torch and transformers (4.57 was used); nothing is allocated or downloaded: the models are built on the meta device.
"""
import argparse
import json
import pathlib
import struct

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    MT5Config,
    MT5ForConditionalGeneration,
    SwitchTransformersConfig,
    SwitchTransformersForConditionalGeneration,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
)

V1_1 = dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0, n_positions=512)
V1_0 = dict(feed_forward_proj="relu", tie_word_embeddings=True, decoder_start_token_id=0, n_positions=512)


def size(d_model, d_ff, heads, layers, version):
    return dict(d_model=d_model, d_ff=d_ff, d_kv=64, num_heads=heads, num_layers=layers, num_decoder_layers=layers, **version)


# google/t5-v1_1-*, google-t5/t5-*: the numbers of their config.json files.
MODELS = {
    "t5-v1_1-small": size(512, 1024, 6, 8, V1_1),
    "t5-v1_1-base": size(768, 2048, 12, 12, V1_1),
    "t5-v1_1-large": size(1024, 2816, 16, 24, V1_1),
    "t5-v1_1-xl": size(2048, 5120, 32, 24, V1_1),
    "t5-small": size(512, 2048, 8, 6, V1_0),
    "t5-base": size(768, 3072, 12, 12, V1_0),
}

TINY = dict(vocab_size=11, d_model=6, d_kv=2, d_ff=10, num_heads=3, num_layers=3, num_decoder_layers=2,
            relative_attention_num_buckets=8, relative_attention_max_distance=20, decoder_start_token_id=0)
SPARSE = dict(num_experts=4, num_layers=4, num_decoder_layers=3, num_sparse_encoder_layers=2, num_sparse_decoder_layers=1,
              expert_capacity=64)
TINY_MODELS = {
    "v1_0": (T5ForConditionalGeneration, T5Config, dict(TINY)),
    "v1_1": (T5ForConditionalGeneration, T5Config, TINY | dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
    "silu": (T5ForConditionalGeneration, T5Config, TINY | dict(feed_forward_proj="gated-silu")),
    "mt5": (MT5ForConditionalGeneration, MT5Config, dict(TINY)),
    "encoder": (T5EncoderModel, T5Config, TINY | dict(feed_forward_proj="gated-gelu")),
    "old": (T5ForConditionalGeneration, T5Config, dict(TINY)),
    "switch": (SwitchTransformersForConditionalGeneration, SwitchTransformersConfig, TINY | SPARSE),
}
# What the files of the first T5 releases hold besides: the shared matrix once for each place, and a bias that nothing reads.
OLD_EXTRAS = {
    "encoder.embed_tokens.weight": (11, 6),
    "decoder.embed_tokens.weight": (11, 6),
    "lm_head.weight": (11, 6),
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": (8, 3),
}


def build(name):
    architecture, config_class, numbers = TINY_MODELS.get(name) or (T5ForConditionalGeneration, T5Config, MODELS[name])
    config = config_class(**numbers)
    config.architectures = [architecture.__name__]
    with torch.device("meta"):
        return architecture(config)


def stored(model):
    """The tensors that save_pretrained writes: each tied matrix once."""
    return [(name, tuple(value.shape)) for name, value in model.named_parameters()]


def write(name, out):
    model = build(name)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    header, offset = {}, 0
    for tensor, shape in sorted(stored(model) + (list(OLD_EXTRAS.items()) if name == "old" else [])):
        end = offset + 4 * torch.Size(shape).numel()
        header[tensor] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)
    print(f"{folder}: {len(header)} tensors, {offset} bytes (a hole)")


def table():
    """FLOPs of torch's counter: 2 per multiply-add of every matrix product, for 512 input and 114 target tokens."""
    for name in MODELS:
        model = build(name).eval()
        tokens = [torch.zeros(1, n, dtype=torch.long, device="meta") for n in (512, 114)]
        counts = {}
        for part in ("encoder", "whole"):
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                if part == "encoder":
                    model.encoder(input_ids=tokens[0])
                else:
                    model(input_ids=tokens[0], decoder_input_ids=tokens[1], use_cache=False)
            counts[part] = counter.get_total_flops()
        tensors = stored(model)
        parameters = sum(torch.Size(shape).numel() for _, shape in tensors)
        print(f"{name}: {len(tensors)} tensors, {parameters} parameters, encoder {counts['encoder']} FLOPs, "
              f"whole {counts['whole']} FLOPs")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", nargs="?", type=pathlib.Path)
    arguments.add_argument("models", nargs="*", choices=[[], *MODELS])
    arguments.add_argument("--table", action="store_true")
    arguments.add_argument("--tiny", action="store_true")
    given = arguments.parse_args()
    if given.table:
        table()
    elif given.out:
        for name in TINY_MODELS if given.tiny else given.models or MODELS:
            write(name, given.out)
    else:
        arguments.error("give OUT or --table")


if __name__ == "__main__":
    main()
