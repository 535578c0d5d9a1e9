#!/usr/bin/env python3
"""Turns the attempts of a run into the CSV that the peer harness reads.

usage: to_csv.py PROJECT RUN [--offset-ns N] > client.csv

Columns: id,intended_ns,send_ns,first_ns,last_ns,chunks,ok, times in ns of CLOCK_MONOTONIC. The
README beside this file says how they are derived and how exact they are. Reads Parquet with duckdb
or pyarrow, whichever is there.
"""
import argparse
import csv
import glob
import os
import sys
import time

COLUMNS = (
    "run_id arm ordinal repeat attempt sent_at sent_mono_ns queue_ms ttft_ms latency_ms chunks"
    " error_class"
).split()


def read_with_duckdb(files):
    import duckdb

    wanted = ", ".join(f"epoch_us({name})" if name == "sent_at" else name for name in COLUMNS)
    return duckdb.execute(f"SELECT {wanted} FROM read_parquet($files)", {"files": files}).fetchall()


def read_with_pyarrow(files):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.concat_tables(pyarrow.parquet.read_table(file, columns=COLUMNS) for file in files)
    sent_at = table.column("sent_at").cast(pyarrow.int64())
    table = table.set_column(table.column_names.index("sent_at"), "sent_at", sent_at)
    return list(zip(*(table.column(name).to_pylist() for name in COLUMNS)))


def read(files):
    try:
        return read_with_duckdb(files)
    except ImportError:
        return read_with_pyarrow(files)


def wall_minus_monotonic_ns():
    """The tightest of a few readings of both clocks."""
    best = None
    for _ in range(50):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        if best is None or after - before < best[0]:
            best = (after - before, wall - (before + after) // 2)
    return best[1]


def ns(milliseconds):
    return round(milliseconds * 1e6)


def csv_row(values, offset_ns):
    row = dict(zip(COLUMNS, values))
    run = row["run_id"].replace(".", "-")
    # The wall time was derived from the monotonic one: their difference is the run's start, the
    # same to the microsecond in every row, and what is within the run stays exact.
    start_us = row["sent_at"] - row["sent_mono_ns"] // 1000
    send = start_us * 1000 - offset_ns + row["sent_mono_ns"]
    last = send + ns(row["latency_ms"])
    ok = row["error_class"] is None
    # An answer in one piece has no first token apart from its end.
    first = last if row["ttft_ms"] is None else send + ns(row["ttft_ms"])
    identifier = f"{run}.{row['arm']}.{row['ordinal']}.{row['repeat']}.{row['attempt']}"
    return identifier, send - ns(row["queue_ms"]), send, first, last, row["chunks"], int(ok)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project")
    parser.add_argument("run")
    parser.add_argument("--offset-ns", type=int, help="wall minus monotonic; default: measured now")
    options = parser.parse_args()
    folder = os.path.join(options.project, "runs", options.run, "results")
    files = sorted(glob.glob(os.path.join(glob.escape(folder), "*.parquet")))
    if not files:
        raise SystemExit(f"no results in {folder}")
    offset_ns = wall_minus_monotonic_ns() if options.offset_ns is None else options.offset_ns
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow("id intended_ns send_ns first_ns last_ns chunks ok".split())
    out.writerows(sorted((csv_row(row, offset_ns) for row in read(files)), key=lambda row: row[2]))


if __name__ == "__main__":
    main()
