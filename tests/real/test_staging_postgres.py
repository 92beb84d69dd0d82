"""Staging in a real PostgreSQL: the same project with its URL changed gives the same rows and the same messages."""
import collections
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import time

import psycopg
import pytest

import postgres_side
import tailrace
from records import lines, user

TABLE = "created_users"
COLUMNS = {"id": {"type": "uuid", "path": "$.login.uuid"}, "age": {"type": "bigint", "path": "$.dob.age"},
           "born": {"type": "date", "path": "$.dob.date"}, "seen": {"type": "timestamp", "path": "$.dob.date"},
           "name": "json", "nat": "text", "score": "double", "money": "numeric", "rich": "boolean"}


@pytest.fixture(scope="module")
def server():
    made = postgres_side.RealPostgres().start()
    yield made
    made.remove()


def test_rows_land_in_a_real_server(server):
    root = pathlib.Path(__file__).resolve().parents[2]
    known = {"TAILRACE_POSTGRES": server.bare_url, "TAILRACE_POSTGRES_PASSWORD": postgres_side.PASSWORD}
    done = subprocess.run([root / "build/src/staging/staging_test", "--gtest_filter=RealPostgres.*"],
                          env=os.environ | known, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "SKIPPED" not in done.stdout, done.stdout[-5000:]


def settings(inbox, server, stage):
    made = json.loads(tailrace.settings([tailrace.files_from(inbox)[0] | {"stage": TABLE}]))
    made["staging"] = {TABLE: stage}
    if server:
        made["roles"] = {"staging": {"url": server.bare_url, "user": postgres_side.USER,
                                     "password": "${STAGING_PASSWORD}"}}
    return json.dumps(made)


@pytest.fixture
def both(tmp_path, server):
    """Makes it, and leaves no process behind that holds its slot."""
    made = []

    def make(stage):
        made.append(Both(tmp_path, server, stage))
        return made[0]

    yield make
    for project in (one for stack in made for one in stack.projects.values()):
        if project.process and not project.ended():
            project.kill()


class Both:
    """The same project twice, by its staging."""

    def __init__(self, tmp_path, server, stage):
        os.environ["STAGING_PASSWORD"] = postgres_side.PASSWORD
        self.server = server
        self.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        for [name] in self.execute("SELECT pubname FROM pg_publication"):
            self.execute(f"DROP PUBLICATION {name}")
        self.execute(f"DROP TABLE IF EXISTS {TABLE}, tailrace_positions")
        self.inbox = tmp_path / "input"
        self.inbox.mkdir()
        self.projects = {}
        for name, where in {"sqlite": None, "postgresql": server}.items():
            folder = tmp_path / name
            folder.mkdir()
            self.projects[name] = tailrace.Project(folder, settings=settings(self.inbox, where, stage))

    def execute(self, sql):
        with psycopg.connect(self.server.url, autocommit=True) as database:
            done = database.execute(sql)
            return done.fetchall() if done.description else None

    def put(self, name, text):
        part = self.inbox / f".{name}.part"
        part.write_text(text)
        part.rename(self.inbox / f"{name}.jsonl")


def messages(project):
    import record_batches
    return [(key.decode(), None if value is None else json.loads(value))
            for key, value in record_batches.messages(project.data, "users_created", 2)]


def by_key(project):
    found = collections.defaultdict(list)
    for key, value in messages(project):
        found[key].append(value)
    return found


def feed(both, files):
    """Each file lands and flows before the next one comes."""
    for project in both.projects.values():
        project.start()
    count = 0
    for number, records in enumerate(files):
        both.put(f"{number:03}", "".join(json.dumps(one) + "\n" for one in records))
        count += len(records)
        for project in both.projects.values():
            tailrace.wait_until(lambda: came(project) >= count, f"{count} records")


def came(project):
    hops = project.hops()
    return hops["appended.users_created"]["count"] + hops["staged." + TABLE]["rejected"]


def stop(both):
    for project in both.projects.values():
        project.stop()


FILES = [
    [user(1, money=1.50, score=0.1, rich=True), user(2, score=1e300, name="A\tb\\n \u00e9"), user(3, rich=False)],
    [user(1, dob={"date": "2001-02-03T04:05:06.120+02:00", "age": 7}), user(2, dob={"age": "x"})],
    [user(4, money="12345678901234567890.50"), user(3, money="0.10", nat=None)],
]


def test_named_columns_give_the_same_rows_and_messages(both):
    both = both({"columns": COLUMNS, "key": ["id"]})
    feed(both, FILES)
    stop(both)
    found = {name: by_key(project) for name, project in both.projects.items()}
    assert found["sqlite"] == found["postgresql"] and len(found["sqlite"]) == 4
    letters = [sorted((one["reason"], one["detail"]) for one in
                      project.sql("SELECT reason, detail FROM system.dead_letters"))
               for project in both.projects.values()]
    assert letters[0] == letters[1] and len(letters[0]) > 1
    assert [one for one in letters[0] if one[0] == "staging"] == [("staging", 'age: "x" is no bigint')]
    rows = both.execute(f"SELECT age, born::text, rich, money::text, name->>'first' FROM {TABLE} ORDER BY age")
    assert rows == [(7, "2001-02-03", None, None, "First1"), (20, "1980-02-03", None, None, None),
                    (21, "1980-02-03", None, "0.10", "First3"),
                    (22, "1980-02-03", None, "12345678901234567890.50", "First4")]


def test_members_become_columns_that_widen_and_messages_stay_the_same(both):
    both = both({})
    feed(both, [[user(1), user(2, level=1)], [user(3, level=2.5, tags=["a", {"b": None}])],
                [user(4, level="high", gender=7), user(1, gender=True)]])
    stop(both)
    found = {name: by_key(project) for name, project in both.projects.items()}
    assert found["sqlite"] == found["postgresql"] and len(found["sqlite"]) == 4
    rows = both.execute(f"SELECT level::text FROM {TABLE} WHERE level IS NOT NULL ORDER BY level::text")
    assert rows == [('"high"',), ("1",), ("2.5",)]


def test_a_strangers_changes_reach_the_topic(both):
    both = both({"columns": COLUMNS, "key": ["id"]})
    feed(both, [[user(n) for n in range(3)]])
    project = both.projects["postgresql"]
    ids = [user(n)["login"]["uuid"] for n in range(3)]
    both.execute(f"DELETE FROM {TABLE} WHERE id = '{ids[0]}'")
    both.execute(f"UPDATE {TABLE} SET nat = 'XX' WHERE id = '{ids[1]}'")
    tailrace.wait_until(lambda: project.hops()["appended.users_created"]["count"] == 5, "two more records")
    stop(both)
    found = by_key(project)
    assert found[ids[0]][-1] is None
    assert [one["nat"] for one in found[ids[1]]] == [user(1)["nat"], "XX"]


METADATA = ["__deleted", "__op", "__table", "__schema", "__lsn", "__txId", "__source_ts_ms"]


def test_metadata_says_the_same_of_both_but_their_own_places(both):
    both = both({"columns": COLUMNS | {"__lsn": "text"}, "key": ["id"], "metadata": True})
    feed(both, [[user(n) for n in range(3)], [user(1, nat="YY")]])
    delete = f"DELETE FROM {TABLE} WHERE id = '{user(0)['login']['uuid']}'"
    both.execute(delete)
    with sqlite3.connect(both.projects["sqlite"].data / "staging" / "staging.db", timeout=30) as database:
        database.execute(delete)
    for project in both.projects.values():
        tailrace.wait_until(lambda: came(project) == 5, "five changes")
    stop(both)
    shown = {}
    for name, project in both.projects.items():
        found = by_key(project)
        for key, changes in found.items():
            places = [one["__lsn"] for one in changes]
            assert places == sorted(set(places)), (key, places)
            assert all(list(one)[-len(METADATA):] == METADATA for one in changes)
        schemas = {one["__schema"] for changes in found.values() for one in changes}
        assert schemas == {"main" if name == "sqlite" else "public"}
        shown[name] = {key: [{member: value for member, value in one.items()
                              if member not in ("__schema", "__lsn", "__txId", "__source_ts_ms")} for one in changes]
                       for key, changes in found.items()}
    assert shown["sqlite"] == shown["postgresql"]
    first, second = (user(n)["login"]["uuid"] for n in range(2))
    assert [(one["__op"], one["__deleted"]) for one in shown["sqlite"][first]] == [("c", "false"), ("d", "true")]
    assert shown["sqlite"][first][1]["name"] == user(0)["name"]
    assert [(one["__op"], one["nat"]) for one in shown["sqlite"][second]] == [("c", user(1)["nat"]), ("u", "YY")]


def test_rows_that_a_truncate_removes_are_deleted_in_the_topic(both):
    both = both({"columns": COLUMNS, "key": ["id"]})
    feed(both, [[user(n) for n in range(3)]])
    project = both.projects["postgresql"]
    both.execute(f"TRUNCATE {TABLE}")
    tailrace.wait_until(lambda: project.hops()["appended.users_created"]["count"] == 6, "three deletions")
    assert both.execute(f"SELECT count(*) FROM {TABLE}") == [(0,)]
    stop(both)
    assert [changes[-1] for changes in by_key(project).values()] == [None, None, None]


WAITS = """
fetched:
  schedule: none
  start_date: 2026-01-01
  tasks:
    fetch: {operator: tailrace_provider.operators.ingest.IngestOperator, source: input}
    refresh: {operator: tailrace_provider.operators.refresh.RefreshOperator, dependencies: [fetch]}
    expect:
      operator: tailrace_provider.operators.expect.ExpectOperator
      sql: SELECT count(*) AS users FROM users
      equals: 900
      dependencies: [refresh]
"""


def test_a_refresh_waits_for_what_the_server_has_yet_to_tell(both):
    both = both({})
    for project in both.projects.values():
        (project.folder / "dags").mkdir()
        (project.folder / "dags" / "fetched.yml").write_text(WAITS)
        read = json.loads((project.folder / "tailrace.yml").read_text())
        read["ingest"][0]["paused"] = True
        (project.folder / "tailrace.yml").write_text(json.dumps(read))
        project.start()
    both.put("one", lines(range(900)))
    for project in both.projects.values():
        done = project.command("dags", "run", "fetched", "--wait", "--project", project.folder, "--data", project.data)
        assert done.returncode == 0, done.stdout + done.stderr
    stop(both)


def test_once_takes_what_was_staged_through_the_server(both):
    both = both({"columns": COLUMNS, "key": ["id"]})
    both.put("one", lines(range(700)))
    for project in both.projects.values():
        project.once()
        assert len(messages(project)) == 700
    both.put("two", lines(range(600, 1000)))
    for project in both.projects.values():
        project.once()
    assert [len(by_key(project)) for project in both.projects.values()] == [1000, 1000]
    assert [len(messages(project)) for project in both.projects.values()] == [1000, 1000]


def test_kill_9_of_either_side_loses_nothing_and_doubles_nothing(both):
    seed = int(os.environ.get("TAILRACE_SEED", random.randrange(1 << 30)))
    print("TAILRACE_SEED", seed)
    choose = random.Random(seed)
    both = both({"columns": COLUMNS, "key": ["id"]})
    project = both.projects["postgresql"]
    files = 0
    for kill in range(tailrace.KILLS):
        project.start()
        for _ in range(choose.randrange(1, 4)):
            both.put(f"{files:05}", lines(range(files * 400, files * 400 + 400)))
            files += 1
        time.sleep(choose.choice([0.05, 0.3, 0.8]) * choose.random())  # a kill at any moment
        if kill % 3 == 2:
            both.server.stop(postgres_side.signal.SIGQUIT)
            both.server.start()
        project.kill()
    project.start()
    tailrace.wait_until(lambda: came(project) >= files * 400, "all records", 180)
    time.sleep(0.3)  # what would come twice has time to come
    project.stop()
    keys = collections.Counter(key for key, _ in messages(project))
    assert max(keys.values()) == 1 and sorted(keys) == sorted(user(n)["login"]["uuid"] for n in range(files * 400))
    assert both.execute(f"SELECT count(*) FROM {TABLE}") == [(files * 400,)]
