"""Topics whose values have a schema: written by sources and by foreign clients, read as columns, followed as the
subject gets new versions. What each record must give is read by fastavro."""
import io
import json
import random
import struct

import fastavro
import pytest
import registry
import tailrace
from confluent_kafka import Producer

SQL = """
CREATE STREAMING TABLE orders_raw TBLPROPERTIES ('quality' = 'bronze') AS
SELECT value.*, offset FROM STREAM orders;
CREATE STREAMING TABLE orders_all TBLPROPERTIES ('quality' = 'silver') AS SELECT * FROM STREAM orders_raw;
CREATE MATERIALIZED VIEW orders_by_status TBLPROPERTIES ('quality' = 'gold') AS
SELECT status, count(*) AS orders FROM orders_all GROUP BY status;
CREATE MATERIALIZED VIEW orders_copy TBLPROPERTIES ('quality' = 'gold') AS SELECT * FROM orders_all;
"""


def record(*fields):
    return {"type": "record", "name": "Order", "fields": list(fields)}


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


def statuses(*more):
    return {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", *more], "default": "NEW"}


def address(*more):
    return ["null", {"type": "record", "name": "Address",
                     "fields": [field("street", "string"), field("zip", ["null", "string"], default=None), *more]}]


ID, AMOUNT, CITY = field("id", "long"), field("amount", "double"), field("city", "string", default="?")
FULL_NAME = field("full_name", "string", aliases=["name"])
COUNTRY = field("country", "string", default="DE")
TAGS = field("tags", {"type": "array", "items": "string"}, default=[])

# Added, promoted, nested, one more symbol, renamed, removed, promoted again, added within, added.
VERSIONS = [
    record(ID, field("name", "string"), field("amount", "int"), field("status", statuses())),
    record(ID, field("name", "string"), field("amount", "int"), field("status", statuses()), CITY),
    record(ID, field("name", "string"), field("amount", "long"), field("status", statuses()), CITY),
    record(ID, field("name", "string"), field("amount", "long"), field("status", statuses()), CITY,
           field("address", address(), default=None)),
    record(ID, field("name", "string"), field("amount", "long"), field("status", statuses("SENT")), CITY,
           field("address", address(), default=None)),
    record(ID, FULL_NAME, field("amount", "long"), field("status", statuses("SENT")), CITY,
           field("address", address(), default=None)),
    record(ID, FULL_NAME, field("amount", "long"), field("status", statuses("SENT")),
           field("address", address(), default=None)),
    record(ID, FULL_NAME, AMOUNT, field("status", statuses("SENT")), field("address", address(), default=None)),
    record(ID, FULL_NAME, AMOUNT, field("status", statuses("SENT")),
           field("address", address(COUNTRY), default=None)),
    record(ID, FULL_NAME, AMOUNT, field("status", statuses("SENT")),
           field("address", address(COUNTRY), default=None), TAGS),
]
COLUMNS = ["id", "name", "amount", "status", "offset", "city", "address", "full_name", "tags"]


def some_order(schema, number, chance):
    names = {one["name"]: one["type"] for one in schema["fields"]}
    order = {"id": number, "status": chance.choice(["NEW", "PAID"]), "amount": number * 3}
    order["name" if "name" in names else "full_name"] = f"who{number}"
    if names["amount"] == "double":
        order["amount"] += 0.25
    if "city" in names:
        order["city"] = f"city{number}"
    if "SENT" in json.dumps(names["status"]) and number % 3 == 0:
        order["status"] = "SENT"
    if "address" in names and number % 2:
        order["address"] = {"street": f"street{number}", "zip": None if number % 5 else "10115"}
        if "country" in json.dumps(names["address"]):
            order["address"]["country"] = "FR"
    if "tags" in names:
        order["tags"] = ["a"] * (number % 3)
    return order


def encoded(schema, order):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), order)
    return out.getvalue()


def read_by(reader, writer, data):
    """The record as the reader has it, in the columns of all versions."""
    row = fastavro.schemaless_reader(io.BytesIO(data), fastavro.parse_schema(writer), fastavro.parse_schema(reader))
    row = {column: None for column in COLUMNS} | row
    row["amount"] = float(row["amount"])
    if row["address"]:
        row["address"] = {"street": None, "zip": None, "country": None} | row["address"]
    return row


def orders_project(folder, **topic):
    return tailrace.with_sql(folder, SQL, json.dumps({
        "topics": {"orders": {"format": "avro"} | topic},
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}},
        "checkpoint": {"every": "200ms"},
    }))


class Topic:
    """The topic of a running project, written by a foreign client."""

    def __init__(self, project):
        self.project = project
        self.ask = None
        self.connect()

    def connect(self):
        self.registry = registry.Registry(self.project.data)
        self.registry.address = self.project.run_file()["registry"].removeprefix("http://")
        self.registry.connection = registry.http.client.HTTPConnection(self.registry.address, timeout=60)
        self.producer = Producer({"bootstrap.servers": self.project.kafka()})

    def send(self, schema_id, data):
        self.producer.produce("orders", b"\0" + struct.pack(">i", schema_id) + data, b"k")

    def flush(self):
        assert self.producer.flush(30) == 0


def first_version(project):
    """Registers the first version where no file of the project does."""
    (project.folder / "schemas").mkdir(exist_ok=True)
    (project.folder / "schemas" / "order.avsc").write_text(json.dumps(VERSIONS[0]))


def test_ten_versions_flow_in_while_the_stream_runs_and_through_kills(tmp_path):
    chance = random.Random(7)
    project = orders_project(tmp_path, schema="schemas/order.avsc")
    first_version(project)
    project.start()
    topic, ids, expected = Topic(project), [], []
    for number, schema in enumerate(VERSIONS):
        ids.append(topic.registry.register("orders-value", schema))
        for _ in range(30):
            by = number if chance.random() < 0.7 or number == 0 else chance.randrange(number)
            if len(expected) % 30 == 0:
                by = number  # from its first record on the version is the reader's
            data = encoded(VERSIONS[by], some_order(VERSIONS[by], len(expected), chance))
            topic.send(ids[by], data)
            expected.append(read_by(schema, VERSIONS[by], data) | {"offset": len(expected)})
        topic.flush()
        tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == len(expected), f"version {number}")
        if number % 3 == 1:
            project.kill()
            (project.folder / "schemas" / "order.avsc").write_text(json.dumps(schema))
            topic = Topic(project.start())
    assert [id for n, id in enumerate(ids) if id in ids[:n]] == []
    hops = project.hops()
    assert hops["rejected"]["count"] == 0, project.sql("SELECT * FROM system.dead_letters")

    def same(rows):
        rows = sorted(rows, key=lambda row: row["offset"])
        assert [row["offset"] for row in rows] == [row["offset"] for row in expected]
        for row, wanted in zip(rows, expected):
            assert row == wanted

    same(project.sql("SELECT * FROM orders_now"))
    project.stop()
    for table in ("orders_raw", "orders_all", "orders_copy"):
        same(project.lake(table))
        same(project.sql(f"SELECT * FROM {table}"))
    counts = {row["status"]: row["orders"] for row in project.sql("SELECT * FROM orders_by_status")}
    assert counts == {status: sum(row["status"] == status for row in expected) for status in ("NEW", "PAID", "SENT")}


def test_what_may_not_follow_is_refused_and_named_with_both_versions(tmp_path):
    project = orders_project(tmp_path, schema="schemas/order.avsc")
    first_version(project)
    topic = Topic(project.start())
    other = record(ID, field("name", "string"), field("amount", "string"), field("status", statuses()))
    status, answer = topic.registry.ask("POST", "/subjects/orders-value/versions", {"schema": json.dumps(other)})
    assert status == 409, answer
    elsewhere = topic.registry.register("elsewhere", other)
    assert topic.registry.ask("PUT", "/config/orders-value", {"compatibility": "NONE"})[0] == 200
    forced = topic.registry.register("orders-value", other)
    assert forced == elsewhere
    order = {"id": 1, "name": "Ann", "amount": "much", "status": "NEW"}
    good = {"id": 2, "name": "Bob", "amount": 5, "status": "PAID"}
    topic.send(forced, encoded(other, order))
    topic.send(1, encoded(VERSIONS[0], good))
    topic.send(1, encoded(VERSIONS[0], good)[:-3])
    topic.send(4711, b"")
    topic.producer.produce("orders", b"{}", b"k")
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 4, "four dead letters")
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 1, "the neighbour's row")
    letters = {row["offset"]: row["detail"] for row in project.sql("SELECT * FROM system.dead_letters")}
    assert letters[0].startswith("written by version 2 of orders-value, which version 1 cannot read: ")
    assert letters[2].startswith("written by version 1 of orders-value, read by version 1: byte ")
    assert letters[3] == "schema id 4711 is not in the registry"
    assert "schema's id" in letters[4]
    project.stop()


def test_an_id_that_was_unknown_is_asked_for_again(tmp_path):
    project = orders_project(tmp_path, schema="schemas/order.avsc")
    first_version(project)
    topic = Topic(project.start())
    order = encoded(VERSIONS[1], some_order(VERSIONS[1], 1, random.Random(1)))
    topic.send(2, order)
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 1, "a dead letter")
    assert topic.registry.register("orders-value", VERSIONS[1]) == 2
    topic.send(2, order)
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 1, "the row")
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0, done.stderr
    tailrace.wait_until(lambda: project.hops()["decoded.orders"]["count"] == 2, "the record that came too early")
    project.stop()


def test_a_topic_that_does_not_follow_keeps_its_columns(tmp_path):
    project = orders_project(tmp_path, schema="schemas/order.avsc", schema_evolution="none")
    first_version(project)
    topic = Topic(project.start())
    newer = topic.registry.register("orders-value", VERSIONS[1])
    topic.send(newer, encoded(VERSIONS[1], some_order(VERSIONS[1], 3, random.Random(1))))
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 1, "the row")
    assert list(project.sql("SELECT * FROM orders_now")[0]) == ["id", "name", "amount", "status", "offset"]
    project.stop()


def test_a_topic_takes_the_schema_that_its_subject_has(tmp_path):
    alone = registry.Registry(tmp_path).start()
    alone.register("orders-value", VERSIONS[3])
    alone.stop()
    project = orders_project(tmp_path)
    project.start()
    assert [column["name"] for column in project.get("/api/tables/orders_raw")["columns"]] == [
        "id", "name", "amount", "status", "city", "address", "offset"]
    project.stop()


def test_a_schema_is_guessed_where_there_is_none_and_the_log_says_so(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    orders = [{"id": 1, "name": "Ann", "amount": 5, "status": "NEW", "lines": [{"sku": "a", "n": 1}]},
              {"id": 2, "name": None, "amount": 5.5, "status": "PAID", "lines": []}]
    (source / "orders.jsonl").write_text("".join(json.dumps(one) + "\n" for one in orders))
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "topics": {"orders": {"format": "avro"}},
        "ingest": [{"name": "in", "topic": "orders", "use": "files", "files": {"path": str(source), "every": "100ms"}}],
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}},
    }))
    assert "its schema is guessed from 2 records of in" in project.once().stderr
    rows = project.sql("SELECT * EXCEPT (offset) FROM orders_now ORDER BY id")
    assert rows == orders
    (source / "more.jsonl").write_text(json.dumps({"id": 3, "amount": 1}) + "\n")
    assert "guessed" not in project.once().stderr
    assert len(project.sql("SELECT * FROM orders_now")) == 3


def test_the_example_gives_the_same_users_with_avro_as_with_json(tmp_path):
    users = []
    for number, example in enumerate((tailrace.EXAMPLE, tailrace.EXAMPLE.with_name("random_users_avro"))):
        (tmp_path / str(number)).mkdir()
        project = tailrace.Project(tmp_path / str(number), example)
        settings = (project.folder / "tailrace.yml").read_text()
        (project.folder / "tailrace.yml").write_text(settings.replace("limit: none", "limit: 1500"))
        project.once()
        users.append(project.sql("SELECT * EXCEPT (created_at) FROM users ORDER BY id"))
    assert len(users[0]) == 1000 and users[0] == users[1]


JSON_SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "shop.Order", "type": "object",
               "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]},
                              "amount": {"type": "number", "minimum": 0}, "status": {"enum": ["NEW", "PAID"]},
                              "lines": {"type": "array", "items": {"type": "object", "properties": {
                                  "sku": {"type": "string"}, "n": {"type": "integer"}}}}},
               "required": ["id", "status"]}
PROTO = """syntax = "proto3";
package shop;

message Order {
  int64 id = 1;
  optional string name = 2;
  double amount = 3;
  Status status = 4;
  repeated Line lines = 5;
  %s
  enum Status {
    NEW = 0;
    PAID = 1;
  }
  message Line {
    string sku = 1;
    int64 n = 2;
  }
}
"""


@pytest.mark.parametrize("format, file, text, newer, foreign, odd", [
    ("json_schema", "order.json", json.dumps(JSON_SCHEMA),
     json.dumps(JSON_SCHEMA | {"properties": JSON_SCHEMA["properties"] | {"city": {"type": "string"}}}),
     b'{"id": 3, "status": "PAID", "amount": 1, "city": "Rome"}', "amount"),
    # The index of the first message, then id 3, amount 1.0, status PAID, city.
    ("protobuf", "order.proto", PROTO % "", PROTO % "string city = 6;",
     b"\0\x08\x03\x19" + struct.pack("<d", 1) + b"\x20\x01\x32\x04Rome", "amount"),
])
def test_json_schema_and_protobuf_are_followed_as_avro(tmp_path, format, file, text, newer, foreign, odd):
    source = tmp_path / "in"
    source.mkdir()
    orders = [{"id": 1, "name": "Ann", "amount": 5.5, "status": "NEW", "lines": [{"sku": "a", "n": 1}]},
              {"id": 2, "name": None, "amount": 7.0, "status": "PAID", "lines": []}]
    misfit = {"id": 9, "amount": "much", "status": "NEW"}
    (source / "orders.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [*orders, misfit]))
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "topics": {"orders": {"format": format, "schema": file, "subject_name_strategy": "record_name"}},
        "ingest": [{"name": "in", "topic": "orders", "use": "files", "files": {"path": str(source), "every": "100ms"}}],
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}},
        "checkpoint": {"every": "200ms"},
    }))
    (project.folder / file).write_text(text)
    topic = Topic(project.start())
    assert topic.registry.ask("GET", "/subjects")[1] == ["shop.Order"]
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 2, "two rows")
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 1, "a dead letter")

    def rows():
        # A proto3 enum's first value is its zero, which is not on the wire.
        return [row | {"status": row["status"] or "NEW"} for row in
                project.sql("SELECT * EXCEPT (offset) FROM orders_now ORDER BY id")]

    assert rows() == orders
    (letter,) = project.sql("SELECT detail FROM system.dead_letters")
    assert letter["detail"].startswith("it does not fit version 1 of shop.Order: ") and odd in letter["detail"]
    kind = {"json_schema": "JSON", "protobuf": "PROTOBUF"}[format]
    assert topic.registry.ask("PUT", "/config", {"compatibility": "NONE"})[0] == 200
    status, answer = topic.registry.ask("POST", "/subjects/shop.Order/versions", {"schema": newer, "schemaType": kind})
    assert status == 200, answer
    topic.send(answer["id"], foreign)
    topic.send(answer["id"], b"\x02{")
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 3, "the foreign row")
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 2, "another dead letter")
    assert [row["city"] for row in rows()] == [None, None, "Rome"]
    assert rows()[2] | {"lines": []} == {
        "id": 3, "name": None, "amount": 1.0, "status": "PAID", "lines": [], "city": "Rome"}
    project.stop()
    assert len(project.lake("orders_raw")) == 3


@pytest.mark.parametrize("down", [False, True])
def test_a_registry_somewhere_else_is_asked_over_http(tmp_path, down):
    """A record whose schema is not known yet waits for a registry that is down, and the hop's line says so."""
    (tmp_path / "alone").mkdir()
    alone = registry.Registry(tmp_path / "alone").start()
    ids = [alone.register("orders-value", schema) for schema in VERSIONS[:2]]
    source = tmp_path / "in"
    source.mkdir()
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "roles": {"registry": alone.url},
        "topics": {"orders": {"format": "avro"}},
        "ingest": [{"name": "in", "topic": "orders", "use": "files", "files": {"path": str(source), "every": "100ms"}}],
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}},
    })).start()
    assert project.run_file()["registry"] == ""
    order = {"id": 1, "name": "Ann", "amount": 5, "status": "NEW", "city": "Rome"}
    (source / "orders.jsonl").write_text(json.dumps(order) + "\n")
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 1, "a row")
    assert project.sql("SELECT id, city FROM orders_now") == [{"id": 1, "city": "Rome"}]
    if down:
        alone.kill()
    producer = Producer({"bootstrap.servers": project.kafka()})
    data = encoded(VERSIONS[0], {"id": 2, "name": "Bob", "amount": 7, "status": "PAID"})
    producer.produce("orders", b"\0" + struct.pack(">i", ids[0]) + data)
    assert producer.flush(30) == 0
    if down:
        why = tailrace.wait_until(lambda: project.hops()["decoded.orders"]["why"], "why it waits")
        assert "the schema registry" in why, why
        assert project.hops()["served.orders_now"]["count"] == 1
        alone.start()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 2, "the other row")
    tailrace.wait_until(lambda: not project.hops()["decoded.orders"]["why"], "nothing to wait for")
    assert {row["id"]: row["city"] for row in project.sql("SELECT * FROM orders_now")} == {1: "Rome", 2: "?"}
    project.stop()
    alone.stop()


def test_without_any_schema_the_error_says_what_to_do(tmp_path):
    project = orders_project(tmp_path)
    done = project.command("run", project.folder, "--data", project.data, "--once")
    assert done.returncode != 0
    assert "tailrace.yml:" in done.stderr and "subject orders-value of topic orders has no schema yet" in done.stderr


@pytest.mark.parametrize("strategy, subject", [("topic_name", "orders-value"), ("record_name", "shop.Order"),
                                               ("topic_record_name", "orders-shop.Order")])
def test_sources_write_by_the_schema_of_the_subject(tmp_path, strategy, subject):
    source = tmp_path / "in"
    source.mkdir()
    (source / "orders.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [
        {"id": 1, "name": "Ann", "amount": 5, "status": "NEW", "unknown": True},
        {"id": 2, "name": "Bob", "amount": "five", "status": "NEW"},
        {"id": 3, "name": "Cy", "amount": 7, "status": "LOST"},
        {"id": 4, "name": "Di", "amount": 9, "status": "PAID"}]))
    project = tailrace.with_sql(tmp_path, SQL, json.dumps({
        "topics": {"orders": {"format": "avro", "schema": "order.avsc", "subject_name_strategy": strategy}},
        "ingest": [{"name": "in", "topic": "orders", "use": "files", "files": {"path": str(source), "every": "100ms"}}],
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}},
    }))
    (project.folder / "order.avsc").write_text(json.dumps(VERSIONS[0] | {"namespace": "shop"}))
    project.start()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 2, "two rows")
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 2, "two dead letters")
    assert [row["name"] for row in project.sql("SELECT name FROM orders_now ORDER BY id")] == ["Ann", "Di"]
    details = sorted(row["detail"] for row in project.sql("SELECT detail FROM system.dead_letters"))
    assert details == [
        f"it does not fit version 1 of {subject}: amount: text where a whole number is expected",
        f'it does not fit version 1 of {subject}: status: "LOST" is no symbol of shop.Status']
    assert "shop.Order.unknown is not in version 1" in project.log.read_text()
    topic = Topic(project)
    assert topic.registry.ask("GET", "/subjects")[1] == [subject]
    # What did not fit is written as a record when it is sent back, once a version takes it.
    lost = VERSIONS[0] | {"namespace": "shop"}
    lost = {**lost, "fields": [*lost["fields"][:3], field("status", statuses("LOST"))]}
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode != 0 and "is no symbol of shop.Status" in project.log.read_text()
    newer = topic.registry.register(subject, lost)
    topic.send(newer, encoded(lost, {"id": 5, "name": "E", "amount": 1, "status": "LOST"}))
    topic.flush()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 3, "a record of the new version")
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0, done.stderr
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 4, "the record that was lost")
    project.stop()
