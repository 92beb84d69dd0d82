"""Much at once through CQL: a partition of a million rows, a value of 16 MB, 2,000 connections."""
import pathlib
import re
import resource
import struct

import cql_server
import cql_wire
import pytest
from cql_wire import Opcode, Values

ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
ROWS, BATCH, PAGE = 1_000_000, 500, 5000
CONNECTIONS = 2000
KEY = struct.pack(">i", 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = cql_server.CqlServer(tmp_path_factory.mktemp("large")).start()
    assert cql_wire.Connection(made.address).query(f"CREATE KEYSPACE k WITH replication = {ONE}").code is None
    yield made
    made.stop()


def memory_mb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) >> 10


def fill(client, prepared):
    """Rows of the one partition, in batches; a row's bytes are made by hand, for a driver's take a minute."""
    head = b"\1" + cql_wire.short_bytes(prepared) + struct.pack(">Hii", 3, 4, 1)
    for first in range(0, ROWS, BATCH):
        rows = b"".join(head + struct.pack(">iiiq", 4, number, 8, number * number)
                        for number in range(first, first + BATCH))
        body = struct.pack(">BH", cql_wire.BATCHES["unlogged"], BATCH) + rows + \
            cql_wire.options_bytes(client.version, Values(), True)
        answer = client.ask(Opcode.BATCH, body)
        assert answer.code is None, answer.message


@pytest.mark.timeout(300)
def test_a_partition_of_a_million_rows_is_paged_in_both_orders(server):
    client = cql_wire.Connection(server.address)
    client.query("CREATE TABLE k.wide (p int, c int, v bigint, PRIMARY KEY (p, c))")
    fill(client, client.prepare("INSERT INTO k.wide (p, c, v) VALUES (?, ?, ?)").prepared)
    before = memory_mb(server)
    for order, numbers in (("ASC", range(ROWS)), ("DESC", range(ROWS - 1, -1, -1))):
        select = client.prepare(f"SELECT c, v FROM k.wide WHERE p = ? ORDER BY c {order}")
        expected, state = iter(numbers), None
        while True:
            page = client.execute(select, Values([KEY], page=PAGE, paging_state=state))
            assert page.code is None, page.message
            for c, v in page.rows:
                number = next(expected)
                assert struct.unpack(">iq", c + v) == (number, number * number)
            state = page.paging_state
            if state is None:
                break
        assert next(expected, None) is None, "rows are missing at the end"
    counted = client.query("SELECT count(*) FROM k.wide WHERE p = 1")
    assert counted.rows == [[struct.pack(">q", ROWS)]]
    assert memory_mb(server) - before < 200, "a page takes the memory of a partition"


@pytest.mark.parametrize("version", [4, 5])
def test_a_value_of_16_mb_comes_back_as_it_went(server, version):
    client = cql_wire.Connection(server.address, version)
    client.query("CREATE TABLE IF NOT EXISTS k.blobs (k int PRIMARY KEY, v blob)")
    insert = client.prepare("INSERT INTO k.blobs (k, v) VALUES (?, ?)")
    data = bytes(range(256)) * (16_000_000 // 256)
    assert client.execute(insert, Values([KEY, data])).code is None
    assert client.query("SELECT v FROM k.blobs WHERE k = 1").rows == [[data]]
    refused = client.execute(insert, Values([KEY, data + data]))
    assert refused.code == 0x2200 and "16777216" in refused.message, refused
    assert client.query("SELECT v FROM k.blobs WHERE k = 1").rows == [[data]]


def test_two_thousand_connections_are_served(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + 500:
        pytest.skip(f"a process may open {hard} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CONNECTIONS + 500), hard))
    try:
        clients = [cql_wire.Connection(server.address) for _ in range(CONNECTIONS)]
        clients[0].query("CREATE TABLE k.many (k int PRIMARY KEY, v int)")
        text = "INSERT INTO k.many (k, v) VALUES (%d, %d)"
        for number, client in enumerate(clients):  # all at once, none waits for another's answer
            client.send(Opcode.QUERY, cql_wire.query_body(4, text % (number, number)))
        for client in clients:
            assert client.receive().code is None
        for number in (0, 1, CONNECTIONS // 2, CONNECTIONS - 1):
            read = clients[number].query(f"SELECT v FROM k.many WHERE k = {CONNECTIONS - 1 - number}")
            assert read.rows == [[struct.pack(">i", CONNECTIONS - 1 - number)]]
        for client in clients:
            client.socket.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
