# SPDX-License-Identifier: Apache-2.0
"""Small tokenizers trained by the sentencepiece package, and the ids that transformers' T5Tokenizer and T5TokenizerFast give
odd strings.

Run from the repository root: python tests/reference/make_tokenizer_fixtures.py
(transformers 4.57.6, tokenizers 0.22.2, sentencepiece 0.2.x, protobuf). Writes tests/core/data/fixtures/tokenizer:

  plain/   unigram, a handful of rules of normalisation         bytes/  the same with byte fallback
  bpe/     BPE without rules                                     fast/   plain as tokenizer.json, written by transformers
  nmt_nfkc/ unigram with T5's own rules, which are left out of the file (240 kB): the test puts in those of its library
  cases.json  texts, ids of each, and what is decoded; legacy false of plain and bytes as "…_first" and, with add_prefix_space
              false, "…_never"; "fast_first" and "fast_never" are fast/tokenizer.json with that prepend_scheme
"""
import json
import os
import pathlib
import shutil
import struct
import tempfile
import zlib

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from transformers import T5Tokenizer, T5TokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/core/data/fixtures/tokenizer"
LINES = [line.strip() for line in (ROOT / "LICENSES/Apache-2.0.txt").read_text().splitlines() if line.strip()] + [
    "Der schnelle braune Fuchs springt über den faulen Hund, während Größe zählt.",
    "Le cœur déçu mais l'âme plutôt naïve, Louÿs rêva de crapaüter en canoë.",
    "Быстрая коричневая лиса перепрыгивает через ленивую собаку.",
    "素早い茶色の狐がのろまな犬を飛び越える。",
    "Sparse experts are upcycled from dense checkpoints: 12,345 steps at 0.001!",
] * 3
RULES = ["9\t20", "A\t20", "D\t20", "A0\t20", "3000\t20", "1\t", "200B\t", "FB01\t66 69", "2126\t3A9", "65 301\tE9", "65 308 301\t1E17"]
RULES += [f"{0xFF21 + i:X}\t{0x41 + i:X}" for i in range(26)] + [f"{0xFF41 + i:X}\t{0x61 + i:X}" for i in range(26)]
TEXTS = [
    "", " ", "   ", "a", "The quick brown fox.", " leading", "trailing ", "two  spaces   three", "tab\there\t\ttwice",
    "new\nline\r\nand\n\n\nmore\n", "\u00a0no-break\u00a0space\u3000wide", "emoji 😀👩‍👩‍👧‍👦🇩🇪👍🏽 end", "😀", "e\u0301 cafe\u0301 n\u0303 e\u0308\u0301 \u0301",
    "Ａｂｃ ＸＹＺ fullwidth", "ﬁne ﬃ ligatures", "漢字かな交じり文と한국어 텍스트", "素早い茶色の狐", "Größe, Straße, ÀÉÎÕÜ", "Ω Ω ohm", "İstanbul ǅ",
    "control\x01\x02\x1f\x7f chars", "zero\u200bwidth\u200djoin\ufeffbom", "\u2581under\u2581score \u2581", "Я люблю лису", "العربية עברית हिन्दी ไทย",
    "math ∑∫√ ≤ ≥ ½ ² ①", "\U0001d49c\U0001d4b7 \U0002070e rare planes", "\ufffd\ufffe replacement", "x" * 200, "aaaa bbbb " * 20, "1234567890 3.14159 1e-5",
    "<pad>", "</s>", "a</s>b", "text <unk> text", "<s> not special </S>", "<0x41> <0x0A>", "<", "< extra_id_0>", "<extra_id_", "<extra_id_100>", "<extra_id_01>",
    "<extra_id_0>", "Hello <extra_id_0> world", "Hello<extra_id_0>world", "  <extra_id_1>  a  <extra_id_2>  ", "<extra_id_0><extra_id_1>", "<extra_id_99><extra_id_9>9",
    "a\u3000<extra_id_5>\u00a0b\x85<extra_id_6>\x1cc", "<extra_id_0> <extra_id_1>", "end <extra_id_3>", "<extra_id_4>.", "<<extra_id_7>>", "a <pad> </s> b", "😀<extra_id_0>😀",
    "Hello <extra_id_0>.", "</s> fox", "</s>\tfox", "</s>fox", "a</s>  b  </s>  c", " <extra_id_0> x", " </s>x", "\u2581</s>\u2581x", "a<pad>,b<unk>,c",
    "the <extra_id_0>fox <extra_id_1>, and </s>license<extra_id_2> of  the<extra_id_3>",
    "License, Version 2.0 (the \"License\"); you may not use this file", "don't  you   'quote' “me” — ok… no", "ALLCAPS lower MiXeD", "\t", "\n", "\x00nul\x00", "end\x00",
]
LONG = {"text": "The fox, 狐 and Größe 😀 1234. ", "times": 358}


def train(name, **options):
    folder = OUT / name
    folder.mkdir(parents=True)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(LINES), model_prefix=f"{name}/spiece", pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
                                             minloglevel=2, **options)
    (folder / "spiece.vocab").unlink()
    return folder


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def crc(ids):
    return zlib.crc32(struct.pack(f"<{len(ids)}i", *ids))


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
os.chdir(OUT)  # the models name where they were written
with tempfile.TemporaryDirectory() as scratch:
    rules = pathlib.Path("rules.tsv")
    rules.write_text("\n".join(sorted(RULES)) + "\n")
    folders = {"plain": train("plain", vocab_size=600, model_type="unigram", normalization_rule_tsv=str(rules)),
               "bytes": train("bytes", vocab_size=600, model_type="unigram", byte_fallback=True, normalization_rule_tsv=str(rules)),
               "bpe": train("bpe", vocab_size=500, model_type="bpe", normalization_rule_name="identity"),
               "nmt_nfkc": train("nmt_nfkc", vocab_size=500, model_type="unigram", normalization_rule_name="nmt_nfkc")}
    rules.unlink()
    tokenizers = {}
    for name, folder in folders.items():
        tokenizers[name] = T5Tokenizer(str(folder / "spiece.model"), legacy=True, clean_up_tokenization_spaces=False)
    tokenizers["plain"].save_pretrained(pathlib.Path(scratch) / "slow")
    fast = T5TokenizerFast.from_pretrained(pathlib.Path(scratch) / "slow", from_slow=True)
    fast.save_pretrained(pathlib.Path(scratch) / "fast")
    for name in ("plain", "bytes"):
        for scheme, prefix in (("first", True), ("never", False)):
            tokenizers[f"{name}_{scheme}"] = T5Tokenizer(str(folders[name] / "spiece.model"), legacy=False, add_prefix_space=prefix,
                                                         clean_up_tokenization_spaces=False)
    (OUT / "fast").mkdir()
    written = json.loads((pathlib.Path(scratch) / "fast/tokenizer.json").read_text())
    (OUT / "fast/tokenizer.json").write_text(json.dumps(written, ensure_ascii=False, separators=(",", ":")) + "\n")
    schemes = {}
    for scheme in ("first", "never"):
        tokenizers[f"plain_{scheme}"].save_pretrained(pathlib.Path(scratch) / scheme)
        converted = T5TokenizerFast.from_pretrained(pathlib.Path(scratch) / scheme, from_slow=True)
        converted.save_pretrained(pathlib.Path(scratch) / f"fast_{scheme}")
        as_written = (pathlib.Path(scratch) / f"fast_{scheme}/tokenizer.json").read_text()
        assert json.loads(as_written.replace(f'"prepend_scheme": "{scheme}"', '"prepend_scheme": "always"')) == written
        schemes[f"fast_{scheme}"] = converted

cases = []
for text in TEXTS:
    case = {"text": text, "ids": {name: ids_of(tokenizer, text) for name, tokenizer in tokenizers.items()}}
    case["fast"] = ids_of(fast, text)
    for name, tokenizer in schemes.items():
        case[name] = ids_of(tokenizer, text)
    ids = [i for i in case["ids"]["plain"] if i > 1]
    if 2 not in ids:  # T5Tokenizer writes the unknown piece as " <unk>", SentencePiece as " ⁇ "
        case["decoded"] = tokenizers["plain"].decode(ids, clean_up_tokenization_spaces=False)
    cases.append(case)
long_text = LONG["text"] * LONG["times"]
LONG["ids"] = {name: {"count": len(ids_of(t, long_text)), "crc32": crc(ids_of(t, long_text))} for name, t in tokenizers.items()}
differing = [case["text"] for case in cases if case["fast"] != case["ids"]["plain"]]
print(f"{len(cases)} texts, long one of {len(long_text)} characters; T5TokenizerFast differs on {len(differing)}: {differing}")

model = sentencepiece_model_pb2.ModelProto()
model.ParseFromString((OUT / "nmt_nfkc/spiece.model").read_bytes())
model.normalizer_spec.precompiled_charsmap = b""
(OUT / "nmt_nfkc/spiece.model").write_bytes(model.SerializeToString())
(OUT / "cases.json").write_text(json.dumps({"cases": cases, "long": LONG}, ensure_ascii=True, separators=(",", ":")).replace('{"text"', '\n{"text"') + "\n")
