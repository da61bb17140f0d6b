# SPDX-License-Identifier: Apache-2.0
"""Loads upcycled T5s that Upcycler exports in transformers, and compares everything with two oracles.

    python tests/reference/check_t5_exports.py build/release/bin/upcycle

Needs torch, transformers (4.40 or later, 5.x: run it with several), safetensors, h5py and numpy. Small T5s of each kind
are made by transformers and upcycled in every router setting. The export is loaded by AutoModelForSeq2SeqLM with
trust_remote_code, with no missing and no unexpected key, and its logits, losses, router tables and gradients are compared
with t5_by_the_rules.py (loops over tokens, in double) on padded batches: at most 1e-4 apart. Besides,
 - copies with a dropless Top-K router, and with Expert Choice that takes all, compute the dense T5, and generate what it
   generates, greedily and by beams;
 - decoding step by step with the cache equals one pass; padding appended changes nothing; a later target changes no
   earlier logit;
 - the model is trained for two steps, with and without gradient checkpointing, saved by save_pretrained, read again, in
   bf16 too, and by Upcycler; the names of T5X carry it there and back.
The exit code is 0 when all of it holds.
"""
import argparse
import json
import os
import shutil
import tempfile

import h5py
import numpy as np
import torch
from check_checkpoint_files import raw, read_safetensors
from check_exports import Bench, load, say_versions, worst
from safetensors.torch import load_file, save_file
from t5_by_the_rules import ByTheRules
from transformers import AutoModel, AutoModelForSeq2SeqLM, AutoModelForTextEncoding
from transformers import MT5Config, MT5ForConditionalGeneration, T5Config, T5ForConditionalGeneration

torch.set_num_threads(1)  # the tensors are small
TOLERANCE = 1e-4
NUMBERS = dict(vocab_size=43, d_model=24, d_kv=7, d_ff=34, num_heads=3, num_layers=4, num_decoder_layers=3,
               relative_attention_num_buckets=8, relative_attention_max_distance=20, decoder_start_token_id=0)
MODELS = {
    "v1.0: relu, tied": (T5ForConditionalGeneration, T5Config, dict(feed_forward_proj="relu")),
    "v1.1: gated gelu, untied": (T5ForConditionalGeneration, T5Config,
                                 dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
    "gated silu, depths 5 and 3": (T5ForConditionalGeneration, T5Config,
                                   dict(feed_forward_proj="gated-silu", num_layers=5, layer_norm_epsilon=1e-5)),
    "mT5": (MT5ForConditionalGeneration, MT5Config, dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
}
ENCODER, DECODER = ("encoder.1", "encoder.2"), ("decoder.0", "decoder.2")


def choice(capacity=2.0, renormalize=False, group="batch", experts=4):
    return dict(experts=experts, capacity=capacity, router="expert-choice", renormalize=renormalize, group_size=group)


def top(k=2, capacity=2.0, renormalize=False, group="batch", order="softmax-topk", priority=False, experts=4):
    entry = dict(experts=experts, router="top-k", renormalize=renormalize, group_size=group, k=k, order=order,
                 dropless=capacity is None, batch_priority=priority)
    return entry if capacity is None else entry | dict(capacity=capacity)


OVER = "topk-softmax"
SETTINGS = {
    "the paper's": (choice(), top()),
    "renormalised, C 1": (choice(1.0, True), top(2, 1.0, True)),
    "a sequence": (choice(1.37, group="sequence"), top(2, 1.2, group="sequence", order=OVER)),
    "groups of 7 and 5": (choice(0.6, group=7), top(2, 0.7, True, group=5, order=OVER)),
    "top 2 drops; top 1 dropless": (top(2, 1.0), top(1, None)),
    "batch priority, groups of 11; dropless": (top(3, 0.9, group=11, priority=True), top(2, None, order=OVER)),
    "batch priority, renormalised; top 3": (top(2, 0.8, True, priority=True), top(3, 1.5, group="sequence")),
    "topk-softmax, drops; top 1 drops": (top(2, 1.1, order=OVER, group="sequence"), top(1, 0.8)),
    "zero routers: all is ties": (choice(1.0), top(2, 0.7, True)),
    "encoder alone": (choice(1.5, True, "sequence", 3), None),
    "decoder alone": (None, top(2, 1.0, experts=5)),
}


def make_dense(bench, seed, kind):
    architecture, config_class, numbers = kind
    torch.manual_seed(seed)
    model = architecture(config_class(**NUMBERS | numbers))
    if numbers.get("tie_word_embeddings") is False:  # 5.x ties it all the same
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.shared.weight))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() == 1:
                value.add_(torch.randn_like(value) * 0.1)
            elif name == "shared.weight":
                value.normal_()
            else:
                value.normal_(0.0, 0.8 / value.shape[1] ** 0.5)
    folder = bench.path("dense")
    model.save_pretrained(folder)
    (folder / "spiece.model").write_bytes(b"\x0a\x00not touched")
    (folder / "tokenizer_config.json").write_text('{ "extra_ids":100}\r\n')
    return folder


def upcycled(bench, dense, entries, experts="noise:0.2", router="normal:0.4", name="moe"):
    plan, blocks = bench.path("plan.json"), {}
    for names, entry in zip((ENCODER, DECODER), entries):
        blocks |= {block: entry | dict(experts_from=experts, router_init=router) for block in names if entry}
    plan.write_text(json.dumps(dict(schema=1, seed=5, blocks=blocks)))
    return bench.convert(dense, "--plan", plan, name=name)


def open_dense(folder):
    config = json.loads((folder / "config.json").read_text())
    return load(folder, MT5ForConditionalGeneration if config["model_type"] == "mt5" else T5ForConditionalGeneration)


def open_moe(folder, **options):
    model = load(folder, AutoModelForSeq2SeqLM, **options)
    assert type(model).__name__.startswith("Upcycled"), type(model)
    return model


def by_the_rules(dense, folder):
    blocks = json.loads((folder / "config.json").read_text())["upcycling"]["blocks"]
    ordered = sorted(blocks, key=lambda name: (not name.startswith("encoder"), name))
    return ByTheRules(open_dense(dense), load_file(folder / "model.safetensors"), {name: blocks[name] for name in ordered})


def batch(seed=3, inputs=9, targets=6, padded=True):
    g = torch.Generator().manual_seed(seed)
    made = dict(input_ids=torch.randint(2, 43, (4, inputs), generator=g), labels=torch.randint(2, 43, (4, targets), generator=g))
    if padded:
        made["attention_mask"] = torch.ones_like(made["input_ids"])
        made["decoder_attention_mask"] = torch.ones_like(made["labels"])
        for row, (source, target) in enumerate(((inputs, targets), (5, targets - 1), (inputs - 2, 2), (1, targets))):
            made["attention_mask"][row, source:] = 0
            made["input_ids"][row, source:] = 0
            made["decoder_attention_mask"][row, target:] = 0
            made["labels"][row, target:] = -100
    return made


def compare(model, rules, inputs, gradients=False):
    theirs = model(**inputs, output_router_probabilities=True)
    output, aux, z, probabilities, weights = rules(**inputs)
    found = {"logits": worst(theirs.logits, output.logits), "loss": worst(theirs.loss, output.loss),
             "aux": worst(theirs.aux_loss, aux), "z": worst(theirs.z_loss, z),
             "p": max(map(worst, theirs.router_probabilities, probabilities)),
             "weights": max(map(worst, theirs.combine_weights, weights))}
    if gradients:
        model.zero_grad(), rules.model.zero_grad()
        (theirs.loss + 0.5 * theirs.aux_loss + 0.1 * theirs.z_loss).backward()
        (output.loss + 0.5 * aux + 0.1 * z).backward()
        wanted = dict(rules.model.named_parameters()) | rules.leaves
        for name, value in model.named_parameters():
            mine, other = (torch.zeros_like(value) if g is None else g for g in (value.grad, wanted[name].grad))
            found["gradients"] = max(found.get("gradients", 0), worst(mine, other))
    assert max(found.values()) <= TOLERANCE, found
    return found


def shown(found):
    return "  ".join(f"{key} {value:.1e}" for key, value in found.items())


def check_settings(bench, dense):
    """Every setting on one model, every model in the paper's setting; with and without padding."""
    folders = {}
    pairs = [(name, list(dense)[1], entries) for name, entries in SETTINGS.items()]
    pairs += [(model, model, SETTINGS["batch priority, renormalised; top 3"]) for model in dense]
    for name, kind, entries in pairs:
        folder = upcycled(bench, dense[kind], entries, router="zero" if "zero" in name else "normal:0.4")
        folders[name] = folder
        model, rules = open_moe(folder), by_the_rules(dense[kind], folder)
        found = compare(model, rules, batch(), gradients=True)
        plain = compare(model, rules, batch(padded=False))
        found["no padding"] = plain["logits"]
        print(f"rules   {name:40} {shown(found)}")
    return folders


def generated(model, inputs, **options):
    made = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=12,
                          do_sample=False, return_dict_in_generate=True, output_scores=True, **options)
    return made.sequences, torch.stack(made.scores)


def check_dense_function(bench, dense):
    """Copies that all tokens reach are the dense MLP: the same logits, the same text."""
    for kind, folder in dense.items():
        for name, encoder in (("top-k dropless", top(2, None, True)), ("choice, C = E", choice(4.0, True))):
            moe = open_moe(upcycled(bench, folder, (encoder, top(2, None, True)), experts="copy"))
            reference, inputs, found = open_dense(folder), batch(), {}
            with torch.no_grad():
                real = inputs["decoder_attention_mask"].bool()  # padding passes no expert
                found["logits"] = worst(moe(**inputs).logits[real], reference(**inputs).logits[real])
            for search, options in (("greedy", {}), ("beams", dict(num_beams=4, length_penalty=0.7))):
                (mine, scores), (other, wanted) = (generated(m, inputs, **options) for m in (moe, reference))
                assert torch.equal(mine, other), (kind, name, search, mine, other)
                finite = torch.isfinite(wanted)
                found[search] = worst(scores[finite], wanted[finite])
            assert max(found.values()) <= TOLERANCE, (kind, name, found)
            print(f"dense   {kind + ', ' + name:40} {shown(found)}")


def check_generation(bench, dense, folders):
    """Where capacity binds in training: cached and uncached decoding, and the rules without capacity, agree."""
    for name in ("the paper's", "renormalised, C 1", "groups of 7 and 5", "topk-softmax, drops; top 1 drops", "decoder alone"):
        model, rules, inputs = open_moe(folders[name]), by_the_rules(dense, folders[name]), batch()
        found = {}
        for search, options in (("greedy", {}), ("beams", dict(num_beams=3))):
            (ids, scores), (again, others) = (generated(model, inputs, use_cache=cache, **options) for cache in (True, False))
            assert torch.equal(ids, again), (name, search)
            finite = torch.isfinite(others)
            found["cache, " + search] = worst(scores[finite], others[finite])
            if search == "greedy":
                with torch.no_grad():
                    full = rules(unlimited=True, input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"],
                                 decoder_input_ids=ids[:, :-1])[0].logits
                alive = (ids[:, :-1] != 1).int().cumprod(1).bool()
                found["one pass"] = worst(scores.transpose(0, 1)[alive], full[alive])
        assert max(found.values()) <= TOLERANCE, (name, found)
        print(f"steps   {name:40} {shown(found)}")


def check_padding(folders):
    """Columns of padding change nothing, where a group is not a number of positions."""
    for name in ("the paper's", "renormalised, C 1", "a sequence", "batch priority, renormalised; top 3", "encoder alone"):
        model, inputs = open_moe(folders[name]), batch()
        longer = {key: torch.nn.functional.pad(value, (0, 4), value=-100 if key == "labels" else 0)
                  for key, value in inputs.items()}
        with torch.no_grad():
            a, b = (model(**i, output_router_probabilities=True) for i in (inputs, longer))
        real = inputs["decoder_attention_mask"].bool()
        found = {"logits": worst(a.logits[real], b.logits[:, : real.shape[1]][real]), "loss": worst(a.loss, b.loss),
                 "aux": worst(a.aux_loss, b.aux_loss), "z": worst(a.z_loss, b.z_loss)}
        assert max(found.values()) <= 1e-5, (name, found)
        print(f"padding {name:40} {shown(found)}")


def check_causality(folders):
    """Another target token at one place: no logit of its sequence before it moves."""
    for name, folder in folders.items():
        model, inputs = open_moe(folder), batch(targets=8, padded=False)
        ids = torch.cat((torch.zeros(4, 1, dtype=torch.long), inputs.pop("labels")[:, :-1]), 1)
        largest = 0.0
        with torch.no_grad():
            before = model(**inputs, decoder_input_ids=ids).logits
            for row in (0, 3):
                for place in (1, 2, 5, 7):
                    other = ids.clone()
                    other[row, place] = 2 + (other[row, place] + 17) % 40
                    after = model(**inputs, decoder_input_ids=other).logits
                    largest = max(largest, worst(before[row, :place], after[row, :place]))
        assert largest <= 1e-5, (name, largest)
        print(f"causal  {name:40} earlier logits moved by {largest:.1e} at most")


def gradients_of(model, inputs):
    model.zero_grad()
    output = model(**inputs)
    (output.loss + 0.5 * output.aux_loss + 0.1 * output.z_loss).backward()
    return {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}


def check_training(bench, dense, folder):
    """Gradient checkpointing; two steps; saved there, read again by both; coefficients of the config."""
    model, inputs = open_moe(folder).train(), batch()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout") and isinstance(module.dropout, float):
            module.dropout = 0.0
    plain = gradients_of(model, inputs)
    getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()
    again = gradients_of(model, inputs)
    assert plain.keys() == again.keys()
    found = {"checkpointing": max(worst(plain[name], again[name]) for name in plain)}
    assert found["checkpointing"] <= 1e-6, found
    getattr(model, "activation_checkpointing_disable", model.gradient_checkpointing_disable)()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with torch.no_grad():
        pure = model(**inputs).loss
    model.config.router_aux_loss_coef, model.config.router_z_loss_coef = 0.5, 0.1
    for step in range(2):
        optimizer.zero_grad()
        output = model(**inputs)
        if step == 0:
            assert output.aux_loss > 0 and worst(output.loss, pure + 0.5 * output.aux_loss + 0.1 * output.z_loss) < 1e-6
        output.loss.backward()
        optimizer.step()
    del model.config.router_aux_loss_coef, model.config.router_z_loss_coef
    still = [name for name, value in model.named_parameters() if torch.equal(before[name], value)]
    assert not [name for name in still if ".experts." not in name], still
    saved = bench.path("saved")
    model.eval().save_pretrained(saved)
    assert (saved / "modeling_upcycled_t5.py").read_bytes() == (folder / "modeling_upcycled_t5.py").read_bytes()
    assert read_safetensors(saved).keys() == read_safetensors(folder).keys()
    exported = bench.convert(saved)
    with torch.no_grad():
        for place in (saved, exported):
            assert torch.equal(open_moe(place)(**inputs).logits, model(**inputs).logits), place
    print(f"trained {'two steps, saved, exported again':40} {shown(found)}, logits equal bit for bit")


def check_half(bench, dense):
    """In half precision: near f32 (experts alike, so that a choice that changes with the rounding does not count); saved
    in bf16 and read again the same; an export in bf16 too."""
    folder = upcycled(bench, dense, (top(2, None, True), top(2, None, True)), experts="copy")
    model, half, inputs = open_moe(folder), open_moe(folder, torch_dtype=torch.bfloat16), batch()
    saved, exported = bench.path("saved"), bench.convert(folder, "--dtype", "bf16")
    half.save_pretrained(saved)
    with torch.no_grad():
        a, b = model(**inputs), half(**inputs, output_router_probabilities=True)
        same = open_moe(saved, torch_dtype=torch.bfloat16)(**inputs)
        other = open_moe(exported, torch_dtype=torch.bfloat16)(**inputs)
        sixteen = open_moe(folder, torch_dtype=torch.float16)(**inputs)
    assert all(p.dtype == torch.float32 for p in b.router_probabilities)
    assert torch.equal(b.logits, same.logits)
    size = a.logits.abs().max().item()
    found = {"bf16": worst(a.logits, b.logits) / size, "bf16 file": worst(a.logits, other.logits) / size,
             "f16": worst(a.logits, sixteen.logits) / size}
    assert max(found["bf16"], found["bf16 file"]) < 0.04 and found["f16"] < 0.005, found
    routers = {str(value.dtype) for name, value in half.named_parameters() if "router" in name}
    print(f"half    {'relative to the largest logit':40} {shown(found)}, router in {routers}; saved and read again: equal")


def check_config(bench, dense, folders):
    """What an export may change in config.json, what it keeps beside it, and the other classes."""
    before = json.loads((dense / "config.json").read_text())
    for name in SETTINGS:
        folder = folders[name]
        after = json.loads((folder / "config.json").read_text())
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert changed == {"architectures", "auto_map", "upcycling"}, changed
        for file in ("spiece.model", "tokenizer_config.json", "generation_config.json"):
            assert (folder / file).read_bytes() == (dense / file).read_bytes(), file
    inputs = batch()
    folder = folders["the paper's"]
    whole = open_moe(folder)
    base = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
    encoder = AutoModelForTextEncoding.from_pretrained(folder, trust_remote_code=True).eval()
    assert (type(base).__name__, type(encoder).__name__) == ("UpcycledT5Model", "UpcycledT5EncoderModel")
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    with torch.no_grad():
        wanted = whole(input_ids=ids, attention_mask=mask, decoder_input_ids=ids).encoder_last_hidden_state
        assert torch.equal(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, wanted)
        assert torch.equal(base(input_ids=ids, attention_mask=mask, decoder_input_ids=ids).encoder_last_hidden_state, wanted)
        as_tuple = whole(input_ids=ids, attention_mask=mask, labels=inputs["labels"], return_dict=False)
        assert isinstance(as_tuple, tuple) and as_tuple[0].dim() == 0 and as_tuple[1].shape[-1] == 43
    print(f"config  {len(SETTINGS)} exports differ in architectures, auto_map and upcycling alone; AutoModel and the encoder load")


def check_t5x(bench, kind, folder):
    """HF -> T5X names -> HF with equal tensors; experts [E, in, out] and router [d, E] as T5X has them."""
    ours = load_file(folder / "model.safetensors")
    npz = bench.convert(folder, "--layout", "google", "--format", "npz", name="t5x.npz")
    hdf5 = bench.convert(folder, "--layout", "google", "--format", "hdf5", name="t5x.h5")
    arrays = dict(np.load(npz))
    with h5py.File(hdf5) as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        assert all(np.array_equal(np.asarray(file[name]), arrays[name]) for name in arrays), "HDF5 and npz"
    for block, stack, layer in (("1", "encoder", 1), ("2", "decoder", 2)):
        place = f"{stack}.block.{block}.layer.{layer}.mlp."
        parts = [part for part in ("wi", "wi_0", "wi_1", "wo") if place + f"experts.expert_0.{part}.weight" in ours]
        wanted = {f"expert/{part}/kernel": torch.stack([ours[place + f"experts.expert_{e}.{part}.weight"].T for e in range(4)])
                  for part in parts}
        wanted["router/router_weights/w/kernel"] = ours[place + "router.classifier.weight"].T
        for name, value in wanted.items():
            key = [key for key in arrays if key.endswith(f"{stack}/layers_{block}/mlp/{name}")]
            assert len(key) == 1 and np.array_equal(arrays[key[0]], value.numpy()), (key, sorted(arrays)[:9])
    assert any(key.endswith("decoder/logits_dense/kernel") for key in arrays) == ("lm_head.weight" in ours)
    for source in (npz, hdf5):
        back = bench.convert(source, "--layout", "hf", name="back")
        again = load_file(back / "model.safetensors")
        assert again.keys() == ours.keys() and all(torch.equal(raw(again[key]), raw(ours[key])) for key in ours)
        with torch.no_grad():
            a, b = (open_moe(f)(**batch()).logits for f in (folder, back))
        assert torch.equal(a, b)
    print(f"t5x     {kind:40} {len(arrays)} arrays in npz = HDF5; back in the HF layout {len(ours)} tensors equal, logits equal")


def check_forward(bench, folders):
    """`upcycle forward` on the same exports."""
    for name, folder in folders.items():
        model, found = open_moe(folder), {}
        for padded in (True, False):
            inputs = batch(padded=padded)
            file, result = bench.path("in.safetensors"), bench.path("out.safetensors")
            save_file(inputs, file)
            bench.upcycle("forward", folder, "--input", file, "--output", result)
            ours = load_file(result)
            with torch.no_grad():
                theirs = model(**inputs, output_router_probabilities=True)
            blocks = sorted(model.config.upcycling["blocks"], key=lambda name: (not name.startswith("encoder"), name))
            found |= {f"logits{'' if padded else ', no padding'}": worst(theirs.logits, ours["logits"]),
                      "loss": worst(theirs.loss, ours["loss"]), "aux": worst(theirs.aux_loss, ours["aux_loss"]),
                      "z": worst(theirs.z_loss, ours["z_loss"])}
            for key in ("router_probabilities", "combine_weights"):
                found[key] = max(worst(table, ours[f"{block}.{key}"]) for block, table in zip(blocks, getattr(theirs, key)))
        assert max(found.values()) <= TOLERANCE, (name, found)
        print(f"forward {name:40} {shown(found)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("upcycle", help="the program")
    parser.add_argument("--no-forward", action="store_true", help="leave out the comparison with `upcycle forward`")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.upcycle)
    say_versions()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(program, folder)
        dense = {name: make_dense(bench, seed, kind) for seed, (name, kind) in enumerate(MODELS.items())}
        gated = dense["v1.1: gated gelu, untied"]
        folders = check_settings(bench, dense)
        check_config(bench, gated, folders)
        check_dense_function(bench, dense)
        check_generation(bench, gated, folders)
        check_padding(folders)
        check_causality({name: folders[name] for name in SETTINGS})
        check_training(bench, gated, folders["batch priority, renormalised; top 3"])
        check_half(bench, gated)
        for kind, folder in dense.items():
            check_t5x(bench, kind, upcycled(bench, folder, SETTINGS["the paper's"]))
        if not arguments.no_forward:
            check_forward(bench, folders)
    print("all of it holds")


if __name__ == "__main__":
    main()
