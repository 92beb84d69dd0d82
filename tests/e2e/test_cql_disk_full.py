"""A full disk under CQL's tables: a write is refused, reads go on, nothing acknowledged is lost, and writes go on by
themselves when there is room."""
import struct

import cql_server
import cql_wire
import pytest
import tailrace
from cql_wire import Values
from small_disk import Ballast, disk  # noqa: F401 (a fixture)

ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
VALUE = bytes(range(256)) * 200
MOST = 4000  # writes, of which the disk does not have the room


class Table:
    def __init__(self, server):
        self.connection = cql_wire.Connection(server.address, 4, timeout=60)
        self.connection.query(f"CREATE KEYSPACE IF NOT EXISTS k WITH replication = {ONE}")
        self.connection.query("CREATE TABLE IF NOT EXISTS k.t (k int PRIMARY KEY, v blob)")
        self.insert = self.connection.prepare("INSERT INTO k.t (k, v) VALUES (?, ?)")

    def write(self, key):
        return self.connection.execute(self.insert, Values([struct.pack(">i", key), VALUE]))

    def write_until_refused(self):
        """The acknowledged keys, and what the first write that is not was told."""
        for key in range(MOST):
            answer = self.write(key)
            if answer.code is not None:
                return set(range(key)), answer
        raise AssertionError("the disk is never full")

    def keys(self):
        found, state = set(), None
        while True:
            answer = self.connection.query("SELECT k, v FROM k.t", Values(page=100, paging_state=state))
            assert answer.code is None and all(value == VALUE for _, value in answer.rows), answer.message
            found |= {int.from_bytes(key, "big") for key, _ in answer.rows}
            state = answer.paging_state
            if state is None:
                return found


@pytest.mark.parametrize("room_mb", [6, 40])
def test_writes_are_refused_reads_go_on_and_writes_too_when_there_is_room(tmp_path, disk, room_mb):
    ballast = Ballast(disk, room_mb)
    server = cql_server.CqlServer(disk).start()
    table = Table(server)
    written, refused = table.write_until_refused()
    assert "space" in refused.message or "full" in refused.message, refused.message
    assert written <= table.keys()
    ballast.remove()
    tailrace.wait_until(lambda: table.write(MOST).code is None, "a write that is taken", 60)
    assert written | {MOST} <= table.keys()
    server.kill()
    server.start()
    assert written | {MOST} <= Table(server).keys()
    server.stop()


def test_kill_9_on_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path, disk):
    ballast = Ballast(disk, 20)
    server = cql_server.CqlServer(disk).start()
    written, _ = Table(server).write_until_refused()
    ballast.fill_up()
    server.kill()
    ballast.remove()
    server.start()
    table = Table(server)
    assert written <= table.keys()
    assert table.write(MOST).code is None
    server.stop()


def test_sigterm_on_a_full_disk_ends_it(tmp_path, disk):
    ballast = Ballast(disk, 20)
    server = cql_server.CqlServer(disk).start()
    written, _ = Table(server).write_until_refused()
    ballast.fill_up()
    server.process.terminate()
    assert server.process.wait(timeout=60) in (0, 1)
    ballast.remove()
    server.start()
    assert written <= Table(server).keys()
    server.stop()
