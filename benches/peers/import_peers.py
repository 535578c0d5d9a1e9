#!/usr/bin/env python3
"""An import beside the tools that people use for JSON today, in one run.

    import_peers.py LOG.jsonl [--runs N] [--rehearsal PATH]

LOG holds LiteLLM payloads, one a line (`cargo bench --bench import` says how to keep its own).
Each tool reads the log and writes Parquet with zstd, in a process of its own, in turns; the peers
take the fifteen fields that a comparison needs, Rehearsal all of its columns, with the hashes, the
search for secrets and the removal of duplicates. Needs the Python packages duckdb and polars.
"""
import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time

DUCKDB = """
import duckdb, sys
columns = {'id': 'VARCHAR', 'model': 'VARCHAR', 'status': 'VARCHAR', 'stream': 'BOOLEAN',
    'prompt_tokens': 'BIGINT', 'completion_tokens': 'BIGINT', 'response_cost': 'DOUBLE',
    'startTime': 'DOUBLE', 'endTime': 'DOUBLE', 'completionStartTime': 'DOUBLE',
    'messages': 'STRUCT(role VARCHAR, content VARCHAR)[]',
    'response': 'STRUCT(choices STRUCT(finish_reason VARCHAR, message STRUCT(role VARCHAR, content VARCHAR))[])',
    'metadata': 'STRUCT(user_api_key_alias VARCHAR, requester_metadata STRUCT(route VARCHAR))'}
connection = duckdb.connect()
connection.execute('SET threads = ' + sys.argv[3])
connection.execute(f'''COPY (SELECT id, model, status, stream, prompt_tokens, completion_tokens,
    response_cost, startTime, endTime, completionStartTime, messages,
    response.choices[1].finish_reason AS finish_reason,
    response.choices[1].message.content AS answer, metadata.user_api_key_alias AS team,
    metadata.requester_metadata.route AS route
    FROM read_ndjson('{sys.argv[1]}', columns = {columns}))
    TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd)''')
"""

POLARS = """
import os, sys
os.environ['POLARS_MAX_THREADS'] = sys.argv[3]
import polars as pl
message = pl.Struct({'role': pl.String, 'content': pl.String})
schema = {'id': pl.String, 'model': pl.String, 'status': pl.String, 'stream': pl.Boolean,
    'prompt_tokens': pl.Int64, 'completion_tokens': pl.Int64, 'response_cost': pl.Float64,
    'startTime': pl.Float64, 'endTime': pl.Float64, 'completionStartTime': pl.Float64,
    'messages': pl.List(message),
    'response': pl.Struct({'choices': pl.List(pl.Struct({'finish_reason': pl.String, 'message': message}))}),
    'metadata': pl.Struct({'user_api_key_alias': pl.String,
        'requester_metadata': pl.Struct({'route': pl.String})})}
choice = pl.col('response').struct.field('choices').list.first()
metadata = pl.col('metadata').struct
(pl.scan_ndjson(sys.argv[1], schema=schema)
    .select('id', 'model', 'status', 'stream', 'prompt_tokens', 'completion_tokens',
        'response_cost', 'startTime', 'endTime', 'completionStartTime', 'messages',
        choice.struct.field('finish_reason'),
        choice.struct.field('message').struct.field('content').alias('answer'),
        metadata.field('user_api_key_alias').alias('team'),
        metadata.field('requester_metadata').struct.field('route'))
    .sink_parquet(sys.argv[2], compression='zstd'))
"""


def timed(command):
    """Wall seconds, CPU seconds and peak MB of a command that must succeed."""
    began = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - began
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rehearsal", default=shutil.which("rehearsal") or "target/release/rehearsal")
    options = parser.parse_args()
    threads = str(len(os.sched_getaffinity(0)))
    size = os.path.getsize(options.log) / 1e9
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "out.parquet")
        project = os.path.join(scratch, "project")
        tools = {
            "rehearsal": [options.rehearsal, "-C", project, "--progress", "none", "-q", "import", options.log],
            "duckdb": [sys.executable, "-c", DUCKDB, options.log, out, threads],
            "polars": [sys.executable, "-c", POLARS, options.log, out, threads],
        }
        for _ in range(options.runs):
            for name, command in tools.items():
                results.setdefault(name, []).append(timed(command))
                shutil.rmtree(project, ignore_errors=True)
                if os.path.exists(out):
                    os.remove(out)
    ours = statistics.median(run[0] for run in results["rehearsal"])
    print(f"{'tool':10} {'wall s':>8} {'GB/s':>6} {'CPU s':>7} {'peak MB':>8} {'wall / ours':>12}")
    for name, runs in results.items():
        wall, cpu, peak = (statistics.median(run[at] for run in runs) for at in range(3))
        print(f"{name:10} {wall:8.2f} {size / wall:6.2f} {cpu:7.2f} {peak:8.0f} {wall / ours:12.2f}")


if __name__ == "__main__":
    main()
