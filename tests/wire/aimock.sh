#!/usr/bin/env bash
# The program against @copilotkit/aimock, a server that others wrote: the formats of OpenAI (chat completions and responses),
# Anthropic and Google, whole and streamed, with 429, 500, malformed replies and lost connections among them. Every answer has to
# be there in the end and right, and then once more from the cache without the server.
#
# Usage: aimock.sh EVALGAUGE. Needs node 20 with npm, and 15 MB; says so where it cannot run.
set -euo pipefail
program=$(realpath "$1")
folder=$(mktemp -d)
server=""
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap finish EXIT

skip() {
    echo "SKIPPED aimock: $1"
    exit 0
}
command -v node >/dev/null || skip "there is no node"
command -v npm >/dev/null || skip "there is no npm"
if [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -lt 20 ]; then skip "node is older than 20"; fi
npm install --prefix "$folder/npm" --no-audit --no-fund --ignore-scripts @copilotkit/aimock@1.43.0 >"$folder/npm.log" 2>&1 ||
    skip "the package cannot be installed: $(tail -n 1 "$folder/npm.log")"

examples=60
mkdir "$folder/project"
cd "$folder/project"
{
    echo '{"fixtures": ['
    for i in $(seq -w "$examples"); do
        [ "$i" = "$(printf "%0${#examples}d" 1)" ] || echo ','
        printf '{"match": {"userMessage": "question %s"}, "response": {"content": "answer %s is here, in full"}}' "$i" "$i"
    done
    echo ']}'
} >"$folder/fixtures.json"
for i in $(seq -w "$examples"); do
    printf '{"id": "e%s", "input": "question %s", "expected": "answer %s is here, in full"}\n' "$i" "$i" "$i"
done >examples.jsonl

port=$((20000 + RANDOM % 20000))
"$folder/npm/node_modules/.bin/llmock" --port "$port" --host 127.0.0.1 --fixtures "$folder/fixtures.json" --strict \
    --log-level warn --chunk-size 5 --chaos-ratelimit 0.1 --chaos-drop 0.1 --chaos-malformed 0.1 --chaos-disconnect 0.1 \
    >"$folder/server.log" 2>&1 &
server=$!
for _ in $(seq 120); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    if ! kill -0 "$server" 2>/dev/null; then cat "$folder/server.log"; echo "aimock does not start"; exit 1; fi
    sleep 0.25
done

candidates="chat chat_stream responses responses_stream messages messages_stream gemini gemini_stream"
model() { # NAME KIND MODEL PATH STREAM
    printf '\n[candidates.%s.%s]\nmodel = "%s"\nbase_url = "http://127.0.0.1:%s/%s"\nkey_env = "MOCK_KEY"\nstream = %s\n' \
        "$1" "$2" "$3" "$port" "$4" "$5"
    printf 'timeout = 20\nparams = { max_tokens = 64 }\nretry = { attempts = 40, base = 0.01, cap = 3 }\n'
}
{
    printf 'evalset = "questions"\ncandidate = "chat"\nconcurrency = 16\n\n[scorers.right.exact]\n'
    for stream in false true; do
        if [ "$stream" = true ]; then end=_stream; else end=""; fi
        model "chat$end" openai gpt-4o-mini v1 "$stream"
        model "responses$end" openai_responses gpt-4o-mini v1 "$stream"
        model "messages$end" anthropic claude-sonnet-4-5 v1 "$stream"
        model "gemini$end" google gemini-2.5-flash v1beta "$stream"
    done
} >evalgauge.toml
export MOCK_KEY=mock-key-4711 EVALGAUGE_CACHE_DIR="$folder/cache"
"$program" evalset pin questions --from examples.jsonl --tag v1 >/dev/null

digest() { sed -n 's/.*"record_sha256": *"\([0-9a-f]*\)".*/\1/p' "$1" | head -n 1; }
count() { grep -c "$1" "$2" || true; }
faults=0
for candidate in $candidates; do
    # Whole or streamed is the same question: each has a cache of its own, so that it is asked.
    export EVALGAUGE_CACHE_DIR="$folder/cache-$candidate"
    "$program" run --candidate "$candidate" --events "$candidate.jsonl" --format json >"$candidate.json" 2>"$candidate.log" ||
        { cat "$candidate.log"; echo "$candidate: the run failed"; exit 1; }
    grep -q '"failed": *0' "$candidate.json" || { cat "$candidate.log"; echo "$candidate: examples failed"; exit 1; }
    grep -q "\"passed\": *$examples" "$candidate.json" || { echo "$candidate: answers are wrong"; exit 1; }
    failed=$(count '"event":"attempt".*"failure"' "$candidate.jsonl")
    attempts=$(count '"event":"attempt"' "$candidate.jsonl")
    [ "$attempts" = $((examples + failed)) ] || { echo "$candidate: $attempts attempts, $failed of them failed"; exit 1; }
    kinds=$(sed -n 's/.*"event":"attempt".*"failure":{"kind":"\([a-z_]*\)".*/\1/p' "$candidate.jsonl" | sort | uniq -c | tr -s ' \n' ' ')
    echo "$candidate: $examples answers, $failed failed attempts:$kinds"
    faults=$((faults + failed))
done
kill "$server"
wait "$server" 2>/dev/null || true
server=""
for candidate in $candidates; do
    export EVALGAUGE_CACHE_DIR="$folder/cache-$candidate"
    "$program" run --candidate "$candidate" --cache ro --format json >again.json 2>again.log
    [ "$(digest again.json)" = "$(digest "$candidate.json")" ] || { echo "$candidate: the cache gave other answers"; exit 1; }
done
if [ "$faults" -lt 50 ]; then echo "only $faults faults: nothing was tried again"; exit 1; fi
echo "aimock: eight ways to ask, $faults faults, every answer right, and again from the cache without it"
