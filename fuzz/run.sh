#!/usr/bin/env bash
# Fuzzes every target for some seconds, one line each; stops at the first crash.
#
#   fuzz/run.sh [SECONDS] [TARGET...]       default: 60 seconds, all targets
#
# Install once:
#   cargo install cargo-fuzz --locked
#   A C++ compiler is needed too (libFuzzer is built from source). Sanitizers are options of rustc
#   that only nightly takes; RUSTC_BOOTSTRAP=1, which this script sets, lets the stable toolchain
#   take them, so that what is fuzzed is built by the compiler that builds the project. The first
#   build takes some ten minutes.
#
# Schedule it, say every night an hour (34 targets of 100 seconds), with mail of the output if it
# fails:
#   17 2 * * *  cd /path/to/rehearsal && out=$(fuzz/run.sh 100 2>&1) || echo "$out"
#
# What the corpora found lies in fuzz/corpus and is used again by the next run; it is no part of
# the repository, nor is fuzz/artifacts, where inputs that crashed lie. The samples in
# sample-data/captures are the seeds, each file as a whole and each record of it by itself.
#
# FUZZ_KEEP_GOING=1 goes on to the next target after a crash; the exit code is 1 all the same.
set -euo pipefail

seconds=${1:-60}
shift || true
case $seconds in
    '' | *[!0-9]*) echo "usage: fuzz/run.sh [SECONDS] [TARGET...]" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1
# cargo-fuzz passes no `--jobs` on; a machine that is used otherwise keeps half of its cores.
export CARGO_BUILD_JOBS=${CARGO_BUILD_JOBS:-$((($(nproc) + 1) / 2))}

samples=sample-data/captures
corpus=fuzz/corpus
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

mapfile -t all < <(cargo fuzz list)
targets=("$@")
[ $# -gt 0 ] || targets=("${all[@]}")

# The target of a sample: the longest name of a format that the file's name begins with.
target_of() {
    local stem=$1 best="" target format
    for target in "${all[@]}"; do
        format=${target#reader_}
        [ "$format" != "$target" ] || continue
        case $stem in
            "$format" | "$format"_*) [ ${#format} -le ${#best} ] || best=$format ;;
        esac
    done
    [ -z "$best" ] || echo "reader_$best"
}

# Puts each record of a sample into a corpus, where a line is a record.
records() {
    local file=$1 folder=$2 name
    name=$(basename "$file")
    case $name in
        *.jsonl | *.log)
            awk -v to="$folder/$name." 'NF { out = to NR; print > out; close(out) }' "$file" ;;
        *.csv) # Rows over several lines come in pieces, which are seeds too.
            awk -v to="$folder/$name." 'NR == 1 { head = $0; next }
                NF { out = to NR; print head "\n" $0 > out; close(out) }' "$file" ;;
        *.gor)
            csplit --quiet --elide-empty-files --prefix "$folder/$name." "$file" '/^🐵🙈🙉$/+1' '{*}' ;;
    esac
}

for target in "${all[@]}"; do
    mkdir -p "$corpus/$target"
    if [ -d "fuzz/seeds/$target" ]; then cp fuzz/seeds/"$target"/* "$corpus/$target/"; fi
done
for file in "$samples"/*; do
    name=$(basename "$file")
    case $name in
        *.md) continue ;;
        *.toml) cp "$file" "$corpus/mapping/"; continue ;;
    esac
    target=$(target_of "${name%%.*}")
    if [ -n "$target" ]; then
        cp "$file" "$corpus/$target/"
        records "$file" "$corpus/$target"
    else
        echo "no target reads $file" >&2
    fi
    cp "$file" "$corpus/frames/"
    # Whole files would only make these slower.
    for target in secrets personal; do records "$file" "$corpus/$target"; done
done
for file in tests/fixtures/wire/*/*.{sse,json}; do
    [ ! -e "$file" ] || cp "$file" "$corpus/sse/$(basename "$(dirname "$file")")-$(basename "$file")"
done

cargo fuzz build >"$logs/build" 2>&1 || { cat "$logs/build" >&2; exit 1; }

failed=0
for target in "${targets[@]}"; do
    log=$logs/$target
    if cargo fuzz run "$target" -- -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3072 \
        -report_slow_units=3 -print_final_stats=1 -dict=fuzz/fuzz.dict >"$log" 2>&1; then
        result=ok
    else
        result=CRASH
        failed=1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$log" | tail -1)
    printf '%-28s %-5s %9s runs, %6s edges covered, slowest %ss\n' \
        "$target" "$result" "${runs:-?}" "${covered:-?}" "${slowest:-?}"
    if [ "$result" = CRASH ]; then
        # The panic and the input that led to it.
        grep -E -A3 "panicked at|ERROR: " "$log" | cut -c -400 | head -12 || true
        sed -n 's/.*Test unit written to /  artifact: /p' "$log"
        [ -n "${FUZZ_KEEP_GOING:-}" ] || exit 1
    fi
done
exit $failed
