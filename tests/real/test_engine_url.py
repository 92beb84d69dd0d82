"""`roles: {engine: …}` at a real Spark: the tables it keeps, and what Tailrace serves of them, are those of the
embedded engine on the same records; and what is said and done when Spark fails, is away, or we are killed."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
import spark_side
import tailrace
import topic_log
from spark_side import assert_same, needs_spark, rows, run_pipeline
from test_spark import TABLES, two_parts

pytestmark = [needs_spark, pytest.mark.timeout(1800)]
SERVED = ["created_users", "users_by_country_gender", "signups_per_minute", "age_by_nationality", "top_cities",
          "latest_users"]
START_MS = 1_767_225_600_000
SMALL = {
    "bronze.sql": "CREATE STREAMING TABLE people_raw AS SELECT value, partition, offset, timestamp FROM STREAM people;",
    "silver.sql": """
CREATE STREAMING TABLE people_rows (
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_name EXPECT (name IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT grown EXPECT (age >= 18)
) AS SELECT p.id AS id, p.name AS name, p.city AS city, p.age AS age, p.gone AS gone, partition, offset, timestamp
FROM (SELECT from_json(value, 'id INT, name STRING, city STRING, age INT, gone BOOLEAN') AS p, partition, offset,
  timestamp FROM STREAM people_raw);
CREATE MATERIALIZED VIEW people_now AS SELECT id, name, city, age, timestamp AS changed
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY offset DESC) AS nth FROM people_rows)
WHERE nth = 1 AND gone IS NOT TRUE;""",
    "gold.sql": "CREATE MATERIALIZED VIEW cities AS SELECT city, count(*) AS people FROM people_now GROUP BY city;",
}
PEOPLE = {"people_now": ["id"], "cities": ["city"], "people_rows": ["partition", "offset"]}


def settings(text, engine):
    """tailrace.yml with the engine's role; a test waits for Spark, not for the next minute."""
    roles = {"engine": engine if engine == "embedded" else {"url": engine, "every": "1s"}}
    return json.dumps(json.loads(text) | {"roles": roles})


def example(folder, engine):
    inbox = folder / "input"
    inbox.mkdir(parents=True)
    text = tailrace.settings(tailrace.files_from(inbox), **{"retention.ms": -1})
    return tailrace.Project(folder, settings=settings(text, engine))


def small(folder, engine):
    text = json.dumps({"topics": {"people": {"partitions": 1, "format": "json", "retention.ms": -1}},
                       "serving": {name: {"key": key} for name, key in PEOPLE.items()}})
    folder.mkdir(parents=True, exist_ok=True)
    project = tailrace.Project(folder, settings=settings(text, engine))
    shutil.rmtree(project.folder / "transformations")
    (project.folder / "transformations").mkdir()
    for name, sql in SMALL.items():
        (project.folder / "transformations" / name).write_text(sql)
    return project


def person(number, name="Ada", city="Bern", age=30, **more):
    return {"id": number, "name": name, "city": city, "age": age} | more


FIRST = [person(n, city=["Bern", "Chur", "Genf"][n % 3]) for n in range(30)] + ["no JSON"]
SECOND = [person(3, name="Grace"), person(4, gone=True), person(7, city="Chur"), person(None), person(50, name=None),
          person(None, name=None), person(51, age=3)]


def append(project, records, first=0):
    lines = [(0, START_MS + (first + n) * 1000, None,
              record.encode() if isinstance(record, str) else json.dumps(record).encode())
             for n, record in enumerate(records)]
    topic_log.append(project.data, "people", lines, partitions=1)


def environment(**changes):
    return os.environ | {"TAILRACE_PYTHON": sys.executable} | changes


def once(project, code=0, **changes):
    done = subprocess.run([tailrace.PROGRAM, "run", project.folder, "--data", project.data, "--once"],
                          capture_output=True, text=True, timeout=900, env=environment(**changes))
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-6000:]
    return done


def served(project, name):
    return project.sql(f"SELECT * FROM {name}")


def hop_lines(done):
    """(kind, title) → its count, as the terminal has them."""
    words = [line.split() for line in done.stdout.splitlines()]
    return {(w[0], " ".join(w[1:2])): int(w[2].replace(",", "")) for w in words
            if len(w) > 2 and w[0] in ("decoded", "bronze", "silver", "gold", "served")}


def letters(project):
    found = project.sql("SELECT flow, reason, partition, offset FROM system.dead_letters")
    return sorted((row["flow"], row["reason"], row["partition"], row["offset"]) for row in found)


def assert_as_embedded(project, plain, tables, names, keyspace):
    for table in tables:
        assert_same(rows(project.data / "lake" / table), rows(plain.data / "lake" / table), table,
                    empty=not plain.sql(f"SELECT 1 FROM {table} LIMIT 1"))
        assert_same(served(project, table), served(plain, table), table,
                    empty=not plain.sql(f"SELECT 1 FROM {table} LIMIT 1"))
    for name in names:
        assert_same(served(project, f"{keyspace}.{name}"), served(plain, f"{keyspace}.{name}"), name,
                    empty=not served(plain, f"{keyspace}.{name}"))


@pytest.mark.parametrize("kind", ["local", "standalone"])
def test_the_example_has_the_rows_of_the_embedded_run(kind, tmp_path):
    plain = example(tmp_path / "plain", "embedded")
    with contextlib.ExitStack() as stack:
        master = "local[2]" if kind == "local" else stack.enter_context(spark_side.standalone(tmp_path / "cluster"))
        project = example(tmp_path / "spark", master)
        for part in two_parts():
            for one in (plain, project):
                topic_log.append(one.data, "users_created", part, partitions=2)
            wanted, found = hop_lines(once(plain)), hop_lines(once(project))
            assert found == wanted
            assert_as_embedded(project, plain, TABLES, SERVED, "random_users")


def test_a_change_and_a_deletion_reach_the_served_tables_and_nothing_is_doubled(tmp_path):
    plain, project = small(tmp_path / "plain", "embedded"), small(tmp_path / "spark", "local[2]")
    for first, part in ((0, FIRST), (len(FIRST), SECOND)):
        for one in (plain, project):
            append(one, part, first)
        wanted, done = hop_lines(once(plain)), once(project)
        assert hop_lines(done) == wanted
        assert_as_embedded(project, plain, ["people_raw", *PEOPLE], PEOPLE, "random_users")
        assert letters(project) == letters(plain)
    now = {row["id"]: row["name"] for row in served(project, "random_users.people_now")}
    assert now[3] == "Grace" and 4 not in now and len(now) == 30
    counts = "SELECT * FROM system.expectations WHERE table_name = 'people_rows' AND action <> 'warn'"
    assert project.sql(counts) == plain.sql(counts)
    again = once(project)
    assert "starting Spark" not in again.stderr, "nothing is new: Spark is not started"
    assert_as_embedded(project, plain, ["people_raw", *PEOPLE], PEOPLE, "random_users")
    assert letters(project) == letters(plain)


def test_what_spark_did_while_we_were_killed_is_served_without_another_update(tmp_path):
    plain, project = small(tmp_path / "plain", "embedded"), small(tmp_path / "spark", "local[2]")
    for one in (plain, project):
        append(one, FIRST)
        once(one)
    for one in (plain, project):
        append(one, SECOND, len(FIRST))
    out = project.data / "spark"
    done = subprocess.run([tailrace.PROGRAM, "spark", project.folder, "--data", project.data, "--out", out,
                           "--write-only"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lake = {"spark.sql.warehouse.dir": f"file://{project.data}/lake"}
    with run_pipeline.connect_server(out, "local[2]", spark_side.JARS, lake) as (remote, _):
        code, text = run_pipeline.run(out, remote)
    assert code == 0, text[-3000:]
    # As far as the update came, it is followed, although Spark cannot be asked now.
    away = once(project, 1, TAILRACE_PYTHON="/nowhere/python3")
    assert "TAILRACE_PYTHON" in away.stderr
    once(plain)
    assert_as_embedded(project, plain, ["people_raw", *PEOPLE], PEOPLE, "random_users")
    once(project)
    assert_as_embedded(project, plain, ["people_raw", *PEOPLE], PEOPLE, "random_users")
    assert letters(project) == letters(plain)


def running(project, monkeypatch):
    monkeypatch.setenv("TAILRACE_PYTHON", sys.executable)
    return project.start()


def lake_hop(project):
    return project.hops()["lake"]


def sparks(project):
    """The processes of Spark that work on the project's folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(project.data).encode() in (entry / "cmdline").read_bytes() \
                    and b"tailrace\0run" not in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def test_killed_while_spark_works_it_goes_on_with_the_same_rows(tmp_path, monkeypatch):
    """While Spark makes its catalogue; and with a table as a kill before its first commit leaves it."""
    plain, project = small(tmp_path / "plain", "embedded"), small(tmp_path / "spark", "local[2]")
    for one in (plain, project):
        append(one, FIRST)
    once(plain)
    running(project, monkeypatch)
    tailrace.wait_until(lambda: "since" in lake_hop(project)["detail"], "an update", 60)
    tailrace.wait_until(lambda: (project.data / "spark" / "metastore").exists(), "Spark at work", 300)
    project.kill()
    tailrace.wait_until(lambda: not sparks(project), "Spark's end", 60)
    (project.data / "lake" / "people_raw" / "_delta_log" / "_staged_commits").mkdir(parents=True, exist_ok=True)
    running(project, monkeypatch)
    tailrace.wait_until(lambda: len(served(project, "random_users.people_now")) == 30, "rows", 300)
    began = time.monotonic()
    project.stop()
    assert time.monotonic() - began < 60 and not sparks(project)
    assert_as_embedded(project, plain, ["people_raw", *PEOPLE], PEOPLE, "random_users")
    assert letters(project) == letters(plain)


def test_what_was_half_made_goes_and_all_that_is_whole_stays(tmp_path):
    whole, half, empty = (tmp_path / "lake" / name / "_delta_log" for name in ("whole", "half", "empty"))
    for folder in (whole, half / "_staged_commits", empty, tmp_path / "metastore"):
        folder.mkdir(parents=True)
    (whole / "00000000000000000010.checkpoint.parquet").write_text("")
    (half / ".00000000000000000000.json.1234.tmp").write_text("")
    (half.parent / "part-0.parquet").write_text("")
    run_pipeline.remove_half_made(tmp_path / "metastore", tmp_path / "lake")
    assert [path.name for path in (tmp_path / "lake").iterdir()] == ["whole"]
    assert not (tmp_path / "metastore").exists()
    (tmp_path / "metastore").mkdir()
    (tmp_path / "metastore" / "service.properties").write_text("")
    run_pipeline.remove_half_made(tmp_path / "metastore", tmp_path / "lake")
    assert (tmp_path / "metastore").exists()


def test_a_master_that_is_away_is_named_and_asked_again(tmp_path, monkeypatch):
    port = run_pipeline.free_port()
    project = small(tmp_path / "spark", f"spark://127.0.0.1:{port}")
    append(project, FIRST)
    failed = once(project, 1)
    assert f"Spark at spark://127.0.0.1:{port} has not updated the tables: no Spark master answers" in failed.stderr
    running(project, monkeypatch)
    hop = tailrace.wait_until(lambda: lake_hop(project)["last_error"] and lake_hop(project), "the failure", 60)
    assert "no Spark master answers" in hop["last_error"]
    assert "waits" in project.first_empty_hop()
    with monkeypatch.context() as patch:
        patch.setattr(run_pipeline, "free_port", lambda: port)
        with spark_side.standalone(tmp_path / "cluster"):
            tailrace.wait_until(lambda: len(served(project, "random_users.people_now")) == 30, "rows", 400)
            tailrace.wait_until(lambda: not lake_hop(project)["last_error"], "the failure's end", 60)
            project.stop()


def test_refresh_waits_until_the_records_are_rows_of_spark(tmp_path, monkeypatch):
    project = small(tmp_path / "spark", "local[2]")
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "counted.yml").write_text("""
counted:
  schedule: null
  start_date: 2026-01-01
  tasks:
    refresh: {operator: tailrace_provider.operators.refresh.RefreshOperator}
    count:
      operator: tailrace_provider.operators.expect.ExpectOperator
      sql: SELECT count(*) FROM people_now
      at_least: 30
      dependencies: [refresh]
""")
    append(project, FIRST)
    running(project, monkeypatch)
    done = subprocess.run([tailrace.PROGRAM, "dags", "run", "counted", "--wait", "--project", project.folder,
                           "--data", project.data], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(served(project, "random_users.people_now")) == 30
    project.stop()


def test_an_sql_error_is_on_the_hop_and_the_rest_is_served(tmp_path):
    project = small(tmp_path / "spark", "local[2]")
    append(project, FIRST)
    once(project)
    # A function of Spark that fails at a row: what does not read the table goes on.
    gold = project.folder / "transformations" / "gold.sql"
    gold.write_text(SMALL["gold.sql"].replace("count(*) AS people", "count(CAST(name AS INT)) AS people"))
    append(project, SECOND, len(FIRST))
    failed = once(project, 1)
    assert "has not updated the tables: [" in failed.stderr and "CAST_INVALID_INPUT" in failed.stderr
    now = {row["id"]: row["name"] for row in served(project, "random_users.people_now")}
    assert now[3] == "Grace" and 4 not in now
    gold.write_text(SMALL["gold.sql"])
    once(project)
    assert sum(row["people"] for row in served(project, "random_users.cities")) == 30


def test_without_spark_one_line_says_what_to_do(tmp_path):
    project = small(tmp_path / "spark", "local[2]")
    append(project, FIRST)
    bare = "/usr/bin/python3"
    done = once(project, 1, TAILRACE_PYTHON=bare, SPARK_HOME="", PATH="/usr/bin:/bin")
    assert "Spark's programs are not on this machine" in done.stderr and "SPARK_HOME" in done.stderr
    done = once(project, 1, TAILRACE_SPARK_JARS=str(tmp_path))
    assert "the Delta jars" in done.stderr and "TAILRACE_SPARK_JARS" in done.stderr


def test_sigterm_ends_an_update_in_time(tmp_path):
    project = small(tmp_path / "spark", "local[2]")
    append(project, FIRST)
    process = subprocess.Popen([tailrace.PROGRAM, "run", project.folder, "--data", project.data, "--once"],
                               env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    tailrace.started.append(process)
    tailrace.wait_until(lambda: (project.data / "spark" / "metastore").exists(), "Spark at work", 300)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1 and b"stopped while Spark was at work" in process.stderr.read()
    assert not sparks(project)


def test_another_engine_does_not_take_the_tables(tmp_path):
    project = small(tmp_path / "spark", "embedded")
    append(project, FIRST)
    once(project)
    text = json.loads((project.folder / "tailrace.yml").read_text())
    text["roles"] = {"engine": "local[2]"}
    (project.folder / "tailrace.yml").write_text(json.dumps(text))
    done = once(project, 1)
    assert "are kept by the engine `embedded`" in done.stderr
