#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does transformers load what `upcycle convert --layout switch` writes?

    check_switch_export.py UPCYCLE        (build/release/bin/upcycle)

Small random T5s are upcycled and exported in several plans; SwitchTransformersForConditionalGeneration loads each with no
missing, unexpected or mismatched key, holds the same tensors as the export in our own layout, and with a single expert
(whose probability is 1) computes T5's logits. Plans that the class cannot hold must be refused. Needs torch and
transformers; 4.57.6 was used for everything, 5.x for the loading alone (its router groups tokens in another way).
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file
from transformers import SwitchTransformersForConditionalGeneration, T5Config, T5ForConditionalGeneration

NUMBERS = dict(vocab_size=40, d_model=24, d_kv=6, d_ff=48, num_heads=4, num_layers=6, num_decoder_layers=4,
               decoder_start_token_id=0, relative_attention_num_buckets=8)
TOP1 = ["--router", "top-k", "--k", "1"]
PLANS = {
    "every-other, dropless": (["--preset", "every-other", "--experts", "4", *TOP1, "--dropless"], {}),
    "all, one capacity per sequence": (["--preset", "all", "--experts", "3", *TOP1, "--capacity", "1.25", "--group-size", "sequence"], {}),
    "encoder alone, every third": (["--layers", "encoder.1,encoder.4", "--experts", "2", *TOP1, "--dropless"], {}),
    "an output matrix of its own": (["--preset", "every-other", "--experts", "4", *TOP1, "--dropless"], dict(tie_word_embeddings=False)),
    "one expert": (["--preset", "every-other", "--experts", "1", *TOP1, "--dropless"], {}),
}
REFUSED = {
    "gated": (["--preset", "every-other", "--experts", "2", *TOP1, "--dropless"], dict(feed_forward_proj="gated-gelu"), "gated"),
    "expert choice": (["--experts", "2"], {}, "expert-choice"),
    "two experts a token": (["--experts", "2", "--router", "top-k", "--k", "2"], {}, "k = 2"),
    "renormalised": (["--experts", "2", *TOP1, "--dropless", "--renormalize", "on"], {}, "renormalize"),
    "capacity over the batch": (["--experts", "2", *TOP1], {}, "sequence"),
    "last blocks": (["--preset", "last:2", "--experts", "2", *TOP1, "--dropless"], {}, "every n-th"),
    "two numbers of experts": (["--experts", "2", *TOP1, "--dropless", "--set", "decoder.1.experts=3"], {}, "experts"),
}


def t5(folder, numbers):
    torch.manual_seed(1)
    model = T5ForConditionalGeneration(T5Config(**NUMBERS | numbers)).eval()
    model.save_pretrained(folder)
    return model


def upcycle(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)


def logits(model):
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(2, 40, (3, 9), generator=generator)
    targets = torch.randint(2, 40, (3, 5), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask, decoder_input_ids=targets, use_cache=False).logits


def export(program, work, plan, numbers):
    dense = t5(work / "dense", numbers)
    for arguments in (["plan", work / "dense", "-o", work / "plan.json", *plan],
                      ["convert", work / "dense", "--plan", work / "plan.json", "-o", work / "ours"],
                      ["convert", work / "ours", "-o", work / "switch", "--layout", "switch"]):
        result = upcycle(program, *arguments)
        if result.returncode != 0:
            return dense, result
    return dense, result


def check(program, name, plan, numbers):
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        dense, result = export(program, work, plan, numbers)
        assert result.returncode == 0, result.stderr
        model, info = SwitchTransformersForConditionalGeneration.from_pretrained(work / "switch", output_loading_info=True)
        for problem in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
            assert not info.get(problem), (name, problem, info[problem])
        files = load_file(work / "switch" / "model.safetensors")
        ours = load_file(work / "ours" / "model.safetensors")
        renamed = {key.replace(".DenseReluDense.", ".mlp."): value for key, value in ours.items()}
        config = json.loads((work / "switch" / "config.json").read_text())
        if not config["tie_word_embeddings"]:
            copies = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
            renamed = {name: renamed["shared.weight"] for name in copies} | renamed
        assert files.keys() == renamed.keys()
        assert all(torch.equal(files[key], renamed[key]) for key in files)
        state = model.state_dict()
        held = sum(torch.equal(state[key], value) for key, value in files.items() if key in state)
        if transformers.__version__.startswith("4."):
            assert held == len(files), (name, held, len(files))
        difference = ""
        if name == "one expert" and transformers.__version__.startswith("4."):
            a, b = logits(dense), logits(model.eval())
            error = ((a - b).abs().max() / a.abs().max()).item()
            assert error < 1e-5, error
            difference = f", logits within {error:.1e} of T5's"
        print(f"{name}: {len(files)} tensors, {held} equal in the loaded model, expert_capacity {config['expert_capacity']}{difference}")
        for line in result.stderr.splitlines():
            print("   ", line)


def refuse(program, name, plan, numbers, word):
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        _, result = export(program, work, plan, numbers)
        assert result.returncode == 3 and word in result.stderr, (name, result)
        assert not (work / "switch").exists()
        print(f"{name}: refused. {result.stderr.splitlines()[0]}")


def main():
    program = sys.argv[1]
    print("transformers", transformers.__version__)
    for name, (plan, numbers) in PLANS.items():
        check(program, name, plan, numbers)
    for name, (plan, numbers, word) in REFUSED.items():
        refuse(program, name, plan, numbers, word)


if __name__ == "__main__":
    main()
