"""Rows between fetch and stream: they land in SQLite, whoever changes them is heard, and kill -9 loses and doubles
nothing."""
import collections
import json
import os
import random
import sqlite3
import time

import pytest

import record_batches
import tailrace
from records import lines, user
from small_disk import Ballast, disk  # noqa: F401 (a fixture)

TABLE = "created_users"


def staged(ingest, stages=None, roles=None):
    """The example's project, whose one source lands in a staging table first."""
    settings = json.loads(tailrace.settings([ingest | {"stage": TABLE}]))
    if stages is not None:
        settings["staging"] = stages
    if roles:
        settings["roles"] = roles
    return json.dumps(settings)


def files_project(tmp_path, stages=None):
    inbox = tmp_path / "input"
    inbox.mkdir()
    return inbox, tailrace.Project(tmp_path, settings=staged(tailrace.files_from(inbox)[0], stages))


def put(inbox, name, text):
    part = inbox / f".{name}.part"
    part.write_text(text)
    part.rename(inbox / f"{name}.jsonl")


def messages(project):
    """Key and value of each record of the topic, in the order of each partition."""
    return [(key.decode(), None if value is None else json.loads(value))
            for key, value in record_batches.messages(project.data, "users_created", 2)]


def database(project):
    return sqlite3.connect(project.data / "staging" / "staging.db", timeout=30, isolation_level=None)


def users(project):
    return {row["id"] for row in project.sql("SELECT id FROM created_users")}


def uuid(number):
    return user(number)["login"]["uuid"]


def test_staged_records_make_the_same_gold_as_records_that_go_straight_to_the_topic(tmp_path):
    rows = {}
    tables = ["users_by_country_gender", "age_by_nationality"]
    for name, settings in {
        "straight": lambda one: tailrace.settings([one]),
        "staged": staged,
        "debezium is not asked for": lambda one: staged(one, {TABLE: {"envelope": "flat"}}),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        one = {"name": "random_users", "topic": "users_created", "key": "$.login.uuid", "use": "fake",
               "fake": {"kind": "random_user", "seed": 42, "first": 1000, "rate": 1}}
        project = tailrace.Project(folder, settings=settings(one))
        project.once()
        values = [json.loads(v) for v in record_batches.values(project.data, "users_created", 2).values()]
        by_uuid = {v["login"]["uuid"]: v for v in values}
        assert len(values) == len(by_uuid) == 1000
        clean = [{k: v for k, v in row.items() if not k.startswith("source_")} for row in project.lake("users_clean")]
        rows[name] = [by_uuid, sorted(clean, key=lambda row: row["id"]), *(
            sorted(map(str, project.sql(f"SELECT * FROM {table}"))) for table in tables)]
    assert rows["straight"] == rows["staged"] == rows["debezium is not asked for"]


def test_a_strangers_changes_reach_the_topic_while_it_runs(tmp_path):
    inbox, project = files_project(tmp_path, {TABLE: {"envelope": "flat"}})
    put(inbox, "a", lines(range(5)))
    project.start()
    tailrace.wait_until(lambda: len(users(project)) == 5, "five users")
    with database(project) as stranger:
        stranger.execute(f"DELETE FROM {TABLE} WHERE _key = ?", [uuid(1)])
        stranger.execute(f"UPDATE {TABLE} SET nat = 'XX' WHERE _key = ?", [uuid(2)])
        stranger.execute(f"INSERT INTO {TABLE} (_key, nat) VALUES ('new', 'NN')")
    tailrace.wait_until(lambda: project.hops()["appended.users_created"]["count"] == 8, "three more records")
    project.stop()
    by_key = collections.defaultdict(list)
    for key, value in messages(project):
        by_key[key].append(value)
    assert [value and value["nat"] for value in by_key[uuid(1)]] == ["FR", None]
    assert by_key[uuid(1)][1] is None
    assert [value["nat"] for value in by_key[uuid(2)]] == ["NO", "XX"]
    assert [value["nat"] for value in by_key["new"]] == ["NN"]
    assert database(project).execute(f"SELECT count(*) FROM tailrace_outbox_{TABLE}").fetchone() == (0,)


def test_debeziums_envelope_has_before_after_and_operation(tmp_path):
    columns = {"id": {"type": "uuid", "path": "$.login.uuid"}, "age": {"type": "bigint", "path": "$.dob.age"},
               "born": {"type": "date", "path": "$.dob.date"}, "name": "json", "_seen": "text"}
    inbox, project = files_project(tmp_path, {TABLE: {"columns": columns, "key": "id", "envelope": "debezium"}})
    put(inbox, "a", lines([3]))
    project.once()
    put(inbox, "b", json.dumps(user(3, dob={"date": "1980-02-03", "age": 99})) + "\n")
    project.once()
    with database(project) as stranger:
        stranger.execute(f"DELETE FROM {TABLE}")
    project.once()
    first = {"id": uuid(3), "age": 21, "born": "1980-02-03", "name": user(3)["name"]}
    second = first | {"age": 99}
    found = messages(project)
    assert [key for key, _ in found] == [uuid(3)] * 3
    assert [(m["op"], m["before"], m["after"]) for _, m in found] == [
        ("c", None, first), ("u", first, second), ("d", second, None)]
    for number, (_, message) in enumerate(found, 1):
        assert message["source"]["connector"] == "sqlite" and message["source"]["table"] == TABLE
        assert message["source"]["seq"] == number and message["ts_ms"] == message["source"]["ts_ms"] > 1.7e12


def test_flat_messages_with_metadata_are_enough_to_keep_a_copy_of_the_table(tmp_path):
    inbox, project = files_project(tmp_path, {TABLE: {"metadata": True}})
    (project.folder / "transformations" / "copy.sql").write_text("""
        CREATE TEMPORARY VIEW changes AS
        SELECT c.*, row_number() OVER (PARTITION BY key ORDER BY c.__lsn DESC) AS age
        FROM (SELECT key, from_json(value, 'nat STRING, __op STRING, __deleted STRING, __lsn BIGINT') AS c
              FROM users_raw);
        CREATE MATERIALIZED VIEW copy AS SELECT nat, __op, __lsn FROM changes WHERE age = 1 AND __deleted = 'false';
        """)
    put(inbox, "a", lines(range(3)))
    project.once()
    with database(project) as stranger:
        stranger.execute(f"DELETE FROM {TABLE} WHERE _key = ?", [uuid(0)])
        stranger.execute(f"UPDATE {TABLE} SET nat = 'XX' WHERE _key = ?", [uuid(1)])
        stranger.execute(f"UPDATE {TABLE} SET _key = 'new', nat = 'NN' WHERE _key = ?", [uuid(2)])
    project.once()
    told = [value for _, value in sorted(messages(project), key=lambda one: one[1]["__lsn"])]
    assert [(one["__lsn"], one["__op"], one["__deleted"]) for one in told] == [
        (1, "c", "false"), (2, "c", "false"), (3, "c", "false"), (4, "d", "true"), (5, "u", "false"), (6, "d", "true"),
        (7, "c", "false")]
    assert told[3]["login"] == user(0)["login"] and told[3]["__table"] == TABLE
    assert project.sql("SELECT nat, __op, __lsn FROM copy ORDER BY __lsn") == [
        {"nat": "XX", "__op": "u", "__lsn": 5}, {"nat": "NN", "__op": "c", "__lsn": 7}]


def test_what_cannot_land_is_a_dead_letter_that_lands_when_its_column_is_wider(tmp_path):
    columns = {"id": {"type": "uuid", "path": "$.login.uuid"}, "nat": "text",
               "age": {"type": "bigint", "path": "$.dob.age"}}
    inbox, project = files_project(tmp_path, {TABLE: {"columns": columns, "key": ["id"]}})
    put(inbox, "a", lines([1]) + json.dumps(user(2, dob={"age": "old"})) + "\n" + '{"login": {}}\n')
    project.once()
    letters = project.sql("SELECT flow, reason, detail, origin FROM system.dead_letters WHERE reason = 'staging'")
    assert [(one["flow"], one["reason"], one["detail"]) for one in letters] == [
        ("input", "staging", 'age: "old" is no bigint'), ("input", "staging", "it has no key: id is missing")]
    assert letters[0]["origin"].endswith("a.jsonl:2")
    settings = json.loads((project.folder / "tailrace.yml").read_text())
    settings["staging"][TABLE]["columns"]["age"]["type"] = "text"
    (project.folder / "tailrace.yml").write_text(json.dumps(settings))
    project.start()
    hop = project.hops()["staged." + TABLE]
    assert (hop["count"], hop["rejected"], hop["reasons"]) == (1, 2, {"staging": 2})
    assert project.hops()["fetched.input"]["rejected"] == 0
    sent = project.post("/api/redrive", {"reason": "staging"})
    assert sent["redriven"] == 1
    tailrace.wait_until(lambda: project.hops()["appended.users_created"]["count"] == 2, "the letter's record")
    project.stop()
    assert {key: value["age"] for key, value in messages(project)} == {uuid(1): 19, uuid(2): "old"}
    assert database(project).execute(f"SELECT age FROM {TABLE} ORDER BY id").fetchall() == [("19",), ("old",)]


@pytest.mark.parametrize("kind", ["files", "fake"])
def test_kill_9_loses_nothing_and_doubles_nothing_on_the_way_through_the_staging(tmp_path, kind):
    seed = int(os.environ.get("TAILRACE_SEED", random.randrange(1 << 30)))
    print("TAILRACE_SEED", seed)
    choose = random.Random(seed)
    inbox = tmp_path / "input"
    inbox.mkdir()
    limit = 3000 * tailrace.KILLS
    faults = {"bad_json": 0.01, "null_ids": 0.01}
    ingest = tailrace.files_from(inbox)[0] if kind == "files" else {
        "name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
        "fake": {"seed": seed, "limit": limit, "rate": 5000, "faults": faults}}
    project = tailrace.Project(tmp_path, settings=staged(ingest))
    files = 0
    for _ in range(tailrace.KILLS):
        project.start()
        for _ in range(choose.randrange(1, 4) if kind == "files" else 0):
            put(inbox, f"{files:05}", lines(range(files * 400, files * 400 + 400)))
            files += 1
        time.sleep(choose.choice([0.05, 0.2, 0.5]) * choose.random())  # a kill at any moment
        project.kill()
    project.start()
    wanted = files * 400 if kind == "files" else limit

    def done():
        hops = project.hops()
        letters = hops["staged." + TABLE]["rejected"]
        return hops["appended.users_created"]["count"] + letters >= wanted

    tailrace.wait_until(done, "all records", 300)
    time.sleep(0.3)  # what would come twice has time to come
    hops = project.hops()
    letters = project.sql("SELECT origin FROM system.dead_letters WHERE reason = 'staging'")
    project.stop()
    keys = collections.Counter(key for key, _ in messages(project))
    assert max(keys.values()) == 1
    if kind == "files":
        assert sorted(keys) == sorted(uuid(n) for n in range(wanted)) and not letters
    else:
        assert len({one["origin"] for one in letters}) == len(letters) > 0
        assert len(keys) + len(letters) == wanted, hops["staged." + TABLE]
    rows = database(project).execute(f"SELECT _key FROM {TABLE}").fetchall()
    assert sorted(key for key, in rows) == sorted(keys)


def test_a_full_disk_is_told_at_the_staging_and_it_goes_on_when_there_is_room(tmp_path, disk):  # noqa: F811
    ballast = Ballast(disk, 8)
    ingest = {"name": "input", "topic": "users_created", "use": "fake", "key": "$.login.uuid",
              "fake": {"seed": 5, "rate": "max", "limit": 12000}}
    project = tailrace.Project(tmp_path, settings=staged(ingest))
    project.data = disk / "data"
    project.start()

    def says_full():
        assert not project.ended(), project.log.read_text()[-2000:]
        said = [hop.get("why") or "" for hop in project.hops().values()]
        return [one for one in said if "disk is full" in one or "disk full" in one or "o space left" in one]

    print(tailrace.wait_until(says_full, "a hop that says that the disk is full", 90))
    ballast.remove()
    tailrace.wait_until(lambda: project.hops()["silver.users"]["count"] == 12000, "all users", 120)
    tailrace.wait_until(lambda: not says_full(), "no hop that says that the disk is full")
    project.stop()
    keys = collections.Counter(key for key, _ in messages(project))
    assert len(keys) == 12000 and max(keys.values()) == 1


def test_a_strangers_lock_is_told_with_its_time_and_waited_out(tmp_path):
    inbox, project = files_project(tmp_path)
    put(inbox, "a", lines(range(2)))
    project.start()
    tailrace.wait_until(lambda: len(users(project)) == 2, "two users")
    stranger = database(project)
    stranger.execute("BEGIN IMMEDIATE")
    put(inbox, "b", lines(range(2, 4)))
    hop = tailrace.wait_until(lambda: (one := project.hops()["staged." + TABLE])["state"] == "error" and one,
                              "the staging's error")
    assert "locked" in hop["last_error"] and hop["last_error_ms"] > 1.7e12
    assert project.hops()["fetched.input"]["state"] != "error"
    stranger.execute("COMMIT")
    tailrace.wait_until(lambda: len(users(project)) == 4, "four users")
    assert tailrace.wait_until(lambda: project.hops()["staged." + TABLE]["state"] == "ok", "no error any more")
    project.stop()


def test_new_members_become_columns_and_mixed_ones_keep_their_values(tmp_path):
    inbox, project = files_project(tmp_path)
    records = [user(1), user(2, level=1), user(3, level=2.5, tags=["a"]), user(4, level="high", gender=7)]
    for number, record in enumerate(records):
        put(inbox, str(number), json.dumps(record) + "\n")
        project.once()
    found = dict(messages(project))
    for record in records:
        message = found[record["login"]["uuid"]]
        for name, value in record.items():
            assert message[name] == value
        assert all(value is None for name, value in message.items() if name not in record)
    types = dict(database(project).execute(f"SELECT name, type FROM pragma_table_info('{TABLE}')"))
    assert (types["level"], types["tags"], types["gender"], types["email"]) == (
        "JSON_TEXT", "JSON_TEXT", "JSON_TEXT", "TEXT")
    rows = database(project).execute(f"SELECT level FROM {TABLE} WHERE level IS NOT NULL ORDER BY rowid").fetchall()
    assert rows == [("1",), ("2.5",), ('"high"',)]
