"""Serving behind a URL: whatever is killed in between, the database has the pipeline's own rows.

Here it is `tailrace serve`; tests/real/test_cassandra.py has the same tests with a real Cassandra."""
import contextlib
import datetime
import http.client
import json
import re
import signal
import ssl
import struct
import subprocess
import time
import urllib.parse

import certificates
import confluent_kafka
import cql_server
import cql_wire
import pytest
import registry
import tailrace

RECORDS = 3000
SERVED = {"created_users": ["id"], "users_by_country_gender": ["country", "gender"],
          "signups_per_minute": ["minute", "country"], "age_by_nationality": ["nationality"],
          "top_cities": ["city", "country"], "latest_users": ["id"]}
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?Z")


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory):
    """A database that all tests may fill."""
    one = cql_server.CqlServer(tmp_path_factory.mktemp("serve")).start()
    yield one
    one.kill()


@pytest.fixture
def server(tmp_path):
    """One that a test may kill."""
    folder = tmp_path / "serve"
    folder.mkdir()
    one = cql_server.CqlServer(folder).start()
    yield one
    one.kill()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    """One that speaks TLS, with a certificate of `authority`."""
    folder = tmp_path_factory.mktemp("encrypted")
    authority = certificates.Authority(folder)
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    one = cql_server.CqlServer(folder, "--tls-certificate", certificate, "--tls-key", key).start()
    one.authority = authority
    yield one
    one.kill()


@pytest.fixture(scope="module")
def cassandra_with_passwords(tmp_path_factory):
    """One with logins; its first user is cassandra, with the password cassandra."""
    one = cql_server.CqlServer(tmp_path_factory.mktemp("logins"), "--auth", "password").start()
    yield one
    one.kill()


class Refused(AssertionError):
    pass


def example(folder, address, keyspace="example", limit=RECORDS, rate=100000, first=RECORDS, **role):
    """The example itself, but for the URL of its serving and an end."""
    folder.mkdir()
    project = tailrace.Project(folder)
    text = (project.folder / "tailrace.yml").read_text()
    serving = {"url": f"cassandra://{address}/{keyspace}"} | role
    for before, after in (("serving: embedded", f"serving: {json.dumps(serving)}"), ("limit: none", f"limit: {limit}"),
                          ("rate: 50", f"rate: {rate}"), ("first: 1000", f"first: {first}"),
                          ("every: 5s", "every: 300ms")):
        assert before in text, before
        text = text.replace(before, after, 1)
    (project.folder / "tailrace.yml").write_text(text)
    return project


def connect(address, **login):
    connection = cql_wire.Connection(address, **login)
    assert connection.started.code is None, connection.started.message
    return connection


def ask(connection, statement):
    answer = connection.query(statement)
    if answer.code is not None:
        raise Refused(statement, answer.message)
    return answer.rows or []


def comparable(value):
    """Times as milliseconds, whatever text they stand in; all else as JSON has it."""
    if isinstance(value, dict):
        return {name: comparable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [comparable(one) for one in value]
    if isinstance(value, str) and TIME.fullmatch(value):
        date, clock, part = TIME.fullmatch(value).groups()
        seconds = datetime.datetime.fromisoformat(f"{date}T{clock}+00:00").timestamp()
        return int(seconds) * 1000 + int((part or ".0")[1:].ljust(6, "0")[:6]) // 1000
    return value


def as_set(rows):
    """Names of columns are lower case in Cassandra."""
    return {json.dumps({name.lower(): comparable(value) for name, value in row.items()}, sort_keys=True)
            for row in rows}


def rows_in(address, table, keyspace="example", **login):
    connection = connect(address, **login)
    rows = [json.loads(row[0]) for row in ask(connection, f"SELECT JSON * FROM {keyspace}.{table}")]
    connection.socket.close()
    return rows


def served_rows(project, table):
    """As they are served now; SQL would have those of the last checkpoint."""
    if project.process is None or project.ended():
        return project.sql(f"SELECT * FROM {table}")
    rows, after = [], ""
    while True:
        page = project.get(f"/api/tables/{table}?limit=1000" + (f"&after={urllib.parse.quote(after)}" if after else ""))
        names = [column["name"] for column in page["columns"]]
        rows += [dict(zip(names, row)) for row in page["rows"]]
        after = page["next"]
        if not after:
            return rows


def differences(project, address, tables=SERVED, keyspace="example", **login):
    """Rows that only one of the two has, of the first table where they differ."""
    for table in tables:
        there, here = rows_in(address, table, keyspace, **login), served_rows(project, table)
        assert len(as_set(there)) == len(there)
        if as_set(there) != as_set(here):
            return table, len(there), len(here), list(as_set(there) - as_set(here))[:2], \
                list(as_set(here) - as_set(there))[:2]
    return None


def assert_same(project, address, **how):
    assert differences(project, address, **how) is None


def settled(project, address, **how):
    """Cassandra's rows follow a checkpoint later. Before the first step after a start neither has any."""
    first = next(iter(how.get("tables", SERVED)))

    def same():
        assert not project.ended(), project.log.read_text()[-2000:]
        with contextlib.suppress(Refused):  # the table may not be there yet
            return served_rows(project, first) and differences(project, address, **how) is None

    try:
        tailrace.wait_until(same, "the same rows", 120)
    except AssertionError as e:
        raise AssertionError(differences(project, address, **how)) from e


def fetched(project):
    return project.hops()["fetched.random_users"]["count"]


@pytest.mark.smoke
def test_the_example_gives_the_same_rows_once(tmp_path, cassandra):
    project = example(tmp_path / "once", cassandra.address)
    project.once()
    assert len(project.sql("SELECT * FROM created_users")) > 2900
    assert_same(project, cassandra.address)
    connection = connect(cassandra.address)
    keys = {(row[0].decode(), row[1].decode(), row[2].decode()) for row in ask(
        connection, "SELECT table_name, column_name, kind FROM system_schema.columns WHERE keyspace_name = 'example'")}
    for table, key in SERVED.items():
        assert (table, key[0], "partition_key") in keys
        assert all((table, column, "clustering") in keys for column in key[1:])
    assert b"SimpleStrategy" in ask(
        connection, "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'example'")[0][0]


def test_nothing_is_lost_stale_or_doubled_by_kills_of_us_and_of_cassandra(tmp_path, server):
    project = example(tmp_path / "killed", server.address, first=100, limit=2000, rate=200)
    for seen in (300, 600, 900):
        project.start()
        tailrace.wait_until(lambda: fetched(project) >= seen, "records")
        project.kill()
    project.start()
    tailrace.wait_until(lambda: fetched(project) >= 1200, "records")
    server.kill()
    hop = tailrace.wait_until(lambda: project.hops()["served.created_users"]["last_error"], "the hop says so")
    said = rf"serving: cassandra {server.address} does not answer since \d+ s \(.+\), trying again"
    assert re.fullmatch(said, hop), hop
    assert re.search(said, project.first_empty_hop())
    assert re.search(said, project.command("status", project.folder, "--data", project.data).stdout)
    assert project.sql("SELECT count(*) AS n FROM created_users")[0]["n"] > 0
    tailrace.wait_until(lambda: fetched(project) >= 1500, "records are fetched meanwhile")
    server.start()
    tailrace.wait_until(lambda: not project.hops()["served.created_users"]["last_error"], "it goes on")
    server.kill()
    tailrace.wait_until(lambda: project.hops()["served.created_users"]["last_error"], "the hop says so")
    project.kill()
    server.start()
    project.start()
    tailrace.wait_until(lambda: fetched(project) >= 2000, "all records")
    settled(project, server.address)
    project.stop()
    assert_same(project, server.address)


def test_a_stopped_run_ends_at_once_while_cassandra_is_away_and_the_next_goes_on(tmp_path, server):
    project = example(tmp_path / "stopped", server.address, first=500, limit=1500, rate=200)
    project.start()
    tailrace.wait_until(lambda: fetched(project) >= 700, "records")
    server.process.send_signal(signal.SIGSTOP)
    hop = tailrace.wait_until(lambda: project.hops()["served.created_users"]["last_error"], "the hop says so")
    assert "it is connected, and silent" in hop
    began = time.monotonic()
    project.stop()
    assert time.monotonic() - began < 30
    server.process.send_signal(signal.SIGCONT)
    project.start()
    tailrace.wait_until(lambda: fetched(project) >= 1500, "all records")
    settled(project, server.address)
    project.stop()


def test_a_database_that_is_away_at_the_start_is_waited_for(tmp_path, server):
    server.kill()
    project = example(tmp_path / "waits", server.address, limit=1000)
    for _ in range(2):  # the first is stopped while it waits
        project.log.unlink(missing_ok=True)
        project.start()
        hop = tailrace.wait_until(lambda: project.hops()["served.created_users"]["last_error"], "the hop says so")
        assert re.fullmatch(rf"serving: cassandra {server.address} does not answer since \d+ s \(Connection refused\), "
                            "trying again", hop), hop
        tailrace.wait_until(lambda: fetched(project) == 1000, "records are fetched meanwhile")
        assert project.log.read_text().count("Connection refused") == 1
        if _ == 0:
            project.stop()
    server.start()
    settled(project, server.address)
    assert project.log.read_text().count(f"cassandra {server.address} answers again") == 1
    project.stop()


def test_one_host_of_several_is_enough(tmp_path, cassandra):
    project = example(tmp_path / "hosts", f"127.0.0.1:1,{cassandra.address}", "several", limit=200)
    project.once()
    assert_same(project, cassandra.address, keyspace="several")


DELETES = """
CREATE MATERIALIZED VIEW newest AS SELECT name, at FROM (
  SELECT get_json_object(value, '$.name') AS name, CAST(get_json_object(value, '$.at') AS INT) AS at FROM STREAM_OF
) ORDER BY at DESC, name LIMIT 5;
CREATE MATERIALIZED VIEW by_name AS SELECT get_json_object(value, '$.name') AS name, count(*) AS times,
  max(CAST(get_json_object(value, '$.at') AS INT)) AS at FROM STREAM_OF GROUP BY get_json_object(value, '$.name');
""".replace("STREAM_OF", "lines")


def lines_project(folder, address, keyspace, sql=DELETES, serving=None, **topic):
    """Lines of JSON from a folder; every step of a few records is its own."""
    folder.mkdir()
    (folder / "input").mkdir()
    project = tailrace.with_sql(folder, "CREATE STREAMING TABLE lines AS SELECT value FROM STREAM lines_in;\n" + sql,
                                json.dumps({
        "roles": {"serving": f"cassandra://{address}/{keyspace}"},
        "topics": {"lines_in": {"partitions": 1, "format": "json"} | topic},
        "ingest": [{"name": "input", "topic": "lines_in", "use": "files",
                    "files": {"path": str(folder / "input"), "every": "20ms"}}],
        "serving": serving or {"newest": {"key": ["name"]}, "by_name": {"key": ["name"]}},
        "checkpoint": {"every": "50ms"}}))
    project.input = folder / "input"
    return project


def write_lines(project, name, rows):
    """Whole or not at all."""
    part = project.input.parent / "part"
    part.write_text("".join(json.dumps(row) + "\n" for row in rows))
    part.rename(project.input / f"{name}.jsonl")


def test_rows_that_went_are_deleted_whatever_is_replayed(tmp_path, cassandra):
    project = lines_project(tmp_path / "run", cassandra.address, "deletes")
    for turn in range(tailrace.KILLS):
        project.start()
        for part in range(20):
            write_lines(project, f"{turn:03}-{part:03}", [
                {"name": f"n{(turn * 7 + part * 3 + i) % 40}", "at": turn * 1000 + part * 10 + i} for i in range(10)])
            time.sleep(0.01 * (part % 3))
        tailrace.wait_until(lambda: project.hops()["fetched.input"]["count"] >= (turn + 1) * 150, "records")
        project.kill()
    project.start()
    tailrace.wait_until(lambda: project.hops()["fetched.input"]["count"] >= tailrace.KILLS * 200, "all records")
    settled(project, cassandra.address, tables=("newest", "by_name"), keyspace="deletes")
    assert len(rows_in(cassandra.address, "newest", "deletes")) == 5
    project.stop()


def test_a_table_made_again_and_one_with_more_columns_are_followed(tmp_path, cassandra):
    project = lines_project(tmp_path / "run", cassandra.address, "again")
    write_lines(project, "a", [{"name": f"n{i}", "at": i, "more": f"m{i}"} for i in range(300)])
    project.once()
    assert_same(project, cassandra.address, tables=("newest", "by_name"), keyspace="again")
    sql = project.folder / "transformations" / "all.sql"
    was = sql.read_text()
    sql.write_text(was.replace("SELECT get_json_object(value, '$.name') AS name, count(*) AS times",
                               "SELECT get_json_object(value, '$.name') AS name, count(*) AS times, "
                               "max(get_json_object(value, '$.more')) AS \"More of it\""
                               .replace('"More of it"', "`More of it`")).replace("LIMIT 5", "LIMIT 3"))
    project.once()
    assert_same(project, cassandra.address, tables=("newest", "by_name"), keyspace="again")
    assert len(rows_in(cassandra.address, "newest", "again")) == 3
    assert "m7" in {row["more of it"] for row in rows_in(cassandra.address, "by_name", "again")}
    # Another type of a column: Cassandra cannot change one, so the table is another one there.
    sql.write_text(was.replace("count(*) AS times", "CAST(count(*) AS STRING) AS times"))
    project.once()
    assert_same(project, cassandra.address, tables=("newest", "by_name"), keyspace="again")


def test_a_table_that_was_dropped_or_a_data_folder_that_is_gone_is_loaded_again(tmp_path, cassandra):
    project = lines_project(tmp_path / "run", cassandra.address, "dropped")
    write_lines(project, "a", [{"name": f"n{i}", "at": i} for i in range(300)])
    project.once()
    connection = connect(cassandra.address)
    ask(connection, "DROP TABLE dropped.by_name")
    ask(connection, "INSERT INTO dropped.newest (name, at) VALUES ('of another run', 1)")
    project.once()
    assert len(rows_in(cassandra.address, "by_name", "dropped")) == 300
    subprocess.run(["rm", "-r", project.data], check=True)
    project.once()
    assert_same(project, cassandra.address, tables=("newest", "by_name"), keyspace="dropped")


def test_a_table_that_is_dropped_while_rows_are_on_their_way_is_made_again(tmp_path, cassandra):
    project = lines_project(tmp_path / "run", cassandra.address, "goes")
    tables = {"tables": ("newest", "by_name"), "keyspace": "goes"}
    project.start()
    connection = connect(cassandra.address)
    for turn in range(3):
        write_lines(project, f"{turn}", [{"name": f"n{turn}-{i}", "at": i} for i in range(100)])
        tailrace.wait_until(lambda: project.hops()["fetched.input"]["count"] == 100 * (turn + 1), "records")
        settled(project, cassandra.address, **tables)
        ask(connection, ["DROP TABLE goes.by_name", "DROP KEYSPACE goes", "TRUNCATE goes.newest"][turn])
    assert rows_in(cassandra.address, "newest", "goes") == []  # what others take away is theirs to answer for
    project.stop()


def test_steps_wait_while_much_is_on_its_way(tmp_path, server):
    project = lines_project(tmp_path / "run", server.address, "much",
                            "CREATE MATERIALIZED VIEW texts AS SELECT get_json_object(value, '$.n') AS n, "
                            "get_json_object(value, '$.text') AS text FROM lines;", {"texts": {"key": ["n"]}})

    def keys():
        return {row[0].decode() for row in ask(connect(server.address), "SELECT n FROM much.texts")}

    project.start()
    write_lines(project, "a", [{"n": "first", "text": ""}])
    settled(project, server.address, tables=("texts",), keyspace="much")
    server.process.send_signal(signal.SIGSTOP)
    for part in range(8):
        write_lines(project, f"b{part}", [{"n": f"{part}-{i}", "text": "x" * 100_000} for i in range(80)])
    tailrace.wait_until(lambda: "steps wait, for 32 MB" in project.hops()["served.texts"]["last_error"], "steps wait")
    assert 320 < project.hops()["served.texts"]["count"] < 641
    server.process.send_signal(signal.SIGCONT)
    tailrace.wait_until(lambda: len(keys()) == 641, "all rows")
    assert keys() == {"first"} | {f"{part}-{i}" for part in range(8) for i in range(80)}
    project.stop()


def test_a_table_of_another_shape_is_left_alone_and_the_hop_says_which_column_differs(tmp_path, cassandra):
    connection = connect(cassandra.address)
    ask(connection, "CREATE KEYSPACE shapes WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    ask(connection, "CREATE TABLE shapes.newest (name text PRIMARY KEY, at text)")
    ask(connection, "CREATE TABLE shapes.by_name (at int, name text, PRIMARY KEY (at, name))")
    project = lines_project(tmp_path / "run", cassandra.address, "shapes")
    write_lines(project, "a", [{"name": f"n{i}", "at": i} for i in range(10)])
    project.start()
    told = re.compile(r"table shapes.(\w+) is there and is another one \((.*)\): name `\1` otherwise in tailrace.yml, "
                      "or drop the table")
    for table, why in (("newest", "column at is text there and int here"),
                       ("by_name", "column at is int, the 1. of kind partition_key, there and int here")):
        hop = tailrace.wait_until(lambda: f"shapes.{table} " in (
            said := project.hops()["served.newest"]["last_error"]) and said, "the hop says so")
        assert told.search(hop).groups() == (table, why), hop
        ask(connection, f"DROP TABLE shapes.{table}")
    settled(project, cassandra.address, tables=("newest", "by_name"), keyspace="shapes")
    project.stop()


def test_a_certificate_of_an_authority_that_is_trusted_is_asked_for(tmp_path, encrypted):
    folder = tmp_path / "stranger"
    stranger = example(folder, encrypted.address, "encrypted", limit=100, tls=True,
                       ca_file=str(certificates.Authority(tmp_path, "stranger").certificate))
    stranger.start()
    hop = tailrace.wait_until(lambda: stranger.hops()["served.created_users"]["last_error"], "the hop says so")
    assert f"serving: cassandra {encrypted.address} cannot be used since " in hop and "TLS handshake: " in hop
    stranger.kill()
    authority = encrypted.authority.certificate
    project = example(tmp_path / "trusts", encrypted.address, "encrypted", limit=100, ca_file=str(authority))
    project.once()
    assert_same(project, encrypted.address, keyspace="encrypted", tls=ssl.create_default_context(cafile=authority))


def test_rows_of_others_are_left_alone_and_the_hop_says_what_to_do(tmp_path, cassandra):
    connection = connect(cassandra.address)
    ask(connection, "CREATE KEYSPACE others WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    ask(connection, "CREATE TABLE others.newest (name text PRIMARY KEY, at int)")
    ask(connection, "INSERT INTO others.newest (name, at) VALUES ('theirs', 1)")
    project = lines_project(tmp_path / "run", cassandra.address, "others")
    write_lines(project, "a", [{"name": f"n{i}", "at": i} for i in range(10)])
    project.start()
    hop = tailrace.wait_until(lambda: project.hops()["served.newest"]["last_error"], "the hop says so")
    assert "table others.newest is there, and its rows are not of this project" in hop
    assert [row["name"] for row in rows_in(cassandra.address, "newest", "others")] == ["theirs"]
    ask(connection, "TRUNCATE others.newest")
    tailrace.wait_until(lambda: not project.hops()["served.newest"]["last_error"], "it goes on")
    settled(project, cassandra.address, tables=("newest", "by_name"), keyspace="others")
    project.stop()


ORDERS = """
CREATE STREAMING TABLE orders_raw AS SELECT value.* FROM STREAM orders;
CREATE MATERIALIZED VIEW orders_copy AS SELECT * FROM orders_raw;
"""


def order_schema(**more):
    return {"type": "object", "title": "Order", "additionalProperties": False,
            "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, **more}}


def test_columns_of_a_newer_schema_are_added_while_the_stream_runs(tmp_path, cassandra):
    project = tailrace.with_sql(tmp_path, ORDERS, json.dumps({
        "roles": {"serving": f"cassandra://{cassandra.address}/evolution"},
        "topics": {"orders": {"format": "json_schema", "schema": "order.json"}},
        "serving": {"orders_raw": {"key": ["id"]}, "orders_copy": {"key": ["id"]}},
        "checkpoint": {"every": "100ms"}}))
    (project.folder / "order.json").write_text(json.dumps(order_schema()))
    project.start()
    subjects = registry.Registry(tmp_path)
    subjects.connection = http.client.HTTPConnection(project.run_file()["registry"].removeprefix("http://"))
    producer = confluent_kafka.Producer({"bootstrap.servers": project.kafka()})
    versions = [order_schema(), order_schema(city={"type": "string"}),
                order_schema(city={"type": "string"}, tags={"type": "array", "items": {"type": "string"}},
                             place={"type": "object", "additionalProperties": False,
                                    "properties": {"street": {"type": "string"}}})]
    more = [{}, {"city": "Köln"}, {"tags": ["a", "b"], "place": {"street": "Am Hof"}}]
    tables = {"tables": ("orders_raw", "orders_copy"), "keyspace": "evolution"}
    for turn, schema in enumerate(versions):
        number = subjects.register("orders-value", schema, schemaType="JSON")
        for i in range(50):
            order = {"id": turn * 30 + i, "name": f"n{turn}-{i}", **more[turn]}
            producer.produce("orders", b"\0" + struct.pack(">i", number) + json.dumps(order).encode())
        assert producer.flush(30) == 0
        tailrace.wait_until(lambda: len(served_rows(project, "orders_raw")) == turn * 30 + 50, "rows")
        settled(project, cassandra.address, **tables)
    there = {row["id"]: row for row in rows_in(cassandra.address, "orders_raw", "evolution")}
    assert there[109]["place"] == {"street": "Am Hof"} and there[59]["city"] == "Köln" and there[3]["city"] is None
    project.kill()
    project.start()
    settled(project, cassandra.address, **tables)
    project.stop()


TYPES = """
CREATE MATERIALIZED VIEW kinds AS SELECT
  CAST(get_json_object(value, '$.n') AS INT) AS n,
  CAST(get_json_object(value, '$.n') AS TINYINT) AS tiny, CAST(get_json_object(value, '$.n') AS SMALLINT) AS small,
  CAST(get_json_object(value, '$.n') AS BIGINT) * 3000000000 AS big,
  CAST(get_json_object(value, '$.n') AS DOUBLE) / 3 AS half, CAST(get_json_object(value, '$.n') AS FLOAT) / 4 AS float,
  CAST(get_json_object(value, '$.n') AS INT) % 2 = 0 AS even,
  CAST(CAST(get_json_object(value, '$.n') AS DECIMAL(20,3)) / 7 AS DECIMAL(20,5)) AS exact,
  date_add(DATE'2024-02-28', CAST(get_json_object(value, '$.n') AS INT)) AS day,
  timestamp_millis(CAST(get_json_object(value, '$.n') AS BIGINT) * 1234567) AS at,
  array(get_json_object(value, '$.n'), NULL, 'x') AS list,
  map('k', CAST(get_json_object(value, '$.n') AS INT), 'b', NULL) AS map,
  named_struct('Text', get_json_object(value, '$.n'), 'inner',
    named_struct('n', CAST(NULL AS INT), 'm', array(1, 2))) AS struct,
  CASE WHEN get_json_object(value, '$.n') = '3' THEN NULL ELSE get_json_object(value, '$.text') END AS text
FROM lines;
"""


def test_values_of_every_type_get_there(tmp_path, cassandra):
    project = lines_project(tmp_path / "run", cassandra.address, "kinds", TYPES, {"kinds": {"key": ["n", "even"]}})
    write_lines(project, "a", [{"n": n, "text": f"it's ü {n}"} for n in range(-20, 21)])
    project.once()
    there = {row["n"]: row for row in rows_in(cassandra.address, "kinds", "kinds")}
    here = {row["n"]: row for row in project.sql("SELECT * FROM kinds")}
    assert set(there) == set(here) == set(range(-20, 21))
    for n, row in here.items():
        other = comparable(there[n])
        row["list"] = [one for one in row["list"] if one is not None]  # Cassandra has no nulls in collections
        row["map"] = {key: one for key, one in row["map"].items() if one is not None}
        row["struct"]["text"] = row["struct"].pop("Text")  # names are lower case there
        row["exact"], other["exact"] = float(row["exact"]), float(other["exact"])
        assert comparable(row) == other


def test_a_user_with_a_password_writes_and_a_wrong_one_is_told(tmp_path, cassandra_with_passwords):
    login = {"user": "cassandra", "password": "cassandra"}
    address = cassandra_with_passwords.address
    wrong = example(tmp_path / "wrong", address, "logins", user="cassandra", password="not-this-one")
    wrong.start()
    hop = tailrace.wait_until(lambda: wrong.hops()["served.created_users"]["last_error"], "the hop says so")
    assert hop.startswith(f"serving: cassandra {address} cannot be used since "), hop
    assert "Provided username cassandra and/or password are incorrect; check `user` and `password`" in hop
    assert "not-this-one" not in wrong.log.read_text()
    wrong.kill()
    project = example(tmp_path / "right", address, "logins", **login)
    project.once()
    assert_same(project, address, keyspace="logins", **login)


def test_a_user_who_may_not_make_the_keyspace_is_told_what_to_permit(tmp_path, cassandra_with_passwords):
    address = cassandra_with_passwords.address
    admin = connect(address, user="cassandra", password="cassandra")
    ask(admin, "CREATE ROLE bob WITH PASSWORD = 'bobs' AND LOGIN = true")
    project = example(tmp_path / "bob", address, "bobs", limit=100, user="bob", password="bobs")
    project.start()
    hop = tailrace.wait_until(lambda: project.hops()["served.created_users"]["last_error"], "the hop says so")
    assert hop.startswith("serving: cassandra: User bob has no CREATE permission on <all keyspaces> or any of its "
                          "parents; permit it, or let another user do it: CREATE KEYSPACE IF NOT EXISTS bobs WITH ")
    ask(admin, hop.partition("let another user do it: ")[2])
    tailrace.wait_until(lambda: "no CREATE permission on <all tables in bobs>" in
                        project.hops()["served.created_users"]["last_error"], "the next that is not permitted")
    ask(admin, "GRANT ALL ON KEYSPACE bobs TO bob")
    settled(project, address, keyspace="bobs", user="bob", password="bobs")
    project.stop()
