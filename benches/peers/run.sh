#!/usr/bin/env bash
# One run of Rehearsal as the peer harness starts it; the README beside this file has the templates.
#   run.sh prepare N BODY                    import N exchanges once, to be taken by later runs
#   run.sh closed  ADDR N C BODY             closed loop, C in flight
#   run.sh open    ADDR N C BODY RATE CSV    open loop, RATE a second
#   run.sh trace   ADDR N BODY TRACE CSV     open loop, at the offsets of TRACE
# Environment: REHEARSAL the program (default: rehearsal), PYTHON the interpreter with duckdb or
# pyarrow (default: python3), PEER_WORK where projects lie (default: a new folder, removed after).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rehearsal=${REHEARSAL:-rehearsal}
python=${PYTHON:-python3}
# In an open loop it is the schedule that decides, not a cap on what is in flight.
open_cap=8192

if [[ -n ${PEER_WORK:-} ]]; then
    work=$PEER_WORK
    mkdir -p "$work"
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# Imports into the project $1; the rest are the arguments of make_capture.py without its output.
import_made() {
    local project=$1 body=$2 n=$3
    shift 3
    mkdir -p "$project"
    "$python" "$here/make_capture.py" "$body" "$n" "$project/log.jsonl" "$@"
    "$rehearsal" -C "$project" --quiet --progress none import --from plain "$project/log.jsonl"
    rm "$project/log.jsonl"
}

prepared() { # N BODY
    local sum
    sum=$(sha256sum <"$2" | cut -c1-12)
    echo "$work/prepared-$1-$sum"
}

# A fresh project at $1 with N exchanges, from the prepared capture if there is one.
fresh() { # PROJECT N BODY
    local from
    from=$(prepared "$2" "$3")
    rm -rf "$1"
    if [[ -d $from/capture ]]; then
        mkdir -p "$1"
        cp -r "$from/capture" "$1/capture"
    else
        import_made "$1" "$3" "$2"
    fi
}

write_plan() { # PROJECT ADDR PACE CONCURRENCY
    cat >"$1/rehearsal.toml" <<PLAN
version = 1

[incumbent]
provider = "openai"

[[candidate]]
name = "peer"
protocol = "openai_chat"
base_url = "http://$2/v1"
models = { "*" = "llmsim" }
max_output_tokens = 1024
prices = { input = "0 USD/1M", output = "0 USD/1M" }

[replay]
pace = $3
concurrency = $4
budget = "1 USD"
retries = 0
seed = 1

[[criterion]]
metric = "error_rate"
max = "1%"
PLAN
}

replay() { # PROJECT ADDR PACE CONCURRENCY
    write_plan "$@"
    ulimit -n "$(ulimit -Hn)" || true
    "$rehearsal" -C "$1" --quiet --progress none --run bench replay --yes
}

mode=${1:-}
shift || usage
case $mode:$# in
prepare:2)
    [[ -n ${PEER_WORK:-} ]] || { echo "prepare needs PEER_WORK" >&2; exit 2; }
    target=$(prepared "$1" "$2")
    rm -rf "$target"
    import_made "$target" "$2" "$1"
    ;;
closed:4)
    fresh "$work/closed" "$2" "$4"
    replay "$work/closed" "$1" '"closed"' "$3"
    ;;
open:6)
    fresh "$work/open" "$2" "$4"
    replay "$work/open" "$1" "{ rate = \"$5/s\" }" "$open_cap"
    "$python" "$here/to_csv.py" "$work/open" bench >"$6"
    ;;
trace:5)
    rm -rf "$work/trace"
    import_made "$work/trace" "$3" "$2" --trace "$4"
    replay "$work/trace" "$1" '{ open = { speed = 1.0 } }' "$open_cap"
    "$python" "$here/to_csv.py" "$work/trace" bench >"$5"
    ;;
*) usage ;;
esac
