"""Kafka's protocol by hand: messages as dicts, encoded and decoded by what spec/kafka says of each version.

For what no client asks: one request at a time, with every field of one's choice."""
import json
import pathlib
import re
import socket
import struct
import uuid

SPEC = pathlib.Path(__file__).parents[2] / "spec" / "kafka"
NUMBERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}
UNSET = {"string": "", "bool": False, "uuid": uuid.UUID(int=0), "bytes": b"", "records": None}


class Message:
    def __init__(self, name):
        lines = (SPEC / f"{name}.json").read_text().splitlines()
        spec = json.loads("\n".join(line for line in lines if not line.strip().startswith("//")))
        self.name, self.key, self.fields = name, spec.get("apiKey"), spec["fields"]
        self.flexible = spec["flexibleVersions"]
        self.structs = {one["name"]: one["fields"] for one in spec.get("commonStructs", [])}
        self.latest = int(re.findall(r"\d+", spec["validVersions"])[-1])

    def encode(self, values, version):
        return Coder(self, version).write_struct(self.fields, values)

    def decode(self, data, version, at=0):
        coder = Coder(self, version, data, at)
        values = coder.read_struct(self.fields)
        assert coder.at == len(data), f"{self.name}: {len(data) - coder.at} bytes too many"
        return values


def within(versions, version):
    if versions is None or versions == "none":
        return False
    first, _, last = versions.partition("-")
    if versions.endswith("+"):
        return version >= int(versions[:-1])
    return int(first) <= version <= int(last or first)


class Coder:
    """One message in one version, written or read."""

    def __init__(self, message, version, data=b"", at=0):
        self.message, self.version, self.data, self.at = message, version, data, at
        self.compact = within(message.flexible, version)

    def fields_of(self, field, kind):
        return field.get("fields") or self.message.structs[kind]

    def default(self, field):
        kind, value = field["type"], field.get("default")
        if value == "null":
            return None
        if kind.startswith("[]"):
            return []
        if kind in NUMBERS:
            return int(value or 0)
        if kind in UNSET:
            return value == "true" if kind == "bool" else value or UNSET[kind]
        return {}

    def write_struct(self, fields, values):
        names = {field["name"] for field in fields}
        assert set(values) <= names, set(values) - names
        out, tagged = b"", {}
        for field in fields:
            if not within(field["versions"], self.version):
                continue
            value = values.get(field["name"], self.default(field))
            nullable = within(field.get("nullableVersions"), self.version)
            if within(field.get("taggedVersions"), self.version):
                if value != self.default(field):
                    tagged[field["tag"]] = self.write(field, field["type"], value, nullable)
            else:
                out += self.write(field, field["type"], value, nullable)
        if self.compact:
            out += varint(len(tagged))
            for tag, body in sorted(tagged.items()):
                out += varint(tag) + varint(len(body)) + body
        return out

    def length(self, count, wide=False):
        if self.compact:
            return varint(0 if count is None else count + 1)
        return struct.pack(">i" if wide else ">h", -1 if count is None else count)

    def write(self, field, kind, value, nullable=False):
        if kind.startswith("[]"):
            if value is None:
                return self.length(None, True)
            return self.length(len(value), True) + b"".join(self.write(field, kind[2:], one) for one in value)
        if kind in NUMBERS:
            return struct.pack(NUMBERS[kind], value)
        if kind == "bool":
            return bytes([value])
        if kind == "uuid":
            return value.bytes
        if kind == "string":
            return self.length(None) if value is None else self.length(len(value.encode())) + value.encode()
        if kind in ("bytes", "records"):
            return self.length(None, True) if value is None else self.length(len(value), True) + value
        if value is None:
            return b"\xff"
        return (b"\x01" if nullable else b"") + self.write_struct(self.fields_of(field, kind), value)

    def take(self, size):
        assert 0 <= size <= len(self.data) - self.at, f"{self.message.name}: {size} bytes at {self.at}"
        self.at += size
        return self.data[self.at - size:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def read_length(self, wide=False):
        if self.compact:
            return self.varint() - 1
        return struct.unpack(">i" if wide else ">h", self.take(4 if wide else 2))[0]

    def read_struct(self, fields):
        values, by_tag = {}, {}
        for field in fields:
            if not within(field["versions"], self.version):
                continue
            if within(field.get("taggedVersions"), self.version):
                values[field["name"]], by_tag[field["tag"]] = self.default(field), field
                continue
            nullable = within(field.get("nullableVersions"), self.version)
            values[field["name"]] = self.read(field, field["type"], nullable)
        for _ in range(self.varint() if self.compact else 0):
            tag, end = self.varint(), self.varint() + self.at
            if tag in by_tag:
                values[by_tag[tag]["name"]] = self.read(by_tag[tag], by_tag[tag]["type"])
            self.at = end
        return values

    def read(self, field, kind, nullable=False):
        if kind.startswith("[]"):
            count = self.read_length(True)
            return None if count < 0 else [self.read(field, kind[2:]) for _ in range(count)]
        if kind in NUMBERS:
            return struct.unpack(NUMBERS[kind], self.take(struct.calcsize(NUMBERS[kind])))[0]
        if kind == "bool":
            return self.take(1) != b"\0"
        if kind == "uuid":
            return uuid.UUID(bytes=bytes(self.take(16)))
        if kind in ("string", "bytes", "records"):
            size = self.read_length(kind != "string")
            data = None if size < 0 else bytes(self.take(size))
            return data.decode() if data is not None and kind == "string" else data
        if nullable and self.take(1) == b"\xff":
            return None
        return self.read_struct(self.fields_of(field, kind))


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


class Connection:
    """One connection to a broker; `ask` sends a request and waits for its answer."""

    def __init__(self, address, client_id="wire"):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.client_id, self.correlation = client_id.encode(), 0

    def ask(self, api, version=None, **fields):
        request = Message(api + "Request")
        version = request.latest if version is None else version
        self.send(request, version, fields)
        return self.receive(api, version)

    def send(self, request, version, fields):
        self.correlation += 1
        header = struct.pack(">hhih", request.key, version, self.correlation, len(self.client_id)) + self.client_id
        header += b"\0" if within(request.flexible, version) else b""
        frame = header + request.encode(fields, version)
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self, api, version):
        response = Message(api + "Response")
        frame = self.read(struct.unpack(">i", self.read(4))[0])
        tagged = within(response.flexible, version) and api != "ApiVersions"
        return response.decode(frame, version, 5 if tagged else 4)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the broker closed the connection"
            data += more
        return data

    def close(self):
        self.socket.close()
