#!/usr/bin/env python3
"""Writes a log in the plain convention whose every exchange carries the same request body.

usage: make_capture.py BODY.json N OUT.jsonl [--rate R | --trace OFFSETS.txt]

Exchanges differ in their request id and their time alone: N of them, evenly spaced at R a second,
or at the offsets (seconds, one a line, as many as N) of a trace. Every one is recorded as answered,
because a replay sends only what has a usable baseline.
"""
import argparse
import datetime
import json

START = datetime.datetime(2026, 11, 2, tzinfo=datetime.timezone.utc)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("body")
    parser.add_argument("n", type=int)
    parser.add_argument("out")
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--trace")
    return parser.parse_args()


def offsets(options):
    if options.trace is None:
        return [index / options.rate for index in range(options.n)]
    with open(options.trace, encoding="utf-8") as trace:
        times = [float(line) for line in trace if line.strip()]
    if len(times) < options.n:
        raise SystemExit(f"{options.trace} has {len(times)} offsets, fewer than {options.n}")
    return times[: options.n]


def response(body):
    return {
        "id": "chatcmpl-made",
        "object": "chat.completion",
        "created": int(START.timestamp()),
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "made up"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 2, "total_tokens": 202},
    }


def line(index, offset, body):
    moment = START + datetime.timedelta(seconds=offset)
    stream = bool(body.get("stream", False))
    record = {
        "timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "request_id": f"made-{index:07}",
        "provider": "openai",
        "request": body,
        "response": response(body),
        "status": 200,
        "latency_ms": 300.0,
        "stream": stream,
    }
    if stream:
        record["ttft_ms"] = 50.0
    return json.dumps(record, separators=(",", ":"))


def main():
    options = arguments()
    with open(options.body, encoding="utf-8") as file:
        body = json.load(file)
    with open(options.out, "w", encoding="utf-8") as out:
        for index, offset in enumerate(offsets(options)):
            out.write(line(index, offset, body) + "\n")


if __name__ == "__main__":
    main()
