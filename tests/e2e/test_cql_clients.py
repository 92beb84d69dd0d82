"""What clients of CQL count on between their requests: columns that they were told of are those of the rows."""
import re

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


@pytest.mark.parametrize("version", [3, 4, 5])
def test_statements_sent_at_once_are_of_the_keyspace_used_before_them(server, version):
    client = cql_wire.Connection(server.address, version)
    spaces = [f"used_{version}_{number}" for number in range(4)]
    for space in spaces:
        client.query(f"CREATE KEYSPACE {space} WITH replication = {ONE}")
        client.query(f"CREATE TABLE {space}.t (k int PRIMARY KEY, v text)")
        client.query(f"INSERT INTO {space}.t (k, v) VALUES (1, '{space}')")
    sent, expected = [], {}
    for turn in range(100):
        space = spaces[turn % len(spaces)]
        # A row by its key is read by the connection's thread, all rows by another's.
        for statement in (f"USE {space}", "SELECT v FROM t WHERE k = 1", "SELECT v FROM t"):
            sent.append(client.frame(cql_wire.Opcode.QUERY, cql_wire.query_body(version, statement), len(sent)))
            expected[len(sent) - 1] = space
    for first in range(0, len(sent), 60):
        client.send_bytes(b"".join(sent[first:first + 60]))
    answers = {answer.stream: answer for answer in (client.receive() for _ in sent)}
    told = {stream: answer.keyspace or answer.rows[0][0].decode() for stream, answer in answers.items()}
    assert told == expected


def memory_mb(server):
    told = open(f"/proc/{server.process.pid}/status", encoding="utf-8").read()
    return int(re.search(r"VmRSS:\s+(\d+)", told).group(1)) >> 10


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("where", ["", " WHERE p = 1"])
def test_who_asks_for_much_and_reads_nothing_takes_little_memory_and_holds_up_nobody(tmp_path, version, where):
    asked, rows, row_bytes = 60, 500, 16_000  # 480 MB of answers
    server = cql_server.CqlServer(tmp_path).start()
    client = cql_wire.Connection(server.address, version)
    client.query(f"CREATE KEYSPACE k WITH replication = {ONE}")
    client.query("CREATE TABLE k.wide (p int, c int, v blob, PRIMARY KEY (p, c))")
    write = client.prepare("INSERT INTO k.wide (p, c, v) VALUES (1, ?, ?)")
    for c in range(rows):
        assert client.execute(write, Values([c.to_bytes(4, "big"), bytes(row_bytes)])).code is None
    before = memory_mb(server)
    for stream in range(asked):
        client.send(cql_wire.Opcode.QUERY, cql_wire.query_body(version, "SELECT * FROM k.wide" + where), stream=stream)
    other = cql_wire.Connection(server.address, 4)
    for _ in range(20):
        assert len(other.query("SELECT c FROM k.wide", Values(page=400)).rows) == 400
        assert other.query("SELECT key FROM system.local").rows == [[b"local"]]
    assert memory_mb(server) < before + 150
    streams = set()
    for _ in range(asked):
        answer = client.receive()
        assert len(answer.rows) == rows
        streams.add(answer.stream)
    assert streams == set(range(asked))
    server.stop()
