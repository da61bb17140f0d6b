#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the pictures in this folder again: trains short runs from the demo checkpoints (three on
# images, one on the text of dict-gcide) and photographs the real window on them (ten minutes on
# two cores).   resources/screenshots/make.sh [STEPS]
set -eu
steps=${1:-300}
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/release/bin
work=$(mktemp -d)
place=/tmp/upcycler # the pictures show this path
runs=$place/runs
model=$place/vit-fashion-mnist
t5=$place/dictionary
mkdir "$place" "$runs"
trap 'rm -rf "$work" "$place"' EXIT
trap 'exit 1' HUP INT TERM
cp -r "$root/resources/demo/vit-fashion-mnist" "$model"
cp -r "$root/resources/demo/t5/dictionary" "$t5"
. "$root/resources/demo/t5/text.sh"

cmake --build "$root/build/release" --target upcycle upcycler_screenshots

# run NAME PLAN-OPTIONS...: one finished run
run() {
    name=$1
    shift
    "$bin/upcycle" plan "$model" -o "$work/$name.json" "$@" >/dev/null
    "$bin/upcycle" new "$runs/$name" --model "$model" --plan "$work/$name.json" --data fashion-mnist \
        --steps "$steps" --batch 64 --eval-every $((steps / 4)) --checkpoint-every $((steps / 2)) >/dev/null
    "$bin/upcycle" train "$runs/$name" >/dev/null 2>&1
}
run expert-choice-8 --preset paper --experts 8
run top-2-of-8 --preset paper --experts 8 --router top-k --k 2 --capacity 2.5
run dense --preset none

text=text:$(dictionary_text "$work")
"$bin/upcycle" plan "$t5" -o "$work/t5.json" --preset paper --experts 8 >/dev/null
"$bin/upcycle" new "$place/t5-dictionary" --model "$t5" --plan "$work/t5.json" --data "$text" \
    --steps "$steps" --batch 32 --eval-every $((steps / 10)) --set eval_examples=64 \
    --set schedule.cooldown=$((steps * 3 / 4)) >/dev/null
"$bin/upcycle" train "$place/t5-dictionary" >/dev/null 2>&1

# photograph RUN PICTURES...
photograph() {
    run=$1
    shift
    "$bin/upcycler_screenshots" "$model" "$runs/$run" "$work/pictures" 1280x800 "$@" 2>/dev/null
}
photograph expert-choice-8 model inspector export compare tensor-table tensor-picture
"$bin/upcycle" convert "$model" --plan "$work/expert-choice-8.json" -o "$work/moe" >/dev/null
UPCYCLER_OTHER=$work/moe photograph expert-choice-8 checkpoints
photograph top-2-of-8 train
(model=$t5 runs=$place && photograph t5-dictionary train-stacks)
QT_SCALE_FACTOR=2 photograph expert-choice-8 model
cd "$work/pictures"
for picture in model-light model-dark train-light train-dark train-stacks-light compare-light export-light \
    inspector-light inspector-dark tensor-table-dark tensor-picture-light checkpoints-light model-light@2x; do
    if command -v pngquant >/dev/null; then
        pngquant --quality 85-100 --speed 1 --force --output "$picture.png" "$picture.png" || true
    fi
    if command -v optipng >/dev/null; then optipng -quiet -o4 "$picture.png"; fi
    cp "$picture.png" "$root/resources/screenshots/"
done
ls -l "$root/resources/screenshots"
