"""Records that name their schema in a header, not in their first bytes: written and read by confluent-kafka's own
serialisers, read as columns, checked by the broker, shown, and written by sources."""
import json
import uuid

import pytest
import tailrace
from broker import Broker
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from test_kafka_configs import create
from test_schema_validation import ORDER, registry_of

SQL = """
CREATE STREAMING TABLE orders_raw TBLPROPERTIES ('quality' = 'bronze') AS
SELECT value.id AS id, value.name AS name FROM STREAM orders;
CREATE MATERIALIZED VIEW orders_copy TBLPROPERTIES ('quality' = 'gold') AS SELECT * FROM orders_raw;
"""
AVRO = {"type": "record", "name": "Order", "namespace": "shop",
        "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]}
JSON = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object",
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
PROTO = """syntax = "proto3";
package shop;
message Order {
  int64 id = 1;
  string name = 2;
}
"""
FORMATS = {"avro": ("order.avsc", json.dumps(AVRO)), "json_schema": ("order.json", json.dumps(JSON)),
           "protobuf": ("order.proto", PROTO)}
IN_HEADER = {"schema.id.serializer": header_schema_id_serializer}


def project_of(folder, format, **more):
    file, text = FORMATS[format]
    project = tailrace.with_sql(folder, SQL, json.dumps({
        "topics": {"orders": {"format": format, "schema": file, **more.pop("topic", {})}},
        "serving": {"orders_now": {"table": "orders_copy", "key": ["id"]}}, **more}))
    (project.folder / file).write_text(text)
    return project


def client_of(project):
    return SchemaRegistryClient({"url": project.run_file()["registry"]})


def context():
    return SerializationContext("orders", MessageField.VALUE, [])


def protobuf_order():
    """The class of PROTO's message, as protoc would make it."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    file = descriptor_pb2.FileDescriptorProto(name="header_order.proto", package="shop", syntax="proto3")
    kind = file.message_type.add(name="Order")
    kind.field.add(name="id", number=1, type=descriptor_pb2.FieldDescriptorProto.TYPE_INT64, label=1)
    kind.field.add(name="name", number=2, type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


def serialiser(format, client, settings):
    if format == "avro":
        return AvroSerializer(client, json.dumps(AVRO), conf=settings), dict
    if format == "json_schema":
        return JSONSerializer(json.dumps(JSON), client, conf=settings), dict
    kind = protobuf_order()
    return ProtobufSerializer(kind, client, conf={"auto.register.schemas": True, **settings}), kind


@pytest.mark.parametrize("format", FORMATS)
def test_what_their_serialisers_name_in_a_header_is_read_beside_what_names_it_in_front(tmp_path, format):
    project = project_of(tmp_path, format)
    project.start()
    client = client_of(project)
    producer = Producer({"bootstrap.servers": project.kafka()})
    for number in range(1, 41):  # proto3 does not write a zero
        write, kind = serialiser(format, client, IN_HEADER if number % 2 else {})
        about = context()
        value = write(kind(id=number, name=f"name{number}"), about)
        assert bool(about.headers) == bool(number % 2)
        producer.produce("orders", value, b"k", headers=about.headers)
    producer.produce("orders", b"\x02", b"k", headers=[("__value_schema_id", b"\1" + uuid.uuid4().bytes)])
    producer.produce("orders", b"\x02", b"k", headers=[("__value_schema_id", b"nonsense")])
    assert producer.flush(30) == 0
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 40, "forty rows")
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 2, "two dead letters")
    assert project.sql("SELECT * FROM orders_now ORDER BY id") == [
        {"id": number, "name": f"name{number}"} for number in range(1, 41)]
    details = [row["detail"] for row in project.sql("SELECT detail FROM system.dead_letters ORDER BY offset")]
    assert details[0].endswith("is not in the registry") and "__value_schema_id" in details[1]
    shown = project.command("consume", "orders", "--json", "--project", project.folder, "--data", project.data)
    assert shown.returncode == 0, shown.stderr
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    shown_ids = sorted(int(line["value"]["id"]) for line in lines if isinstance(line.get("value"), dict))
    assert shown_ids == list(range(1, 41))
    assert len([line for line in lines if "value_error" in line]) == 1
    project.stop()


@pytest.mark.parametrize("format", FORMATS)
def test_what_a_source_names_in_a_header_their_deserialisers_read(tmp_path, format):
    source = tmp_path / "in"
    source.mkdir()
    orders = [{"id": 1, "name": "Annabel"}, {"id": 2, "name": "Roberta"}]
    (source / "orders.jsonl").write_text("".join(json.dumps(one) + "\n" for one in orders))
    project = project_of(tmp_path, format, topic={"schema_id": "header"}, ingest=[
        {"name": "in", "topic": "orders", "use": "files", "files": {"path": str(source), "every": "100ms"}}])
    project.start()
    tailrace.wait_until(lambda: project.hops()["served.orders_now"]["count"] == 2, "two rows")
    client = client_of(project)
    if format == "avro":
        read = AvroDeserializer(client)
    elif format == "json_schema":
        read = JSONDeserializer(None, schema_registry_client=client)
    else:
        read = ProtobufDeserializer(protobuf_order(), {"use.deprecated.format": False}, client)
    consumer = Consumer({"bootstrap.servers": project.kafka(), "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    seen = []
    while len(seen) < 2:
        message = consumer.poll(30)
        assert message is not None and not message.error()
        (name, value), = message.headers()
        guid = client.get_latest_version("orders-value").guid
        assert name == "__value_schema_id" and value[:17] == b"\1" + uuid.UUID(guid).bytes
        record = read(message.value(), SerializationContext("orders", MessageField.VALUE, message.headers()))
        seen.append({"id": record.id, "name": record.name} if format == "protobuf" else record)
    consumer.close()
    assert seen == orders
    project.stop()


def test_a_dead_letter_carries_its_schema_and_is_read_when_it_is_sent_back(tmp_path):
    project = project_of(tmp_path, "avro")
    project.start()
    client = client_of(project)
    serialiser("avro", client, IN_HEADER)[0]({"id": 1, "name": "a"}, context())
    found = client.get_latest_version("orders-value")
    producer = Producer({"bootstrap.servers": project.kafka()})
    producer.produce("orders", b"\x02", b"k", headers=[("__value_schema_id", b"\1" + uuid.UUID(found.guid).bytes)])
    assert producer.flush(30) == 0
    tailrace.wait_until(lambda: project.hops()["rejected"]["count"] == 1, "a dead letter")
    done = project.command("redrive", project.folder, "--data", project.data, "--all")
    assert done.returncode == 0, done.stderr
    # It fails again, by the same schema: nothing was fixed.
    letters = tailrace.wait_until(
        lambda: [rows for rows in [project.sql("SELECT detail FROM system.dead_letters")] if len(rows) == 2], "another")
    assert all("read by version 1" in row["detail"] for row in letters[0]), letters
    project.stop()


def test_the_broker_checks_what_a_header_names(tmp_path):
    broker = Broker(tmp_path, words=("--registry", "127.0.0.1:0")).start()
    asked = registry_of(tmp_path, broker.log.read_text().split("registry  http://")[1].split()[0])
    guids = {}
    for subject, schema in ("orders-value", ORDER), ("elsewhere-value", {"type": "string"}):
        asked.register(subject, schema)
        guids[subject] = uuid.UUID(asked.ask("GET", f"/subjects/{subject}/versions/1")[1]["guid"]).bytes
    create(broker, "orders", config={"confluent.value.schema.validation": "true"})
    for name, header, outcome in (("__value_schema_id", b"\1" + guids["orders-value"], None),
                                  ("__value_schema_id", b"\1" + guids["elsewhere-value"], "INVALID_RECORD"),
                                  ("__value_schema_id", b"\1" + uuid.uuid4().bytes, "INVALID_RECORD"),
                                  ("__value_schema_id", b"x", "INVALID_RECORD"),
                                  ("__key_schema_id", b"\1" + guids["orders-value"], "INVALID_RECORD")):
        told = []
        producer = Producer({"bootstrap.servers": broker.address})
        producer.produce("orders", b"\x02", headers=[(name, header)],
                         on_delivery=lambda error, _, told=told: told.append(error and error.name()))
        assert producer.flush(60) == 0
        assert told == [outcome], header
    broker.kill()
