"""What cannot go on goes to the dead letters with reason, origin and bytes, and comes back with redrive."""
import json

import record_batches
import tailrace
from records import lines, user


def run(tmp_path, text, **topic):
    inbox = tmp_path / "input"
    inbox.mkdir()
    (inbox / "a.jsonl").write_text(text)
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(inbox), **topic))
    project.once()
    return project


def letters(project, where="1 = 1"):
    return project.sql(f"SELECT * FROM system.dead_letters WHERE {where}")


def test_a_bad_line_of_a_file_names_file_and_line_and_its_neighbours_live(tmp_path):
    project = run(tmp_path, lines([1]) + '{"broken": \n' + lines([2]))
    assert len(project.lake("users")) == 2
    (letter,) = letters(project)
    assert letter["origin"].endswith("a.jsonl:2") and '{"broken":' in letter["record"]


def test_a_dropped_row_names_its_expectation_and_record(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n" + lines([2]))
    assert len(project.lake("users")) == 2
    (letter,) = letters(project)
    assert letter["reason"] == "expectation has_id" and letter["flow"] == "users_clean"
    assert letter["origin"].startswith("users_created-") and json.loads(letter["record"]) == nameless
    counted = {e["name"]: e for e in project.sql("SELECT * FROM system.expectations")}
    assert counted["has_id"]["failed"] == 1 and counted["has_id"]["passed"] == 2


def test_an_oversized_record_is_kept_aside_with_the_limit(tmp_path):
    huge = user(5, phone="0" * 20000)
    project = run(tmp_path, lines([1]) + json.dumps(huge) + "\n" + lines([2]), max_message_bytes=10000)
    assert len(project.lake("users")) == 2
    (letter,) = letters(project)
    assert "10000" in letter["detail"] and json.loads(letter["record"]) == huge


def test_fail_update_stops_that_flow_alone_and_says_so(tmp_path):
    short = user(5, login={"uuid": "not-a-uuid", "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(short) + "\n")
    assert len(project.lake("users_raw")) == 2
    (table,) = project.sql("SELECT * FROM system.tables WHERE name = 'users_clean'")
    assert "id_is_uuid" in table["failed"]


def test_redrive_after_a_fix_brings_the_record_in(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n")
    silver = project.folder / "transformations" / "silver.sql"
    silver.write_text(silver.read_text().replace("  lower(trim(u.login.uuid)) AS id,",
                                                 "  coalesce(lower(trim(u.login.uuid)), repeat('0', 36)) AS id,"))
    project.once()  # the flow's SQL changed: it starts again from bronze, and the record is in
    assert len(project.lake("users")) == 2
    assert letters(project) == []


def test_redriven_letters_go_once(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n")
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0, done.stderr
    assert len(project.lake("users_raw")) == 3
    assert [r["redriven"] for r in letters(project)] == ["yes", "no"]  # it failed again: nothing was fixed


PLAIN = json.dumps({"topics": {"a": {"format": "json", "partitions": 2}, "b": {"format": "json"}}})


def with_own_sql(tmp_path, sql, **files):
    """A project of topics a and b, each fed by a file of the same name, run once."""
    for name, text in files.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "records.jsonl").write_text(text)
    settings = json.loads(PLAIN) | {"ingest": [
        {"name": name, "topic": name, "use": "files", "files": {"path": str(tmp_path / name)}} for name in files]}
    project = tailrace.with_sql(tmp_path, sql, json.dumps(settings))
    project.once()
    return project


def records(*numbers):
    return "".join(json.dumps({"n": n}) + "\n" for n in numbers)


CHAIN = """
CREATE STREAMING TABLE raw AS SELECT value FROM STREAM a UNION ALL SELECT value FROM STREAM b;
CREATE STREAMING TABLE numbers (CONSTRAINT small EXPECT (n < 100) ON VIOLATION DROP ROW)
AS SELECT CAST(get_json_object(value, '$.n') AS INT) AS n FROM STREAM raw WHERE value LIKE '%n%';
CREATE STREAMING TABLE doubled (CONSTRAINT even EXPECT (m % 4 = 0) ON VIOLATION DROP ROW)
AS SELECT n * 2 AS m FROM STREAM numbers;
CREATE MATERIALIZED VIEW total (CONSTRAINT few EXPECT (found < 3) ON VIOLATION DROP ROW)
AS SELECT count(*) AS found FROM doubled;
"""


def test_a_row_names_its_record_through_tables_that_do_not_keep_partition_and_offset(tmp_path):
    project = with_own_sql(tmp_path, CHAIN, a=records(2, 3, 500), b=records(4, 600, 5))
    found = {letter["record"]: letter for letter in letters(project, "flow <> 'total'")}
    assert {record: (letter["flow"], letter["reason"], letter["topic"]) for record, letter in found.items()} == {
        '{"n": 500}': ("numbers", "expectation small", "a"), '{"n": 600}': ("numbers", "expectation small", "b"),
        '{"n": 3}': ("doubled", "expectation even", "a"), '{"n": 5}': ("doubled", "expectation even", "b")}
    for letter in found.values():
        assert letter["origin"] == f"{letter['topic']}-{letter['partition']}@{letter['offset']}"
    by_topic = [(letter["partition"], letter["offset"]) for letter in found.values() if letter["topic"] == "b"]
    assert sorted(by_topic) == [(0, 1), (0, 2)]
    for table, columns in (("raw", ["value"]), ("numbers", ["n"]), ("doubled", ["m"])):
        assert {name for row in project.lake(table) for name in row} == set(columns)  # nothing more is stored


def test_a_row_that_fails_in_a_calculation_names_its_record(tmp_path):
    sql = "CREATE STREAMING TABLE t AS SELECT CAST(get_json_object(value, '$.n') AS INT) AS n FROM STREAM a;"
    project = with_own_sql(tmp_path, sql, a=records(1, "x", 2))
    (letter,) = letters(project)
    assert letter["reason"] == "error" and letter["record"] == '{"n": "x"}' and letter["topic"] == "a"
    assert "CAST_INVALID_INPUT" in letter["detail"]


def test_a_late_row_names_its_record(tmp_path):
    sql = """
    CREATE STREAMING TABLE t AS SELECT window.start AS minute, count(*) AS c
    FROM (SELECT CAST(get_json_object(value, '$.n') AS TIMESTAMP) AS at FROM STREAM a)
      WATERMARK at DELAY OF INTERVAL 1 SECOND
    GROUP BY window(at, '1 minute');"""
    project = with_own_sql(tmp_path, sql, a=records("2026-01-01 10:00:00", "2026-01-01 11:00:00"))
    (tmp_path / "a" / "later.jsonl").write_text(records("2026-01-01 10:00:01"))
    project.once()
    (letter,) = letters(project)
    assert letter["reason"] == "late" and letter["record"] == '{"n": "2026-01-01 10:00:01"}'
    assert letter["origin"] == f"a-{letter['partition']}@{letter['offset']}"


def test_a_row_of_an_aggregation_names_its_flow_and_is_kept_as_json(tmp_path):
    project = with_own_sql(tmp_path, CHAIN, a=records(2, 4, 6, 8))
    (letter,) = letters(project, "flow = 'total'")
    assert letter["origin"] == "flow total" and json.loads(letter["record"]) == {"found": 4}
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("", -1, -1)


STOPPING = """
CREATE STREAMING TABLE numbers (CONSTRAINT small EXPECT (n < 100) ON VIOLATION FAIL UPDATE)
AS SELECT CAST(get_json_object(value, '$.n') AS INT) AS n FROM STREAM a;
CREATE STREAMING TABLE neighbour AS SELECT get_json_object(value, '$.n') AS n FROM STREAM a;
"""


def test_the_record_that_breaks_fail_update_is_a_dead_letter_and_a_neighbour_goes_on(tmp_path):
    project = with_own_sql(tmp_path, STOPPING, a=records(1)).start()
    (tmp_path / "a" / "more.jsonl").write_text(records(500, 2))
    tailrace.wait_until(lambda: letters(project), "the dead letter")
    (tmp_path / "a" / "later.jsonl").write_text(records(600, 3))
    tailrace.wait_until(lambda: len(project.sql("SELECT * FROM neighbour")) == 5, "the neighbour's rows")
    (letter,) = letters(project)
    assert letter["flow"] == "numbers" and letter["reason"] == "expectation small"
    assert letter["record"] == '{"n": 500}' and letter["topic"] == "a"
    origin = f"a-{letter['partition']}@{letter['offset']}"
    assert letter["origin"] == origin
    stopped = f"the record {origin} broke expectation small (n < 100)"
    failed = {table["name"]: table["failed"] for table in project.sql("SELECT * FROM system.tables")}
    assert failed == {"numbers": stopped, "neighbour": ""}
    counted = {e["name"]: e for e in project.sql("SELECT * FROM system.expectations")}
    assert counted["small"]["failed"] == 1
    (said,) = [line for line in project.log.read_text().splitlines() if "has stopped" in line]
    assert stopped in said and "ON VIOLATION DROP ROW" in said and "_tailrace" not in project.log.read_text()
    project.kill()
    project.start()  # the table is made from nothing, and meets the same record: it is told of once
    tailrace.wait_until(lambda: letters(project), "the dead letter, again")
    assert [(row["origin"], row["record"]) for row in letters(project)] == [(origin, '{"n": 500}')]
    project.stop()
    sql = next((project.folder / "transformations").glob("*.sql"))
    sql.write_text(sql.read_text().replace("FAIL UPDATE", "DROP ROW"))
    project.once()  # as the log says
    assert {row["record"] for row in letters(project)} == {'{"n": 500}', '{"n": 600}'}
    assert sorted(row["n"] for row in project.lake("numbers")) == [1, 2, 3]


def test_a_row_of_an_aggregation_that_breaks_fail_update_is_kept_as_json(tmp_path):
    sql = CHAIN.replace("(found < 3) ON VIOLATION DROP ROW", "(found < 3) ON VIOLATION FAIL UPDATE")
    project = with_own_sql(tmp_path, sql, a=records(2, 4, 6, 8), b="")
    (letter,) = letters(project)
    assert (letter["flow"], letter["origin"], letter["record"]) == ("total", "flow total", '{"found":4}')
    (table,) = project.sql("SELECT * FROM system.tables WHERE name = 'total'")
    assert table["failed"] == 'the row {"found":4} broke expectation few (found < 3)'


SERVED = """
CREATE STREAMING TABLE okt AS SELECT CAST(get_json_object(value, '$.n') AS INT) AS n,
  get_json_object(value, '$.t') AS t FROM STREAM a;
"""


def test_a_row_with_a_null_key_is_in_its_table_and_a_dead_letter_instead_of_served(tmp_path):
    (tmp_path / "a").mkdir()
    rows = [{"n": None, "t": "first"}, {"n": None, "t": "second"}, {"n": 1, "t": "old"}, {"n": 1, "t": "new"}]
    (tmp_path / "a" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project = tailrace.with_sql(tmp_path, SERVED, json.dumps({
        "topics": {"a": {"format": "json"}}, "serving": {"okt": {"key": ["n"]}, "by_n": {"table": "okt", "key": ["n"]}},
        "ingest": [{"name": "a", "topic": "a", "use": "files", "files": {"path": str(tmp_path / "a")}}]}))
    project.once()

    def holds():
        by_text = sorted(project.sql("SELECT * FROM okt"), key=lambda row: row["t"])
        assert by_text == sorted(rows, key=lambda row: row["t"])  # each row of the table, not one a key
        assert project.sql("SELECT count(*) AS c FROM okt") == [{"c": 4}]
        assert [t["records"] for t in project.sql("SELECT * FROM system.tables WHERE name = 'okt'")] == [4]
        assert project.sql("SELECT * FROM by_n") == [{"n": 1, "t": "new"}]
        found = {letter["record"]: letter for letter in letters(project)}
        assert sorted(found) == [json.dumps(rows[0]), json.dumps(rows[1])]
        for letter in found.values():
            assert letter["reason"] == "null key" and letter["flow"] == "okt"
            assert letter["origin"] == f"a-{letter['partition']}@{letter['offset']}"
            assert "`okt`, `by_n`: a column of the key is null" in letter["detail"]
        assert len(letters(project)) == 2

    holds()
    project.start()
    holds()
    assert project.get("/api/tables/okt")["rows"] == [[1, "new"]]
    project.stop()


def test_dead_letters_come_a_page_at_a_time(tmp_path):
    project = with_own_sql(tmp_path, CHAIN, a=records(*range(1000, 1025), 1))
    project.start()
    seen, after = [], ""
    while True:
        page = project.get(f"/api/dead-letters?table=numbers&limit=10&after={after}")
        assert page["total"] == 25
        seen += [letter["id"] for letter in page["letters"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 25
    assert project.get("/api/dead-letters?table=doubled")["total"] == 1
    assert project.get("/api/dead-letters?reason=decode") == {"letters": [], "next": "", "total": 0}


def fake(tmp_path, count, **faults):
    ingest = {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
              "fake": {"seed": 3, "rate": 1, "first": count, "limit": count, "faults": faults}}
    project = tailrace.Project(tmp_path, settings=tailrace.settings([ingest]))
    project.once()
    project.once()  # the watermark is known when the second step begins
    return project


def test_a_late_row_names_its_record_and_keeps_its_bytes(tmp_path):
    project = fake(tmp_path, 20000, late=0.01)
    late = letters(project, "reason = 'late'")
    assert late
    logged = record_batches.values(project.data, "users_created", 2)
    for letter in late:
        assert letter["flow"] == "signups_per_minute" and "watermark" in letter["detail"]
        assert letter["origin"] == f"users_created-{letter['partition']}@{letter['offset']}"
        assert letter["record"].encode() == logged[letter["partition"], letter["offset"]]
    counted = sum(r["signups"] for r in project.lake("signups_per_minute"))
    assert counted + len(late) <= len(project.lake("users_clean")) == 20000


def test_a_record_that_is_no_json_names_its_offset_and_keeps_its_bytes(tmp_path):
    project = fake(tmp_path, 2000, bad_json=0.01)
    bad = letters(project, "reason = 'decode'")
    logged = record_batches.values(project.data, "users_created", 2)
    assert bad and len(project.lake("users_raw")) == 2000 - len(bad)
    for letter in bad:
        assert letter["origin"] == f"users_created-{letter['partition']}@{letter['offset']}"
        assert letter["record"].encode() == logged[letter["partition"], letter["offset"]]
        assert "not a JSON document" in letter["detail"]


def test_an_oversized_record_comes_in_by_redrive_when_the_limit_is_raised(tmp_path):
    huge = user(5, phone="0" * 20000)
    project = run(tmp_path, lines([1]) + json.dumps(huge) + "\n", max_message_bytes=10000)
    refused = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert refused.returncode == 1 and "max.message.bytes" in refused.stderr, refused.stderr
    settings = json.loads((project.folder / "tailrace.yml").read_text())
    settings["topics"]["users_created"]["max_message_bytes"] = 1000000
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0, done.stderr
    assert sorted(len(r["phone"]) for r in project.lake("users")) == [5, 20000]
    assert [r["redriven"] for r in letters(project)] == ["yes"]


def test_one_letter_that_cannot_go_back_does_not_keep_the_others(tmp_path):
    huge = user(5, phone="0" * 20000)
    nameless = user(6, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(huge) + "\n" + json.dumps(nameless) + "\n", max_message_bytes=10000)
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0 and "max.message.bytes" in done.stderr, done.stderr
    redriven = {r["reason"]: r["redriven"] for r in reversed(letters(project))}
    assert redriven == {"oversized": "no", "expectation has_id": "yes"}


def test_a_running_instance_redrives_and_a_kill_right_after_does_not_double_it(tmp_path):
    nameless = user(5, login={"uuid": None, "username": "x"})
    project = run(tmp_path, lines([1]) + json.dumps(nameless) + "\n").start()
    (letter,) = letters(project)
    assert project.post("/api/redrive", {"ids": [str(letter["id"])]}) == {"redriven": 1}
    project.kill()  # before the checkpoint that marks it
    project.start()
    tailrace.wait_until(lambda: project.hops()["bronze.users_raw"]["count"] == 3, "the record, once more")
    project.post("/api/redrive", {"ids": [str(letter["id"])]})  # whether or not the mark was kept
    tailrace.wait_until(lambda: [r["redriven"] for r in letters(project)] == ["yes", "no"], "the mark")
    assert project.hops()["bronze.users_raw"]["count"] == 3
    project.stop()
