"""CQL's behaviour as text: statements with a real Cassandra's answers; tests/cql/README.md says how they are written.

`cql_texts.py check HOST:PORT FILE…` tells where a server differs; `record` writes its answers into the files."""
import pathlib
import re
import sys
import time
from dataclasses import dataclass, field

import cql_wire
from cql_values import NoValue, Type, literal, split_top, value_bytes
from cql_wire import Values

TEXTS = pathlib.Path(__file__).resolve().parents[1] / "cql"
ANSWER = re.compile(r"--( |$)")
DIRECTIVE = re.compile(r"//!\s*(\w+)\s*(.*)$")
NAMED = re.compile(r":(\w+)\s*=\s*(.*)$", re.DOTALL)
REPEATED = re.compile(r"repeat\(0x([0-9a-fA-F]+), (\d+)\)$")
WORDS = {"as", "apply", "batch", "bind", "consistency", "ignore", "keyspace", "mask", "now", "page", "prepare",
         "protocol", "retry", "serial", "sort", "timestamp", "unprepared"}
NEEDS = re.compile(r"^//! needs (\w+)$", re.MULTILINE)
NOT_YET = 0x1300  # the failure of a read by an index that is still being built
SUPERUSER = ("cassandra", "cassandra")


@dataclass
class Step:
    """A statement, or the statements of a batch sent as one message, with what is asked of it and its answer."""
    line: int
    directives: list = field(default_factory=list)  # pairs of a word and its argument
    statement: str = ""
    inner: list = field(default_factory=list)  # of a batch: pairs of a statement and the text of its values or None
    answer: list = field(default_factory=list)
    end: int = 0  # the line behind the statement, where its answer begins

    def all(self, word):
        return [argument for name, argument in self.directives if name == word]

    def one(self, word, convert=str):
        found = self.all(word)
        return convert(found[-1]) if found else None


class Parser:
    """Lines to steps; `where` the answers stand is kept, so that they can be written anew."""

    def __init__(self, name, lines):
        self.name, self.lines, self.steps = name, lines, []

    def fail(self, at, what):
        raise SystemExit(f"{self.name}:{at + 1}: {what}")

    def statement(self, at):
        """The statement that begins at a line, and the line behind it."""
        start, batch = at, re.match(r"BEGIN\b.*\bBATCH\b", self.lines[at], re.IGNORECASE)
        while at < len(self.lines):
            line = self.lines[at].rstrip()
            at += 1
            if line.endswith(";") and (not batch or re.search(r"\bAPPLY\s+BATCH\s*;$", line, re.IGNORECASE)):
                return "\n".join(self.lines[start:at]), at
        self.fail(start, "the statement has no end: a line that ends with ;")

    def parse(self):
        at, step, batch = 0, None, None
        while at < len(self.lines):
            line = self.lines[at]
            directive = DIRECTIVE.match(line)
            if ANSWER.match(line):
                if not self.steps or step:
                    self.fail(at, "an answer without its statement")
                self.steps[-1].answer.append(line)
                at += 1
            elif directive and directive.group(1) == "needs":
                at += 1
            elif directive:
                word, argument = directive.groups()
                if word not in WORDS:
                    self.fail(at, f"no such directive: {word}; there are {', '.join(sorted(WORDS))}")
                if word == "apply":
                    batch.end = at + 1
                    self.steps.append(batch)
                    step = batch = None
                else:
                    step = step or Step(at)
                    step.directives.append((word, argument))
                    if word == "batch":
                        step, batch = None, step
                at += 1
            elif not line.strip() or line.startswith("//"):
                at += 1
            else:
                step = step or Step(at)
                step.statement, at = self.statement(at)
                if batch and {word for word, _ in step.directives} - {"bind"}:
                    self.fail(step.line, "a batch's own directives stand before it; in it there is `bind` only")
                if batch:
                    batch.inner.append((step.statement, step.one("bind")))
                else:
                    step.end = at
                    self.steps.append(step)
                step = None
        if batch or step:
            self.fail(len(self.lines) - 1, "directives without a statement")
        return self.steps


def escaped(text):
    """Control characters as \\t or \\xNN; a line break of a value is one here, behind a backslash."""
    text = text.replace("\\", "\\\\").replace("\n", "\\\n").replace("\t", "\\t")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", lambda found: f"\\x{ord(found.group()):02x}", text)


def columns_text(columns):
    return " | ".join(f"{one.name} {one.type}" for one in columns)


def row_text(columns, row, ignored):
    return " | ".join("*" if one.name in ignored else literal(one.type, data)
                      for one, data in zip(columns, row, strict=True))


class Session:
    """Connections to one server, by protocol and user, that share the keyspace in use."""

    def __init__(self, address, keyspace):
        self.address, self.keyspace, self.user = address, keyspace, SUPERUSER
        self.connections = {}

    def connection(self, version):
        found = self.connections.get((version, self.user))
        if not found:
            found = cql_wire.Connection(self.address, version, user=self.user[0], password=self.user[1])
            if found.started.code is not None:
                return found
            self.connections[version, self.user] = found
        if self.keyspace and found.keyspace != self.keyspace:
            found.query(f'USE "{self.keyspace}"')
        return found

    def close(self):
        for one in self.connections.values():
            one.close()


class Runner:
    """Runs the steps of one file on one server and says the answers as lines."""

    def __init__(self, address, keyspace):
        self.session = Session(address, None)
        first = self.session.connection(4)
        keyspaces = first.query("SELECT keyspace_name FROM system_schema.keyspaces").rows
        for name in (row[0].decode() for row in keyspaces):
            if name == keyspace or name.startswith(keyspace + "__"):
                first.query(f'DROP KEYSPACE "{name}"')
        made = first.query(f"CREATE KEYSPACE \"{keyspace}\" WITH replication = "
                           "{'class': 'SimpleStrategy', 'replication_factor': 1}")
        assert made.schema_change, made.message
        self.session.keyspace = keyspace
        self.patience = time.monotonic() + 60  # until then `retry` asks again

    def close(self):
        self.session.close()

    def run(self, step):
        """The answer's lines, without their `-- `."""
        user = step.one("as")
        if user:
            self.session.user = tuple(user.split())
        version = step.one("protocol", int) or (5 if step.one("now") or step.one("keyspace") else 4)
        connection = self.session.connection(version)
        if connection.started.code is not None:
            return self.lines(step, connection.started)
        try:
            lines = self.batch(connection, step) if step.inner else self.statement(connection, step)
        except (EOFError, ConnectionError):
            self.session.connections.clear()
            lines = ["closed"]
        text = "\n".join(lines)
        for pattern in step.all("mask"):
            text = re.sub(pattern, "*", text)
        return text.split("\n")

    def options(self, step):
        return Values(consistency=step.one("consistency") or "ONE", page=step.one("page", int),
                      serial=step.one("serial"), timestamp=step.one("timestamp", int),
                      keyspace=step.one("keyspace"), now=step.one("now", int))

    def bound(self, step, markers, text):
        """Values and their names, from `1, 'a'` or `:k = 1, :v = 'a'`."""
        names, values = [], []
        for at, one in enumerate(split_top(text)):
            named = NAMED.match(one)
            if named:
                names.append(named.group(1))
                one = named.group(2)
                type_ = next((marker.type for marker in markers if marker.name == names[-1]), Type("blob"))
            else:
                type_ = markers[at].type if at < len(markers) else Type("blob")
            repeated = REPEATED.match(one)
            try:
                if repeated:
                    values.append(bytes.fromhex(repeated.group(1)) * int(repeated.group(2)))
                else:
                    values.append(cql_wire.UNSET if one == "unset" else value_bytes(type_, one))
            except (NoValue, ValueError) as e:
                raise SystemExit(f"line {step.line + 1}: {one} is no {type_}: {e}") from e
        assert not names or len(names) == len(values), f"line {step.line + 1}: some values have names"
        return values, names or None

    def statement(self, connection, step):
        if not step.all("bind") and not step.all("prepare"):
            return self.pages(step, lambda one: connection.query(step.statement, one))
        keyspace = step.one("keyspace")
        prepared = connection.prepare(step.statement, keyspace)
        if prepared.code is not None:
            return self.lines(step, prepared)
        lines = self.prepared_lines(prepared) if step.all("prepare") else []
        for text in step.all("bind"):
            values, names = self.bound(step, prepared.markers, text)

            def ask(one, values=values, names=names):
                one.values, one.names = values, names
                if step.all("unprepared"):
                    return connection.query(step.statement, one)
                one.keyspace = None
                return connection.execute(prepared, one)

            lines += self.pages(step, ask)
        return lines

    def batch(self, connection, step):
        statements = []
        for text, bind in step.inner:
            if bind is None:
                statements.append((text, []))
                continue
            prepared = connection.prepare(text)
            if prepared.code is not None:
                return self.lines(step, prepared)
            statements.append((prepared.prepared, self.bound(step, prepared.markers, bind)[0]))
        return self.lines(step, connection.batch(step.one("batch"), statements, self.options(step)))

    def pages(self, step, ask):
        lines, state = [], None
        while True:
            options = self.options(step)
            options.paging_state = state
            answer = ask(options)
            while answer.code == NOT_YET and step.all("retry") and time.monotonic() < self.patience:
                time.sleep(0.05)
                answer = ask(options)
            page = self.lines(step, answer)
            lines += page if state is None or answer.rows is None else page[1 + len(answer.warnings):]
            state = answer.paging_state
            if state is None:
                return lines
            lines.append("(more)")
            if step.one("page", int) is None:
                return lines

    def prepared_lines(self, prepared):
        key = "" if prepared.key is None else "; key " + (", ".join(map(str, prepared.key)) or "none")
        lines = [f"markers: {columns_text(prepared.markers) or 'none'}{key}"]
        return lines + [f"columns: {columns_text(prepared.columns or []) or 'none'}"]

    def lines(self, step, answer):
        lines = [f"warning: {one}" for one in answer.warnings] + self.result(step, answer)
        return [line for one in lines for line in escaped(one).split("\n")]

    def result(self, step, answer):
        if answer.code is not None:
            return [f"{cql_wire.ERRORS.get(answer.code, hex(answer.code))}: {answer.message}"]
        if answer.schema_change:
            change, target, keyspace, name = answer.schema_change
            return [f"{change} {target} {keyspace}" + ("" if name is None else f".{name}")]
        if answer.rows is not None:
            ignored = [name.strip() for one in step.all("ignore") for name in split_top(one)]
            rows = [row_text(answer.columns, row, ignored) for row in answer.rows]
            return [columns_text(answer.columns)] + (sorted(rows) if step.all("sort") else rows)
        return [f"uses {answer.keyspace}" if answer.keyspace is not None else "ok"]

    def after(self, answer_lines):
        """What USE said holds for every connection."""
        for line in answer_lines:
            if line.startswith("uses "):
                self.session.keyspace = line.removeprefix("uses ")


def needs(path):
    """What a server must have for the file, beside CQL: `passwords`."""
    return set(NEEDS.findall(pathlib.Path(path).read_text(encoding="utf-8")))


def steps_of(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return Parser(path, text.split("\n")[:-1]).parse()


def answers(path, address):
    """Pairs of each step and the server's answer, in lines as they stand in the file."""
    runner = Runner(address, pathlib.Path(path).stem)
    try:
        for step in steps_of(path):
            lines = runner.run(step)
            runner.after(lines)
            yield step, [f"-- {line}".rstrip() if line == "" else f"-- {line}" for line in lines]
    finally:
        runner.close()


def differences(path, address):
    """Where a server's answers are not those of the file, as texts that say both."""
    found = []
    for step, lines in answers(path, address):
        if lines != step.answer:
            asked = step.statement or "\n".join(text for text, _ in step.inner)
            where = f"{path}:{step.line + 1}: {asked}"
            found.append("\n".join([where, "  recorded:", *step.answer, "  answered:", *lines]))
    return found


def record(path, address):
    """Writes a server's answers into the file, and gives their number."""
    path = pathlib.Path(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    count = 0
    out, at = [], 0
    for step, answer in answers(path, address):
        out += [line for line in lines[at:step.end] if not ANSWER.match(line)] + answer
        at, count = step.end, count + 1
    out += [line for line in lines[at:] if not ANSWER.match(line)]
    path.write_text("\n".join(out), encoding="utf-8")
    return count


def main(words):
    if len(words) < 3 or words[0] not in ("check", "record"):
        raise SystemExit("cql_texts.py check|record HOST:PORT FILE…")
    asked = failed = 0
    for path in words[2:]:
        if words[0] == "record":
            print(f"{path}: {record(path, words[1])} answers")
            continue
        found = differences(path, words[1])
        count = len(steps_of(path))
        asked, failed = asked + count, failed + len(found)
        print("\n".join([*found, f"{path}: {count} statements, {len(found)} differ"]))
    if asked:
        print(f"{asked - failed} of {asked} answers agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
