# SPDX-License-Identifier: Apache-2.0
"""Opens what Upcycler exports with the programs that people use it with, and compares the numbers.

    python tests/reference/check_exports.py build/release/bin/upcycle

Needs torch, transformers (4.x or 5.x: run it with both), safetensors, h5py and numpy. Small ViTs are made by
transformers, exported dense and upcycled in every router setting, in each format, and
 - read by safetensors-python, h5py and numpy, tensor by tensor, against each other and against transformers' own file;
 - loaded by transformers, with no missing and no unexpected key; its logits, losses, router probabilities and combine
   weights are compared with those of `upcycle forward` on random images, at most 1e-4 apart;
 - trained for two steps there, saved by save_pretrained and read again by Upcycler.
The model card of a run whose model and data have names full of markup is read by PyYAML and, where it is installed, by
markdown-it-py; its picture by an XML parser.
The exit code is 0 when all of it holds.
"""
import argparse
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
import xml.sax.saxutils

import numpy as np
import torch
import transformers
import yaml
from check_checkpoint_files import compare, raw, read_safetensors
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification, ViTConfig, ViTForImageClassification

TOLERANCE = 1e-4
LAYERS = 4

MODELS = {
    "gelu": dict(hidden_act="gelu"),
    "gelu_new, no qkv bias": dict(hidden_act="gelu_new", qkv_bias=False, num_channels=1),
    "relu, 12 heads": dict(hidden_act="relu", num_attention_heads=12, layer_norm_eps=1e-6),
    "silu, 30 x 30": dict(hidden_act="silu", image_size=30, patch_size=5),
}
EC, TOP = ["--router", "expert-choice"], ["--router", "top-k"]
ROUTERS = {
    "expert choice, renormalised": EC + ["--renormalize", "on"],
    "expert choice, plain, C 1": EC + ["--renormalize", "off", "--capacity", "1"],
    "expert choice, an image": EC + ["--renormalize", "on", "--group-size", "sequence", "--capacity", "1.37"],
    "expert choice, groups of 7": EC + ["--renormalize", "off", "--group-size", "7", "--capacity", "0.6"],
    "top 2, drops": TOP + ["--k", "2", "--capacity", "1", "--renormalize", "off"],
    "top 2, drops, renormalised": TOP + ["--k", "2", "--capacity", "1.1", "--renormalize", "on"],
    "top 2, topk-softmax": TOP + ["--k", "2", "--order", "topk-softmax", "--capacity", "1.2", "--renormalize", "off"],
    "top 2, topk-softmax, renormalised": TOP + ["--k", "2", "--order", "topk-softmax", "--capacity", "0.8",
                                                "--renormalize", "on", "--group-size", "sequence"],
    "top 3, batch priority, groups of 11": TOP + ["--k", "3", "--batch-priority", "on", "--group-size", "11",
                                                  "--capacity", "0.9", "--renormalize", "off"],
    "top 1, dropless": TOP + ["--k", "1", "--dropless", "--renormalize", "off"],
    "top 2, dropless, topk-softmax": TOP + ["--k", "2", "--dropless", "--order", "topk-softmax", "--renormalize", "off"],
    "routers of zeros: all is ties": TOP + ["--k", "2", "--capacity", "0.7", "--router-init", "zero", "--renormalize", "on"],
    "a mixture": ["--preset", "every-other", "--layers", "encoder.0", "--set", "encoder.0.router=top-k", "--set",
                  "encoder.0.experts=3", "--set", "encoder.0.renormalize=on", "--set", "encoder.3.group_size=5"],
}


class Bench:
    """Runs the program on models in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder, self.count = program, pathlib.Path(folder), 0

    def path(self, name):
        self.count += 1
        return self.folder / f"{self.count:03d}-{name}"

    def upcycle(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def convert(self, model, *arguments, name="export"):
        target = self.path(name)
        self.upcycle("convert", model, "-o", target, *arguments)
        return target

    def forward(self, model, pixels, labels):
        images, result = self.path("in.safetensors"), self.path("out.safetensors")
        save_file({"pixel_values": pixels, "labels": labels}, images)
        self.upcycle("forward", model, "--input", images, "--output", result)
        return load_file(result)


def make_dense(bench, seed, settings):
    torch.manual_seed(seed)
    config = ViTConfig(**(dict(hidden_size=36, num_hidden_layers=LAYERS, num_attention_heads=3, intermediate_size=50,
                               image_size=24, patch_size=6, num_channels=3, num_labels=7) | settings))
    model = ViTForImageClassification(config)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                value.normal_(0.0, 0.7 / value[0].numel() ** 0.5)
            else:
                value.add_(torch.randn_like(value) * 0.1)
    folder = bench.path("dense")
    model.save_pretrained(folder)
    return folder


def images_for(config, batch=5):
    generator = torch.Generator().manual_seed(11)
    pixels = torch.randn(batch, config.num_channels, config.image_size, config.image_size, generator=generator)
    return pixels, torch.randint(0, config.num_labels, (batch,), generator=generator)


def load(folder, loader=AutoModelForImageClassification, **options):
    model, keys = loader.from_pretrained(folder, trust_remote_code=True, output_loading_info=True, **options)
    wrong = {what: sorted(map(str, names)) for what, names in keys.items() if names}
    assert not wrong, (str(folder), wrong)
    return model.eval()


def worst(a, b):
    return (a.float() - b.float()).abs().max().item()


def check_logits(bench, folder):
    """The largest differences between transformers and `upcycle forward` for one exported folder."""
    model = load(folder)
    pixels, labels = images_for(model.config)
    ours = bench.forward(folder, pixels, labels)
    blocks = list((getattr(model.config, "upcycling", None) or {}).get("blocks", {}))
    with torch.no_grad():
        theirs = model(pixels, labels=labels, **({"output_router_probabilities": True} if blocks else {}))
    found = {"logits": worst(theirs.logits, ours["logits"]), "loss": worst(theirs.loss, ours["loss"])}
    if blocks:
        assert type(model).__name__ == "UpcycledViTForImageClassification", type(model)
        found["aux"] = worst(theirs.aux_loss, ours["aux_loss"])
        found["z"] = worst(theirs.z_loss, ours["z_loss"]) / max(1.0, ours["z_loss"].item())
        for key in ("router_probabilities", "combine_weights"):
            tables = getattr(theirs, key)
            assert len(tables) == len(blocks)
            found[key] = max(worst(table, ours[f"{block}.{key}"]) for block, table in zip(sorted(blocks), tables))
        routed = (ours[f"{blocks[0]}.combine_weights"] != 0).sum(1)
        found["experts a token"] = routed.float().mean().item()
    for key, value in found.items():
        assert key == "experts a token" or value <= TOLERANCE, (str(folder), found)
    return found


def shown(found):
    return "  ".join(f"{key} {value:.2f}" if key == "experts a token" else f"{key} {value:.1e}"
                     for key, value in found.items())


def check_dense(bench):
    dense = {}
    for seed, (name, settings) in enumerate(MODELS.items()):
        dense[name] = make_dense(bench, seed, settings)
        again = bench.convert(dense[name])
        assert not (again / "modeling_upcycled_vit.py").exists()
        theirs, ours = read_safetensors(dense[name]), read_safetensors(again)
        assert theirs.keys() == ours.keys()
        assert all(torch.equal(raw(theirs[key]), raw(ours[key])) for key in ours)
        print(f"dense   {name:36} {shown(check_logits(bench, again))}")
    return dense


def upcycled(bench, dense, options, seed=1):
    plan = bench.path("plan.json")
    init = [] if "--router-init" in options else ["--router-init", "normal:0.6"]
    preset = [] if "--preset" in options else ["--preset", "last:2"]
    bench.upcycle("plan", dense, "-o", plan, "--experts", "4", "--experts-from", "noise:0.2", "--seed", seed, *preset,
                  *init, *options)
    return bench.convert(dense, "--plan", plan, name="moe")


def check_routers(bench, dense):
    folders = [upcycled(bench, dense["gelu"], options) for options in ROUTERS.values()]
    for name, folder in zip(ROUTERS, folders):
        print(f"moe     {name:36} {shown(check_logits(bench, folder))}")
    for name, folder in dense.items():
        moe = upcycled(bench, folder, ROUTERS["top 2, drops, renormalised"], seed=2)
        print(f"moe     {name:36} {shown(check_logits(bench, moe))}")
    return folders


def check_formats(bench, folder):
    """One MoE export in every format and type, read by the formats' own libraries."""
    for dtype in ("keep", "bf16", "f16"):
        one = bench.convert(folder, "--dtype", dtype)
        h5 = bench.convert(folder, "--dtype", dtype, "--format", "hdf5", name="export.h5")
        npz = bench.convert(folder, "--dtype", dtype, "--format", "npz", name="export.npz")
        shards = bench.convert(folder, "--dtype", dtype, "--max-shard-size", "20KB")
        index = json.loads((shards / "model.safetensors.index.json").read_text())
        files = {path.name for path in shards.glob("*.safetensors")}
        assert set(index["weight_map"].values()) == files and len(files) > 3, files
        count, types = compare(one, h5)
        assert compare(one, npz) == compare(shards, h5) == (count, types)
        a, b = load(one), load(shards)
        assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))
        print(f"formats {dtype:5} {count} tensors {types}: file = {len(files)} shards = HDF5 = npz; both load in transformers")


def check_bf16(bench, folder):
    """Computing in bf16: the router stays in f32, the rest is near."""
    model, half = load(folder), load(folder, torch_dtype=torch.bfloat16)
    pixels, labels = images_for(model.config)
    with torch.no_grad():
        a, b = model(pixels), half(pixels, output_router_probabilities=True)
    assert all(p.dtype == torch.float32 for p in b.router_probabilities)
    print(f"bf16    logits in bf16 beside f32: {worst(a.logits, b.logits):.1e} of {a.logits.abs().max().item():.2f}")
    assert worst(a.logits, b.logits) < 0.1 * a.logits.abs().max().item()


def check_training(bench, folder):
    """Two steps in transformers; saved there, read again by both."""
    model = load(folder).train()
    pixels, labels = images_for(model.config)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(2):
        output = model(pixels, labels=labels)
        (output.loss + 0.01 * output.aux_loss + 0.001 * output.z_loss).backward()
        optimizer.step()
        optimizer.zero_grad()
    still = [name for name, value in model.named_parameters() if torch.equal(before[name], value)]
    # A softmax does not see what all keys share, and an expert may have got no token.
    assert not [name for name in still if not name.endswith("key.bias") and ".experts." not in name], still
    saved = bench.path("saved")
    model.save_pretrained(saved)
    assert (saved / "modeling_upcycled_vit.py").read_bytes() == (folder / "modeling_upcycled_vit.py").read_bytes()
    assert read_safetensors(saved).keys() == read_safetensors(folder).keys()
    print(f"trained {'two steps, saved, read again':36} {shown(check_logits(bench, saved))}")
    again = bench.convert(saved)
    print(f"trained {'exported once more':36} {shown(check_logits(bench, again))}")


def check_config(dense, folders):
    """What an export may change in config.json."""
    before = json.loads((dense / "config.json").read_text())
    for folder in folders:
        after = json.loads((folder / "config.json").read_text())
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert changed == {"architectures", "auto_map", "upcycling"}, changed
        assert AutoConfig.from_pretrained(folder).upcycling == after["upcycling"]
    encoder = AutoModel.from_pretrained(folders[0], trust_remote_code=True, add_pooling_layer=False)
    assert type(encoder).__name__ == "UpcycledViTModel" and encoder.pooler is None
    print(f"config  {len(folders)} exports differ from the dense one in architectures, auto_map and upcycling alone")


def check_card(bench, dense):
    """A trained run under hostile names: its card and picture through parsers."""
    hostile = "a`b|c <script>x [l](u) --- $m$ ~~t~~ & *s*"
    model = bench.folder / hostile
    dense.rename(model)
    plan, run, out = bench.path("plan.json"), bench.path(f"run {hostile}"), bench.path("out")
    bench.upcycle("plan", model, "-o", plan, "--experts", "3")
    bench.upcycle("new", run, "--model", model, "--plan", plan, "--data",
                  "synthetic:images=24x24x3,classes=7,examples=64", "--steps", "6", "--batch", "8", "--eval-every", "3")
    bench.upcycle("train", run)
    bench.upcycle("export", run, "-o", out)
    model.rename(dense)
    card = (out / "README.md").read_text()
    _, front, body = card.split("---\n", 2)
    keys = yaml.safe_load(front)
    assert keys["library_name"] == "transformers" and "sparse-upcycling" in keys["tags"], keys
    root = xml.etree.ElementTree.parse(out / "loss.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and len(root.findall(".//*[@class='mean']")) == 1
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        print(f"card    front matter {sorted(keys)}, picture well-formed; no markdown-it-py here")
        return
    html = MarkdownIt("gfm-like", {"linkify": False}).render(body)
    assert "<script" not in html and html.count("<a ") == 1 and html.count("<img ") == 1, html
    title = html[html.index("<h1>") + 4 : html.index("</h1>")]
    assert title == xml.sax.saxutils.escape(hostile) + ", upcycled and trained", title
    print(f"card    front matter {sorted(keys)}, picture well-formed, {html.count('<table>')} tables, names are text")


def say_versions():
    """The first line of the output; from here on transformers is silent."""
    transformers.logging.set_verbosity_error()
    if hasattr(transformers.utils.logging, "disable_progress_bar"):
        transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, numpy {np.__version__}; {sys.version.split()[0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("upcycle", help="the program")
    program = os.path.abspath(parser.parse_args().upcycle)
    say_versions()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(program, folder)
        dense = check_dense(bench)
        folders = check_routers(bench, dense)
        check_config(dense["gelu"], folders)
        check_formats(bench, folders[0])
        check_bf16(bench, folders[0])
        check_card(bench, dense["gelu"])
        check_training(bench, folders[list(ROUTERS).index("a mixture")])
    print("all of it holds")


if __name__ == "__main__":
    main()
