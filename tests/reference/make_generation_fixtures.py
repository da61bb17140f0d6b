# SPDX-License-Identifier: Apache-2.0
"""Makes generation.json in each folder of tests/core/model/fixtures/t5: what transformers' generate() makes of its inputs.

    python tests/reference/make_generation_fixtures.py tests/core/model/fixtures/t5

Needs torch, transformers 4.x and safetensors. The models are those of make_t5_fixtures.py, whose MoE layers place every
choice of a decoder here (capacity is a limit of training). A case names the end of sequence that it was made with: one
that random weights come to within a few tokens.
"""

import json
import pathlib
import sys

import torch
from make_t5_fixtures import CLASSES, make_moe
from safetensors.torch import load_file
from transformers import AutoModelForSeq2SeqLM

TOKENS = 20


def load(folder):
    written = json.loads((folder / "config.json").read_text())
    blocks = written.pop("upcycling", {}).get("blocks", {})
    if not blocks:
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
        for module in model.decoder.modules():
            if hasattr(module, "expert_capacity"):  # without a cache Switch would count earlier tokens
                module.expert_capacity = 10**6
        return model, {}
    config_class, model_class = CLASSES["t5"]
    config = config_class(**written)
    config._attn_implementation = "eager"
    model = model_class(config)
    for name, settings in blocks.items():
        if name.startswith("decoder"):
            settings["dropless"] = True
    layers = make_moe(model, config, blocks)
    missing, unexpected = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not unexpected and all("embed_tokens" in name or name == "lm_head.weight" for name in missing), missing
    return model.eval(), layers


def generate(model, layers, inputs, end, beams, length_penalty):
    for block, layer in layers.items():
        layer.mask = inputs.get("attention_mask") if block.startswith("encoder") else None
    more = {} if beams == 1 else {"length_penalty": length_penalty, "early_stopping": False}
    # transformers 4.57 makes a cache of num_layers blocks, whatever the decoder's number is
    config = model.config
    more["use_cache"] = config.num_layers == config.num_decoder_layers
    made = model.generate(**inputs, num_beams=beams, do_sample=False, max_new_tokens=TOKENS, eos_token_id=end,
                          pad_token_id=0, return_dict_in_generate=True, output_scores=True, **more)
    targets = []
    for sequence in made.sequences[:, 1:].tolist():
        targets.append(sequence[: sequence.index(end) + 1] if end in sequence else sequence)
    case = {"end": end, "beams": beams, "length_penalty": length_penalty, "max_tokens": TOKENS, "targets": targets}
    if beams > 1:
        case["scores"] = [round(score, 6) for score in made.sequences_scores.tolist()]
    return case


def likely_end(targets):
    """A token that some target comes to, but none at once where that can be."""
    for soon in (2, 1, 0):
        first = {token for target in targets for token in target[:soon]}
        later = [token for target in targets for token in target[soon:] if token not in first and token > 1]
        if later:
            return later[0]
    return 1


def main(root):
    for folder in sorted(path.parent for path in pathlib.Path(root).glob("*/config.json")):
        model, layers = load(folder)
        reference = load_file(folder / "reference.safetensors")
        inputs = {key: reference[key] for key in ("input_ids", "attention_mask") if key in reference}
        inputs.setdefault("attention_mask", torch.ones_like(inputs["input_ids"]))
        inputs = {key: value.long() for key, value in inputs.items()}
        cases = [generate(model, layers, inputs, 1, 1, 1.0), generate(model, layers, inputs, 1, 3, 1.0)]
        end = likely_end(cases[0]["targets"] + cases[1]["targets"])
        cases += [generate(model, layers, inputs, end, *setting)
                  for setting in ((1, 1.0), (2, 1.0), (4, 0.0), (3, 2.0), (5, -0.5))]
        lines = ",\n".join(json.dumps(case) for case in cases)
        (folder / "generation.json").write_text(f"[\n{lines}\n]\n")
        ended = sum(len(target) < TOKENS for case in cases for target in case["targets"])
        print(f"{folder.name}: {len(cases)} cases, {ended} targets ended before {TOKENS} tokens")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        main(sys.argv[1])
