#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the language demo's dense checkpoint again from nothing: a SentencePiece model and a small T5 v1.1, trained by this engine with
# span corruption on the dictionary of Debian's dict-gcide, on T5X's schedule and not cooled down, so that training can go on where it
# stopped. About ten minutes on two cores; repeating it with the same program on the same kind of machine gives the same bits.
# usage: resources/demo/t5/train.sh UPCYCLE OUT-FOLDER [RUN-FOLDER]
set -euo pipefail
upcycle=$1
out=$2
run=${3:-$(mktemp -d)/dense}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/text.sh"

text=$(dictionary_text "$(dirname "$run")")
"$upcycle" tokenizer train --text "text:$text" --vocab 4096 -o "$(dirname "$run")/spiece.model"
"$upcycle" new "$run" --model "scratch:$here/config.json" --tokenizer "$(dirname "$run")/spiece.model" --data "text:$text" \
    --objective span-corruption --set text.inputs_length=128 --batch 64 --steps 1241 --seed 1 --keep 1 \
    --checkpoint-every 250 --eval-every 250 --set eval_examples=256 --schedule rsqrt --lr 0.02 --set schedule.timescale=1000 --warmup 200
"$upcycle" train "$run"
newest=$(ls -d "$run"/checkpoints/step-* | tail -n 1)
rm -rf "$out"
"$upcycle" export "$newest" -o "$out" --dtype bf16
rm -f "$out/README.md" "$out/loss.svg"
sed -i 's|"source": "text:.*"|"source": "text:gcide.txt"|' "$out/training.json"
"$upcycle" eval "$out" --data "text:$text"
