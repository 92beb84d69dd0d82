"""The tables of `serving` read by CQL's clients: the same rows as by SQL and HTTP, by key, in pages, evolving."""
import contextlib
import datetime
import decimal
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import urllib.parse

import cassandra
import pytest
import tailrace
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from cassandra.query import SimpleStatement, dict_factory
from cassandra.util import Date
from records import by_country_gender, lines
from test_topic_schemas import VERSIONS, Topic, encoded, first_version, orders_project, some_order

NUMBERS = range(3000)


@contextlib.contextmanager
def connected(project, keyspace=None):
    host, port = project.cql()
    profile = ExecutionProfile(row_factory=dict_factory, load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    cluster = Cluster([host], port=port, execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    try:
        yield cluster.connect(keyspace)
    finally:
        cluster.shutdown()


def plain(value):
    """A value of the driver's as `tailrace sql --json` writes it, with milliseconds."""
    if isinstance(value, Date):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


def to_milliseconds(value):
    """Times in one form: SQL's have a space and microseconds where HTTP's have a T."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d[ T][\d:.]+Z", value):
        return value
    return value[:10] + "T" + value[11:23] + "Z"


def by_key(rows, key):
    return {tuple(row[k] for k in key): {n: to_milliseconds(plain(v)) for n, v in row.items()} for row in rows}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "input").mkdir()
    (folder / "input" / "a.jsonl").write_text(lines(NUMBERS))
    made = tailrace.Project(folder, settings=tailrace.settings(tailrace.files_from(folder / "input")))
    made.start()
    tailrace.wait_until(lambda: made.hops()["served.created_users"]["count"] == len(NUMBERS), "every user")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def session(project):
    with connected(project, "random_users") as made:
        yield made


@pytest.mark.parametrize("table, key", [
    ("created_users", ["id"]), ("users_by_country_gender", ["country", "gender"]),
    ("age_by_nationality", ["nationality"])])
def test_a_driver_reads_the_rows_that_sql_and_http_give(project, session, table, key):
    rows = by_key(session.execute(SimpleStatement(f"SELECT * FROM {table}", fetch_size=101)), key)

    def differ():
        wanted = by_key(project.sql(f"SELECT * FROM {table}"), key)
        return [at for at in rows.keys() | wanted.keys() if rows.get(at) != wanted.get(at)]

    tailrace.wait_until(lambda: not differ(), "the checkpoint that the table's rows in the lake are of")
    for values in list(rows)[:20]:
        path = "/".join(urllib.parse.quote(str(value), safe="") for value in values)
        answer = project.get(f"/api/tables/{table}/{path}")
        names = [column["name"] for column in answer["columns"]]
        assert by_key([dict(zip(names, row, strict=True)) for row in answer["rows"]], key) == {values: rows[values]}


EVENTS = """
CREATE STREAMING TABLE events AS SELECT get_json_object(value, '$.who') AS who,
  CAST(get_json_object(value, '$.n') AS INT) AS n FROM STREAM raw;
"""


def test_every_door_has_the_same_served_rows_by_the_name_that_cql_knows(tmp_path):
    """Where the key does not name one row the newest of each is served, the table has all, and the hop says so."""
    (tmp_path / "input").mkdir()
    made = tailrace.with_sql(tmp_path, EVENTS, json.dumps({
        "topics": {"raw": {"format": "json", "partitions": 1}},
        "ingest": [{"name": "in", "topic": "raw", "use": "files",
                    "files": {"path": str(tmp_path / "input"), "every": "100ms"}}],
        "serving": {"events": {"key": ["who"]}, "Other Keyspace.newest": {"table": "events", "key": ["who"]}}}))

    def put(name, rows):
        (tmp_path / f"{name}.new").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / f"{name}.new").rename(tmp_path / "input" / f"{name}.jsonl")

    first = [{"who": who, "n": n} for n in range(3) for who in ("a", "b")]
    put("first", first)
    made.start()
    tailrace.wait_until(lambda: made.hops()["served.events"]["count"] == 2, "the checkpoint that they are counted at")
    assert made.hops()["served.events"]["detail"] == "one row a key (who): `events` has more rows than keys"
    put("second", [{"who": "a", "n": 8}, {"who": "c", "n": 9}])
    served = [{"who": "a", "n": 8}, {"who": "b", "n": 2}, {"who": "c", "n": 9}]
    with connected(made) as session:
        for name in ("random_users.events", "other_keyspace.newest"):
            tailrace.wait_until(lambda: by_key(session.execute(f"SELECT * FROM {name}"), ["who"]) ==  # noqa: B023
                                by_key(served, ["who"]), "the rows at CQL's door")
            assert made.sql(f"SELECT * FROM {name} ORDER BY who") == served
            answer = made.get(f"/api/tables/{name}")
            names = [column["name"] for column in answer["columns"]]
            assert [dict(zip(names, row, strict=True)) for row in answer["rows"]] == served
    made.stop()
    assert made.sql("SELECT * FROM random_users.events ORDER BY who") == served  # from what is stored
    assert made.sql("SELECT count(*) AS n FROM events") == [{"n": 8}]
    (hop,) = made.sql("SELECT records FROM system.hops WHERE kind = 'served' AND name = 'events'")
    assert hop["records"] == 3


def test_rows_are_found_by_partition_by_key_and_in_both_orders(session):
    expected = by_country_gender(NUMBERS)
    one = session.prepare("SELECT users FROM users_by_country_gender WHERE country = ? AND gender = ?")
    for (country, gender), users in expected.items():
        assert [row["users"] for row in session.execute(one, [country, gender])] == [users]
    assert not list(session.execute(one, ["nowhere", "male"]))
    for country in {country for country, _ in expected}:
        genders = sorted(g for c, g in expected if c == country)
        for order, wanted in ("ASC", genders), ("DESC", genders[::-1]):
            rows = session.execute("SELECT gender FROM users_by_country_gender WHERE country = %s ORDER BY gender " +
                                   order, [country])
            assert [row["gender"] for row in rows] == wanted
    some = list(expected)[:3]
    rows = session.execute("SELECT country, gender FROM users_by_country_gender "
                           "WHERE country IN (%s, %s) AND gender > %s", [some[0][0], some[-1][0], "a"])
    assert {(r["country"], r["gender"]) for r in rows} == {k for k in expected if k[0] in (some[0][0], some[-1][0])}
    assert session.execute("SELECT count(*) FROM created_users").one()["count"] == len(NUMBERS)


def test_pages_of_any_size_give_each_row_once(session):
    for size in 1, 7, 1000, 5000:
        limit = "" if size > 1 else " LIMIT 20"
        query = SimpleStatement("SELECT id FROM created_users" + limit, fetch_size=size)
        ids = [row["id"] for row in session.execute(query)]
        assert len(ids) == len(set(ids)) == (20 if limit else len(NUMBERS))


def test_clients_see_a_table_like_any_other_and_cannot_change_it(session):
    table = session.cluster.metadata.keyspaces["random_users"].tables["users_by_country_gender"]
    assert [c.name for c in table.partition_key] == ["country"] and [c.name for c in table.clustering_key] == ["gender"]
    assert table.columns["users"].cql_type == "bigint"
    for statement in (
            "INSERT INTO created_users (id) VALUES ('x')", "DELETE FROM created_users WHERE id = 'x'",
            "TRUNCATE created_users", "DROP TABLE created_users", "ALTER TABLE created_users ADD more int",
            "DROP KEYSPACE random_users", "CREATE INDEX ON created_users (email)"):
        with pytest.raises(cassandra.InvalidRequest):
            session.execute(statement)
    session.execute("CREATE TABLE own (id text PRIMARY KEY, note text)")
    session.execute("INSERT INTO own (id, note) VALUES ('a', 'b')")
    assert session.execute("SELECT note FROM own").one()["note"] == "b"
    session.execute("DROP TABLE own")


def cqlsh(project, statement):
    host, port = project.cql()
    done = subprocess.run([pathlib.Path(sys.executable).with_name("cqlsh"), host, str(port), "-e", statement],
                          capture_output=True, text=True, timeout=120, check=False,
                          env=os.environ | {"HOME": str(project.folder), "CQLSH_NO_BUNDLED": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cqlsh_shows_rows_and_the_table(project):
    shown = cqlsh(project, "SELECT id, first_name, registered_date FROM random_users.created_users LIMIT 3")
    assert "(3 rows)" in shown and "first_name" in shown
    described = cqlsh(project, "DESCRIBE TABLE random_users.users_by_country_gender")
    assert "PRIMARY KEY (country, gender)" in described and "users bigint" in described


TYPES = """
CREATE STREAMING TABLE typed_rows AS
SELECT r.* FROM (SELECT from_json(value, 'p STRING, c INT, t TINYINT, s SMALLINT, b BIGINT, f FLOAT, d DOUBLE,
  m DECIMAL(12,3), y BOOLEAN, day DATE, at TIMESTAMP, list ARRAY<INT>, map MAP<STRING, BIGINT>,
  nested ARRAY<STRUCT<name: STRING, inner: STRUCT<x: INT, y: ARRAY<STRING>>>>') AS r FROM STREAM raw);
CREATE MATERIALIZED VIEW typed AS
SELECT *, unhex(hex(p)) AS bin FROM typed_rows;
"""


def test_values_of_every_type_reach_a_driver(tmp_path):
    (tmp_path / "input").mkdir()
    full = {"p": "a", "c": -1, "t": -128, "s": 32767, "b": -2**63, "f": 1.5, "d": -0.1, "m": -123456789.125, "y": True,
            "day": "1969-12-31", "at": "2020-01-02T03:04:05.678Z", "list": [1, None, 3], "map": {"z": 1, "a": 2},
            "nested": [{"name": "ä", "inner": {"x": 1, "y": ["q", ""]}}, {"name": None, "inner": None}]}
    rows = [full, {"p": "a", "c": 7}, {"p": "b", "c": 0, "list": [], "map": {}, "nested": []}]
    (tmp_path / "input" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = tailrace.with_sql(tmp_path, TYPES, json.dumps({
        "topics": {"raw": {"format": "json"}},
        "ingest": [{"name": "in", "topic": "raw", "use": "files",
                    "files": {"path": str(tmp_path / "input"), "every": "100ms"}}],
        "serving": {"Other-Keyspace.typed": {"table": "typed", "key": [["p"], "c"]}}}))
    made.start()
    tailrace.wait_until(lambda: made.hops()["served.Other-Keyspace.typed"]["count"] == 3, "the rows")
    with connected(made, "other_keyspace") as session:
        first, second = session.execute("SELECT * FROM typed WHERE p = 'a'")
        empty = session.execute("SELECT * FROM typed WHERE p = 'b' AND c = 0").one()
    nested = first.pop("nested")
    assert [n.name for n in nested] == ["ä", None] and nested[1].inner is None
    assert nested[0].inner.x == 1 and list(nested[0].inner.y) == ["q", ""]
    assert dict(first.pop("map")) == {"a": 2, "z": 1}
    assert first == {
        "p": "a", "c": -1, "t": -128, "s": 32767, "b": -2**63, "f": 1.5, "d": -0.1,
        "m": decimal.Decimal("-123456789.125"), "y": True, "day": Date("1969-12-31"),
        "at": datetime.datetime(2020, 1, 2, 3, 4, 5, 678000), "list": [1, 3],
        "bin": b"a"}
    assert {name for name, value in second.items() if value is not None} == {"p", "c", "bin"}
    assert (list(empty["list"] or []), dict(empty["map"] or {}), list(empty["nested"] or [])) == ([], {}, [])
    made.stop()


def test_new_columns_reach_clients_that_are_connected(tmp_path):
    project = orders_project(tmp_path, schema="schemas/order.avsc")
    first_version(project)
    topic = Topic(project.start())
    with connected(project, "random_users") as session:
        table = session.cluster.metadata.keyspaces["random_users"].tables["orders_now"]
        assert "tags" not in table.columns
        newest = VERSIONS[-1]
        newer = topic.registry.register("orders-value", newest)
        topic.send(newer, encoded(newest, some_order(newest, 3, random.Random(1))))
        topic.flush()
        tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 1, "the row")

        def columns():
            return session.cluster.metadata.keyspaces["random_users"].tables["orders_now"].columns

        tailrace.wait_until(lambda: "tags" in columns(), "the event of the new column")
        row = session.execute("SELECT * FROM orders_now").one()
        sql = project.sql("SELECT * FROM orders_now")[0]
        assert set(row) == set(sql) and row["id"] == sql["id"] and list(row["tags"]) == sql["tags"]
    project.stop()


def test_what_cql_cannot_have_is_refused_with_its_place(tmp_path):
    made = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path)))
    path = made.folder / "tailrace.yml"
    topics = "topics: {users_created: {format: json}}\nserving:\n"
    for name, word in ("system.created_users", "the server's own"), ("u" * 49, "49 characters"):
        path.write_text(f"{topics}  {name}: {{table: users, key: [id]}}\n")
        done = made.command("check", made.folder)
        assert done.returncode == 1 and "tailrace.yml:3:3:" in done.stderr and word in done.stderr, done.stderr
    path.write_text(topics + "  users: {key: [id]}\n  USERS: {table: users, key: [id]}\n")
    done = made.command("check", made.folder)
    assert done.returncode == 1 and "tailrace.yml:4:3:" in done.stderr and "give one another name" in done.stderr
