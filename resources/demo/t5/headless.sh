#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The language demo in the terminal: plan, check, new, train, watch, eval, export, and a closing table.
# usage: headless.sh UPCYCLE DENSE-CHECKPOINT [FOLDER FOR THE RUN]
set -euo pipefail
upcycle=$1
dense=$2
out=${3:-$(mktemp -d "${TMPDIR:-/tmp}/upcycler-t5-demo-XXXXXX")}
run=$out/run
steps=${UPCYCLER_DEMO_STEPS:-300}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
. "$here/../common.sh"
. "$here/text.sh"

say "1. Text: the dictionary of dict-gcide; the checkpoint brings its tokenizer"
text=text:$(dictionary_text "$out")

say "2. Plan: every other MLP becomes 8 experts, Expert Choice in the encoder, Top-2 in the decoder"
show plan "$dense" -o "$out/plan.json" --preset paper --experts 8

say "3. Check: does the upcycled model still compute the dense function?"
show convert "$dense" --plan "$out/plan.json" -o "$out/step0"
show check "$dense" "$out/step0" --data "$text"

say "4. Train: span corruption, the dense run's schedule continued and cooled down"
job="--data $text --steps $steps --set eval_examples=256 --set schedule.cooldown=$((steps * 3 / 4))"
# shellcheck disable=SC2086
show new "$run" --model "$dense" --plan "$out/plan.json" $job --eval-every $((steps / 2))
train_watched "$run"

say "5. The baseline: the dense model continued by the same job, without experts"
# shellcheck disable=SC2086
show new "$out/dense-run" --model "$dense" $job
"$upcycle" train "$out/dense-run"

say "6. Evaluate on the held-out text: dense, dense continued, upcycled"
"$upcycle" eval "$dense" --data "$text" --json >"$out/dense.json"
"$upcycle" eval "$out/dense-run" --data "$text" --json >"$out/continued.json"
"$upcycle" eval "$run" --data "$text" --json >"$out/upcycled.json"

say "7. Export, read back, compute again"
show export "$run" -o "$out/export"
"$upcycle" eval "$out/export" --data "$text" --json >"$out/export.json"
"$upcycle" inspect "$dense" --json >"$out/dense-inspect.json"
"$upcycle" inspect "$out/export" --json >"$out/export-inspect.json"

same=no
[ "$(number "$out/upcycled.json" loss)" = "$(number "$out/export.json" loss)" ] && same=yes
parameters=$(number "$out/dense-inspect.json" parameters)

say "The demo in one table"
row "" dense "dense continued" upcycled
row "parameters" "$parameters" "$parameters" "$(number "$out/export-inspect.json" parameters)"
row "held-out loss" "$(loss dense)" "$(loss continued)" "$(loss upcycled)"
row "held-out token accuracy" "$(accuracy dense)" "$(accuracy continued)" "$(accuracy upcycled)"
row "load balance (worst CV)" - - "$(LC_ALL=C printf '%.3f' "$(last_routers "$run" 4 cv)")"
row "tokens no expert took" - - "$(percent "$(last_routers "$run" 4 unrouted)")"
row "export computes the same" - - "$same"
printf '\nrun     %s\nexport  %s\n' "$run" "$out/export"
printf 'Look at them in the window: upcycler %s %s\n' "$run" "$out/dense-run"
