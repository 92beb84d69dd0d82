"""CQL's native protocol by hand, v3 to v5: frames, requests, and answers read to the last byte.

For what no driver asks: one request at a time, every flag of one's choice, frames that nobody should send."""
import enum
import socket
import struct
import zlib
from dataclasses import dataclass, field

from cql_values import Type

ERRORS = {
    0x0000: "ServerError", 0x000A: "ProtocolError", 0x0100: "BadCredentials", 0x1000: "Unavailable",
    0x1001: "Overloaded", 0x1002: "IsBootstrapping", 0x1003: "TruncateError", 0x1100: "WriteTimeout",
    0x1200: "ReadTimeout", 0x1300: "ReadFailure", 0x1400: "FunctionFailure", 0x1500: "WriteFailure",
    0x1600: "CdcWriteFailure", 0x1700: "CasWriteUnknown", 0x2000: "SyntaxError", 0x2100: "Unauthorized",
    0x2200: "Invalid", 0x2300: "ConfigError", 0x2400: "AlreadyExists", 0x2500: "Unprepared",
}
CONSISTENCIES = ["ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL",
                 "LOCAL_SERIAL", "LOCAL_ONE"]
BATCHES = {"logged": 0, "unlogged": 1, "counter": 2}
UNSET = object()  # the value that leaves a column as it is
LONGEST = 256 << 20


class Opcode(enum.IntEnum):
    ERROR, STARTUP, READY, AUTHENTICATE, OPTIONS, SUPPORTED, QUERY, RESULT, PREPARE, EXECUTE, REGISTER, EVENT, BATCH, \
        AUTH_CHALLENGE, AUTH_RESPONSE, AUTH_SUCCESS = 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16


@dataclass
class Column:
    keyspace: str
    table: str
    name: str
    type: Type


@dataclass
class Answer:
    """One of: an error (`code`, `message`), rows, `schema_change`, `keyspace` set, `prepared`, or none of them."""
    opcode: int
    stream: int = 0
    version: int = 0
    warnings: list = field(default_factory=list)
    code: int | None = None
    message: str | None = None
    more: dict = field(default_factory=dict)  # of an error: what its code adds
    columns: list | None = None
    rows: list | None = None  # of raw bytes or None
    paging_state: bytes | None = None
    schema_change: tuple | None = None  # change, target, keyspace, and the name, with arguments of a function
    keyspace: str | None = None
    prepared: bytes | None = None
    result_id: bytes | None = None
    markers: list | None = None  # columns of the prepared statement's values
    key: list | None = None  # which markers make the partition key
    body: bytes = b""


@dataclass
class Values:
    """What goes with a QUERY, an EXECUTE or a BATCH; `names` make the values go by name."""
    values: list = field(default_factory=list)
    names: list | None = None
    consistency: str = "ONE"
    page: int | None = None
    paging_state: bytes | None = None
    serial: str | None = None
    timestamp: int | None = None
    keyspace: str | None = None
    now: int | None = None
    skip_metadata: bool = False


def string(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def long_string(text):
    return long_bytes(text.encode())


def long_bytes(data):
    return struct.pack(">i", len(data)) + data


def value(data):
    if data is None or data is UNSET:
        return struct.pack(">i", -1 if data is None else -2)
    return long_bytes(data)


def string_map(entries):
    return struct.pack(">H", len(entries)) + b"".join(string(key) + string(one) for key, one in entries.items())


def values_bytes(data, names):
    out = struct.pack(">H", len(data))
    for at, one in enumerate(data):
        out += (string(names[at]) if names else b"") + value(one)
    return out


def options_bytes(version, one, batch=False):
    """The part of QUERY and EXECUTE behind the statement, and of BATCH behind its statements."""
    flags, out = 0, b""
    if not batch and one.values:
        flags |= 0x01
        out += values_bytes(one.values, one.names)
    if one.skip_metadata:
        flags |= 0x02
    if one.page is not None:
        flags |= 0x04
        out += struct.pack(">i", one.page)
    if one.paging_state is not None:
        flags |= 0x08
        out += long_bytes(one.paging_state)
    if one.serial is not None:
        flags |= 0x10
        out += struct.pack(">H", CONSISTENCIES.index(one.serial))
    if one.timestamp is not None:
        flags |= 0x20
        out += struct.pack(">q", one.timestamp)
    if not batch and one.values and one.names:
        flags |= 0x40
    if one.keyspace is not None:
        flags |= 0x80
        out += string(one.keyspace)
    if one.now is not None:
        flags |= 0x100
        out += struct.pack(">i", one.now)
    return struct.pack(">H", CONSISTENCIES.index(one.consistency)) + \
        struct.pack(">I" if version >= 5 else ">B", flags) + out


def query_body(version, statement, one=None):
    return long_string(statement) + options_bytes(version, one or Values())


def prepare_body(version, statement, keyspace=None):
    if version < 5:
        return long_string(statement)
    return long_string(statement) + struct.pack(">I", 0 if keyspace is None else 1) + \
        (b"" if keyspace is None else string(keyspace))


def short_bytes(data):
    return struct.pack(">H", len(data)) + data


def execute_body(version, prepared, one=None, result_id=None):
    out = short_bytes(prepared)
    if version >= 5:
        out += short_bytes(result_id or b"")
    return out + options_bytes(version, one or Values())


def batch_body(version, kind, statements, one=None):
    """`statements`: pairs of a text or a prepared statement's id, and its values."""
    out = struct.pack(">BH", BATCHES.get(kind, kind), len(statements))
    for statement, data in statements:
        out += b"\0" + long_string(statement) if isinstance(statement, str) else b"\1" + short_bytes(statement)
        out += values_bytes(data, None)
    return out + options_bytes(version, one or Values(), True)


class Reader:
    """Reads one body; whatever goes beyond it, or is left of it, is a mistake of the server."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        assert 0 <= size <= len(self.data) - self.at, f"{size} bytes wanted at {self.at} of {len(self.data)}"
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, kind):
        return struct.unpack(kind, self.take(struct.calcsize(kind)))[0]

    def short(self):
        return self.number(">H")

    def int(self):
        return self.number(">i")

    def string(self):
        return self.take(self.short()).decode()

    def strings(self):
        return [self.string() for _ in range(self.short())]

    def bytes(self):
        size = self.int()
        return None if size < 0 else self.take(size)

    def type(self):
        code = self.short()
        if code == 0x0000:
            return Type("custom", name=self.string())
        if code in (0x20, 0x22):
            return Type("list" if code == 0x20 else "set", [self.type()])
        if code == 0x21:
            return Type("map", [self.type(), self.type()])
        if code == 0x30:
            keyspace, name = self.string(), self.string()
            fields = [(self.string(), self.type()) for _ in range(self.short())]
            return Type("udt", [one for _, one in fields], name=name, keyspace=keyspace, fields=[n for n, _ in fields])
        if code == 0x31:
            return Type("tuple", [self.type() for _ in range(self.short())])
        return Type.native(code)

    def columns(self, count, flags):
        keyspace, table = (self.string(), self.string()) if flags & 1 else (None, None)
        found = []
        for _ in range(count):
            where = (keyspace, table) if flags & 1 else (self.string(), self.string())
            found.append(Column(*where, self.string(), self.type()))
        return found

    def metadata(self, answer, version):
        """Fills the answer's columns and paging state; gives the count of columns."""
        flags, count = self.number(">I"), self.int()
        if flags & 2:
            answer.paging_state = self.bytes()
        if flags & 8:
            answer.result_id = self.take(self.short())
        answer.columns = None if flags & 4 else self.columns(count, flags)
        return count

    def schema_change(self):
        change, target, keyspace = self.string(), self.string(), self.string()
        name = None if target == "KEYSPACE" else self.string()
        if target in ("FUNCTION", "AGGREGATE"):
            name += f"({', '.join(self.strings())})"
        return change, target, keyspace, name

    def error(self, answer, version):
        answer.code, answer.message = self.int(), self.string()
        name = ERRORS.get(answer.code)
        if name == "Unavailable":
            answer.more = {"consistency": CONSISTENCIES[self.short()], "required": self.int(), "alive": self.int()}
        elif name in ("WriteTimeout", "ReadTimeout", "WriteFailure", "ReadFailure", "CasWriteUnknown"):
            answer.more = {"consistency": CONSISTENCIES[self.short()], "received": self.int(), "wanted": self.int()}
            self.at = len(self.data)
        elif name == "AlreadyExists":
            answer.more = {"keyspace": self.string(), "table": self.string()}
        elif name == "FunctionFailure":
            answer.more = {"keyspace": self.string(), "function": self.string(), "arguments": self.strings()}
        elif name == "Unprepared":
            answer.more = {"id": self.take(self.short())}

    def result(self, answer, version):
        kind = self.int()
        if kind == 2:
            count = self.metadata(answer, version)
            answer.rows = [[self.bytes() for _ in range(count)] for _ in range(self.int())]
        elif kind == 3:
            answer.keyspace = self.string()
        elif kind == 4:
            answer.prepared = self.take(self.short())
            if version >= 5:
                answer.result_id = self.take(self.short())
            flags, count = self.number(">I"), self.int()
            answer.key = [self.short() for _ in range(self.int())] if version >= 4 else None
            answer.markers = self.columns(count, flags)
            result_id = answer.result_id
            self.metadata(answer, version)
            answer.result_id = result_id
        elif kind == 5:
            answer.schema_change = self.schema_change()
        else:
            assert kind == 1, f"no such kind of result: {kind}"


def answer_of(version, flags, stream, opcode, body):
    answer = Answer(opcode, stream, version, body=body)
    reader = Reader(body)
    if flags & 2:
        reader.take(16)
    if flags & 8:
        answer.warnings = reader.strings()
    if flags & 4:
        answer.more["payload"] = {reader.string(): reader.bytes() for _ in range(reader.short())}
    if opcode == Opcode.ERROR:
        reader.error(answer, version)
    elif opcode == Opcode.RESULT:
        reader.result(answer, version)
    elif opcode == Opcode.EVENT:
        assert reader.string() == "SCHEMA_CHANGE"
        answer.schema_change = reader.schema_change()
    elif opcode == Opcode.AUTHENTICATE:
        answer.more["authenticator"] = reader.string()
    elif opcode == Opcode.SUPPORTED:
        answer.more["supported"] = {reader.string(): reader.strings() for _ in range(reader.short())}
    elif opcode in (Opcode.AUTH_CHALLENGE, Opcode.AUTH_SUCCESS):
        answer.more["token"] = reader.bytes()
    assert reader.at == len(body), f"{len(body) - reader.at} bytes too many in {Opcode(opcode).name}"
    return answer


def crc24(data):
    """Of a segment's header (native protocol v5, 2.2)."""
    crc = 0x875060
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1974F0B
    return crc & 0xFFFFFF


def crc32(data):
    """Of a segment's payload."""
    return zlib.crc32(data, zlib.crc32(b"\xfa\x2d\x55\xca"))


def segments(data):
    """The frames of v5 as uncompressed segments."""
    limit = (1 << 17) - 1
    whole, out = len(data) <= limit, b""
    for at in range(0, len(data), limit):
        part = data[at:at + limit]
        head = (len(part) | (whole << 17)).to_bytes(3, "little")
        out += head + crc24(head).to_bytes(3, "little") + part + crc32(part).to_bytes(4, "little")
    return out


class Connection:
    """One connection; `ask` sends a request and waits for its answer, events aside (`events`)."""

    def __init__(self, address, version=4, startup=True, user=None, password=None, timeout=120, tls=None,
                 **options):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:  # an ssl.SSLContext
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.version, self.segmented, self.stream, self.payload = version, False, 0, b""
        self.events = []
        self.keyspace = None  # what USE said last
        if startup:
            self.started = self.start(user, password, options)

    def start(self, user=None, password=None, options=None):
        """The answer that ends the handshake: READY, AUTH_SUCCESS or an error."""
        self.send(Opcode.STARTUP, string_map({"CQL_VERSION": "3.0.0"} | (options or {})))
        answer = self.receive()
        self.segmented = self.version >= 5 and answer.opcode in (Opcode.READY, Opcode.AUTHENTICATE)
        if answer.opcode == Opcode.AUTHENTICATE and user is not None:
            answer = self.ask(Opcode.AUTH_RESPONSE, long_bytes(f"\0{user}\0{password}".encode()))
        return answer

    def frame(self, opcode, body, stream=None, flags=0, version=None):
        return struct.pack(">BBhBi", self.version if version is None else version, flags,
                           self.stream if stream is None else stream, opcode, len(body)) + body

    def send(self, opcode, body=b"", **fields):
        self.send_bytes(self.frame(opcode, body, **fields))

    def send_bytes(self, frames):
        self.socket.sendall(segments(frames) if self.segmented else frames)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError(f"the server closed the connection after {len(data)} of {size} bytes")
            data += part
        return data

    def segment(self):
        head = self.exactly(6)
        assert crc24(head[:3]) == int.from_bytes(head[3:], "little"), "a segment's header is damaged"
        size = int.from_bytes(head[:3], "little") & 0x1FFFF
        data = self.exactly(size)
        assert crc32(data) == int.from_bytes(self.exactly(4), "little"), "a segment's payload is damaged"
        return data

    def read(self, size):
        if not self.segmented:
            return self.exactly(size)
        while len(self.payload) < size:
            self.payload += self.segment()
        data, self.payload = self.payload[:size], self.payload[size:]
        return data

    def receive(self):
        """The next answer, of whatever stream; events are kept and passed over."""
        while True:
            version, flags, stream, opcode, size = struct.unpack(">BBhBi", self.read(9))
            assert version & 0x80 and 0 <= size <= LONGEST, f"no answer: version {version}, {size} bytes"
            answer = answer_of(version & 0x7F, flags, stream, opcode, self.read(size))
            if opcode != Opcode.EVENT:
                return answer
            self.events.append(answer)

    def ask(self, opcode, body=b"", **fields):
        self.stream = (self.stream + 1) % 32768
        self.send(opcode, body, **fields)
        answer = self.receive()
        assert answer.stream in (self.stream, 0), f"stream {answer.stream} answers {self.stream}"
        if answer.keyspace is not None:
            self.keyspace = answer.keyspace
        return answer

    def query(self, statement, one=None):
        return self.ask(Opcode.QUERY, query_body(self.version, statement, one))

    def prepare(self, statement, keyspace=None):
        return self.ask(Opcode.PREPARE, prepare_body(self.version, statement, keyspace))

    def execute(self, prepared, one=None):
        """`prepared` is what `prepare` answered."""
        return self.ask(Opcode.EXECUTE, execute_body(self.version, prepared.prepared, one, prepared.result_id))

    def batch(self, kind, statements, one=None):
        return self.ask(Opcode.BATCH, batch_body(self.version, kind, statements, one))

    def register(self, *events):
        kinds = events or ("SCHEMA_CHANGE",)
        return self.ask(Opcode.REGISTER, struct.pack(">H", len(kinds)) + b"".join(map(string, kinds)))

    def close(self):
        self.socket.close()
