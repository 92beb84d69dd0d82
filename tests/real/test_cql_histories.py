"""Random writes to ours and to real Cassandra: ours finds by indexes what Cassandra finds, in the same order, and views
are the same.

What Cassandra finds is what it finds in a table without indexes: its indexes lose a row now and then (of partitions
that have a static row alone; of storage-attached indexes of tables that had rows, or are written with older times)."""
import random
import re
import sys
import time

import cql_server
import cql_wire
import pytest

COLUMNS = """(k int, j int, c int, d int, v int, w text, s set<int>, l list<int>, m map<int, int>, m2 map<int, int>,
              f frozen<list<int>>, st int STATIC, PRIMARY KEY ((k, j), c, d))"""
INDEXES = {
    "values": (["(v)", "(w)"], ["v = ?", "w = '?'", "v = ? AND w = '?'"]),
    "key": (["(j)", "(c)", "(d)"], ["j = ?", "c = ?", "d = ?", "d = ? AND v = ?"]),
    "statics": (["(st)"], ["st = ?", "st = ? AND v = ?"]),
    "collections": (["(s)", "(values(l))", "(keys(m))", "(values(m))", "(entries(m2))", "(full(f))"],
                    ["s CONTAINS ?", "l CONTAINS ?", "m CONTAINS KEY ?", "m CONTAINS ?", "m2[?] = ?", "f = [1, 0]"]),
    "storage_attached": (["(v) USING 'sai'", "(d) USING 'sai'", "(w) USING 'sai'", "(s) USING 'sai'"],
                         ["v > ?", "v >= ? AND v < ?", "v = ?", "v <= ? AND w = '?'", "d < ? AND v > ?",
                          "s CONTAINS ? AND v > ?"]),
}
VIEWS = {
    "by_v": ("v, k, j, c, d, w, s, m", "v IS NOT NULL AND k IS NOT NULL AND j IS NOT NULL AND c IS NOT NULL "
             "AND d IS NOT NULL PRIMARY KEY (v, k, j, c, d)"),
    "by_c": ("c, d, k, j, w", "c IS NOT NULL AND d IS NOT NULL AND k IS NOT NULL AND j IS NOT NULL "
             "PRIMARY KEY ((c, d), k, j)"),
    "some": ("w, k, j, c, d, v, l", "w IS NOT NULL AND k >= 1 AND j IS NOT NULL AND c IN (0, 2) AND d IS NOT NULL "
             "PRIMARY KEY ((w, k), j, c, d)"),
}


class Writes:
    """Statements with times of their own, as the servers' clocks differ."""

    def __init__(self, seed, ordered):
        self.random, self.ordered, self.time = random.Random(seed), ordered, 100

    def pick(self, n):
        return self.random.randrange(n)

    def using(self):
        self.time += 1
        return f"USING TIMESTAMP {self.time if self.ordered else 100 + self.pick(30)}"

    def partition(self):
        return f"k = {self.pick(3)} AND j = {self.pick(2)}"

    def row(self):
        return f"{self.partition()} AND c = {self.pick(3)} AND d = {self.pick(2)}"

    def change(self, group):
        a, b = self.pick(5), self.pick(5)
        return self.random.choice([
            [f"v = {a}", f"v = {b}", "v = null", f"w = '{a}'", f"f = [{a % 2}, {b % 2}]"],
            [f"s = {{{a}, {a + 1 + b}}}", f"s = s + {{{a}}}", f"s = s - {{{a}}}", f"m = {{{a}: {b}}}",
             f"m[{a % 3}] = {b}"],
            [f"l = [{a}, {b}]", f"m2[{a % 3}] = {b}", f"m2 = {{{a}: {b}}}", f"m2[{a % 3}] = null", f"l = [{a}]"],
        ][group])

    def next(self):
        using, kind = self.using(), self.pick(16)
        if kind < 4:
            numbers = ", ".join(str(self.pick(most)) for most in (3, 2, 3, 2, 5))
            columns = f"{numbers}, '{self.pick(5)}'"
            return f"INSERT INTO t (k, j, c, d, v, w) VALUES ({columns}) {using}"
        if kind < 10:
            changes = ", ".join(self.change(group) for group in range(1 + self.pick(3)))
            return f"UPDATE t {using} SET {changes} WHERE {self.row()}"
        if kind == 10:
            return f"UPDATE t {using} SET st = {self.pick(5)} WHERE {self.partition()}"
        where = {11: self.partition(), 12: f"{self.partition()} AND c > {self.pick(3)}", 13: self.partition()}
        what = {13: "st ", 14: "v, s "}
        return f"DELETE {what.get(kind, '')}FROM t {using} WHERE {where.get(kind) or self.row()}"


class Pair:
    """Both servers, asked the same."""

    def __init__(self, addresses, keyspace):
        self.sides = [cql_wire.Connection(address) for address in addresses]
        self.ask(f"DROP KEYSPACE IF EXISTS {keyspace}")
        self.ask(f"CREATE KEYSPACE {keyspace} "
                 "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        self.ask(f"USE {keyspace}")
        for table in "tu":
            self.ask(f"CREATE TABLE {table} {COLUMNS}")

    def ask(self, statement):
        answers = []
        for side in self.sides:
            answer, patience = side.query(statement), time.monotonic() + 60
            while answer.code == 0x1300 and time.monotonic() < patience:  # an index is being built
                time.sleep(0.05)
                answer = side.query(statement)
            assert answer.code is None, f"{statement}: {answer.message}"
            answers.append(answer.rows)
        return answers

    def write(self, statement):
        self.ask(statement)
        self.ask(re.sub(r"^(INSERT INTO|UPDATE|DELETE .*FROM|DELETE FROM) t ", r"\1 u ", statement))

    def same(self, ours, theirs, statement, so_far):
        assert ours == theirs, f"{statement}\nours {ours}\nCassandra's {theirs}\nafter\n" + ";\n".join(so_far) + ";"


@pytest.fixture(scope="module")
def addresses(cassandra, tmp_path_factory):
    ours = cql_server.CqlServer(tmp_path_factory.mktemp("ours"), "--materialized-views").start()
    yield ours.address, cassandra.address
    ours.kill()


@pytest.mark.parametrize("name", INDEXES)
def test_rows_by_indexes_are_those_that_cassandra_finds(addresses, name):
    indexes, conditions = INDEXES[name]
    rows = queries = equal = 0
    for seed in range(4):
        pair, writes, so_far = Pair(addresses, f"histories_{name}"), Writes(seed, seed % 2), []
        for step in range(180):
            so_far.append(writes.next())
            pair.write(so_far[-1])
            if step == 20:
                for index in indexes:
                    pair.ask(f"CREATE INDEX ON t {index}")
            if step <= 20 or step % 4:
                continue
            for condition in conditions:
                while "?" in condition:
                    condition = condition.replace("?", str(writes.pick(5)), 1)
                statement = f"SELECT * FROM t WHERE {condition} ALLOW FILTERING"
                ours, theirs = pair.ask(statement)
                found = pair.ask(statement.replace("FROM t", "FROM u"))[1]
                pair.same(ours, found, statement, so_far)
                rows, queries, equal = rows + len(ours), queries + 1, equal + (ours == theirs)
    assert rows > 100
    assert equal > 0.9 * queries, f"Cassandra's indexes find the same in {equal} of {queries} queries"


def test_views_are_cassandras(addresses):
    rows = 0
    for seed in range(6):
        pair, writes, so_far = Pair(addresses, "histories_views"), Writes(seed, True), []
        for name, (columns, rest) in VIEWS.items():
            pair.ask(f"CREATE MATERIALIZED VIEW {name} AS SELECT {columns} FROM t WHERE {rest}")
        for _ in range(150):
            so_far.append(writes.next())
            pair.ask(so_far[-1])
            for name, (columns, _) in VIEWS.items():
                times = ", writetime(w)" if name != "some" else ", writetime(v)"
                statement = f"SELECT {columns}{times} FROM {name}"
                ours, theirs = pair.ask(statement)
                pair.same(ours, theirs, statement, so_far)
                rows += len(ours)
    assert rows > 500


if __name__ == "__main__":
    # python3 test_cql_histories.py OURS CASSANDRA: against servers that run.
    test_views_are_cassandras(sys.argv[1:3])
    for one in INDEXES:
        test_rows_by_indexes_are_those_that_cassandra_finds(sys.argv[1:3], one)
