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
common="--data fashion-mnist --batch 128 --optimizer adamw --schedule rsqrt --weight-decay 0.05 --clip 1 --keep 1
    --set schedule.timescale=1000 --set optimizer.beta2=0.99 --set normalization.mean=0.286 --set normalization.std=0.353"

# Two legs of one inverse-square-root schedule: fast with flips, then at a lower peak without them. Neither is cooled down.
# shellcheck disable=SC2086
"$upcycle" new "$run-1" --model "scratch:$here/config.json" --steps 849 --lr 2e-3 --warmup 200 --seed 1 --set augmentation.flip=true $common
"$upcycle" train "$run-1"
# shellcheck disable=SC2086
"$upcycle" new "$run" --model "$run-1" --steps 1079 --lr 8e-4 --warmup 0 --seed 2 --set augmentation.flip=false $common
"$upcycle" train "$run"
newest=$(ls -d "$run"/checkpoints/step-* | tail -n 1)
mkdir -p "$out"
cp "$newest"/* "$out"/
"$upcycle" eval "$out" --data fashion-mnist --split test
