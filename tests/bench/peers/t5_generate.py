# SPDX-License-Identifier: Apache-2.0
"""Seconds that generating takes in transformers and in `upcycle eval`, of one T5 with random weights: the same inputs, greedy and with beams.

usage: t5_generate.py UPCYCLE CONFIG.json SPIECE.model [--batch 8] [--inputs 256] [--tokens 64] [--beams 1 4] [--threads 2]
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import torch
from transformers import AutoModelForSeq2SeqLM, T5Tokenizer


def make_model(options, folder):
    """A random checkpoint with its tokenizer, written by the program itself."""
    run = folder / "run"
    vocab = json.loads(pathlib.Path(options.config).read_text())["vocab_size"]
    subprocess.run([options.upcycle, "new", run, "--model", f"scratch:{options.config}", "--steps", "1", "--batch", "1", "--lr", "0.001", "--objective",
                    "text-to-text", "--data", f"synthetic:tokens,vocab={vocab},inputs=8,targets=4,examples=4"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([options.upcycle, "train", run], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([options.upcycle, "export", run, "-o", folder / "model"], check=True, stdout=subprocess.DEVNULL)
    shutil.copy(options.spiece, folder / "model/spiece.model")
    return folder / "model"


def ours(options, model, data, beams):
    made = subprocess.run([options.upcycle, "eval", model, "--data", f"jsonl:{data}", "--set", "objective=text-to-text", "--set",
                           f"text.inputs_length={options.inputs}", "--split", "validation", "--metrics", "token_f1", "--batch", str(options.batch), "--beams",
                           str(beams), "--max-tokens", str(options.tokens), "--threads", str(options.threads), "--json"],
                          check=True, capture_output=True, text=True)
    return json.loads(made.stdout)["generation_seconds"]


def theirs(options, model, tokenizer, lines, beams):
    begin = time.perf_counter()
    batch = tokenizer([line["input"] for line in lines], max_length=options.inputs, truncation=True, padding=True, return_tensors="pt")
    with torch.no_grad():
        model.generate(**batch, num_beams=beams, do_sample=False, max_new_tokens=options.tokens)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("upcycle")
    parser.add_argument("config")
    parser.add_argument("spiece")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--inputs", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = make_model(options, folder)
        words = random.Random(0)
        text = pathlib.Path(__file__).read_text().split()
        lines = [{"input": " ".join(words.choices(text, k=options.inputs)), "target": "none"} for _ in range(options.batch)]
        for part in ("train", "validation"):
            (folder / "data" / part).mkdir(parents=True)
            (folder / "data" / part / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        model = AutoModelForSeq2SeqLM.from_pretrained(path).eval()
        tokenizer = T5Tokenizer(str(path / "spiece.model"), legacy=True)
        for beams in options.beams:
            rounds = [(ours(options, path, folder / "data", beams), theirs(options, model, tokenizer, lines, beams)) for _ in range(2)]
            mine, other = (min(one[i] for one in rounds) for i in (0, 1))
            print(f"beams {beams}: upcycle {mine:.2f} s, transformers {other:.2f} s, ratio {mine / other:.2f}", flush=True)


if __name__ == "__main__":
    main()
