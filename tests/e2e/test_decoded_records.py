"""Keys and values in a schema registry's wire format, written by confluent-kafka's own serialisers: `tailrace consume`
and the console show them as JSON with their schema, or as bytes with the reason."""
import datetime
import decimal
import json
import urllib.parse
import uuid

import pytest
import tailrace
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.json_format import MessageToDict
from test_console_api import ask, check
from test_registry_serializers import JSON_ORDER, JSON_USER, ORDER, ItemMessage, OrderMessage, UserMessage

UTC = datetime.timezone.utc
EVENT = {"type": "record", "name": "Event", "namespace": "shop", "fields": [
    {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "by", "type": ["null", "shop.User"]},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "exactly", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "time", "type": {"type": "long", "logicalType": "time-micros"}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 4}},
    {"name": "raw", "type": "bytes"},
    {"name": "mac", "type": {"type": "fixed", "name": "Mac", "size": 6}},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["NEW", "PAID"]}},
    {"name": "tags", "type": {"type": "array", "items": ["string", "long", "boolean"]}},
    {"name": "counts", "type": {"type": "map", "values": "double"}},
    {"name": "big", "type": "long"},
]}
USER = {"type": "record", "name": "User", "namespace": "shop", "fields": [{"name": "name", "type": "string"}]}
EVENTS = [
    {"id": uuid.UUID(int=7), "by": {"name": "Ada é"}, "at": datetime.datetime(2024, 2, 29, 12, 0, 0, 250000, UTC),
     "exactly": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), "day": datetime.date(2024, 2, 29),
     "time": datetime.time(23, 59, 59, 1), "price": decimal.Decimal("-1234567890123456789.0125"), "raw": b"\x00\xff\"a",
     "mac": b"\x00\x11\x22\x33\x44\xff", "kind": "PAID", "tags": ["x", 5, True], "counts": {"a": 1.5, "ü": -0.1},
     "big": 9007199254740993},
    {"id": uuid.UUID(int=8), "by": None, "at": datetime.datetime(1970, 1, 1, tzinfo=UTC),
     "exactly": datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), "day": datetime.date(1, 1, 1),
     "time": datetime.time(0), "price": decimal.Decimal("0.0000"), "raw": b"", "mac": b"abcdef", "kind": "NEW",
     "tags": [], "counts": {}, "big": -1},
]


def as_json(value, digits="milliseconds"):
    """A value as fastavro reads it in the form that people are shown."""
    if isinstance(value, dict):
        return {name: as_json(v, "microseconds" if name == "exactly" else digits) for name, v in value.items()}
    if isinstance(value, list):
        return [as_json(v) for v in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec=digits).replace("+00:00", "Z")
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="microseconds")
    return str(value) if isinstance(value, (datetime.date, decimal.Decimal, uuid.UUID)) else value


class Topics:
    """A running project whose topics foreign serialisers write to."""

    def __init__(self, folder):
        (folder / "input").mkdir()
        settings = tailrace.settings(tailrace.files_from(folder / "input"))
        self.project = tailrace.Project(folder, settings=settings).start()
        self.registry = self.project.run_file()["registry"]
        self.client = SchemaRegistryClient({"url": self.registry})

    def send(self, topic, *records):
        producer = Producer({"bootstrap.servers": self.project.kafka()})
        for key, value in records:
            producer.produce(topic, value, key)
        assert producer.flush(30) == 0

    def consume(self, topic, *words, address=()):
        address = address or ("--project", self.project.folder, "--data", self.project.data)
        return self.project.command("consume", topic, *words, *address)

    def rows(self, topic, *words):
        done = self.consume(topic, "--json", *words)
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def looked_at(self, topic):
        path = f"/api/topics/{urllib.parse.quote(topic)}/records"
        status, kind, body = ask(self.project, "GET", path)
        check("/api/topics/{name}/records", "GET", status, kind, body)
        return body["records"]


@pytest.fixture(scope="module")
def topics(tmp_path_factory):
    made = Topics(tmp_path_factory.mktemp("decoded"))
    yield made
    made.project.stop()


def context(topic, key=False):
    return SerializationContext(topic, MessageField.KEY if key else MessageField.VALUE)


def test_avro_keys_and_values_are_what_the_foreign_reader_reads(topics):
    topics.client.register_schema("user", Schema(json.dumps(USER), "AVRO"))
    write = AvroSerializer(topics.client, Schema(json.dumps(EVENT), "AVRO", [SchemaReference("shop.User", "user", 1)]))
    write_key = AvroSerializer(topics.client, '"long"')
    sent = [(write_key(n, context("events", True)), write(event, context("events"))) for n, event in enumerate(EVENTS)]
    topics.send("events", *sent)
    read = AvroDeserializer(SchemaRegistryClient({"url": topics.registry}))
    expected = [as_json(read(value, context("events"))) for _, value in sent]
    rows = topics.rows("events")
    assert [row["value"] for row in rows] == expected
    assert [row["key"] for row in rows] == [0, 1]
    latest = topics.client.get_latest_version("events-value")
    assert rows[0]["value_schema"] == {"id": latest.schema_id, "type": "AVRO", "subject": "events-value", "version": 1}
    assert rows[0]["key_schema"]["subject"] == "events-key"
    plain = topics.consume("events").stdout.splitlines()
    assert [json.loads(line) for line in plain] == expected
    assert '"big":9007199254740993' in plain[0]
    looked = topics.looked_at("events")
    assert [json.loads(record["value"]["decoded"]["json"]) for record in looked] == expected
    about = looked[0]["value"]["decoded"]
    assert (about["schema_id"], about["type"], about["subject"], about["version"], about["cut"], about["why"]) == (
        latest.schema_id, "AVRO", "events-value", 1, False, "")
    assert looked[1]["key"]["decoded"]["json"] == "1"
    assert bytes.fromhex(looked[0]["value"]["hex"]) == sent[0][1]


def test_protobuf_values_are_what_protobufs_own_json_says(topics):
    order = OrderMessage(number=9007199254740993, by=UserMessage(name="Ada"), items=[ItemMessage(label="x")])
    order.at.FromSeconds(1_700_000_000)
    messages = [order, ItemMessage(label="ü"), OrderMessage()]
    sent = [(None, ProtobufSerializer(type(one), topics.client)(one, context("orders"))) for one in messages]
    topics.send("orders", *sent)
    rows = topics.rows("orders")
    assert [row["value"] for row in rows] == [MessageToDict(one, preserving_proto_field_name=True) for one in messages]
    assert [row["value_schema"]["type"] for row in rows] == ["PROTOBUF"] * 3 and rows[0]["key"] is None
    assert json.loads(topics.looked_at("orders")[1]["value"]["decoded"]["json"]) == {"label": "ü"}


def test_json_schema_values_are_their_documents(topics):
    topics.client.register_schema("json-user", Schema(json.dumps(JSON_USER), "JSON"))
    reference = SchemaReference("http://shop.example/user.json", "json-user", 1)
    write = JSONSerializer(Schema(json.dumps(JSON_ORDER), "JSON", [reference]), topics.client)
    topics.send("documents", (b"k", write(ORDER, context("documents"))))
    [row] = topics.rows("documents")
    assert (row["key"], row["value"], row["value_schema"]["type"]) == ("k", ORDER, "JSON")
    assert "key_schema" not in row


def test_bytes_that_cannot_be_decoded_are_shown_with_the_reason(topics):
    write = AvroSerializer(topics.client, json.dumps(USER))
    good = write({"name": "Ada"}, context("odd"))
    odd = [b"\0\0\0\x7f\x7fzz", good[:-1], b"\0\0\0\0\0\0\0\7", b"{}", None, good]
    topics.send("odd", *((None, value) for value in odd))
    rows = topics.rows("odd")
    assert rows[0]["value_hex"] == odd[0].hex() and "value" not in rows[0]
    assert rows[0]["value_schema"] == {"id": 32639} and "not found" in rows[0]["value_error"]
    assert rows[1]["value_hex"] == odd[1].hex() and rows[1]["value_error"] == "name: the record ends too early"
    assert rows[1]["value_schema"]["subject"] == "odd-value"
    assert [set(row) & {"value_error", "value_schema"} for row in rows[2:5]] == [set()] * 3
    assert (rows[3]["value"], rows[4]["value"], rows[5]["value"]) == ("{}", None, {"name": "Ada"})
    plain = topics.consume("odd")
    assert plain.returncode == 0 and plain.stdout.splitlines()[-1] == '{"name":"Ada"}'
    said = plain.stderr.splitlines()
    assert len(said) == 2 and "odd-0@0" in said[0] and "odd-0@1" in said[1] and "too early" in said[1]
    looked = [record.get("value") for record in topics.looked_at("odd")]
    assert "not found" in looked[0]["decoded"]["why"] and looked[0]["hex"] == odd[0].hex()
    assert looked[1]["decoded"]["why"] == "name: the record ends too early" and looked[1]["decoded"]["json"] == ""
    assert "decoded" not in looked[2] and "decoded" not in looked[3] and looked[4] is None


def test_raw_shows_the_bytes_and_asks_no_registry(topics):
    write = AvroSerializer(topics.client, json.dumps(USER))
    topics.send("raw", (None, write({"name": "Ada"}, context("raw"))))
    done = topics.consume("raw", "--raw", "--registry", "http://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith("\x06Ada\n")
    [row] = topics.rows("raw", "--raw")
    assert row["value"].endswith("\x06Ada") and "value_schema" not in row


def test_a_registry_that_is_down_costs_one_line_and_no_record(topics):
    write = AvroSerializer(topics.client, json.dumps(USER))
    topics.send("lonely", *((None, write({"name": str(n)}, context("lonely"))) for n in range(300)))
    done = topics.consume("lonely", "--registry", "http://127.0.0.1:1")
    assert done.returncode == 0 and done.stdout.count("\n") == 300
    assert len(done.stderr.splitlines()) == 1 and "127.0.0.1:1" in done.stderr
    named = topics.consume("lonely", "--registry", topics.registry, "-n", "1")
    assert named.stdout == '{"name":"0"}\n'


def test_a_long_value_is_cut_on_the_page_and_whole_in_the_terminal(topics):
    write = AvroSerializer(topics.client, json.dumps(USER))
    name = "ü" * 20_000
    topics.send("long", (None, write({"name": name}, context("long"))))
    assert topics.rows("long")[0]["value"] == {"name": name}
    decoded = topics.looked_at("long")[0]["value"]["decoded"]
    assert decoded["cut"] and decoded["json"].startswith('{"name":"üü') and "\ufffd" not in decoded["json"]
    assert 16_000 < len(decoded["json"].encode()) <= 16_384
