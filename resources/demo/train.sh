#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the demo's dense checkpoint again from nothing: a small ViT trained by this engine on Fashion-MNIST's train split, 20 epochs
# with flips on an inverse-square-root schedule that is not cooled down, so that training can go on where it stopped. About half an
# hour on one thread; repeating it with the same program on the same kind of machine gives the same bits.
# usage: resources/demo/train.sh UPCYCLE OUT-FOLDER [RUN-FOLDER]
set -euo pipefail
upcycle=$1
out=$2
run=${3:-$(mktemp -d)/dense}
here=$(cd "$(dirname "$0")" && pwd)

"$upcycle" new "$run" --model "scratch:$here/config.json" --data fashion-mnist --batch 128 --steps 9360 --seed 1 --keep 1 \
    --checkpoint-every 468 --eval-every 936 --optimizer adamw --set optimizer.beta2=0.99 --weight-decay 0.05 --clip 1 \
    --schedule rsqrt --lr 2e-3 --warmup 200 --set schedule.timescale=400 \
    --set normalization.mean=0.286 --set normalization.std=0.353 --set augmentation.flip=true
"$upcycle" train "$run" --threads 1
newest=$(ls -d "$run"/checkpoints/step-* | tail -n 1)
mkdir -p "$out"
cp "$newest"/* "$out"/
"$upcycle" eval "$out" --data fashion-mnist --split test
