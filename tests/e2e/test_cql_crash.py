"""A killed server has what it acknowledged, whole: rows, batches, counters and lightweight transactions of several
clients that write while it dies."""
import random
import struct
import threading

import cql_server
import cql_wire
import pytest
import tailrace
from cql_wire import Values

WRITERS = 4
ROWS_OF_A_BATCH = 5
ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
TABLES = ("CREATE TABLE k.rows (p int, n int, PRIMARY KEY (p, n))",
          "CREATE TABLE k.batches (p int, n int, c int, PRIMARY KEY (p, n, c))",
          "CREATE TABLE k.elsewhere (p int, n int, PRIMARY KEY ((p, n)))",
          "CREATE TABLE k.counters (k int PRIMARY KEY, n counter)",
          "CREATE TABLE k.steps (k int PRIMARY KEY, n int)",
          "CREATE TABLE k.firsts (k int PRIMARY KEY, who int)")


def int32(number):
    return struct.pack(">i", number)


def numbers(row):
    return [int.from_bytes(one, "big", signed=True) for one in row]


class Told:
    """What the clients were told, of all lives of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = 0
        self.rows, self.batches = set(), set()
        self.least, self.most = [0] * WRITERS, [0] * WRITERS  # of each writer's counter
        self.steps = []  # values that a transaction was told it had set
        self.firsts = {}
        self.refused = []  # what nobody should have been told


class Writer(threading.Thread):
    """Writes on a connection of its own until that ends, from its number `at` on."""

    def __init__(self, address, name, told, at, seed):
        super().__init__()
        self.name_, self.told, self.at, self.random = name, told, at, random.Random(seed)
        self.connection = cql_wire.Connection(address, 3 + name % 3)
        ask = self.connection.prepare
        self.row = ask("INSERT INTO k.rows (p, n) VALUES (?, ?)")
        self.part = ask("INSERT INTO k.batches (p, n, c) VALUES (?, ?, ?)")
        self.elsewhere = ask("INSERT INTO k.elsewhere (p, n) VALUES (?, ?)")
        self.hit = ask("UPDATE k.counters SET n = n + 1 WHERE k = ?")
        self.step = ask("UPDATE k.steps SET n = ? WHERE k = 0 IF n = ?")
        self.first = ask("INSERT INTO k.firsts (k, who) VALUES (?, ?) IF NOT EXISTS")
        self.known_step = 0

    def run(self):
        try:
            while True:
                self.at += 1
                self.random.choice([self.write, self.write_batch, self.count, self.take_a_step, self.be_first])()
                with self.told.lock:
                    self.told.answers += 1
        except (EOFError, OSError):
            self.connection.close()

    def execute(self, prepared, *values):
        return self.kept(self.connection.execute(prepared, Values([int32(one) for one in values])))

    def kept(self, answer):
        if answer.code is not None:
            self.told.refused.append(answer.message)
        return answer

    def write(self):
        self.execute(self.row, self.name_, self.at)
        self.told.rows.add((self.name_, self.at))

    def write_batch(self):
        mine = [int32(self.name_), int32(self.at)]
        parts = [(self.part.prepared, [*mine, int32(c)]) for c in range(ROWS_OF_A_BATCH)]
        parts.append((self.elsewhere.prepared, mine))
        self.kept(self.connection.batch(self.random.choice(["logged", "unlogged"]), parts))
        self.told.batches.add((self.name_, self.at))

    def count(self):
        self.told.most[self.name_] += 1
        self.execute(self.hit, self.name_)
        self.told.least[self.name_] += 1

    def take_a_step(self):
        answer = self.execute(self.step, self.known_step + 1, self.known_step)
        applied, *now = answer.rows[0]
        if applied == b"\1":
            self.known_step += 1
            self.told.steps.append(self.known_step)
        else:
            self.known_step = numbers(now)[0]

    def be_first(self):
        key = self.at // 8  # which the others try, too
        answer = self.execute(self.first, key, self.name_)
        if answer.rows[0][0] == b"\1":
            if self.told.firsts.setdefault(key, self.name_) != self.name_:
                self.told.refused.append(f"two were the first of {key}")


def check(connection, told):
    def all_of(text):
        found, state = [], None
        while True:
            answer = connection.query(text, Values(page=1000, paging_state=state))
            assert answer.code is None, answer.message
            found += [tuple(numbers(row)) for row in answer.rows]
            state = answer.paging_state
            if state is None:
                return found

    assert told.refused == []
    assert told.rows <= set(all_of("SELECT p, n FROM k.rows"))
    parts = {}
    for p, n, _ in all_of("SELECT p, n, c FROM k.batches"):
        parts[p, n] = parts.get((p, n), 0) + 1
    assert told.batches <= set(parts) == set(all_of("SELECT p, n FROM k.elsewhere"))
    assert set(parts.values()) <= {ROWS_OF_A_BATCH}
    counters = dict(all_of("SELECT k, n FROM k.counters"))
    for name in range(WRITERS):
        value = counters.get(name, 0)
        assert told.least[name] <= value <= told.most[name]
        told.least[name] = told.most[name] = value
    (reached,), = all_of("SELECT n FROM k.steps")
    assert len(set(told.steps)) == len(told.steps)
    assert max(told.steps, default=0) <= reached
    firsts = dict(all_of("SELECT k, who FROM k.firsts"))
    assert {key: firsts.get(key) for key in told.firsts} == told.firsts


@pytest.mark.timeout(120 + 20 * tailrace.KILLS)
def test_a_killed_server_has_all_it_acknowledged_and_no_half_of_a_batch(tmp_path):
    server = cql_server.CqlServer(tmp_path).start()
    connection = cql_wire.Connection(server.address)
    for statement in (f"CREATE KEYSPACE k WITH replication = {ONE}", *TABLES,
                      "INSERT INTO k.steps (k, n) VALUES (0, 0)"):
        assert connection.query(statement).code is None
    told, choice, at = Told(), random.Random(7), 0
    for kill in range(tailrace.KILLS):
        writers = [Writer(server.address, name, told, at, f"{kill} {name}") for name in range(WRITERS)]
        for writer in writers:
            writer.start()
        enough = told.answers + choice.randrange(1, 600)
        tailrace.wait_until(lambda: told.answers >= enough, "answers", 120)
        server.kill()
        for writer in writers:
            writer.join()
        at = max(writer.at for writer in writers)
        server.start()
        check(cql_wire.Connection(server.address), told)
    assert told.rows and told.batches and told.steps and told.firsts and sum(told.least) > 0
    server.stop()
