"""Terms and select clauses, and what a Cassandra answers to them: the oracle of src/cql_terms.

`cql_terms_cases.py HOST:PORT FILE [SEED COUNT]` writes src/cql_terms/testdata/answers.tsv, or random cases. Fields of
a line are separated by tabs; tabs, line ends and backslashes within them are escaped:

    type     NAME FIELDS                    a user type, fields as `name type, …`
    column   TABLE NAME TYPE KIND ORDER     in the order of SELECT *
    row      TABLE VALUES TIMES             digits or `null` by column, with `;` between; when its cells were written
    term     COLUMN EXPRESSION ANSWER       INSERT INTO terms.v (k, COLUMN) VALUES (0, EXPRESSION)
    select   STATEMENT ANSWER
    prepare  STATEMENT ANSWER               the markers

An answer is `!CODE SENTENCE`, or hexadecimal digits, or columns (`name type`) and rows of digits, with `|` between.
Needs a Cassandra that nobody else uses: it makes the keyspace `terms` anew."""
import pathlib
import random
import sys

import cql_wire
from cql_values import native_of

KEYSPACE = "terms"
NATIVE = ("ascii bigint blob boolean date decimal double duration float inet int smallint text time timestamp timeuuid "
          "tinyint uuid varint").split()
NESTED = ["list<int>", "set<text>", "map<text, int>", "frozen<list<int>>", "frozen<set<int>>",
          "frozen<map<int, text>>", "tuple<int, text>", "address", "frozen<address>", "vector<float, 3>",
          "list<frozen<list<int>>>", "set<frozen<tuple<int, text>>>", "map<int, frozen<set<int>>>"]
TYPES = NATIVE + NESTED
COLUMNS = {type_: f"c{i}" for i, type_ in enumerate(TYPES)}

SCHEMA = [
    f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}",
    f"CREATE TYPE {KEYSPACE}.address (street text, zip int, tags frozen<list<text>>)",
    f"CREATE TABLE {KEYSPACE}.v (k int PRIMARY KEY, " + ", ".join(f"{COLUMNS[one]} {one}" for one in TYPES) + ")",
    f"""CREATE TABLE {KEYSPACE}.t (k int, "K2" text, c timestamp, d int, st text static,
        ti tinyint, si smallint, i int, b bigint, vi varint, f float, db double, de decimal, x text, a ascii, bl blob,
        bo boolean, u uuid, tu timeuuid, ts timestamp, da date, tm time, du duration, ine inet,
        l list<int>, s set<text>, m map<text, int>, fl frozen<list<int>>, fs frozen<set<int>>,
        fm frozen<map<int, text>>, tp tuple<int, text>, ad address, fad frozen<address>, ve vector<float, 3>,
        ld list<double>, sd set<decimal>,
        PRIMARY KEY ((k, "K2"), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)""",
]
ROWS = [
    """(k, "K2", c, d, st, ti, si, i, b, vi, f, db, de, x, a, bl, bo, u, tu, ts, da, tm, du, ine,
        l, s, m, fl, fs, fm, tp, ad, fad, ve, ld, sd)
        VALUES (1, 'a', '2020-02-29 10:11:12.345+0000', 1, 'static', 1, 200, -3, 4000000000, 123456789012345678901,
        1.5, -2.25, 3.500, 'text', 'ascii', 0xcafe, true, 6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b,
        5a1c395e-b41f-11e5-9f22-ba0be0483c18, '2016-01-06 00:20:43+0000', '2016-01-06', '08:12:54.123456789',
        1mo2d3h, '127.0.0.1', [3, 1, 2], {'b', 'a', 'c'}, {'y': 1, 'x': 2, 'z': 3}, [5, 6], {7, 8, 9},
        {1: 'one', 2: 'two'}, (1, 'one'), {street: 'S', tags: ['t', 'u']}, {street: 'F', zip: 5}, [1, 2, 3], [0.5, 2],
        {1.5, 2.25})""",
    """(k, "K2", c, d, ti, si, i, b, vi, f, db, de, x, l, s, m, fl, tp, ad)
        VALUES (1, 'a', '2019-12-31 23:59:59.999+0000', 2, 127, -32768, 2147483647, 9223372036854775807, -5, 3.4e38,
        1.7e308, -1.00, 'zwei', [], {}, {}, [], (null, null), {zip: 9})""",
    """(k, "K2", c, d, ti, si, i, b, vi, f, db, de, x, a)
        VALUES (2, 'ü', '1969-01-01 00:00:00+0000', 0, -128, 1, -2147483648, -9223372036854775808, 0, -0.0, 1.7e308,
        12345678901234567890.123, '𝄞nä', '')""",
    """(k, "K2", c, d) VALUES (3, '', '2020-02-29 10:11:12.345+0000', 7)""",
]
LATER = ["l = l + [9]", "s = s + {'d'}", "m['w'] = 7", "ad.zip = 10", "x = 'text'", "i = -3", "f = 1.5"]

def sections():
    """The lines of cql_terms_cases.txt by section."""
    found, name = {}, None
    for line in pathlib.Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            name = line[3:]
        elif name and line:
            found.setdefault(name, []).append(line)
    return found


CASES = sections()
TYPED = [tuple(line.split(" | ", 1)) for line in CASES["typed"]]
DEFAULT_MASKS = [(one, f"mask_default(({one}) null)") for one in TYPES if "address" not in one]
# What ours does otherwise (src/cql_terms/README.md): bytes that are no value of a type.
DIFFERENT = {("tinyint", "0xCAFEBABE"), ("tinyint", "0x"), ("tuple<int, text>", "0x00")}

NUMBERS = "ti si i b vi f db de".split()
NAMES = """k "K2" c d st ti si i b vi f db de x a bl bo u tu ts da tm du ine l s m fl fs fm tp ad fad ve ld
    sd""".split()
PREPARED = ["INSERT INTO terms.v (k, {0}) VALUES (?, ?)", "INSERT INTO terms.v (k, {0}) VALUES (:a, :\"B\")"]


def escaped(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def digits(data):
    return "null" if data is None else "0x" + data.hex()


def sentence(answer):
    """Signatures come in no order: how many, and the first and the last when they are sorted."""
    head, colon, rest = answer.message.partition("signatures: ")
    if colon:
        listed, end, tail = rest.rpartition(")")
        sorted_ = sorted(listed.removeprefix("system.").split(", system."))
        head += f"{colon}{len(sorted_)}: {sorted_[0]} … {sorted_[-1]}{end}{tail}"
    return f"!{answer.code:#06x} {head}"


def told_by_others(answer):
    """A Java exception that nobody caught, what the parsers of CQL and of JSON say."""
    return answer.code == 0x2000 or answer.code == 0 and "ArithmeticException" not in answer.message \
        or "JSON string" in (answer.message or "")


def of_columns(columns):
    text = "|".join(f"{one.name} {native_of(one.type)}" for one in columns)
    marshal = "'org.apache.cassandra.db.marshal."
    return text.replace(f"{marshal}DurationType'", "duration").replace(f"{marshal}LegacyTimeUUIDType'", "timeuuid")


def result(answer):
    if answer.code is not None:
        return sentence(answer)
    return "\n".join([of_columns(answer.columns)] + ["|".join(map(digits, row)) for row in answer.rows])


class Asker:
    def __init__(self, address, out):
        self.connection, self.out = cql_wire.Connection(address), out

    def write(self, *fields):
        self.out.write("\t".join(map(escaped, fields)) + "\n")

    def must(self, statement):
        answer = self.connection.query(statement)
        assert answer.code is None, f"{statement}: {answer.message}"
        return answer

    def prepare_schema(self):
        self.connection.query(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")
        for statement in SCHEMA:
            self.must(statement)
        for i, row in enumerate(ROWS):
            self.must(f"INSERT INTO {KEYSPACE}.t {row} USING TIMESTAMP {1000 + i}")
        where = """WHERE k = 1 AND "K2" = 'a' AND c = '2020-02-29 10:11:12.345+0000' AND d = 1"""
        for i, change in enumerate(LATER):
            self.must(f"UPDATE {KEYSPACE}.t USING TIMESTAMP {2000 + i} SET {change} {where}")

    def describe(self):
        fields = "street text, zip int, tags frozen<list<text>>"
        self.write("type", "address", fields)
        for table in ("v", "t"):
            query = f"FROM system_schema.columns WHERE keyspace_name = '{KEYSPACE}' AND table_name = '{table}'"
            rows = self.must(f"SELECT column_name, type, kind, clustering_order {query}").rows
            known = {name.decode(): [one.decode() for one in rest] for name, *rest in rows}
            every = self.must(f"SELECT * FROM {KEYSPACE}.{table}")
            for column in every.columns:
                self.write("column", table, column.name, *known[column.name])
        quoted = [f'"{one.name}"' for one in every.columns]
        times = []
        for column, name in zip(every.columns, quoted):
            keyed = known[column.name][1] in ("partition_key", "clustering")
            answer = None if keyed else self.must(f"SELECT writetime({name}) FROM {KEYSPACE}.t")
            times.append([self.cells(answer.columns[0],
            row[0]) if answer else "" for row in answer.rows] if answer else
                         [""] * len(every.rows))
        for i, row in enumerate(every.rows):
            self.write("row", "t", ";".join(map(digits, row)), ";".join(one[i] for one in times))

    @staticmethod
    def cells(column, data):
        """Writetimes with commas between; those of fields that are null are left out."""
        if data is None:
            return ""
        if column.type.kind != "list":
            return str(int.from_bytes(data, "big"))
        out, at = [], 4
        for _ in range(int.from_bytes(data[:4], "big")):
            size = int.from_bytes(data[at:at + 4], "big", signed=True)
            if size >= 0:
                out.append(str(int.from_bytes(data[at + 4:at + 4 + size], "big")))
            at += 4 + max(size, 0)
        return ",".join(out)

    def term(self, type_, expression):
        column = COLUMNS[type_]
        statement = f"INSERT INTO {KEYSPACE}.v (k, {column}) VALUES (0, {expression})"
        if "?" in expression or ":name" in expression:
            return self.prepare(statement)
        self.must(f"DELETE FROM {KEYSPACE}.v WHERE k = 0")
        answer = self.connection.query(statement)
        if answer.code is None:
            answer = self.connection.query(f"SELECT {column} FROM {KEYSPACE}.v WHERE k = 0")
            told = digits(answer.rows[0][0])
        else:
            told = sentence(answer)
        if not told_by_others(answer):
            self.write("term", column, expression, told)

    def select(self, statement):
        answer = self.connection.query(statement)
        if not told_by_others(answer):
            self.write("select", statement, result(answer))

    def prepare(self, statement):
        answer = self.connection.prepare(statement)
        if not told_by_others(answer):
            told = sentence(answer) if answer.code is not None else of_columns(answer.markers)
            self.write("prepare", statement, told)


def all_cases(asker):
    for type_ in TYPES:
        for expression in CASES["terms"]:
            if (type_, expression) not in DIFFERENT:
                asker.term(type_, expression)
    for type_, expression in TYPED + DEFAULT_MASKS:
        asker.term(type_, expression)
    for pattern in CASES["patterns"]:
        for name in NAMES:
            asker.select(f"SELECT {pattern.format(name)} FROM {KEYSPACE}.t")
    for words, name in ("SELECT", "selectors"), ("SELECT JSON", "json"), ("SELECT DISTINCT", "distinct"):
        for one in CASES[name]:
            asker.select(f"{words} {one} FROM {KEYSPACE}.t")
    for one in CASES["grouped"]:
        asker.select(one)
    for pattern in PREPARED:
        for type_ in TYPES:
            asker.prepare(pattern.format(COLUMNS[type_]))
    for one in CASES["markers"]:
        asker.prepare(one)


class Random:
    """Expressions nobody chose. Constants have types: what those without are depends on the order of overloads, which
    Cassandra leaves open."""
    FUNCTIONS = ("abs round exp log log10 to_json mask_null mask_default mask_hash to_date to_timestamp "
                 "to_unix_timestamp map_keys map_values collection_count collection_min collection_max collection_sum "
                 "collection_avg int_as_blob text_as_blob bigint_as_blob count sum avg min max").split()
    CONSTANTS = ["(text) 'ü'", "(ascii) 'a'", "(boolean) true", "(timestamp) '2020-02-29 10:11:12+0000'",
                 "(date) '1969-12-30'", "(duration) 1mo2d", "(duration) 3h", "(blob) 0x00ff",
                 "(uuid) 6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", "(timeuuid) 5a1c395e-b41f-11e5-9f22-ba0be0483c18",
                 "(time) '10:11:12.5'", "(inet) '::1'"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self):
        kind = self.random.choice("tinyint smallint int bigint varint float double decimal".split())
        top = {"tinyint": 127, "smallint": 32767, "int": 2**31 - 1, "bigint": 2**63 - 1}.get(kind, 10**25)
        whole = self.random.choice([self.random.randint(-top - 1, top), self.random.randint(-9, 9)])
        if kind in ("float", "double", "decimal"):
            return f"({kind}) {whole % 10**9}.{self.random.randint(0, 999)}"
        return f"({kind}) {whole}"

    def term(self, depth, leaf):
        pick = self.random.random()
        if depth == 0 or pick < 0.3:
            return leaf()
        inner = [self.term(depth - 1, leaf) for _ in range(self.random.randint(1, 2))]
        if pick < 0.6:
            return f"({self.term(depth - 1, leaf)} {self.random.choice('+-*/%')} {inner[0]})"
        if pick < 0.75:
            return f"{self.random.choice(self.FUNCTIONS)}({', '.join(inner)})"
        if pick < 0.85:
            return f"cast({inner[0]} AS {self.random.choice(NATIVE)})"
        return self.random.choice(["{{{}}}", "({})", "-{}"]).format(inner[0])

    def leaf(self):
        return self.number() if self.random.random() < 0.6 else self.random.choice(self.CONSTANTS)

    def selected(self):
        return self.random.choice([*NAMES, *NUMBERS, *NUMBERS, self.number(), *self.CONSTANTS])

    def cases(self, asker, count):
        for _ in range(count):
            asker.term(self.random.choice(TYPES), self.term(2, self.leaf))
            asker.select(f"SELECT {self.term(2, self.selected)} FROM {KEYSPACE}.t")


def main(address, file, seed=None, count="0"):
    with open(file, "w", encoding="utf-8") as out:
        asker = Asker(address, out)
        asker.prepare_schema()
        asker.describe()
        if seed is None:
            all_cases(asker)
        else:
            Random(int(seed)).cases(asker, int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
