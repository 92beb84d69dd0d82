"""A PostgreSQL's tables as a source: what the topic says the tables hold is what they hold, and each change is there
once, in the order in which PostgreSQL's own test_decoding gives it, whoever is killed meanwhile."""
import os
import random
import signal
import time

import capture_side
import postgres_side
import psycopg
import pytest
import tailrace

KILLS = int(os.environ.get("TAILRACE_KILLS", "6"))
SEED = int(os.environ.get("TAILRACE_SEED", "1"))


@pytest.fixture
def server():
    one = postgres_side.RealPostgres(logical_decoding_work_mem="64kB", max_wal_size="256MB").start()
    try:
        with session(one) as it:
            it.execute(capture_side.SCHEMA)
        yield one
    finally:
        one.remove()


def session(server):
    return psycopg.connect(server.url, autocommit=True, options="-c timezone=UTC")


def mark(server, note):
    with session(server) as it:
        it.execute("INSERT INTO marker VALUES ((SELECT count(*) FROM marker), %s)", (note,))


def watched(tables=capture_side.TABLES):
    return ", ".join((*tables, "marker"))


def oracle_slot(server):
    with session(server) as it:
        it.execute("SELECT pg_create_logical_replication_slot('oracle', 'test_decoding')")


def oracle_changes(server, tables=capture_side.TABLES):
    with session(server) as it:
        rows = it.execute("SELECT data FROM pg_logical_slot_get_changes('oracle', NULL, NULL, 'include-xids', '0')")
        return capture_side.decoded([row[0] for row in rows], tables)


def compare(server, records, tables=capture_side.TABLES):
    said = capture_side.rows_of(records)
    with session(server) as it:
        for table in tables:
            want = capture_side.without_passing_columns(capture_side.table_rows(it, table))
            assert capture_side.without_passing_columns(said.get(table, {})) == want, table


def ours(records, tables=capture_side.TABLES):
    return [one for one in capture_side.changes_of(records) if one[0] in tables]


def run_workload(server, body, sessions=3):
    works = [capture_side.Workload(server.url, SEED * 100 + i) for i in range(sessions)]
    for one in works:
        one.start()
    try:
        body(works)
    finally:
        for one in works:
            one.ending.set()
    for one in works:
        one.end()


def done_by(works, more):
    """So many transactions more."""
    want = sum(one.done for one in works) + more
    tailrace.wait_until(lambda: sum(one.done for one in works) >= want or any(one.broken for one in works),
                        "the workload", 120)


@pytest.mark.smoke
def test_each_change_of_a_random_workload_is_there_once_and_in_order(server, tmp_path):
    oracle_slot(server)
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(), snapshot="never").start()
    tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], f"the stream: {capture.hop()}")
    run_workload(server, lambda works: done_by(works, 300))
    mark(server, "end")
    capture.wait_for("end")
    records = capture.records()
    assert ours(records) == oracle_changes(server)
    compare(server, records)
    capture.stop()


def test_kills_of_either_side_and_cut_connections_lose_and_double_nothing(server, tmp_path):
    draw = random.Random(SEED)
    oracle_slot(server)
    proxy = capture_side.Proxy(server.port)
    url = f"postgresql://{postgres_side.USER}@127.0.0.1:{proxy.port}/postgres"
    capture = capture_side.Capture(tmp_path, url, tables=watched(), snapshot="never").start()
    tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], f"the stream: {capture.hop()}")

    def kill_one(works):
        for _ in range(KILLS):
            done_by(works, draw.randint(5, 60))
            what = draw.choice(["ours", "ours", "theirs", "connection"])
            if what == "ours":
                capture.kill()
                time.sleep(draw.random() * 0.1)
                capture.start()
            elif what == "theirs":
                server.stop(signal.SIGQUIT)
                server.start()
            else:
                proxy.cut()

    run_workload(server, kill_one)
    mark(server, "end")
    capture.wait_for("end")
    records = capture.records()
    assert ours(records) == oracle_changes(server)
    compare(server, records)
    capture.stop()
    proxy.close()


def test_a_snapshot_in_chunks_while_the_tables_change_and_ours_is_killed(server, tmp_path):
    draw = random.Random(SEED)
    with session(server) as it:
        it.execute("INSERT INTO plain (id, name) SELECT g, 'old' FROM generate_series(1, 3000) g")
        it.execute("INSERT INTO big SELECT g, 0, repeat('y', 3000) FROM generate_series(1, 160) g")
        it.execute("INSERT INTO whole (id, note) SELECT g, 'old' FROM generate_series(1, 700) g")
    oracle_slot(server)
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(), chunk_rows=97)

    def kill_it(works):
        capture.start()
        for _ in range(max(2, KILLS // 2)):
            done_by(works, draw.randint(5, 30))
            capture.kill()
            capture.start()
        done_by(works, 50)

    run_workload(server, kill_it)
    mark(server, "end")
    capture.wait_for("end")
    tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], f"the snapshot's end: {capture.hop()}")
    records = capture.records()
    changes, all_changes = ours(records), oracle_changes(server)
    assert changes and changes == all_changes[-len(changes):]
    assert {value["__op"] for _, value in records} >= {"r", "c", "u", "d"}
    compare(server, records)
    capture.stop()


def test_a_table_without_a_key_is_read_once(server, tmp_path):
    with session(server) as it:
        it.execute("CREATE TABLE log (what text)")
        it.execute("INSERT INTO log SELECT 'old ' || g FROM generate_series(1, 500) g")
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(["log"]))
    with session(server) as it:
        it.execute("INSERT INTO log SELECT 'before ' || g FROM generate_series(1, 10) g")
        capture.start()
        for i in range(50):
            it.execute("INSERT INTO log VALUES (%s)", (f"meanwhile {i}",))
        it.execute("UPDATE log SET what = what")
    mark(server, "end")
    capture.wait_for("end")
    whats = sorted(value["what"] for _, value in capture.records() if value["__table"] == "log")
    assert whats == sorted([f"old {g}" for g in range(1, 501)] + [f"before {g}" for g in range(1, 11)] +
                           [f"meanwhile {i}" for i in range(50)])
    assert "has no primary key" in capture.log.read_text()
    capture.stop()


def test_the_slot_holds_no_log_while_other_tables_are_busy(server, tmp_path):
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(), heartbeat="100ms").start()
    mark(server, "begin")
    capture.wait_for("begin")
    with session(server) as it:
        it.execute("INSERT INTO other (note) SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
        end = it.execute("SELECT pg_current_wal_lsn()").fetchone()[0]

        def followed():
            it.execute("SELECT pg_log_standby_snapshot()") if it.info.server_version >= 160000 else it.execute(
                "CHECKPOINT")
            return it.execute("SELECT confirmed_flush_lsn >= %s::pg_lsn AND restart_lsn >= %s::pg_lsn "
                              "FROM pg_replication_slots WHERE slot_name LIKE 'tailrace%%'", (end, end)).fetchone()[0]

        tailrace.wait_until(followed, "the slot to follow")
    capture.stop()


def test_what_was_lost_for_ever_is_said_with_what_to_do(server, tmp_path):
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched()).start()
    mark(server, "begin")
    capture.wait_for("begin")
    capture.stop()
    with session(server) as it:
        slot = it.execute("SELECT slot_name FROM pg_replication_slots").fetchone()[0]
        it.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    capture.start()
    why = tailrace.wait_until(capture.failure, "the failure")
    assert f"slot {slot} is gone" in why and "another `slot`" in why
    capture.stop()


def test_columns_that_come_go_and_change_flow_on(server, tmp_path):
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(["shape"]), snapshot="never")
    with session(server) as it:
        it.execute("CREATE TABLE shape (id int PRIMARY KEY, a int)")
        it.execute("CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN price AS numeric(9,2)")
        capture.start()
        tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], f"the stream: {capture.hop()}")
        for sql in ["INSERT INTO shape VALUES (1, 7)", "ALTER TABLE shape ADD COLUMN b mood[], ADD COLUMN p price",
                    "INSERT INTO shape VALUES (2, 7, '{glad,NULL}', 1.5)", "ALTER TABLE shape RENAME COLUMN a TO z",
                    "ALTER TABLE shape ALTER COLUMN z TYPE text, DROP COLUMN p",
                    "INSERT INTO shape VALUES (3, '7', '{}')"]:
            it.execute(sql)
    mark(server, "end")
    capture.wait_for("end")
    rows = capture_side.rows_of(capture.records())["shape"].values()
    assert list(rows) == [{"id": 1, "a": 7}, {"id": 2, "a": 7, "b": ["glad", None], "p": 1.5},
                          {"id": 3, "z": "7", "b": []}]
    capture.stop()


def test_debeziums_envelope_has_before_and_after(server, tmp_path):
    with session(server) as it:
        it.execute("INSERT INTO whole VALUES (1, '{a}', '{}', 'x')")
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(["whole"]), envelope="debezium",
                                   tombstones="true").start()
    tailrace.wait_until(lambda: "has all changes" in capture.hop()["why"], f"the stream: {capture.hop()}")
    with session(server) as it:
        it.execute("UPDATE whole SET note = 'y'")
        it.execute("DELETE FROM whole")
        it.execute("TRUNCATE whole")
    mark(server, "end")
    capture.wait_for("end")
    records = [(key, value) for key, value in capture.records() if not value or value["source"]["table"] == "whole"]
    row = {"id": 1, "tags": ["a"], "doc": "{}", "note": "x"}
    assert [(key, value and (value["op"], value["before"], value["after"])) for key, value in records] == [
        ({"id": 1}, ("r", None, row)), ({"id": 1}, ("u", row, row | {"note": "y"})),
        ({"id": 1}, ("d", row | {"note": "y"}, None)), ({"id": 1}, None), (None, ("t", None, None))]
    source = records[1][1]["source"]
    assert source["connector"] == "postgresql" and source["db"] == "postgres" and source["snapshot"] == "false"
    capture.stop()


def test_a_wrong_password_is_not_told(server, tmp_path):
    capture = capture_side.Capture(tmp_path, server.bare_url, tables=watched(), password="no-such-secret").start()
    assert "password authentication failed" in tailrace.wait_until(capture.failure, "the failure")
    assert "no-such-secret" not in capture.log.read_text() + str(capture.get("/api/status"))
    capture.stop()
