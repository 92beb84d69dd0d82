"""Conversations with a CQL server, most of them malformed, and what it answers: `conversations.py HOST:PORT FILE`.

Writes for each a line `# NAME`, `> HEX` for what is sent (`00x9` stands for nine zero bytes), and `< …` for each
message or end that comes of it. src/cql replays the file that Cassandra 5.0.9 gave
(src/cql/testdata/conversations.txt) with its own door. What differs from one run to the next is written as `*`: words
of Java's exceptions, ids of connections.
"""
import re
import socket
import struct
import sys
import zlib

OPCODES = {"ERROR": 0, "STARTUP": 1, "READY": 2, "CREDENTIALS": 4, "OPTIONS": 5, "SUPPORTED": 6, "QUERY": 7,
           "RESULT": 8, "PREPARE": 9, "EXECUTE": 10, "REGISTER": 11, "EVENT": 12, "BATCH": 13, "AUTH_RESPONSE": 15,
           "AUTH_SUCCESS": 16}
NAMES = {number: name for name, number in OPCODES.items()}
QUIET = 0.6  # seconds after which nothing more comes; the replay does not wait so
SELECT = "SELECT cql_version FROM system.local"
LIMIT = 16 << 20


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">H", len(data)) + data


def long_string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">i", len(data)) + data


def string_map(pairs):
    return struct.pack(">H", len(pairs)) + b"".join(string(name) + string(value) for name, value in pairs.items())


def message(version, opcode, body=b"", stream=1, flags=0, length=None):
    number = OPCODES.get(opcode, opcode)
    return struct.pack(">BBhBI", version, flags, stream, number, len(body) if length is None else length) + body


def options(version=4, stream=9, flags=0):
    return message(version, "OPTIONS", b"", stream, flags)


def startup(version=4, stream=1, **more):
    return message(version, "STARTUP", string_map({"CQL_VERSION": "3.0.0", **more}), stream)


def query(text=SELECT, version=4, stream=2, flags=0, consistency=1, parameters=0, behind=b""):
    shown = struct.pack(">I", parameters) if version >= 5 else bytes([parameters])
    return message(version, "QUERY", long_string(text) + struct.pack(">H", consistency) + shown + behind, stream, flags)


def crc24(data):
    crc = 0x875060
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1974F0B
    return crc


def segment(payload, contained=True, damage_head=0, damage_body=0):
    head = struct.pack("<I", len(payload) | (contained << 17))[:3]
    body_check = zlib.crc32(payload, zlib.crc32(b"\xfa\x2d\x55\xca")) ^ damage_body
    return head + struct.pack("<I", crc24(head) ^ damage_head)[:3] + payload + struct.pack("<I", body_check)


def before_startup():
    yield from ((f"version {version}", [options(version), options()]) for version in (0, 1, 2, 3, 4, 5, 7, 65, 66, 127))
    yield "a version nobody knows, and a stream", [startup(66, 77), options()]
    yield "five bytes of an unknown version", [message(66, "OPTIONS")[:5]]
    yield "the beta without its flag", [options(6)]
    yield "the beta with its flag", [options(6, flags=0x10)]
    yield "a request with the bit of answers", [message(0x84, "OPTIONS")]
    yield "an unknown opcode", [message(4, 0x33)]
    yield "an opcode of servers", [message(4, "RESULT")]
    yield "CREDENTIALS", [message(4, "CREDENTIALS")]
    yield "a statement before STARTUP", [query()]
    yield "REGISTER before STARTUP", [message(4, "REGISTER", struct.pack(">H", 1) + string("SCHEMA_CHANGE"))]
    yield "a message of a byte too much", [message(4, "OPTIONS", bytes(LIMIT - 8)), options()]
    yield "OPTIONS with a body", [message(4, "OPTIONS", b"junk"), options()]
    yield "OPTIONS with every flag", [options(flags=0xFF), options()]


def startups():
    yield "STARTUP of nothing", [message(4, "STARTUP", string_map({})), options()]
    for version in ("2.0.0", "2.98.9", "2.99.0", "abc", "3", "3.", "3.0", "3.x", "3.4.7", "3.0.0-beta1", "3.0.0 ",
                    "4.0.0", "x3.0"):
        yield f"STARTUP of CQL {version}", [startup(CQL_VERSION=version), options()]
    yield "STARTUP with a compression that is none", [startup(COMPRESSION="ZIP"), options(), query()]
    yield "STARTUP of version 5 with Snappy", [startup(5, COMPRESSION="snappy"), options(5)]
    yield "STARTUP of version 5 with a compression that is none", [startup(5, COMPRESSION="zip"), options(5)]
    yield "STARTUP of version 5 without a CQL version", [
        message(5, "STARTUP", string_map({})), "segments", segment(options(5)), segment(query(version=5))]
    yield "STARTUP cut off", [message(4, "STARTUP", b"\x00\x01\x00\x0bCQL")]
    yield "STARTUP that is no UTF-8", [message(4, "STARTUP", struct.pack(">H", 1) + string(b"\xff\xfe") + string("x"))]
    yield "STARTUP in small letters", [message(4, "STARTUP", string_map({"cql_version": "3.0.0"})), options()]
    yield "STARTUP twice", [startup(), startup(stream=3), options()]
    yield "STARTUP after one that failed", [startup(CQL_VERSION="1.0.0"), startup(stream=3), query()]
    yield "another version after STARTUP", [startup(), options(3), options(5), options(66), options()]
    yield "version 3", [startup(3), options(3), query(version=3)]
    yield "version 6", [message(6, "STARTUP", string_map({"CQL_VERSION": "3.0.0"}), 1, 0x10), "segments",
                        segment(options(6, flags=0x10)), segment(query(version=6, flags=0x10)), segment(options(6))]


def statements():
    def with_body(opcode, body):
        return [startup(), message(4, opcode, body), options()]

    yield "a statement", [startup(), query(), options()]
    yield "a statement with bytes behind it", [startup(), query(behind=b"junk"), options()]
    yield "a statement cut off", with_body("QUERY", b"\0\0\0")
    yield "a statement shorter than it says", with_body("QUERY", struct.pack(">i", 100) + b"SELECT")
    yield "a statement of a negative length", with_body("QUERY", struct.pack(">i", -5) + b"SELECT")
    yield "a statement without a consistency", with_body("QUERY", long_string("SELECT"))
    yield "a statement without flags", with_body("QUERY", long_string("SELECT") + b"\0\1")
    for text in (b"\xff\xfe", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\xe2\x82x", b"\xf0\x9f\x98",
                 b"\xf4\x90\x80\x80", b"a\x80"):
        yield f"a statement with the bytes {text.hex()}", [startup(), query(b"SELECT " + text), options()]
    yield "a consistency that is none", [startup(), query(consistency=77), options()]
    yield "the consistency NODE_LOCAL", [startup(), query(consistency=11), options()]
    yield "a serial consistency that is none", [startup(), query(parameters=0x10, behind=b"\0\x63"), options()]
    yield "values that are not there", [startup(), query(parameters=1), options()]
    yield "a value of length -3", [startup(), query(parameters=1, behind=struct.pack(">Hi", 1, -3)), options()]
    yield "a value longer than the message", [
        startup(), query(parameters=1, behind=struct.pack(">Hi", 1, 30)), options()]
    yield "no rows a page", [startup(), query(parameters=4, behind=struct.pack(">i", 0)), options()]
    yield "a paging state longer than the message", [
        startup(), query(parameters=8, behind=struct.pack(">i", 9)), options()]
    yield "the least timestamp", [startup(), query(parameters=0x20, behind=struct.pack(">q", -2 ** 63)), options()]
    payload = struct.pack(">H", 1) + string("k") + long_string("v") + long_string(SELECT) + b"\0\1\0"
    yield "a custom payload", [startup(), message(4, "QUERY", payload, 3, 4), options()]
    yield "a custom payload in version 3", [startup(3), message(3, "QUERY", payload, 3, 4), options(3)]
    yield "the warning flag", [startup(), query(flags=8), options()]
    yield "OPTIONS traced", [startup(), options(flags=2)]
    yield "compressed without a compression", [startup(), query(flags=1), options()]
    yield "PREPARE cut off", with_body("PREPARE", b"\0\0")
    yield "EXECUTE cut off", with_body("EXECUTE", b"\0\x10abc")
    yield "a batch of no kind", with_body("BATCH", b"\x07\0\0\0\1\0")
    yield "a batch with a part of no kind", with_body("BATCH", b"\x09\0\1\5")
    yield "a batch cut off", with_body("BATCH", b"\0\0\2\0")
    kinds = ("TOPOLOGY_CHANGE", "schema_change", "STATUS_CHANGE", "TRACE_COMPLETE")
    yield "REGISTER for everything", with_body("REGISTER", struct.pack(">H", 4) + b"".join(map(string, kinds)))
    yield "REGISTER for what there is not", with_body("REGISTER", struct.pack(">H", 1) + string("FOO"))
    yield "REGISTER for traces in version 3", [
        startup(3), message(3, "REGISTER", struct.pack(">H", 1) + string("TRACE_COMPLETE")), options(3)]
    yield "a login that nobody asked for", with_body("AUTH_RESPONSE", long_string(b"\0u\0p"))
    yield "a login without a token", with_body("AUTH_RESPONSE", struct.pack(">i", -1))
    yield "CREDENTIALS later", with_body("CREDENTIALS", b"")
    yield "an unknown opcode later", [startup(), message(4, 0x33)]
    yield "an opcode of servers later", [startup(), message(4, "READY")]
    yield "streams below zero", [startup(), options(stream=-1), query(stream=-32768)]
    for name in ("lz4", "snappy"):
        for body in (b"\0\0\0\x10\xff\xff\xff", b"\0\0", b"\xff\xff\xff\xff\xff\xff\xff"):
            yield f"{name} of the bytes {body.hex()}", [startup(COMPRESSION=name), message(4, "QUERY", body, 2, 1)]


def segments():
    def talk(*chunks):
        return [startup(5), "segments", *chunks]

    cut_query = message(5, "QUERY", b"\0")
    large = message(5, "QUERY", b"", length=200_000) + bytes(120_000)
    yield "version 5", talk(segment(options(5)), segment(query(version=5)))
    yield "two messages in a segment", talk(segment(options(5, 1) + options(5, 2)))
    yield "a segment of nothing", talk(segment(b""), segment(options(5)))
    yield "a damaged head", talk(segment(options(5), damage_head=1))
    yield "a damaged payload", talk(segment(options(5), damage_body=1))
    yield "a message where a segment belongs", talk(options(5) + options(5))
    yield "a message that fits, in one part", talk(segment(options(5), False), segment(options(5)))
    yield "a message cut in its head", talk(segment(options(5)[:5]))
    yield "a message cut in its body", talk(segment(query(version=5)[:20]))
    yield "version 4 in a segment", talk(segment(options(4)), segment(options(5)))
    yield "version 66 in a segment", talk(segment(options(66)), segment(options(5)))
    yield "an unknown opcode in a segment", talk(segment(message(5, 0x33)), segment(options(5)))
    yield "an unknown opcode, then a good one", talk(segment(message(5, 0x33) + options(5)))
    yield "two unknown opcodes in a segment", talk(segment(message(5, 0x33) + message(5, 0x34)))
    yield "unknown opcodes with a good one between", talk(
        segment(message(5, 0x33) + options(5, 5) + message(5, 0x34)), segment(options(5)))
    yield "a negative length in a segment", talk(segment(message(5, "OPTIONS", length=0xFFFFFFFF)))
    yield "a bad body in a segment", talk(segment(cut_query), segment(options(5)))
    yield "two bad bodies in a segment", talk(segment(cut_query + cut_query))
    yield "STARTUP in a segment", talk(segment(startup(5)), segment(options(5)))
    yield "the flag of compression in a segment", talk(segment(query(version=5, flags=1)), segment(options(5)))
    yield "a message in parts", talk(segment(large, False) + segment(bytes(80_000), False), segment(options(5)))
    yield "a message in parts, others between", talk(
        segment(large, False) + segment(options(5)), segment(bytes(80_000), False))
    yield "a damaged part", talk(segment(large, False) + segment(bytes(80_000), False, damage_body=1))
    yield "a bad head of a message in parts", talk(segment(message(5, 0x33, b"", length=200_000) + bytes(99), False))


def conversations():
    for part in (before_startup, startups, statements, segments):
        yield from part()


def shown_failure(body):
    code, length = struct.unpack(">iH", body[:6])
    text = body[6:6 + length].decode()
    if code == 0:
        text = "*"
    text = re.sub("^[0-9a-f]{8} invalid", "* invalid", text)
    return f"ERROR {code:04x} {text!r} {body[6 + length:].hex()}".rstrip()


def shown_message(data):
    """One message at the front of `data` as a line, and what follows it."""
    short = data[0] in (0x81, 0x82)  # versions 1 and 2 have a stream of one byte
    version, flags, stream, opcode, length = struct.unpack(">BBbBI" if short else ">BBhBI", data[:8 if short else 9])
    body, data = data[8 if short else 9:][:length], data[8 if short else 9:][length:]
    if opcode == OPCODES["ERROR"]:
        what = shown_failure(body)
    elif opcode in (OPCODES["READY"], OPCODES["SUPPORTED"]):  # the order of options and compression say nothing
        what, flags = NAMES[opcode], flags & ~1
    else:
        what = f"{NAMES[opcode]} {body.hex()}".rstrip()
    return f"v{version & 0x7F} stream {stream} flags {flags:02x} {what}", data


def payloads(data):
    """The payloads of whole segments."""
    while len(data) >= 6:
        length = int.from_bytes(data[:3], "little") & 0x1FFFF
        yield data[6:6 + length]
        data = data[10 + length:]


def receive(connection):
    """What comes until all is quiet, and whether it ended."""
    connection.settimeout(QUIET)
    data = b""
    try:
        while chunk := connection.recv(1 << 16):
            data += chunk
    except socket.timeout:
        return data, False
    except OSError:
        pass
    return data, True


def hold(address, chunks):
    """The lines of one conversation."""
    in_segments = False
    with socket.create_connection(address) as connection:
        for chunk in chunks:
            if chunk == "segments":
                in_segments = True
                continue
            zeros = re.sub(rb"\0{1000,}", lambda found: b"<%d>" % len(found.group(0)), chunk)
            parts = re.split(rb"<(\d+)>", zeros)
            yield "> " + " ".join(f"00x{int(part)}" if i % 2 else part.hex() for i, part in enumerate(parts) if part)
            try:
                connection.sendall(chunk)
            except OSError:
                yield "< closed"
                return
            data, closed = receive(connection)
            if in_segments:
                data = b"".join(payloads(data))
            while data:
                line, data = shown_message(data)
                yield "< " + line
            if closed:
                yield "< closed"
                return


def main(address, file):
    host, port = address.rsplit(":", 1)
    with open(file, "w", encoding="utf-8") as out:
        for name, chunks in conversations():
            print(f"# {name}", *hold((host, int(port)), chunks), sep="\n", file=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
