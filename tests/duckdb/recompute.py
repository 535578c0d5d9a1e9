#!/usr/bin/env python3
"""Recomputes the figures of a report with DuckDB, from the Parquet files alone.

Usage: recompute.py PROJECT_DIR [RUN_ID]

Reads `runs/<id>/report.json` (by default of the latest run), computes its figures a second time
with SQL of its own, and compares: counts and money exactly, percentiles to a relative 1e-9. None
of the program's queries is used. Exits 0 when everything agrees, 1 on a difference or when
nothing was compared, 2 when the files cannot be read.
"""

import json
import math
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb

RELATIVE = 1e-9
PERCENTILES = [0.5, 0.9, 0.95, 0.99]
SHOWN = 20

# The closed set of src/chat/error_class.rs, written down a second time on purpose.
RATE_LIMIT = {"rate_limit_requests", "rate_limit_tokens", "rate_limit_other", "quota_exhausted"}
CONFIG = {"auth", "permission", "not_found", "invalid_request", "context_length",
          "payload_too_large", "billing"}
UNCERTAIN = {"uncertain"}


def quoted(words):
    return ", ".join(f"'{word}'" for word in sorted(words))


def number(value):
    """A JSON number, or one of the texts that stand for infinity; None when unknown."""
    if value is None:
        return None
    if isinstance(value, str):
        return {"Infinity": math.inf, "-Infinity": -math.inf}[value]
    return float(value)


def type1(ordered, p):
    """The smallest value whose cumulative share is at least p; None of nothing."""
    n = len(ordered)
    if n == 0:
        return None
    # Exact: the percentiles have two digits, so p * n >= rank is a question of integers.
    hundredths = round(p * 100)
    rank = -(-n * hundredths // 100)
    return ordered[max(rank, 1) - 1]


class Comparison:
    def __init__(self):
        self.differences = []
        self.compared = 0

    def group(self, name, reported, computed, close=frozenset()):
        """Compares two maps of key to {field: value}; fields in `close` to a relative 1e-9."""
        count = 0
        before = len(self.differences)
        for key in sorted(set(reported) | set(computed), key=str):
            if key not in reported or key not in computed:
                side = "report" if key in reported else "DuckDB"
                row = reported.get(key, computed.get(key))
                self.differences.append(f"{name} {key}: only in {side}: {row}")
                continue
            left, right = reported[key], computed[key]
            if set(left) != set(right):
                self.differences.append(f"{name} {key}: fields {sorted(left)} and {sorted(right)}")
                continue
            for field in left:
                count += 1
                if not same(left[field], right[field], field in close):
                    self.differences.append(
                        f"{name} {key} {field}: report {left[field]!r}, DuckDB {right[field]!r}")
        self.compared += count
        wrong = len(self.differences) - before
        print(f"{name}: {count} figures compared, {'all equal' if not wrong else f'{wrong} differ'}")


def same(left, right, close):
    if left is None or right is None:
        return left is None and right is None
    if left == right:
        return True
    return close and math.isclose(left, right, rel_tol=RELATIVE, abs_tol=0.0)


def rows(connection, sql):
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def keyed(table, keys, fields=None):
    """Rows as a map; a key that comes twice is an error, not an overwriting."""
    found = {}
    for row in table:
        key = tuple(row[name] for name in keys)
        if key in found:
            raise SystemExit(f"error: two rows for {key}")
        found[key] = {name: row[name] for name in (fields or set(row) - set(keys))}
    return found


def literal(path):
    return "'" + str(path).replace("'", "''") + "'"


def open_tables(project, run):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    manifest = json.loads((run / "run.json").read_text())
    connection.execute(
        f"CREATE TABLE capture AS SELECT * FROM read_parquet({literal(project / 'capture/*.parquet')})")
    connection.execute(
        f"CREATE TABLE planned AS SELECT * FROM read_parquet({literal(run / 'planned.parquet')})")
    connection.execute(
        f"CREATE TABLE raw AS SELECT * FROM read_parquet({literal(run / 'results/*.parquet')})")
    connection.execute(f"""
        CREATE TABLE attempts AS
        SELECT *, CASE WHEN error_class IS NULL THEN 'none'
                       WHEN error_class IN ({quoted(RATE_LIMIT)}) THEN 'rate_limit'
                       WHEN error_class IN ({quoted(CONFIG)}) THEN 'config'
                       WHEN error_class IN ({quoted(UNCERTAIN)}) THEN 'uncertain'
                       ELSE 'failure' END AS kind
        FROM raw""")
    connection.execute("CREATE TABLE repeats AS SELECT unnest(range(1, ? + 1)) AS repeat",
                       [manifest["repeats"]])
    # One row per exchange that was to be sent, and what its attempts say of it.
    connection.execute("""
        CREATE TABLE sent AS
        SELECT arm, ordinal, repeat, count(*) AS attempts,
               count(*) FILTER (kind <> 'uncertain') AS known,
               count(*) FILTER ("final" AND kind <> 'uncertain') AS ended,
               sum(cost_nanousd)::BIGINT AS cost, bool_or(cost_estimated) AS estimated
        FROM attempts GROUP BY ALL""")
    connection.execute("""
        CREATE TABLE states AS
        SELECT p.arm, r.repeat, p.ordinal, p.excluded_reason,
               CASE WHEN p.excluded_reason IS NOT NULL THEN 'excluded'
                    WHEN s.ended > 0 THEN 'done'
                    WHEN s.known > 0 THEN 'failed'
                    WHEN s.attempts > 0 THEN 'uncertain'
                    ELSE 'not_sent' END AS state, s.cost, s.estimated
        FROM planned p CROSS JOIN repeats r
        LEFT JOIN sent s ON s.arm = p.arm AND s.ordinal = p.ordinal AND s.repeat = r.repeat""")
    return connection


def coverage(check, db, report):
    states = ["done", "failed", "uncertain", "not_sent"]
    counts = ", ".join(f"count(*) FILTER (state = '{state}') AS {state}" for state in states)
    computed = keyed(rows(db, f"""
        SELECT arm, repeat, count(*) AS captured,
               count(*) FILTER (excluded_reason IS NULL) AS planned, {counts}
        FROM states GROUP BY ALL"""), ["arm", "repeat"])
    fields = ["captured", "planned", *states]
    check.group("coverage", keyed(report["verdict"]["coverage"], ["arm", "repeat"], fields), computed)
    excluded = {(row["arm"], row["repeat"], reason): {"exchanges": count}
                for row in report["verdict"]["coverage"] for reason, count in row["excluded"].items()}
    check.group("excluded by reason", excluded, keyed(rows(db, """
        SELECT arm, repeat, excluded_reason, count(*) AS exchanges FROM states
        WHERE excluded_reason IS NOT NULL GROUP BY ALL"""), ["arm", "repeat", "excluded_reason"]))
    models = {(name,): {"exchanges": n} for name, n in report["capture"]["models"].items()}
    check.group("captured models", models, keyed(rows(
        db, "SELECT request_model, count(*) AS exchanges FROM capture GROUP BY ALL"),
        ["request_model"]))
    captured = rows(db, "SELECT count(*) AS exchanges FROM capture")[0]
    check.group("captured", {(): {"exchanges": report["capture"]["exchanges"]}}, {(): captured})


def attempts(check, db, report):
    """The slices of errors over time add up to all attempts and failures of an arm."""
    reported = {}
    for bucket in report["errors_over_time"]:
        sums = reported.setdefault((bucket["arm"],), {"attempts": 0, "errors": 0})
        sums["attempts"] += bucket["attempts"]
        sums["errors"] += bucket["errors"]
    check.group("attempts", reported, keyed(rows(db, """
        SELECT arm, count(*) AS attempts, count(error_class) AS errors
        FROM attempts GROUP BY ALL"""), ["arm"]))
    check.group("error classes", keyed(report["error_classes"], ["arm", "error_class"]), keyed(
        rows(db, """
        SELECT arm, error_class, count(*) FILTER ("first") AS first_attempts, count(*) AS attempts
        FROM attempts WHERE error_class IS NOT NULL GROUP BY ALL"""), ["arm", "error_class"]))


def latency(check, db, report):
    # Infinite: failed. Absent: the measure does not exist for the exchange, or it says nothing.
    values = rows(db, f"""
        WITH replayed AS (
            SELECT a.arm, c.request_model AS model, a.kind, coalesce(c.stream, FALSE) AS stream,
                   a.latency_ms, a.ttft_ms, a.tpot_ms,
                   CASE WHEN f.ordinal IS NULL THEN NULL
                        WHEN f.error_class IS NOT NULL THEN 'Infinity'::DOUBLE
                        ELSE date_diff('microsecond', a.sent_at, f.sent_at) / 1000.0::DOUBLE + f.latency_ms
                   END AS with_retries
            FROM attempts a JOIN capture c USING (ordinal)
            JOIN planned p ON p.arm = a.arm AND p.ordinal = a.ordinal
            LEFT JOIN attempts f ON f."final" AND f.arm = a.arm AND f.ordinal = a.ordinal
                 AND f.repeat = a.repeat
            WHERE a."first" AND a.kind IN ('none', 'failure')
        ), logged AS (
            SELECT 'incumbent' AS arm, request_model AS model,
                   CASE WHEN error_class IS NULL THEN 'none' ELSE 'failure' END AS kind,
                   coalesce(stream, FALSE) AS stream, latency_ms, ttft_ms,
                   NULL::DOUBLE AS tpot_ms, NULL::DOUBLE AS with_retries
            FROM capture
            WHERE latency_baseline_ok
              AND (error_class IS NULL
                   OR error_class NOT IN ({quoted(RATE_LIMIT | CONFIG | UNCERTAIN)}))
              AND (error_class IS NOT NULL OR latency_ms IS NOT NULL)
        ), everything AS (FROM replayed UNION ALL FROM logged),
        measured AS (
            SELECT arm, model, 'latency_ms' AS measure, kind, latency_ms AS value, with_retries
            FROM everything
            UNION ALL
            SELECT arm, model, 'ttft_ms', kind, ttft_ms, NULL FROM everything WHERE stream
            UNION ALL
            SELECT arm, model, 'tpot_ms', kind, tpot_ms, NULL FROM everything
            WHERE stream AND arm <> 'incumbent'
        ), judged AS (
            SELECT arm, model, measure,
                   CASE kind WHEN 'failure' THEN 'Infinity'::DOUBLE ELSE value END AS value,
                   with_retries
            FROM measured WHERE kind = 'failure' OR value IS NOT NULL
        )
        SELECT arm, m.model AS model, measure, count(*) AS n,
               count(*) FILTER (isinf(value)) AS failures,
               list(value ORDER BY value) AS ordered,
               list(value ORDER BY value) FILTER (NOT isinf(value)) AS successes,
               list(with_retries ORDER BY with_retries)
                   FILTER (with_retries IS NOT NULL) AS with_retries
        FROM judged j CROSS JOIN LATERAL (SELECT unnest(['(all)', j.model]) AS model) m
        GROUP BY arm, m.model, measure""")
    computed_counts, computed = {}, {}
    for row in values:
        key = (row["arm"], row["model"], row["measure"])
        computed_counts[key] = {"n": row["n"], "failures": row["failures"]}
        for name, ordered in (("all", row["ordered"]), ("successes", row["successes"]),
                              ("with retries", row["with_retries"])):
            for p in PERCENTILES:
                computed[(*key, name, p)] = {"value": type1(ordered or [], p)}
    reported_counts, reported = {}, {}
    for series in report["latency"]:
        key = (series["arm"], series["model"], series["measure"])
        reported_counts[key] = {"n": series["n"], "failures": series["failures"]}
        for name, field in (("all", "percentiles"), ("successes", "success_percentiles"),
                            ("with retries", "with_retries_percentiles")):
            for percentile in series[field]:
                reported[(*key, name, percentile["p"])] = {"value": number(percentile["value"])}
    check.group("latency counts and failures", reported_counts, computed_counts)
    check.group("latency percentiles", reported, computed, close={"value"})


def tokens(check, db, report):
    sums = ", ".join(
        f"coalesce(sum(t.{name}), 0)::BIGINT AS {name}"
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens",
                     "reasoning_output_tokens"))
    check.group("tokens", keyed(report["tokens"], ["arm", "model"]), keyed(rows(db, f"""
        SELECT t.arm, c.request_model AS model, count(*) AS exchanges, {sums}
        FROM attempts t JOIN capture c USING (ordinal)
        WHERE t."final" AND t.output_tokens IS NOT NULL GROUP BY ALL
        UNION ALL
        SELECT 'incumbent', t.request_model, count(*), {sums.replace(' AS ', ' AS i_')}
        FROM capture t
        WHERE t.output_tokens IS NOT NULL AND t.latency_baseline_ok AND t.error_class IS NULL
        GROUP BY ALL"""), ["arm", "model"]))


def nanousd(usd):
    """Dollars of the report as whole nano-dollars."""
    return int(Decimal(repr(usd)).scaleb(9).to_integral_value(ROUND_HALF_UP))


def money(check, db, report):
    stated = report["verdict"]["money"]
    spent = rows(db, """
        SELECT arm, coalesce(sum(cost_nanousd), 0)::BIGINT AS spent,
               coalesce(sum(reserved_nanousd) FILTER (kind = 'uncertain'), 0)::BIGINT AS uncertain
        FROM attempts GROUP BY ALL""")
    check.group("money", {("spent",): {"nanousd": stated["spent_nanousd"]},
                          ("uncertain",): {"nanousd": stated["uncertain_nanousd"]},
                          **{("arm", arm): {"nanousd": n} for arm, n in stated["arms"].items()}},
                {("spent",): {"nanousd": sum(row["spent"] for row in spent)},
                 ("uncertain",): {"nanousd": sum(row["uncertain"] for row in spent)},
                 **{("arm", row["arm"]): {"nanousd": row["spent"]} for row in spent}})
    computed = keyed(rows(db, """
        SELECT arm, count(*) AS exchanges, sum(cost)::BIGINT AS cost,
               coalesce(sum(cost) FILTER (estimated), 0)::BIGINT AS estimated
        FROM states WHERE state = 'done' AND cost IS NOT NULL GROUP BY ALL"""), ["arm"])
    reported = {(row["arm"],): {"exchanges": row["exchanges"], "cost": nanousd(row["cost_usd"]),
                                "estimated": nanousd(row["estimated_usd"])}
                for row in report["cost"]}
    incumbent = incumbent_cost(db, report)
    if incumbent is None:
        reported.pop(("incumbent",), None)
        print("cost of the incumbent: left out, its prices are not in the report alone")
    elif incumbent["exchanges"]:
        computed[("incumbent",)] = incumbent
    check.group("cost", reported, computed)


def usd_per_million(text):
    """`2.00 USD/1M` or `2.00` as a number."""
    return Decimal(text.split()[0].lstrip("$"))


def incumbent_cost(db, report):
    """The captured exchanges at the report's prices; None where these do not suffice."""
    prices = {row["model"]: (usd_per_million(row["input_usd_per_million"]),
                             usd_per_million(row["output_usd_per_million"]))
              for row in report["prices"] if row["arm"] == "incumbent"}
    captured = rows(db, """
        SELECT request_model, input_tokens, output_tokens, cost_nanousd,
               coalesce(cache_read_input_tokens, 0) + coalesce(cache_creation_input_tokens, 0)
                   + coalesce(reasoning_output_tokens, 0) AS special
        FROM capture WHERE latency_baseline_reason IS DISTINCT FROM 'cache_hit'""")
    total, known = 0, 0
    for row in captured:
        if row["input_tokens"] is None or row["output_tokens"] is None:
            cost = row["cost_nanousd"]
        elif row["special"] or row["input_tokens"] > 100_000 or row["request_model"] not in prices:
            return None
        else:
            into, out = prices[row["request_model"]]
            exact = (into * row["input_tokens"] + out * row["output_tokens"]) * 1000
            cost = int(exact.to_integral_value(ROUND_HALF_UP))
        if cost is not None:
            known += 1
            total += cost
    return {"exchanges": known, "cost": total, "estimated": 0}


def losses(check, db, report):
    computed = rows(db, """
        WITH list AS (
            SELECT arm, ordinal, unnest(from_json(losses::JSON, '["JSON"]')) AS loss
            FROM planned WHERE losses IS NOT NULL
        ), prepared AS (
            SELECT arm, count(*) AS prepared FROM planned
            WHERE excluded_reason IS NULL OR excluded_reason = 'untranslatable' GROUP BY arm
        )
        SELECT arm, loss->>'feature' AS feature, loss->>'action' AS action,
               loss->>'severity' AS severity, count(DISTINCT ordinal) AS requests,
               count(DISTINCT ordinal) / any_value(prepared)::DOUBLE AS share
        FROM list JOIN prepared USING (arm) GROUP BY 1, 2, 3, 4""")
    keys = ["arm", "feature", "action", "severity"]
    check.group("losses", keyed(report["losses"], keys), keyed(computed, keys), close={"share"})


def exact_agreement(check, db, report):
    """Share of answers that differ by a byte from the captured ones; the one measure that SQL
    can compute without the program's own functions."""
    arms = {row["arm"]: row for row in report["consistency"] if row["measure"] == "exact"}
    computed = keyed(rows(db, """
        SELECT a.arm, count(*) AS n,
               avg(CASE WHEN coalesce(a.response_text, '') = coalesce(c.response_text, '')
                        THEN 0.0::DOUBLE ELSE 1.0::DOUBLE END) AS disagreement
        FROM attempts a JOIN capture c USING (ordinal)
        JOIN planned p ON p.arm = a.arm AND p.ordinal = a.ordinal
        WHERE a."final" AND a.error_class IS NULL AND c.error_class IS NULL
          AND c.content_state IN ('complete', 'pseudonymised')
          AND (c.response_text IS NOT NULL OR c.tool_calls IS NOT NULL)
        GROUP BY ALL"""), ["arm"])
    reported = {(arm,): {"n": row["n"], "disagreement": row["disagreement"]}
                for arm, row in arms.items() if row["n"]}
    check.group("exact disagreement", reported, computed, close={"disagreement"})


def load(check, db, report):
    """Slip against the schedule, and counts and percentiles by step of a ramp."""
    found = report.get("load")
    if found is None:
        print("load: left out, the replay was a closed loop")
        return
    firsts = """
        SELECT a.arm, a.kind, a.queue_ms, a.load_step,
               CASE a.kind WHEN 'none' THEN a.latency_ms
                           WHEN 'failure' THEN 'Infinity'::DOUBLE END AS judged,
               CASE WHEN NOT coalesce(c.stream, FALSE) THEN NULL
                    WHEN a.kind = 'none' THEN a.ttft_ms
                    WHEN a.kind = 'failure' THEN 'Infinity'::DOUBLE END AS ttft,
               CASE a.kind WHEN 'none' THEN a.latency_ms END AS answered
        FROM attempts a JOIN capture c USING (ordinal)
        WHERE a."first" AND NOT a.warm_up"""
    computed = {}
    for row in rows(db, f"""
            SELECT arm, list(queue_ms ORDER BY queue_ms) AS slips,
                   list(answered ORDER BY answered) FILTER (answered IS NOT NULL) AS answered,
                   list(judged ORDER BY judged) FILTER (judged IS NOT NULL) AS judged,
                   list(judged + queue_ms ORDER BY judged + queue_ms)
                       FILTER (judged IS NOT NULL) AS scheduled
            FROM ({firsts}) GROUP BY arm"""):
        median = type1(row["answered"] or [], 0.5)
        late = 0 if median is None else sum(slip > 0.05 * median for slip in row["slips"])
        computed[(row["arm"],)] = {
            "attempts": len(row["slips"]), "late": late, "late_share": late / len(row["slips"]),
            "slip_p50_ms": type1(row["slips"], 0.5), "slip_p99_ms": type1(row["slips"], 0.99),
            "slip_max_ms": row["slips"][-1], "from_sent_p99_ms": type1(row["judged"] or [], 0.99),
            "from_schedule_p99_ms": type1(row["scheduled"] or [], 0.99)}
    fields = ["attempts", "late"]
    durations = ["late_share", "slip_p50_ms", "slip_p99_ms", "slip_max_ms", "from_sent_p99_ms",
                 "from_schedule_p99_ms"]
    reported = {(row["arm"],): {**{name: row[name] for name in fields},
                                **{name: number(row[name]) for name in durations}}
                for row in found["slip"]}
    check.group("schedule slip", reported, computed, close=set(durations))
    computed = {}
    for row in rows(db, f"""
            SELECT arm, load_step AS step, count(*) AS attempts, count(judged) AS n,
                   count(*) FILTER (kind = 'failure') AS failures,
                   count(*) FILTER (kind = 'rate_limit') AS rate_limited,
                   list(judged ORDER BY judged) FILTER (judged IS NOT NULL) AS latency,
                   list(ttft ORDER BY ttft) FILTER (ttft IS NOT NULL) AS ttft
            FROM ({firsts}) WHERE load_step IS NOT NULL GROUP BY ALL"""):
        computed[(row["arm"], row["step"])] = {
            **{name: row[name] for name in ("attempts", "n", "failures", "rate_limited")},
            "percentiles": [type1(row[name] or [], p)
                            for name in ("latency", "ttft") if row[name] or name == "latency"
                            for p in (0.5, 0.95, 0.99)]}
    reported = {(row["arm"], row["step"]): {
        **{name: row[name] for name in ("attempts", "n", "failures", "rate_limited")},
        "percentiles": [number(one["value"]) for one in row["latency"] + row["ttft"]]}
        for row in found["steps"]}
    check.group("steps of the ramp", reported, computed)


def latest(runs):
    with_report = [run for run in runs.iterdir() if (run / "report.json").is_file()]
    if not with_report:
        raise FileNotFoundError(f"no report.json under {runs}")
    started = lambda run: (json.loads((run / "run.json").read_text())["started_at"], run.name)
    return max(with_report, key=started)


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    project = Path(arguments[0])
    try:
        run = project / "runs" / arguments[1] if len(arguments) == 2 else latest(project / "runs")
        report = json.loads((run / "report.json").read_text())
        db = open_tables(project, run)
    except (OSError, ValueError, duckdb.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"run {run.name}, DuckDB {duckdb.__version__}")
    check = Comparison()
    for compare in (coverage, attempts, latency, tokens, money, losses, exact_agreement, load):
        compare(check, db, report)
    for difference in check.differences[:SHOWN]:
        print(f"differs: {difference}")
    if len(check.differences) > SHOWN:
        print(f"and {len(check.differences) - SHOWN} more")
    if check.compared == 0:
        print("error: nothing was compared", file=sys.stderr)
        return 1
    print(f"{check.compared} figures compared, {len(check.differences)} differences")
    return 1 if check.differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
