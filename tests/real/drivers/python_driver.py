"""What a client of the Python driver (cassandra-driver, scylla-driver) is answered, line by line, for a comparison of
two servers: python_driver.py HOST:PORT VERSION COMPRESSION KEYSPACE. With TLS_AUTHORITY, TLS_CERTIFICATE and TLS_KEY
it speaks TLS."""
import os
import pathlib
import ssl
import sys
import time

from cassandra import ConsistencyLevel, InvalidRequest, cluster
from cassandra.query import BatchStatement, BatchType, SimpleStatement, tuple_factory

VALUES = [line.split("\t") for line in (pathlib.Path(__file__).parent / "values.txt").read_text().splitlines()]
ADDRESS, VERSION, COMPRESSION, KEYSPACE = sys.argv[1:5]
HOST, PORT = ADDRESS.rsplit(":", 1)
TLS = None
if "TLS_AUTHORITY" in os.environ:
    TLS = ssl.create_default_context(cafile=os.environ["TLS_AUTHORITY"])
    TLS.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])


def connect():
    profile = cluster.ExecutionProfile(request_timeout=120, row_factory=tuple_factory)
    made = cluster.Cluster([HOST], port=int(PORT), protocol_version=int(VERSION), ssl_context=TLS,
                           ssl_options={"server_hostname": HOST} if TLS else None,
                           compression=COMPRESSION if COMPRESSION != "none" else False,
                           schema_event_refresh_window=0,
                           execution_profiles={cluster.EXEC_PROFILE_DEFAULT: profile})
    return made, made.connect()


def refused(what, session, statement, values=None):
    try:
        print(what, "was answered:", list(session.execute(statement, values)))
    except Exception as error:  # which one, is what is compared
        print(what, type(error).__name__, str(error).replace("\n", " "))


def types(session):
    session.execute(f"CREATE TYPE {KEYSPACE}.point (x int, y double, labels frozen<set<text>>)")
    columns = ", ".join(f"c{at} {kind.replace('point', KEYSPACE + '.point')}" for at, (kind, _) in enumerate(VALUES))
    session.execute(f"CREATE TABLE {KEYSPACE}.types (k int PRIMARY KEY, {columns})")
    names = [f"c{at}" for at in range(len(VALUES))]
    session.execute(f"INSERT INTO {KEYSPACE}.types (k, {', '.join(names)}) VALUES (1, "
                    f"{', '.join(text for _, text in VALUES)})")
    row = session.execute(f"SELECT {', '.join(names)} FROM {KEYSPACE}.types WHERE k = 1").one()
    for (kind, _), value in zip(VALUES, row):
        print(kind, repr(value))
    write = session.prepare(f"INSERT INTO {KEYSPACE}.types (k, {', '.join(names)}) "
                            f"VALUES (?, {', '.join('?' * len(names))})")
    session.execute(write, (2, *row))
    session.execute(write, (3, *[None] * len(names)))
    refused("unset", session, write, (2,))  # what is not there is unset, from version 4 on
    for found in sorted(session.execute(f"SELECT JSON * FROM {KEYSPACE}.types")):
        print(*found)
    named = session.prepare(f"UPDATE {KEYSPACE}.types SET c0 = :text, c12 = :number WHERE k = :k")
    session.execute(named, {"k": 4, "text": "named", "number": 7})
    print(session.execute(f"SELECT k, c0, c12 FROM {KEYSPACE}.types WHERE k = 4").one())
    session.execute(f"INSERT INTO {KEYSPACE}.types (k, c0) VALUES (%s, %s)", (5, "it's"))
    session.execute(f"INSERT INTO {KEYSPACE}.types (k, c14) VALUES (%(k)s, %(v)s)", {"k": 6, "v": "ü"})
    print(sorted(session.execute(f"SELECT k, c0, c14 FROM {KEYSPACE}.types WHERE k IN (5, 6)")))


def pages(session):
    session.execute(f"CREATE TABLE {KEYSPACE}.pages (p int, c int, v text, PRIMARY KEY (p, c)) "
                    "WITH CLUSTERING ORDER BY (c DESC)")
    write = session.prepare(f"INSERT INTO {KEYSPACE}.pages (p, c, v) VALUES (?, ?, ?)")
    for one in [session.execute_async(write, (k % 2, k, f"row {k}")) for k in range(1000)]:
        one.result()
    for where in ("", " WHERE p = 1", " WHERE p = 0 AND c > 100 AND c < 300 ORDER BY c ASC", " WHERE p IN (0, 1)"):
        rows, sizes = [], []
        found = session.execute(SimpleStatement(f"SELECT c FROM {KEYSPACE}.pages{where}", fetch_size=7))
        while True:
            sizes.append(len(found.current_rows))
            rows += [c for c, in found.current_rows]
            if not found.has_more_pages:
                break
            found.fetch_next_page()
        print(where, len(rows), len(sizes), set(sizes), rows[:3], rows[-3:], sum(at * c for at, c in enumerate(rows)))


def batches(session):
    session.execute(f"CREATE TABLE {KEYSPACE}.hits (k text PRIMARY KEY, n counter)")
    session.execute(f"CREATE TABLE {KEYSPACE}.batches (p int, c int, s int STATIC, v text, PRIMARY KEY (p, c))")
    write = session.prepare(f"INSERT INTO {KEYSPACE}.batches (p, c, v) VALUES (?, ?, ?)")
    for kind, p in ((BatchType.LOGGED, 1), (BatchType.UNLOGGED, 2)):
        batch = BatchStatement(kind)
        batch.add(write, (p, 1, "prepared"))
        batch.add(f"INSERT INTO {KEYSPACE}.batches (p, c, v) VALUES (%s, 2, 'bound')", (p,))
        batch.add(f"UPDATE {KEYSPACE}.batches SET s = 5 WHERE p = {p}")
        session.execute(batch)
    hit = session.prepare(f"UPDATE {KEYSPACE}.hits SET n = n + ? WHERE k = ?")
    batch = BatchStatement(BatchType.COUNTER)
    for n in range(5):
        batch.add(hit, (n, "a"))
    session.execute(batch)
    session.execute(hit, (-3, "b"))
    print(sorted(session.execute(f"SELECT * FROM {KEYSPACE}.batches")), sorted(session.execute(
        f"SELECT * FROM {KEYSPACE}.hits")))
    mixed = BatchStatement(BatchType.LOGGED)
    mixed.add(hit, (1, "a"))
    mixed.add(write, (1, 1, "x"))
    refused("counters in a batch", session, mixed)


def transactions(session):
    session.execute(f"CREATE TABLE {KEYSPACE}.locks (k int PRIMARY KEY, v text)")
    for statement in ("INSERT INTO {0}.locks (k, v) VALUES (1, 'a') IF NOT EXISTS",
                      "INSERT INTO {0}.locks (k, v) VALUES (1, 'b') IF NOT EXISTS",
                      "UPDATE {0}.locks SET v = 'c' WHERE k = 1 IF v = 'x'",
                      "UPDATE {0}.locks SET v = 'c' WHERE k = 1 IF v = 'a'",
                      "DELETE FROM {0}.locks WHERE k = 2 IF EXISTS",
                      "BEGIN BATCH INSERT INTO {0}.locks (k, v) VALUES (3, 'a') IF NOT EXISTS; APPLY BATCH"):
        found = session.execute(SimpleStatement(statement.format(KEYSPACE),
                                                serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL))
        print(found.column_names, found.one(), found.was_applied)


def metadata(made):
    told = made.metadata.keyspaces[KEYSPACE]
    print("\n".join(line.split(" WITH ")[0] for line in told.export_as_string().splitlines()))
    for table in sorted(told.tables):
        columns = told.tables[table].columns.values()
        print(table, [(one.name, one.cql_type, one.is_reversed, one.is_static) for one in columns])
    print(made.metadata.partitioner, [len(made.metadata.all_hosts()), [one.release_version for one in
                                                                      made.metadata.all_hosts()]])
    for keyspace in ("system", "system_schema", "system_virtual_schema"):
        there = made.metadata.keyspaces.get(keyspace)
        print(keyspace, there and sorted(there.tables))
    print(sorted(made.metadata.keyspaces["system_schema"].tables["columns"].columns))


def events(made):
    other, session = connect()
    session.execute(f"CREATE TABLE {KEYSPACE}.seen (k int PRIMARY KEY)")
    told = made.metadata.keyspaces[KEYSPACE]
    for promise, holds in ((" made", lambda: "seen" in told.tables),
                           (" gone", lambda: "seen" not in made.metadata.keyspaces[KEYSPACE].tables)):
        end = time.monotonic() + 60
        while not holds() and time.monotonic() < end:
            time.sleep(0.05)
        print("seen by an event:" + promise, holds())
        session.execute(f"DROP TABLE IF EXISTS {KEYSPACE}.seen")
    other.shutdown()


def changes(session):
    """Prepared statements outlive changes of their table."""
    session.execute(f"CREATE TABLE {KEYSPACE}.changing (k int PRIMARY KEY, v text)")
    read = session.prepare(f"SELECT * FROM {KEYSPACE}.changing WHERE k = ?")
    write = session.prepare(f"INSERT INTO {KEYSPACE}.changing (k, v) VALUES (?, ?)")
    session.execute(write, (1, "a"))
    print(list(session.execute(read, (1,))))
    session.execute(f"ALTER TABLE {KEYSPACE}.changing ADD w int")
    session.execute(write, (2, "b"))
    session.execute(f"UPDATE {KEYSPACE}.changing SET w = 4 WHERE k = 2")
    print(session.execute(read, (2,)).one())
    session.execute(f"DROP TABLE {KEYSPACE}.changing")
    refused("dropped", session, read, (1,))
    session.execute(f"CREATE TABLE {KEYSPACE}.changing (k int PRIMARY KEY, v text)")
    session.execute(write, (3, "c"))
    print(list(session.execute(f"SELECT * FROM {KEYSPACE}.changing")))
    session.set_keyspace(KEYSPACE)
    used = session.prepare("SELECT v FROM changing WHERE k = ?")
    print(list(session.execute(used, (3,))), [one.split("[")[0] for one in
                                              session.execute(used, (3,)).response_future.warnings or []])


def refusals(session):
    for statement in ("SELEC", f"SELECT * FROM {KEYSPACE}.absent", f"CREATE TABLE {KEYSPACE}.types (k int PRIMARY KEY)",
                      f"SELECT * FROM {KEYSPACE}.pages WHERE v = 'x'", f"SELECT nothing FROM {KEYSPACE}.pages",
                      f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy'}}",
                      f"INSERT INTO {KEYSPACE}.pages (p, c) VALUES ('x', 1)",
                      f"UPDATE {KEYSPACE}.pages SET v = 'x' WHERE p = 1"):
        refused(statement, session, statement)
    try:
        session.prepare(f"SELECT * FROM {KEYSPACE}.absent")
    except InvalidRequest as error:
        print(error)


def lists(session):
    """Values of IN that a client binds, and nulls among them."""
    table = f"{KEYSPACE}.listed"
    session.execute(f"CREATE TABLE {table} (k bigint, c int, d text, PRIMARY KEY (k, c, d))")
    for c in range(3):
        session.execute(f"INSERT INTO {table} (k, c, d) VALUES (1, {c}, '')")
    for where, values in (
            ("k IN ?", [[2, 1, 1]]), ("k IN ?", [[1, None]]), ("k IN (?, ?)", [1, None]), ("k IN ?", [[]]),
            ("k = 1 AND c IN ?", [[2, 0]]), ("k = 1 AND c IN ?", [[1, None]]),
            ("k = 1 AND c = 1 AND d IN ?", [["", "x"]]), ("k = 1 AND (c, d) IN ?", [[(1, ""), (0, "")]]),
            ("k = 1 AND (c, d) IN ?", [[(1, None)]]), ("k = 1 AND (c, d) IN (?, ?)", [(1, ""), (None, "")]),
            ("k = 1 AND (c, d) = ?", [(1, None)]), ("k = 1 AND (c, d) > ?", [(None, "")]),
            ("k IN :ks PER PARTITION LIMIT :some LIMIT :most", [[2, 1], 2, 1]), ("k = 1 LIMIT ?", [0])):
        try:
            print(where, values, list(session.execute(session.prepare(f"SELECT * FROM {table} WHERE {where}"), values)))
        except InvalidRequest as error:
            print(where, values, error)
    refused("a delete", session, session.prepare(f"DELETE FROM {table} WHERE k = 1 AND c IN ?"), [[7, None]])


def traces(session):
    """What a traced request is called, and which of its parameters are kept."""
    table = f"{KEYSPACE}.traced"
    session.execute(f"CREATE TABLE {table} (k int, c text, v blob, l list<text>, PRIMARY KEY (k, c))")
    plain = SimpleStatement(f"SELECT * FROM {table} WHERE k = %s", fetch_size=77,
                            consistency_level=ConsistencyLevel.QUORUM,
                            serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL)
    prepared = session.prepare(f"INSERT INTO {table} (k, c, v, l) VALUES (?, :named, ?, ?)")
    bound = prepared.bind((1, "it's", b"\x00\x01", ["a", "b"]))
    long = prepared.bind((2, "x" * 1200, None, None))
    batch = BatchStatement(BatchType.LOGGED, consistency_level=ConsistencyLevel.ALL)
    batch.add(prepared, (3, "c", b"", []))
    for statement, values in ((plain, (1,)), (bound, None), (long, None), (batch, None)):
        trace = session.execute(statement, values, trace=True).get_query_trace(30)
        print(trace.request_type, trace.client, sorted(trace.parameters.items()), bool(trace.events))


def main():
    made, session = connect()
    print(made.protocol_version, session.execute("SELECT release_version, cql_version FROM system.local").one())
    session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = "
                    "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
    for part in (types, pages, batches, transactions, changes, refusals, lists, traces):
        part(session)
    metadata(made)
    events(made)
    session.execute(f"DROP KEYSPACE {KEYSPACE}")
    print(KEYSPACE in made.metadata.keyspaces)
    made.shutdown()


main()
