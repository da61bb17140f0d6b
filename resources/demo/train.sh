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
    --optimizer adamw --lr 2e-3 --schedule rsqrt --warmup 200 --weight-decay 0.05 --clip 1 --eval-every 468 --keep 1 --seed 1 \
    --set schedule.timescale=1000 --set optimizer.beta2=0.99 --set augmentation.flip=true \
    --set normalization.mean=0.286 --set normalization.std=0.353
"$upcycle" train "$run"
newest=$(ls -d "$run"/checkpoints/step-* | tail -n 1)
mkdir -p "$out"
cp "$newest"/* "$out"/
"$upcycle" eval "$out" --data fashion-mnist --split test
