"""A project that takes a PostgreSQL's tables into a topic; a random workload; what the topic says the tables hold; and
what PostgreSQL's own test_decoding says was changed, in order."""
import contextlib
import json
import random
import re
import socket
import string
import threading

import confluent_kafka
import postgres_side
import psycopg
import tailrace

SPEC = "name: capture\nstorage: file:///tmp/capture\nlibraries:\n  - glob: {include: transformations/**}\n"
PLACEHOLDER = "__debezium_unavailable_value"


class Capture(tailrace.Project):
    """One source, one topic of one partition."""

    def __init__(self, folder, url, **options):
        source = folder / "source"
        (source / "transformations").mkdir(parents=True)
        (source / "transformations" / "none.sql").write_text(
            "CREATE STREAMING TABLE few AS SELECT value FROM STREAM other;\n")
        (source / "spark-pipeline.yml").write_text(SPEC)
        super().__init__(folder, source=source, settings=json.dumps({
            "topics": {"changes": {"partitions": 1, "format": "json"}, "other": {"partitions": 1, "format": "json"}},
            "ingest": [{"name": "pg", "topic": "changes", "use": "postgres",
                        "postgres": {"url": url, "password": postgres_side.PASSWORD} | options}]}))

    def hop(self):
        return self.hops()["fetched.pg"]

    def failure(self):
        return self.hop().get("last_error", "")

    def raw(self):
        """All (key, value) of the topic, in order, as bytes."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.kafka(), "group.id": "check",
                                             "enable.auto.commit": False, "allow.auto.create.topics": False})
        try:
            at = confluent_kafka.TopicPartition("changes", 0, 0)
            _, end = consumer.get_watermark_offsets(at, timeout=30)
            consumer.assign([at])
            found = []
            while len(found) < end:
                found += [(m.key(), m.value()) for m in consumer.consume(10_000, timeout=5) if not m.error()]
            return found
        finally:
            consumer.close()

    def records(self):
        return [(json.loads(key) if key else None, json.loads(value) if value else None)
                for key, value in self.raw()]

    def wait_for(self, marker, seconds=120):
        """The marker's record is the last that matters."""
        want = b'"note":"' + marker.encode() + b'"'
        return tailrace.wait_until(lambda: any(want in (v or b"") for _, v in self.raw()), f"{marker}: {self.hop()}",
                                   seconds)


def rows_of(records):
    """What flat records say the tables hold: table → key → row. A value that was not sent is what it was before, under
    the key that was deleted just before where the key has changed."""
    tables, deleted = {}, {}
    for key, value in records:
        if value is None:
            continue
        row = {name: one for name, one in value.items() if not name.startswith("__")}
        table = tables.setdefault(value["__table"], {})
        if value["__op"] == "t":
            table.clear()
            continue
        name = json.dumps(key)
        before = table.pop(name, {}) or deleted
        deleted = before if value["__op"] == "d" else {}
        if value["__op"] == "d":
            continue
        table[name] = {column: before.get(column, PLACEHOLDER) if one == PLACEHOLDER else one
                       for column, one in row.items()}
    return tables


def changes_of(records):
    """(table, op, id) of each record that is not of the snapshot."""
    return [(value["__table"], value["__op"], (key or {}).get("id")) for key, value in records
            if value and value["__op"] != "r"]


CHANGE = re.compile(r"table public\.(\w+): (INSERT|UPDATE|DELETE): (.*)", re.S)
OLD = re.compile(r"old-key: id\[integer\]:(-?\d+).*? new-tuple: ", re.S)
ID = re.compile(r"id\[integer\]:(-?\d+)")


def decoded(lines, tables):
    """The same of test_decoding's lines."""
    found = []
    for line in lines:
        if "TRUNCATE:" in line:
            names = line.removeprefix("table ").split(": TRUNCATE")[0].split(", ")
            names = [one.removeprefix("public.") for one in names]
            found += [(one, "t", None) for one in names if one in tables]
            continue
        match = CHANGE.match(line)
        if not match or match[1] not in tables:
            continue
        table, kind, rest = match.groups()
        old = OLD.match(rest)
        now = int(ID.match(rest[old.end():] if old else rest)[1])
        if kind == "UPDATE" and old and int(old[1]) != now:
            found += [(table, "d", int(old[1])), (table, "c", now)]
        else:
            found.append((table, {"INSERT": "c", "UPDATE": "u", "DELETE": "d"}[kind], now))
    return found


class Proxy:
    """Passes bytes on to a port until its connections are cut."""

    def __init__(self, port):
        self.to = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self.listener.accept()
                try:
                    theirs = socket.create_connection(("127.0.0.1", self.to))
                except OSError:
                    ours.close()
                    continue
                self.open += [ours, theirs]
                threading.Thread(target=self.pump, args=(ours, theirs), daemon=True).start()
                threading.Thread(target=self.pump, args=(theirs, ours), daemon=True).start()

    def pump(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self):
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open = []

    def close(self):
        self.listener.close()
        self.cut()


TABLES = ("plain", "whole", "big")
SCHEMA = """
CREATE TABLE plain (id int PRIMARY KEY, name text, n numeric(12,3), at timestamptz DEFAULT clock_timestamp());
CREATE TABLE whole (id int PRIMARY KEY, tags text[], doc jsonb, note text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE big (id int PRIMARY KEY, n int, large text);
ALTER TABLE big ALTER COLUMN large SET STORAGE EXTERNAL;
CREATE TABLE marker (id int PRIMARY KEY, note text);
CREATE TABLE other (id serial PRIMARY KEY, note text);
"""


class Workload(threading.Thread):
    """Random transactions of one session until it is told to end; a server that goes away is waited for."""

    def __init__(self, url, seed):
        super().__init__(daemon=True)
        self.url = url
        self.random = random.Random(seed)
        self.ending = threading.Event()
        self.columns = 0
        self.done = 0
        self.broken = None

    def run(self):
        while not self.ending.is_set():
            try:
                with psycopg.connect(self.url, connect_timeout=10) as session:
                    while not self.ending.is_set():
                        self.transaction(session)
                        self.done += 1
            except psycopg.Error as e:
                if not isinstance(e, (psycopg.OperationalError, psycopg.InterfaceError)):
                    self.broken = e
                    return
                self.ending.wait(0.05)

    def end(self):
        self.ending.set()
        self.join(60)
        assert not self.broken, self.broken

    def transaction(self, session):
        kind = self.random.random()
        with contextlib.suppress(psycopg.Rollback, psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation,
                                 psycopg.errors.LockNotAvailable):
            with session.transaction():
                session.execute("SET LOCAL lock_timeout = '2s'")
                if kind < 0.02:
                    self.ddl(session)
                elif kind < 0.05:
                    session.execute("TRUNCATE " + self.random.choice(["plain", "big", "plain, whole"]))
                elif kind < 0.12:
                    self.large(session)
                else:
                    for _ in range(self.random.randint(1, 6)):
                        self.change(session)
                        if self.random.random() < 0.2:
                            self.savepoint(session)
                if self.random.random() < 0.15:
                    raise psycopg.Rollback()

    def savepoint(self, session):
        with contextlib.suppress(psycopg.Rollback):
            with session.transaction():
                self.change(session)
                if self.random.random() < 0.5:
                    raise psycopg.Rollback()

    def ddl(self, session):
        self.columns += 1
        name = f"c{self.random.randint(0, 3)}"
        session.execute(f"ALTER TABLE plain DROP COLUMN IF EXISTS {name}")
        if self.random.random() < 0.6:
            session.execute(f"ALTER TABLE plain ADD COLUMN {name} {self.random.choice(['int', 'text', 'date'])}")

    def large(self, session):
        """Larger than logical_decoding_work_mem: it comes in pieces before its end is known."""
        start = self.random.randint(1000, 2000)
        session.execute("INSERT INTO plain (id, name) SELECT g, repeat('x', 200) "
                        "FROM generate_series(%s::int, %s::int) g ON CONFLICT (id) DO UPDATE SET name = 'again'",
                        (start, start + 600))
        with contextlib.suppress(psycopg.Rollback):
            with session.transaction():
                session.execute("UPDATE plain SET n = %s WHERE id BETWEEN %s AND %s", (start, start, start + 500))
                if self.random.random() < 0.5:
                    raise psycopg.Rollback()

    def change(self, session):
        draw = self.random
        table, row = draw.choice(TABLES), draw.randint(1, 60)
        text = "".join(draw.choices(string.ascii_letters + "äß'\"\\\n", k=12))
        what = draw.random()
        if what < 0.25:
            session.execute(f"DELETE FROM {table} WHERE id = %s", (row,))
        elif what < 0.32:
            session.execute(f"UPDATE {table} SET id = %s WHERE id = %s AND NOT EXISTS "
                            f"(SELECT FROM {table} WHERE id = %s)", (row + 100, row, row + 100))
        elif table == "plain":
            session.execute("INSERT INTO plain (id, name, n) VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE "
                            "SET name = excluded.name, n = plain.n + 0.125",
                            (row, text, draw.randint(0, 10**6) / 1000))
        elif table == "whole":
            session.execute("INSERT INTO whole (id, tags, doc, note) VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO "
                            "UPDATE SET note = excluded.note", (row, [text, None, "b"], json.dumps({"a": [text]}),
                                                                text * draw.choice([1, 400])))
        elif draw.random() < 0.5:
            session.execute("INSERT INTO big (id, n, large) VALUES (%s, 0, %s) ON CONFLICT (id) DO UPDATE "
                            "SET n = big.n + 1", (row, text * 500))
        else:
            session.execute("UPDATE big SET n = n + 1 WHERE id = %s", (row,))


def table_rows(session, table):
    """As flat records have them."""
    kinds = {name: kind for name, kind in session.execute(
        "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped", (table,)).fetchall()}
    found = {}
    for row in session.execute(f"SELECT to_jsonb(t) FROM {table} t").fetchall():
        found[json.dumps({"id": row[0]["id"]})] = {
            name: moment(one) if kinds[name] == "timestamp with time zone" and one else one
            for name, one in row[0].items()}
    return found


def without_passing_columns(rows):
    """What Workload.ddl adds and drops is not told of rows that no statement touches afterwards."""
    return {key: {name: one for name, one in row.items() if not re.fullmatch(r"c\d", name)}
            for key, row in rows.items()}


def moment(text):
    """to_jsonb writes +00:00 where we write Z."""
    return text.replace("+00:00", "Z")
