"""cqlsh of PyPI, unmodified, as people use it: at a prompt in a terminal, with TLS, COPY with its options."""
import csv
import os
import pathlib
import re
import subprocess
import sys

import pexpect
import pytest
from certificates import Authority
from cql_server import CqlServer

CQLSH = pathlib.Path(sys.executable).with_name("cqlsh")
ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
PROMPT = r"cqlsh(:\w+)?> $"
SCHEMA = f"""
CREATE KEYSPACE shell WITH replication = {ONE};
CREATE TYPE shell.address (street text, number int);
CREATE TABLE shell.people (id int PRIMARY KEY, name text, born date, score double, tags set<text>,
  visits map<text, int>, home frozen<address>, photo blob, seen timestamp);
CREATE INDEX people_by_name ON shell.people (name);
CREATE TABLE shell.numbers (n int PRIMARY KEY, square bigint);
CREATE TABLE shell.counts (id text PRIMARY KEY, seen counter);
"""


def environment(folder):
    return os.environ | {"HOME": str(folder), "CQLSH_NO_BUNDLED": "1", "TERM": "dumb", "INPUTRC": "/dev/null",
                         "TZ": "UTC"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = CqlServer(tmp_path_factory.mktemp("cqlsh")).start()
    (one.data.parent / "schema.cql").write_text(SCHEMA)
    done = run(one, one.data.parent, "-f", one.data.parent / "schema.cql")
    assert done.returncode == 0, done.stderr
    yield one
    one.kill()


def run(server, folder, *words):
    return subprocess.run([CQLSH, *words, *server.address.split(":")], capture_output=True, text=True, timeout=300,
                          check=False, env=environment(folder))


def told(server, folder, statements, *words):
    done = run(server, folder, *words, "-e", statements)
    assert done.returncode == 0 and not done.stderr, done.stderr
    # Of cqlsh 6.2, about every server that is not 5.0.0.
    return re.sub(r"\s*WARNING: cqlsh was built against .+\n", "", done.stdout)


class Prompt:
    """cqlsh in a terminal of its own."""

    def __init__(self, server, folder):
        self.tty = pexpect.spawn(str(CQLSH), ["-k", "shell", *server.address.split(":")], env=environment(folder),
                                 encoding="utf-8", timeout=120, dimensions=(40, 160))
        self.tty.expect(PROMPT)

    def ask(self, statement):
        """What it shows until it asks for more."""
        self.tty.sendline(statement)
        self.tty.expect_exact("\n")
        self.tty.expect(PROMPT)
        return self.tty.before

    def completed(self, begun, expected):
        """Waits until what was begun is completed so, or the choices shown have what is expected."""
        self.tty.send(begun + "\t\t")
        self.tty.expect(expected)
        self.tty.sendcontrol("u")
        self.ask("SHOW VERSION")


@pytest.fixture
def prompt(server, tmp_path):
    one = Prompt(server, tmp_path)
    yield one
    one.tty.sendline("exit")
    one.tty.expect(pexpect.EOF)
    one.tty.close()


@pytest.mark.parametrize("begun, expected", [
    ("SELECT * FROM peo", "people"), ("SELECT * FROM shell.num", "shell.numbers"), ("CREATE TA", "CREATE TABLE"),
    ("USE sh", "shell"), ("DESCRIBE TABLE peo", "people"), ("DESCRIBE INDEX ", "people_by_name"),
    ("SELECT * FROM people WHERE na", "name"), ("INSERT INTO numbers (", "n"), ("UPDATE people SET sc", "score"),
    ("DESCRIBE ", r"KEYSPACES[\s\S]*TYPES"), ("DROP INDEX peo", "people_by_name"), ("CREATE TABLE t (k ", "timestamp"),
    ("ALTER TABLE people DROP bo", "born"), ("COPY people TO ", "STDOUT"), ("TRUNCATE cou", "counts")])
def test_tab_completes_what_is_there(prompt, begun, expected):
    prompt.completed(begun, expected)


def test_a_prompt_pages_expands_and_names_its_keyspace(server, prompt, tmp_path):
    (tmp_path / "numbers.csv").write_text("".join(f"{n},{n * n}\n" for n in range(250)))
    told(server, tmp_path, f"COPY shell.numbers (n, square) FROM '{tmp_path}/numbers.csv'")
    prompt.ask("PAGING 100")
    prompt.tty.sendline("SELECT * FROM numbers;")
    for _ in range(2):
        prompt.tty.expect_exact("---MORE---")
        prompt.tty.send("\r")
    prompt.tty.expect(r"\(250 rows\)")
    prompt.tty.expect(PROMPT)
    prompt.ask("PAGING OFF")
    prompt.ask("EXPAND ON")
    assert re.search(r"@ Row 1\s+-+\+-+\s+n +\| 7\s+square +\| 49", prompt.ask("SELECT * FROM numbers WHERE n = 7;"))
    prompt.ask("EXPAND OFF")
    assert "Consistency level set to QUORUM" in prompt.ask("CONSISTENCY QUORUM")
    assert re.search(r"\n\s+7 \|\s+49", prompt.ask("SELECT * FROM numbers WHERE n = 7;"))
    prompt.tty.sendline("USE system;")
    prompt.tty.expect("cqlsh:system> $")


def test_a_statement_may_take_several_lines_and_errors_are_shown_with_their_code(prompt):
    prompt.tty.sendline("SELECT n")
    prompt.tty.expect(r"   \.\.\. ")
    prompt.tty.sendline("FROM nowhere;")
    prompt.tty.expect(r"InvalidRequest: Error from server: code=2200 \[Invalid query\] "
                      r'message="table nowhere does not exist"')
    prompt.tty.expect(PROMPT)
    assert "SyntaxException: line 1:0" in prompt.ask("SELEKT 1;")


def test_a_traced_statement_is_shown_with_what_it_took(prompt):
    prompt.ask("TRACING ON")
    prompt.tty.sendline("SELECT n FROM numbers WHERE n = -1;")
    prompt.tty.expect(r"Tracing session: [0-9a-f-]{36}")
    prompt.tty.expect(r"Execute CQL3 query \|[^\n]+\| +127\.0\.0\.1 \| +0 \| +127\.0\.0\.1")
    prompt.tty.expect(r"Read 0 rows \[cql\] \|")
    prompt.tty.expect(r"Request complete \|")
    prompt.tty.expect(PROMPT)
    assert "TRACING set to OFF" in prompt.ask("TRACING OFF")
    assert "Tracing session" not in prompt.ask("SELECT n FROM numbers WHERE n = -1;")


def test_describe_shows_every_kind_of_thing(server, tmp_path):
    def described(what):
        return told(server, tmp_path, f"DESCRIBE {what}", "-k", "shell")

    assert "Cluster: " in described("CLUSTER") and "Partitioner: " in described("CLUSTER")
    assert re.search(r"\bshell\b", described("KEYSPACES"))
    assert re.search(r"counts +numbers +people", described("TABLES"))
    assert "address" in described("TYPES")
    assert "CREATE TYPE shell.address (\n    street text,\n    number int\n);" in described("TYPE address")
    assert "CREATE INDEX people_by_name ON shell.people (name);" in described("INDEX people_by_name")
    assert "visits map<text, int>" in described("TABLE people")
    for what in ("FUNCTIONS", "AGGREGATES", "SCHEMA", "FULL SCHEMA"):
        described(what)
    whole = described("KEYSPACE shell")
    assert [whole.count(f"CREATE {kind} ") for kind in ("KEYSPACE", "TYPE", "TABLE", "INDEX")] == [1, 1, 3, 1]


def test_what_describe_shows_makes_the_same_again(server, tmp_path):
    before = told(server, tmp_path, "DESCRIBE KEYSPACE shell")
    again = CqlServer(tmp_path).start()
    (tmp_path / "again.cql").write_text(before)
    done = run(again, tmp_path, "-f", tmp_path / "again.cql")
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert told(again, tmp_path, "DESCRIBE KEYSPACE shell") == before
    again.kill()


PEOPLE = [("1", "Ada", "1815-12-10", "1.5", "{'a', 'b'}", "{'x': 1, 'y': 2}", "{street: 'Main, St', number: 7}",
           "0xcafe", "2020-01-02 03:04:05.678+0000"),
          ("2", "Quote \"d\", comma; ä", "", "-0.25", "{}", "", "", "", "")]
COLUMNS = "id, name, born, score, tags, visits, home, photo, seen"


def test_rows_copied_out_and_in_again_are_the_same(server, tmp_path):
    with open(tmp_path / "in.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, escapechar="\\", doublequote=False).writerows(PEOPLE)
    told(server, tmp_path, f"TRUNCATE shell.people; COPY shell.people ({COLUMNS}) FROM '{tmp_path}/in.csv'")
    first = told(server, tmp_path, "SELECT * FROM shell.people")
    assert "Ada" in first and "0xcafe" in first and "(2 rows)" in first
    options = "WITH HEADER = true AND DELIMITER = ';' AND QUOTE = '\"' AND NULL = 'nothing'"
    told(server, tmp_path, f"COPY shell.people ({COLUMNS}) TO '{tmp_path}/out.csv' {options}")
    assert (tmp_path / "out.csv").read_text().startswith(COLUMNS.replace(", ", ";"))
    told(server, tmp_path, f"TRUNCATE shell.people; COPY shell.people ({COLUMNS}) FROM '{tmp_path}/out.csv' {options}")
    assert told(server, tmp_path, "SELECT * FROM shell.people") == first


def test_many_rows_are_copied_in_batches_by_several_processes(server, tmp_path):
    rows = 20_000
    (tmp_path / "many.csv").write_text("".join(f"{n},{n * n}\n" for n in range(1000, 1000 + rows)))
    told(server, tmp_path, f"TRUNCATE shell.numbers; COPY shell.numbers (n, square) FROM '{tmp_path}/many.csv' WITH "
         "CHUNKSIZE = 500 AND MINBATCHSIZE = 5 AND MAXBATCHSIZE = 20 AND NUMPROCESSES = 2 AND INGESTRATE = 200000 "
         "AND MAXATTEMPTS = 5 AND PREPAREDSTATEMENTS = true AND TTL = 86400")
    shown = told(server, tmp_path, "SELECT count(*), max(square) FROM shell.numbers")
    assert re.search(rf"{rows} +\| +{(999 + rows) ** 2}", shown), shown
    told(server, tmp_path, f"COPY shell.numbers TO '{tmp_path}/out.csv' WITH PAGESIZE = 700 AND NUMPROCESSES = 2 AND "
         "MAXREQUESTS = 4 AND PAGETIMEOUT = 30 AND BEGINTOKEN = '-9223372036854775808' AND MAXOUTPUTSIZE = 5000")
    lines = [line for part in tmp_path.glob("out.csv*") for line in part.read_text().splitlines()]
    assert len(list(tmp_path.glob("out.csv*"))) > 1  # of 5,000 lines each
    assert sorted(lines) == sorted((tmp_path / "many.csv").read_text().splitlines())


def test_copy_leaves_out_what_it_cannot_read_and_says_so(server, tmp_path):
    (tmp_path / "bad.csv").write_text("skipped,0\n1,1\nnot a number,4\n3,9\n4,16\n")
    done = run(server, tmp_path, "-e", "TRUNCATE shell.numbers; COPY shell.numbers (n, square) FROM "
               f"'{tmp_path}/bad.csv' WITH SKIPROWS = 1 AND ERRFILE = '{tmp_path}/errors.csv'")
    assert "Failed to import 1 rows" in done.stderr and "not a number" in (tmp_path / "errors.csv").read_text()
    assert "(3 rows)" in told(server, tmp_path, "SELECT * FROM shell.numbers")


def test_counters_are_copied_out_and_added_again(server, tmp_path):
    told(server, tmp_path, "UPDATE shell.counts SET seen = seen + 5 WHERE id = 'a'; "
         f"COPY shell.counts TO '{tmp_path}/counts.csv'; COPY shell.counts FROM '{tmp_path}/counts.csv'")
    assert re.search(r"a \|\s+10\b", told(server, tmp_path, "SELECT * FROM shell.counts"))


def test_cqlsh_speaks_tls_and_shows_its_certificate(tmp_path):
    authority = Authority(tmp_path / "certificates")
    certificate, key, _ = authority.sign("server", "/CN=localhost")
    shown, shown_key, _ = authority.sign("client", "/CN=client")
    server = CqlServer(tmp_path, "--tls-certificate", certificate, "--tls-key", key, "--tls-clients",
                       authority.certificate).start()

    def asked(*more):
        lines = ("[ssl]", f"certfile = {authority.certificate}", *more)
        (tmp_path / "cqlshrc").write_text("".join(f"{line}\n" for line in lines))
        return run(server, tmp_path, "--ssl", "--cqlshrc", tmp_path / "cqlshrc", "-e", "SHOW HOST; DESCRIBE CLUSTER")

    good = asked(f"userkey = {shown_key}", f"usercert = {shown}")
    assert good.returncode == 0 and "Partitioner: " in good.stdout, good.stderr
    assert asked().returncode != 0  # shows none of its own
    assert run(server, tmp_path, "-e", "SHOW HOST").returncode != 0
    server.stop()
