"""Streaming tables that keep state (DISTINCT, joins, windows) go on when the schema of their topic gets new columns and
wider numbers: their rows stay, what they keep counts on, in Avro, JSON Schema and Protobuf, also over a restart and
kills. What they must hold is computed here, from the records alone."""
import io
import json
import struct

import deltalake
import fastavro
import pytest
import registry
import tailrace
from confluent_kafka import Producer

SQL = """
CREATE STREAMING TABLE raw AS SELECT value.*, CAST(value.at AS TIMESTAMP) AS time FROM STREAM orders;
CREATE STREAMING TABLE once AS SELECT DISTINCT * FROM STREAM raw WATERMARK time DELAY OF INTERVAL 1 HOUR;
CREATE STREAMING TABLE once_of_topic AS SELECT DISTINCT * FROM
  (SELECT value.*, CAST(value.at AS TIMESTAMP) AS time FROM STREAM orders)
  WATERMARK time DELAY OF INTERVAL 1 HOUR;
CREATE STREAMING TABLE noted AS SELECT raw.*, n.value AS note FROM STREAM raw JOIN STREAM notes n ON raw.who = n.key;
CREATE STREAMING TABLE per_minute AS
SELECT window.start AS minute, who, count(*) AS n, sum(amount) AS total, max(amount) AS most,
  collect_set(amount) AS seen
FROM STREAM raw WATERMARK time DELAY OF INTERVAL 10 SECONDS GROUP BY window(time, '1 minute'), who;
"""
TABLES = ("raw", "once", "once_of_topic", "noted", "per_minute")


def avro(version):
    amount = ["int", "long", "double"][version - 1]
    more = [{"name": name, "type": ["null", "string"], "default": None} for name in ("city", "tag")[:version - 1]]
    return json.dumps({"type": "record", "name": "Order", "fields": [
        {"name": "who", "type": "string"}, {"name": "amount", "type": amount}, {"name": "at", "type": "string"},
        *more]})


def avro_bytes(version, order):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(avro(version))), order)
    return out.getvalue()


def json_schema(version):
    text = {"type": "string"}
    properties = {"who": text, "amount": {"type": "integer" if version < 3 else "number"}, "at": text}
    properties |= {name: text for name in ("city", "tag")[:version - 1]}
    return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object",
                       "properties": properties, "additionalProperties": False})


def json_bytes(version, order):
    return json.dumps(order).encode()


def protobuf(version):
    amount = "int32" if version == 1 else "int64"
    more = "".join(f" optional string {name} = {4 + i};" for i, name in enumerate(("city", "tag")[:version - 1]))
    return (f'syntax = "proto3"; message Order {{ string who = 1; {amount} amount = 2; string at = 3;{more} }}')


def protobuf_bytes(version, order):
    def text(number, value):
        return bytes([number << 3 | 2, len(value)]) + value.encode()

    fields = [text(1, order["who"]), b"\x10" + bytes([order["amount"]]), text(3, order["at"])]
    fields += [text(4 + i, order[name]) for i, name in enumerate(("city", "tag")) if name in order]
    return b"\0" + b"".join(fields)  # of the file's first message


FORMATS = {"avro": (avro, avro_bytes, "AVRO"), "json_schema": (json_schema, json_bytes, "JSON"),
           "protobuf": (protobuf, protobuf_bytes, "PROTOBUF")}


class Orders:
    """The topic of a running project, written by a foreign client."""

    def __init__(self, folder, format):
        self.schema, self.encode, self.kind = FORMATS[format]
        self.ids, self.sent = {}, []
        self.project = tailrace.with_sql(folder, SQL, json.dumps({
            "topics": {"orders": {"format": format}, "notes": {"format": "raw"}},
            "serving": {"distinct_orders": {"table": "once", "key": ["who", "at"]}},
            "checkpoint": {"every": "200ms"}}))
        alone = registry.Registry(folder).start()
        self.register(1, alone)
        alone.stop()
        self.start()

    def start(self):
        self.project.start()
        self.producer = Producer({"bootstrap.servers": self.project.kafka()})
        return self

    def register(self, version, at=None):
        if at is None:
            at = registry.Registry(self.project.data)
            at.address = self.project.run_file()["registry"].removeprefix("http://")
            at.connection = registry.http.client.HTTPConnection(at.address, timeout=60)
        status, answer = at.ask("POST", "/subjects/orders-value/versions",
                                {"schema": self.schema(version), "schemaType": self.kind})
        assert status == 200, answer
        self.ids[version] = answer["id"]

    def send(self, version, who, amount, at, **more):
        order = {"who": who, "amount": amount, "at": f"2026-01-01 {at}", **more}
        data = self.encode(version, order)
        self.producer.produce("orders", b"\0" + struct.pack(">i", self.ids[version]) + data)
        assert self.producer.flush(30) == 0
        self.sent.append(order)

    def note(self, who, text):
        self.producer.produce("notes", text, who)
        assert self.producer.flush(30) == 0

    def wait(self):
        tailrace.wait_until(lambda: len(self.project.sql("SELECT who FROM raw")) == len(self.sent), "all rows")

    def table_ids(self):
        return {name: deltalake.DeltaTable(str(self.project.data / "lake" / name)).metadata().id for name in TABLES}


def rows_of(orders, columns):
    return [tuple(order.get(name) for name in columns) for order in orders]


def found(project, query):
    return sorted((tuple(row.values()) for row in project.sql(query)), key=str)


def distinct(rows):
    return sorted(set(rows), key=str)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_what_a_streaming_table_keeps_goes_on_with_wider_columns(tmp_path, format, killed):
    orders = Orders(tmp_path, format)
    project = orders.project

    def again():
        if killed:
            project.kill()
            orders.start()

    orders.note("ann", "before")
    orders.send(1, "ann", 5, "10:00:05")
    orders.send(1, "bob", 7, "10:00:30")
    orders.send(1, "ann", 9, "10:01:05")
    orders.wait()
    tailrace.wait_until(lambda: len(project.sql("SELECT who FROM noted")) == 2, "the notes of ann")
    tailrace.wait_until(lambda: project.lake("noted"), "the first commit")
    ids = orders.table_ids()
    orders.register(2)
    orders.send(2, "ann", 11, "10:01:08", city="Rome")
    again()
    orders.send(1, "bob", 7, "10:00:30")  # there already
    orders.send(2, "bob", 8, "10:01:09", city="Oslo")
    orders.wait()
    orders.note("bob", "after")
    orders.register(3)  # no record of it yet: a restart takes it up
    again()
    orders.wait()
    orders.send(3, "ann", 13, "10:02:30", city="Rome", tag="x")
    again()
    orders.wait()
    orders.send(1, "ann", 5, "10:00:05")  # there already, and late for its window
    orders.send(3, "cy", 1, "11:00:00")
    orders.wait()

    columns = ("who", "amount", "at", "city", "tag")
    listed = ", ".join(columns)
    sent = orders.sent
    assert found(project, f"SELECT {listed} FROM raw") == sorted(rows_of(sent, columns), key=str)
    for table in ("once", "once_of_topic", "distinct_orders"):
        tailrace.wait_until(lambda: len(project.sql(f"SELECT * FROM {table}")) == 7, table)
        assert found(project, f"SELECT {listed} FROM {table}") == distinct(rows_of(sent, columns)), table
    notes = {"ann": "before", "bob": "after"}
    expected = [(*row, notes[row[0]]) for row in rows_of(sent, columns) if row[0] in notes]
    tailrace.wait_until(lambda: len(project.sql("SELECT * FROM noted")) == len(expected), "joined rows")
    assert found(project, f"SELECT {listed}, note FROM noted") == sorted(expected, key=str)
    tailrace.wait_until(lambda: len(project.sql("SELECT * FROM per_minute")) == 5, "closed windows")
    windows = {}
    for order in sent[:-2]:  # but for the late one, and the window that is open
        windows.setdefault((order["at"][:16], order["who"]), []).append(order["amount"])
    expected = [(f"{minute}:00", who, len(all), sum(all), max(all), sorted(set(all)))
                for (minute, who), all in windows.items()]
    assert [(str(row["minute"])[:19], row["who"], row["n"], row["total"], row["most"], sorted(row["seen"])) for row in
            project.sql("SELECT * FROM per_minute ORDER BY minute, who")] == sorted(expected)
    assert [letter["reason"] for letter in project.sql("SELECT reason FROM system.dead_letters")] == ["late"]
    assert orders.table_ids() == ids, "a table was made again"
    log = project.log.read_text()
    assert "starts from nothing" not in log
    assert "once goes on with wider columns" in log and "per_minute goes on with wider columns" in log
    project.stop()
    for table, count in (("raw", len(sent)), ("once", 7), ("once_of_topic", 7), ("per_minute", 5)):
        assert len(project.lake(table)) == count
