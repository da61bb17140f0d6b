#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the demo's dense checkpoint again from nothing: a small ViT trained by this engine on Fashion-MNIST's train split with
# an inverse-square-root schedule that is not cooled down, so that training can go on where it stopped.
# usage: resources/demo/train.sh UPCYCLE OUT-FOLDER [RUN-FOLDER]
set -euo pipefail
upcycle=$1
out=$2
run=${3:-$(mktemp -d)/dense}
here=$(cd "$(dirname "$0")" && pwd)
"$upcycle" new "$run" --model "scratch:$here/config.json" --data fashion-mnist --epochs 10 --batch 128 \
    --optimizer adamw --lr 1e-3 --schedule rsqrt --warmup 300 --weight-decay 0.05 --clip 1 --eval-every 469 --keep 1 --seed 1 \
    --set schedule.timescale=1000 --set augmentation.crop_padding=2 --set augmentation.flip=true
"$upcycle" train "$run"
newest=$(ls -d "$run"/checkpoints/step-* | tail -n 1)
mkdir -p "$out"
cp "$newest"/* "$out"/
"$upcycle" eval "$out" --data fashion-mnist --split test
