#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job in the terminal: plan, check, new, train, watch, eval, export, and a closing table.
# usage: headless.sh UPCYCLE DENSE-CHECKPOINT [FOLDER FOR THE RUN]
set -euo pipefail
upcycle=$1
dense=$2
out=${3:-$(mktemp -d "${TMPDIR:-/tmp}/upcycler-demo-XXXXXX")}
run=$out/run
steps=${UPCYCLER_DEMO_STEPS:-300}
mkdir -p "$out"

. "$(dirname "$0")/common.sh"

say "1. Plan: the last half of the MLP layers become 8 experts each"
show plan "$dense" -o "$out/plan.json" --preset paper --experts 8

say "2. Check: does the upcycled model still compute the dense function?"
show convert "$dense" --plan "$out/plan.json" -o "$out/step0"
show check "$dense" "$out/step0" --data fashion-mnist

say "3. Train: Fashion-MNIST, the dense run's schedule continued and cooled down"
job="--data fashion-mnist --steps $steps --set schedule.cooldown=$((steps * 3 / 4))"
# shellcheck disable=SC2086
show new "$run" --model "$dense" --plan "$out/plan.json" $job --eval-every $((steps / 2))
train_watched "$run"

say "4. The baseline: the dense model continued by the same job, without experts"
# shellcheck disable=SC2086
show new "$out/dense-run" --model "$dense" $job
"$upcycle" train "$out/dense-run"

say "5. Evaluate on the test images: dense, dense continued, upcycled"
"$upcycle" eval "$out/dense-run" --data fashion-mnist --split test --json >"$out/continued.json"
"$upcycle" eval "$dense" --data fashion-mnist --split test --json >"$out/dense.json"
"$upcycle" eval "$run" --data fashion-mnist --split test --json >"$out/upcycled.json"

say "6. Export, read back, compute again"
show export "$run" -o "$out/export"
"$upcycle" eval "$out/export" --data fashion-mnist --split test --json >"$out/export.json"
"$upcycle" inspect "$dense" --json >"$out/dense-inspect.json"
"$upcycle" inspect "$out/export" --json >"$out/export-inspect.json"
"$upcycle" status "$run" --json >"$out/status.json"

same=no
[ "$(number "$out/upcycled.json" loss)" = "$(number "$out/export.json" loss)" ] && same=yes
worst=$(last_routers "$run" 3 cv)
unrouted=$(last_routers "$run" 3 unrouted)
parameters=$(number "$out/dense-inspect.json" parameters)

say "The demo in one table"
row "" dense "dense continued" upcycled
row "parameters" "$parameters" "$parameters" "$(number "$out/export-inspect.json" parameters)"
row "test accuracy" "$(accuracy dense)" "$(accuracy continued)" "$(accuracy upcycled)"
row "test loss" "$(loss dense)" "$(loss continued)" "$(loss upcycled)"
row "load balance (worst CV)" - - "$(LC_ALL=C printf '%.3f' "$worst")"
row "tokens no expert took" - - "$(percent "$unrouted")"
row "export computes the same" - - "$same"
printf '\nrun     %s\nexport  %s\n' "$run" "$out/export"
printf 'Look at them in the window: upcycler %s %s\n' "$run" "$out/dense-run"
