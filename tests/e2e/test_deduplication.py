"""The first record of a key wins, whatever the order records come in and however often the process is killed."""

import json
import random

import pytest
import tailrace

# `kind` is coarse: a record that gives way to an earlier one often leaves the served row as it was.
SQL = """
CREATE STREAMING TABLE events AS SELECT u.id, u.at, u.kind FROM (
  SELECT from_json(value, 'id STRING, at INT, kind STRING') AS u FROM STREAM input);
CREATE MATERIALIZED VIEW firsts AS SELECT id, kind FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY at, kind) AS nth FROM events) WHERE nth = 1;
CREATE MATERIALIZED VIEW kinds AS SELECT kind, count(*) AS ids FROM firsts GROUP BY kind;
"""


def project_of(tmp_path, inbox):
    settings = {"topics": {"input": {"format": "json", "partitions": 2}},
                "ingest": [{"name": "in", "topic": "input", "use": "files",
                            "files": {"path": str(inbox), "every": "50ms", "settle": "50ms"}}],
                "serving": {"firsts": {"table": "firsts", "key": ["id"]}, "kinds": {"table": "kinds", "key": ["kind"]}},
                "checkpoint": {"every": "50ms"}}
    return tailrace.with_sql(tmp_path, SQL, json.dumps(settings))


def firsts_of(records):
    """From nothing: the least (at, kind) of each id."""
    best = {}
    for record in records:
        best[record["id"]] = min(best.get(record["id"], (1 << 30, "")), (record["at"], record["kind"]))
    return {id: kind for id, (_, kind) in best.items()}


def counts_of(firsts):
    kinds = list(firsts.values())
    return {kind: kinds.count(kind) for kind in set(kinds)}


def served(project):
    return ({row["id"]: row["kind"] for row in project.sql("SELECT * FROM firsts")},
            {row["kind"]: row["ids"] for row in project.sql("SELECT * FROM kinds")})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_first_record_of_each_id_is_served_after_kills(tmp_path, seed):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    project = project_of(tmp_path, inbox)
    choose = random.Random(seed)
    records = []
    for number in range(8):
        # Later files hold earlier times, and times between those of before: rows give way, also after a restart.
        some = [{"id": f"i{choose.randrange(60)}", "at": 40 * (8 - number) + choose.randrange(100),
                 "kind": choose.choice("ab")} for _ in range(80)]
        part = inbox / f".{number}"
        part.write_text("".join(json.dumps(record) + "\n" for record in some))
        part.rename(inbox / f"{number:02}.jsonl")
        records += some
        if project.process is None:
            project.start()
        expected = firsts_of(records)
        tailrace.wait_until(lambda: project.hops()["silver.events"]["count"] == len(records), f"file {number}")
        tailrace.wait_until(lambda: served(project) == (expected, counts_of(expected)), f"firsts of file {number}")
        if choose.random() < 0.6:
            project.kill()
            project.process = None
    if project.process:
        project.stop()
    project.once()
    assert {row["id"]: row["kind"] for row in project.lake("firsts")} == firsts_of(records)
