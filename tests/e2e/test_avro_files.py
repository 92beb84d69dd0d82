"""Avro's object container files as a source: those that fastavro wrote, each codec, schemas of several versions in one
folder, and damage that costs no more than its block."""
import binascii
import bz2
import datetime
import decimal
import io
import json
import lzma
import random
import struct
import zlib

import fastavro
import pyarrow as pa
import pytest
import tailrace
from test_files_source import Inbox

SYNC = bytes(range(100, 116))
USER = {"type": "record", "name": "User",
        "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]}
NEWER = {"type": "record", "name": "User", "fields": [
    {"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]},
    {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}]}


def users(begin, end):
    return [{"id": n, "name": f"Näme {n} " + "x" * (n % 50)} for n in range(begin, end)]


def deflated(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def snapped(data):
    return pa.Codec("snappy").compress(data, asbytes=True) + struct.pack(">I", binascii.crc32(data))


CODECS = {"null": bytes, "deflate": deflated, "snappy": snapped, "bzip2": bz2.compress, "xz": lzma.compress,
          "zstandard": lambda data: pa.Codec("zstd").compress(data, asbytes=True)}


def long(number):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    return out.getvalue()


def block(schema, records, codec="null", sync=SYNC):
    data = io.BytesIO()
    for record in records:
        fastavro.schemaless_writer(data, fastavro.parse_schema(schema), record)
    packed = CODECS[codec](data.getvalue())
    return long(len(records)) + long(len(packed)) + packed + sync


def head(schema, codec="null"):
    out = io.BytesIO()
    metadata = {"avro.schema": json.dumps(schema).encode(), "avro.codec": codec.encode()}
    fastavro.schemaless_writer(out, {"type": "map", "values": "bytes"}, metadata)
    return b"Obj\x01" + out.getvalue() + SYNC


def container(schema, blocks, codec="null"):
    return head(schema, codec) + b"".join(block(schema, records, codec) for records in blocks)


def put(inbox, name, content):
    part = inbox.inbox / f".{name}.part"
    part.write_bytes(content)
    part.rename(inbox.inbox / name)


def by_id(inbox, count):
    def all_there():
        records = inbox.records()
        return len(records) >= count and records
    return sorted(tailrace.wait_until(all_there, f"{count} records"), key=lambda one: one["id"])


def test_files_of_every_codec_are_read_also_those_that_fastavro_wrote(tmp_path):
    inbox = Inbox(tmp_path)
    wanted, at = [], 0
    for codec in CODECS:
        blocks = [users(at, at + 700), users(at + 700, at + 701), [], users(at + 701, at + 1000)]
        put(inbox, f"{codec}.avro", container(USER, blocks, codec))
        wanted += [user for some in blocks for user in some]
        at += 1000
    for codec in ("null", "deflate", "bzip2", "xz"):
        out = io.BytesIO()
        fastavro.writer(out, USER, users(at, at + 500), codec=codec, sync_interval=1000)
        name = f"fastavro_{codec}" + (".avro" if codec == "null" else "")  # those without are told by their first bytes
        put(inbox, name, out.getvalue())
        wanted += users(at, at + 500)
        at += 1000
    inbox.start()
    assert by_id(inbox, len(wanted)) == wanted
    assert inbox.letters() == []
    inbox.stop()


def test_schemas_of_several_versions_are_read_from_one_folder(tmp_path):
    inbox = Inbox(tmp_path).start()
    put(inbox, "old.avro", container(USER, [[{"id": 1, "name": "a"}]]))
    newer = [{"id": 2, "name": None, "tags": ["x"]}, {"id": 3, "name": "c", "tags": []}]
    put(inbox, "new.avro", container(NEWER, [newer]))
    assert by_id(inbox, 3) == [{"id": 1, "name": "a"}, *newer]
    inbox.stop()


def test_types_are_json_as_people_write_it(tmp_path):
    schema = {"type": "record", "name": "All", "fields": [
        {"name": "id", "type": "int"}, {"name": "b", "type": "boolean"}, {"name": "f", "type": "float"},
        {"name": "d", "type": {"type": "int", "logicalType": "date"}},
        {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "n", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
        {"name": "m", "type": {"type": "map", "values": "long"}},
        {"name": "u", "type": ["null", "string", "long"]}]}
    value = {"id": 7, "b": True, "f": 1.5, "d": datetime.date(2026, 2, 3), "n": decimal.Decimal("12.34"), "e": "B",
             "t": datetime.datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc), "m": {"k": 1 << 40}, "u": 5}
    inbox = Inbox(tmp_path, format="avro")
    put(inbox, "types.bin", container(schema, [[value]], "deflate"))
    inbox.start()
    assert by_id(inbox, 1) == [{"id": 7, "b": True, "f": 1.5, "d": "2026-02-03", "t": "2026-02-03T04:05:06.000007Z",
                                "n": "12.34", "e": "B", "m": {"k": 1 << 40}, "u": 5}]
    inbox.stop()


def spoilt(part, how):
    """A block with its length, its data, its sync marker or its count made wrong."""
    if how == "sync":
        return part[:-16] + bytes(16)
    if how == "data":
        return part[:6] + bytes(byte ^ 0x55 for byte in part[6:-16]) + part[-16:]
    if how == "size":
        return part[:2] + long(1 << 40) + part[4:]
    return long(-5) + part[2:]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
@pytest.mark.parametrize("how", ["sync", "data", "size", "count"])
def test_a_bad_block_is_one_dead_letter_with_its_place_and_its_neighbours_are_kept(tmp_path, codec, how):
    parts = [block(USER, users(n, n + 100), codec) for n in (0, 100, 200)]
    content = head(USER, codec) + parts[0] + spoilt(parts[1], how) + parts[2]
    inbox = Inbox(tmp_path)
    put(inbox, "bad.avro", content)
    inbox.start()
    kept = by_id(inbox, 200)
    for user in users(0, 100) + users(200, 300):
        assert user in kept
    letters = tailrace.wait_until(inbox.letters, "the dead letter")
    begin = len(head(USER, codec)) + len(parts[0])
    assert len(letters) == 1 and letters[0]["origin"].startswith(str(inbox.inbox / "bad.avro") + ":")
    assert f"block 2 at byte {begin}" in letters[0]["detail"], letters
    inbox.stop()


def test_a_file_cut_short_keeps_what_came_before(tmp_path):
    inbox = Inbox(tmp_path, unfinished="200ms")
    content = container(USER, [users(0, 50), users(50, 100)], "deflate")
    put(inbox, "cut.avro", content[:-20])
    inbox.start()
    assert by_id(inbox, 50) == users(0, 50)
    letters = tailrace.wait_until(inbox.letters, "the dead letter")
    assert len(letters) == 1 and "block 2 at byte" in letters[0]["detail"]
    inbox.stop()


def test_what_is_no_avro_file_is_a_dead_letter_that_says_so(tmp_path):
    inbox = Inbox(tmp_path, unfinished="200ms")
    put(inbox, "a_none.avro", b"no Avro at all")
    put(inbox, "b_codec.avro", head(USER, "rot13") + block(USER, users(0, 1)))
    put(inbox, "c_schema.avro", head({"type": "nothing"}))
    put(inbox, "d_good.avro", container(USER, [users(0, 3)]))
    inbox.start()
    assert by_id(inbox, 3) == users(0, 3)
    details = tailrace.wait_until(lambda: (lambda all: len(all) == 3 and all)(
        sorted(one["detail"] for one in inbox.letters())), "three dead letters")
    for detail, told in zip(details, ("is no Avro file", "the codec rot13", "its schema cannot be read"), strict=True):
        assert told in detail
    inbox.stop()


def test_a_kill_in_the_middle_of_files_neither_loses_nor_doubles_a_record(tmp_path):
    inbox = Inbox(tmp_path)
    for n in range(8):
        blocks = [users(at, at + 250) for at in range(n * 2000, n * 2000 + 2000, 250)]
        put(inbox, f"part{n}.avro", container(USER, blocks, random.choice(list(CODECS))))
    for _ in range(3):
        inbox.start()
        before = len(inbox.values())
        tailrace.wait_until(lambda: len(inbox.values()) > before or before == 16000, "some more records")
        inbox.kill()
    inbox.start()
    assert by_id(inbox, 16000) == users(0, 16000)
    inbox.stop()
