"""The answers in CQL's texts (tests/cql) are those of real Cassandra, and events follow changes of the schema."""
import cassandra_side
import cql_texts
import cql_wire
import pytest
import tailrace

FILES = sorted(cql_texts.TEXTS.glob("*.cql"))
ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"


def by_need(*needed):
    return [pytest.param(path, id=path.stem, marks=[pytest.mark.smoke] if path.stem == "first_steps" else [])
            for path in FILES if cql_texts.needs(path) - {"views"} == set(needed)]


@pytest.mark.parametrize("path", by_need())
def test_recorded_answers_are_cassandras(cassandra, path):
    assert cql_texts.differences(path, cassandra.address) == []


@pytest.mark.parametrize("path", by_need("passwords"))
def test_recorded_answers_about_roles_are_cassandras(cassandra_with_passwords, path):
    assert cql_texts.differences(path, cassandra_with_passwords.address) == []


def test_an_answer_that_is_not_cassandras_is_told_and_recorded_anew(cassandra, tmp_path):
    text = tmp_path / "wrong.cql"
    text.write_text("CREATE TABLE t (k int PRIMARY KEY);\n-- CREATED TABLE wrong.t\nSELECT * FROM t;\n-- k text\n")
    told = cql_texts.differences(text, cassandra.address)
    assert len(told) == 1 and "wrong.cql:3: SELECT * FROM t;" in told[0]
    assert cql_texts.record(text, cassandra.address) == 2
    assert text.read_text().endswith("SELECT * FROM t;\n-- k int\n")
    assert cql_texts.differences(text, cassandra.address) == []


def test_there_are_600_statements_and_more():
    assert sum(len(cql_texts.steps_of(path)) for path in FILES) > 600


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_change_of_the_schema_is_answered_and_pushed_to_who_registered(cassandra, version):
    told, asked = (cql_wire.Connection(cassandra.address, version) for _ in range(2))
    told.register()
    name = f"events_{version}"
    statements = [f"CREATE KEYSPACE {name} WITH replication = {ONE}",
                  f"CREATE TABLE {name}.t (k int PRIMARY KEY, w int)", f"CREATE INDEX ON {name}.t (w)",
                  f"ALTER TABLE {name}.t ADD v int", f"CREATE TYPE {name}.u (a int)", f"DROP KEYSPACE {name}"]
    answers = [asked.query(one).schema_change for one in statements]
    assert answers == [(change, target, name, what) for change, target, what in (
        ("CREATED", "KEYSPACE", None), ("CREATED", "TABLE", "t"), ("UPDATED", "TABLE", "t"), ("UPDATED", "TABLE", "t"),
        ("CREATED", "TYPE", "u"), ("DROPPED", "KEYSPACE", None))]
    contents = [("DROPPED", "TABLE", name, "t"), ("DROPPED", "TYPE", name, "u")]  # are told of, too

    def pushed():
        told.ask(cql_wire.Opcode.OPTIONS)
        return [one.schema_change for one in told.events] == answers[:-1] + contents + answers[-1:]

    tailrace.wait_until(pushed, "the events")


@pytest.mark.parametrize("size", [10, 200_000])
def test_rows_of_many_segments_come_back_as_they_went(cassandra, size):
    connection = cql_wire.Connection(cassandra.address, 5)
    connection.query(f"CREATE KEYSPACE size_{size} WITH replication = {ONE}")
    connection.query(f"CREATE TABLE size_{size}.t (k int PRIMARY KEY, v blob)")
    data = bytes(range(256)) * (size // 256 + 1)
    write = connection.prepare(f"INSERT INTO size_{size}.t (k, v) VALUES (?, ?)")
    connection.execute(write, cql_wire.Values([b"\0\0\0\1", data]))
    assert connection.query(f"SELECT v FROM size_{size}.t").rows == [[data]]


def test_a_killed_server_has_what_it_acknowledged_when_it_is_there_again(tmp_path):
    if not cassandra_side.JARS:
        pytest.skip(cassandra_side.SKIP)
    server = cassandra_side.RealCassandra(tmp_path / "cassandra", commitlog_sync="batch",
                                          commitlog_sync_period=None).start()
    connection = cql_wire.Connection(server.address)
    connection.query(f"CREATE KEYSPACE k WITH replication = {ONE}")
    connection.query("CREATE TABLE k.t (k int PRIMARY KEY)")
    for key in range(10):
        assert connection.query(f"INSERT INTO k.t (k) VALUES ({key})").code is None
    server.kill()
    server.start()
    assert len(cql_wire.Connection(server.address).query("SELECT * FROM k.t").rows) == 10
    server.stop()
