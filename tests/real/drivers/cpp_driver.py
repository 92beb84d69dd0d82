"""What a client of the C++ driver is answered, through acsylla, which is Python on top of it, line by line, for a
comparison of two servers: cpp_driver.py HOST:PORT VERSION KEYSPACE. With TLS_AUTHORITY, TLS_CERTIFICATE and TLS_KEY it
speaks TLS."""
import asyncio
import os
import pathlib
import sys

import acsylla

VALUES = [line.split("\t") for line in (pathlib.Path(__file__).parent / "values.txt").read_text().splitlines()]
ADDRESS, VERSION, KEYSPACE = sys.argv[1:4]
HOST, PORT = ADDRESS.rsplit(":", 1)


async def connect():
    tls = {}
    if "TLS_AUTHORITY" in os.environ:
        authority, certificate, key = (pathlib.Path(os.environ["TLS_" + name]).read_text()
                                       for name in ("AUTHORITY", "CERTIFICATE", "KEY"))
        tls = {"ssl_enabled": True, "ssl_trusted_cert": authority, "ssl_cert": certificate, "ssl_private_key": key}
    made = acsylla.create_cluster([HOST], port=int(PORT), protocol_version=int(VERSION), connect_timeout=60,
                                  request_timeout=120, **tls)
    return await made.create_session()


def named(text):
    return text.replace("$", KEYSPACE)


class Asking:
    def __init__(self, session):
        self.session = session

    async def run(self, text, values=None):
        statement = acsylla.create_statement(named(text), parameters=len(values or ()))
        if values:
            statement.bind_list(values)
        return await self.session.execute(statement)

    async def rows(self, text):
        print(sorted(str(row.as_dict()) for row in await self.run(text)))

    async def prepared(self, text, values):
        statement = (await self.session.create_prepared(named(text))).bind()
        (statement.bind_dict if isinstance(values, dict) else statement.bind_list)(values)
        return await self.session.execute(statement)

    async def refused(self, what, asked):
        try:
            print(what, "was answered:", (await asked).count())
        except Exception as error:  # which one, is what is compared
            print(what, type(error).__name__, error)


async def types(ask):
    await ask.run("CREATE TYPE $.point (x int, y double, labels frozen<set<text>>)")
    columns = ", ".join(f"c{at} {kind.replace('point', '$.point')}" for at, (kind, _) in enumerate(VALUES))
    await ask.run(f"CREATE TABLE $.types (k int PRIMARY KEY, {columns})")
    names = [f"c{at}" for at in range(len(VALUES))]
    await ask.run(f"INSERT INTO $.types (k, {', '.join(names)}) VALUES (1, {', '.join(text for _, text in VALUES)})")
    for (kind, _), name in zip(VALUES, names):
        if kind.startswith("vector"):  # which this driver does not know
            continue
        read = (await ask.session.create_prepared(named(f"SELECT {name} FROM $.types WHERE k = ?"))).bind()
        read.bind_list([1])
        try:
            value = (await ask.session.execute(read)).first().column_value(name)
        except UnicodeDecodeError as error:  # acsylla takes decimals for text
            print(kind, error)
            continue
        print(kind, repr(value))
        await ask.refused(kind, ask.prepared(f"UPDATE $.types SET {name} = ? WHERE k = ?", [value, 2]))
        await ask.refused(kind, ask.prepared(f"UPDATE $.types SET {name} = ? WHERE k = ?", [None, 3]))
    await ask.rows("SELECT JSON * FROM $.types")
    await ask.prepared("UPDATE $.types SET c0 = :text, c12 = :number WHERE k = :k", {"k": 4, "text": "n", "number": 7})
    await ask.run("INSERT INTO $.types (k, c12) VALUES (?, ?)", [5, 7])
    await ask.rows("SELECT k, c0, c12 FROM $.types WHERE k IN (4, 5)")


async def pages(ask):
    await ask.run("CREATE TABLE $.pages (p int, c int, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)")
    await asyncio.gather(*[ask.prepared("INSERT INTO $.pages (p, c, v) VALUES (?, ?, ?)", [k % 2, k, f"row {k}"])
                           for k in range(1000)])
    for where in ("", " WHERE p = 1", " WHERE p = 0 AND c > 100 AND c < 300 ORDER BY c ASC", " WHERE p IN (0, 1)"):
        statement = acsylla.create_statement(named(f"SELECT c FROM $.pages{where}"), page_size=7)
        sizes, rows = [], []
        while True:
            found = await ask.session.execute(statement)
            rows += [row.column_value("c") for row in found]
            sizes.append(found.count())
            if not found.has_more_pages():
                break
            statement.set_page_size(7)
            statement.set_page_state(found.page_state())
        print(where, len(rows), len(sizes), set(sizes), sum(at * c for at, c in enumerate(rows)))


async def batches(ask):
    await ask.run("CREATE TABLE $.hits (k text PRIMARY KEY, n counter)")
    await ask.run("CREATE TABLE $.batches (p int, c int, s int STATIC, v text, PRIMARY KEY (p, c))")
    write = await ask.session.create_prepared(named("INSERT INTO $.batches (p, c, v) VALUES (?, ?, ?)"))
    hit = await ask.session.create_prepared(named("UPDATE $.hits SET n = n + ? WHERE k = ?"))

    def bound(prepared, values):
        statement = prepared.bind()
        statement.bind_list(values)
        return statement

    for p, batch in enumerate((acsylla.create_batch_logged(), acsylla.create_batch_unlogged())):
        batch.add_statement(bound(write, [p, 1, "prepared"]))
        batch.add_statement(acsylla.create_statement(named(f"UPDATE $.batches SET s = 5 WHERE p = {p}")))
        await ask.session.execute_batch(batch)
    batch = acsylla.create_batch_counter()
    batch.add_statement(bound(hit, [4, "a"]))
    batch.add_statement(bound(hit, [-3, "b"]))
    await ask.session.execute_batch(batch)
    await ask.rows("SELECT * FROM $.batches")
    await ask.rows("SELECT * FROM $.hits")
    wrong = acsylla.create_batch_logged()
    wrong.add_statement(bound(hit, [4, "a"]))
    wrong.add_statement(bound(write, [1, 1, "x"]))
    await ask.refused("counters", ask.session.execute_batch(wrong))


async def transactions(ask):
    await ask.run("CREATE TABLE $.locks (k int PRIMARY KEY, v text)")
    for text in ("INSERT INTO $.locks (k, v) VALUES (1, 'a') IF NOT EXISTS",
                 "INSERT INTO $.locks (k, v) VALUES (1, 'b') IF NOT EXISTS",
                 "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'x'",
                 "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'a'",
                 "DELETE FROM $.locks WHERE k = 2 IF EXISTS"):
        print((await ask.prepared(text, [])).first().as_dict())


async def changes(ask):
    await ask.run("CREATE TABLE $.changing (k int PRIMARY KEY, v text)")
    read = await ask.session.create_prepared(named("SELECT * FROM $.changing WHERE k = ?"))
    write = await ask.session.create_prepared(named("INSERT INTO $.changing (k, v) VALUES (?, ?)"))

    def bound(prepared, values):
        statement = prepared.bind()
        statement.bind_list(values)
        return statement

    await ask.session.execute(bound(write, [1, "a"]))
    print((await ask.session.execute(bound(read, [1]))).first().as_dict())
    await ask.run("ALTER TABLE $.changing ADD w int")
    await ask.session.execute(bound(write, [2, "b"]))
    await ask.run("UPDATE $.changing SET w = 4 WHERE k = 2")
    print((await ask.session.execute(bound(read, [2]))).first().as_dict())
    await ask.run("DROP TABLE $.changing")
    await ask.refused("dropped", ask.session.execute(bound(read, [1])))
    await ask.run("CREATE TABLE $.changing (k int PRIMARY KEY, v text)")
    await ask.session.execute(bound(write, [3, "c"]))
    await ask.rows("SELECT * FROM $.changing")


async def refusals(ask):
    for text in ("SELEC", "SELECT * FROM $.absent", "CREATE TABLE $.types (k int PRIMARY KEY)",
                 "SELECT * FROM $.pages WHERE v = 'x'", "SELECT nothing FROM $.pages"):
        await ask.refused(text, ask.run(text))
        await ask.refused(text, ask.prepared(text, []))


async def metadata(ask):
    told = ask.session.get_metadata()
    print(told.get_version(), sorted(told.get_user_types(KEYSPACE)))
    for one in sorted(told.get_tables_meta(KEYSPACE), key=lambda table: table.name):
        print([(column.name, column.type) for column in one.columns])
    print(told.get_user_type_meta(KEYSPACE, "point").as_cql_query())


async def events(ask):
    other = Asking(await connect())
    await other.run("CREATE TABLE $.seen (k int PRIMARY KEY)")
    for _ in range(1200):
        if "seen" in ask.session.get_metadata().get_tables(KEYSPACE):
            break
        await asyncio.sleep(0.05)
    print("seen", "seen" in ask.session.get_metadata().get_tables(KEYSPACE))
    await other.session.close()


async def main():
    ask = Asking(await connect())
    await ask.run("CREATE KEYSPACE $ WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
    for part in (types, pages, batches, transactions, changes, refusals, metadata, events):
        await part(ask)
    await ask.run("DROP KEYSPACE $")
    await ask.session.close()


asyncio.run(main())
