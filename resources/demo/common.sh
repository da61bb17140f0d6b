# SPDX-License-Identifier: Apache-2.0
# What the demos' scripts share; expects $upcycle and $out.

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ upcycle %s\n' "$*"; "$upcycle" "$@"; }

# number FILE KEY: the first number under KEY in a JSON file.
number() { sed -n "s/.*\"$2\": *\([-0-9.e+]*\).*/\1/p" "$1" | head -n 1; }
# last_routers RUN BLOCKS KEY: the largest of a router statistic in the last events of that many blocks.
last_routers() {
    grep '"event": *"router"' "$1/events.jsonl" | tail -n "$2" | sed -n "s/.*\"$3\": *\([-0-9.e+]*\).*/\1/p" | sort -g | tail -n 1
}

# train_watched RUN: trains while its events are shown.
train_watched() {
    "$upcycle" train "$1" 2>"$out/train.log" &
    trainer=$!
    trap 'kill "$trainer" 2>/dev/null || true' EXIT
    show watch "$1"
    wait "$trainer" || { cat "$out/train.log" >&2; exit 1; }
    trap - EXIT
}

percent() { LC_ALL=C awk -v x="$1" 'BEGIN { printf "%.2f%%", 100 * x }'; }
row() { LC_ALL=C printf '%-26s %12s %16s %12s\n' "$@"; }
accuracy() { percent "$(number "$out/$1.json" accuracy)"; }
loss() { LC_ALL=C printf '%.4f' "$(number "$out/$1.json" loss)"; }
