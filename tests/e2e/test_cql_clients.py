"""What clients of CQL count on between their requests: columns that they were told of are those of the rows."""
import cql_server
import cql_wire
import pytest
from cql_wire import Values

ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
KEY = b"\0\0\0\1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = cql_server.CqlServer(tmp_path_factory.mktemp("clients")).start()
    cql_wire.Connection(made.address).query(f"CREATE KEYSPACE k WITH replication = {ONE}")
    yield made
    made.stop()


def names(answer):
    return answer.columns and [column.name for column in answer.columns]


def test_whoever_knows_the_columns_of_yesterday_is_told_those_of_today(server):
    client = cql_wire.Connection(server.address, 5)
    client.query("CREATE TABLE k.changing (k int PRIMARY KEY, v text)")
    client.query("INSERT INTO k.changing (k, v) VALUES (1, 'a')")
    before = client.prepare("SELECT * FROM k.changing WHERE k = ?")
    known = client.execute(before, Values([KEY], skip_metadata=True))
    assert known.columns is None and known.rows == [[KEY, b"a"]]
    client.query("ALTER TABLE k.changing ADD b int")
    assert cql_wire.ERRORS[client.execute(before, Values([KEY])).code] == "Unprepared"
    again = client.prepare("SELECT * FROM k.changing WHERE k = ?")
    assert again.prepared == before.prepared and again.result_id != before.result_id
    # As a driver that prepares once more when it must, and keeps the columns it had.
    told = client.execute(before, Values([KEY], skip_metadata=True))
    assert names(told) == ["k", "b", "v"] and told.rows == [[KEY, None, b"a"]]
    assert told.result_id == again.result_id
    before.result_id = told.result_id
    assert client.execute(before, Values([KEY], skip_metadata=True)).columns is None


def test_the_same_columns_have_the_same_id_whatever_else_changed(server):
    client = cql_wire.Connection(server.address, 5)
    client.query("CREATE TABLE k.kept (k int PRIMARY KEY, v text)")
    before = client.prepare("SELECT v FROM k.kept WHERE k = ?")
    client.query("ALTER TABLE k.kept ADD w int")
    assert client.prepare("SELECT v FROM k.kept WHERE k = ?").result_id == before.result_id
    client.query("ALTER TABLE k.kept RENAME k TO other")
    assert client.prepare("SELECT v FROM k.kept WHERE other = ?").result_id == before.result_id
    assert client.prepare("SELECT other FROM k.kept WHERE other = ?").result_id != before.result_id


@pytest.mark.parametrize("version", [3, 4, 5])
def test_an_unknown_statement_is_told_by_its_id_alone_and_in_a_batch(server, version):
    client = cql_wire.Connection(server.address, version)
    unknown = b"0123456789abcdef"
    client.query("CREATE TABLE IF NOT EXISTS k.t (k int PRIMARY KEY)")
    for answer in (client.ask(cql_wire.Opcode.EXECUTE, cql_wire.execute_body(version, unknown)),
                   client.batch("logged", [("INSERT INTO k.t (k) VALUES (1)", []), (unknown, [])])):
        assert cql_wire.ERRORS[answer.code] == "Unprepared" and answer.more["id"] == unknown
        assert answer.message.startswith(f"Prepared query with ID {unknown.hex()} not found (either the query was not")
    assert client.query("SELECT * FROM k.t").rows == []
