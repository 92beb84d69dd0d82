"""A project with one source that is pushed to, for tests: where it listens, what became records and what did not."""
import json
import re

import tailrace

SQL = """
CREATE STREAMING TABLE events AS SELECT key, value, offset FROM STREAM t;
"""


def project(folder, use, options, format="json", key=None):
    source = {"name": "input", "topic": "t", "use": use, use: options} | ({"key": key} if key else {})
    return tailrace.with_sql(folder, SQL, json.dumps({
        "topics": {"t": {"partitions": 1, "format": format}},
        "ingest": [source], "checkpoint": {"every": "200ms"}}))


def why(made):
    return made.hops()["fetched.input"]["why"]


def port(made, transport="tcp"):
    found = tailrace.wait_until(lambda: re.search(transport + r" 127\.0\.0\.1:(\d+)", why(made)), "the address")
    return int(found.group(1))


def values(made):
    """In the order of the topic."""
    rows = made.sql("SELECT value FROM events ORDER BY offset")
    return [row["value"] for row in rows]


def letters(made):
    """(reason, origin, record) of each dead letter, in the order in which they came."""
    rows = made.sql("SELECT reason, origin, record FROM system.dead_letters ORDER BY id")
    return [(row["reason"], row["origin"], row["record"]) for row in rows]


def wait_for(made, count, what="records"):
    return tailrace.wait_until(lambda: (lambda v: v if len(v) >= count else None)(values(made)), f"{count} {what}")
