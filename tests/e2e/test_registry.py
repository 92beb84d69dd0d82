"""The schema registry as clients of Confluent's see it: confluent-kafka's own client and serialisers, and plain HTTP
where the exact status, code and sentence count."""
import json
import random
import threading

import confluent_kafka
import pytest
from broker import Broker
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from registry import Registry

NAME = {"name": "name", "type": "string"}
AGE = {"name": "age", "type": "int", "default": 0}


def user(*fields):
    return {"type": "record", "name": "User", "fields": list(fields)}


@pytest.fixture
def registry(tmp_path):
    started = Registry(tmp_path).start()
    yield started
    started.stop()


def refusal(registry, method, path, body=None):
    """(status, error_code, message)"""
    status, answer = registry.ask(method, path, body)
    return status, answer["error_code"], answer["message"]


def test_a_foreign_client_registers_looks_up_and_deletes(registry):
    client = SchemaRegistryClient({"url": registry.url})
    first = Schema(json.dumps(user(NAME)), "AVRO")
    assert client.register_schema("users-value", first) == 1
    assert client.register_schema("users-value", Schema(json.dumps(user(NAME, AGE)), "AVRO")) == 2
    assert client.get_subjects() == ["users-value"]
    assert client.get_versions("users-value") == [1, 2]
    assert client.lookup_schema("users-value", first).version == 1
    assert client.get_latest_version("users-value").schema_id == 2
    assert json.loads(client.get_schema(1).schema_str) == user(NAME)
    assert client.test_compatibility("users-value", Schema(json.dumps(user(AGE)), "AVRO"))
    assert not client.test_compatibility("users-value", Schema('"int"', "AVRO"))
    assert client.set_compatibility("users-value", "NONE") == {"compatibility": "NONE"}
    assert client.get_compatibility("users-value") == "NONE"
    assert client.delete_version("users-value", 1) == 1
    assert client.delete_subject("users-value") == [2]
    assert client.delete_subject("users-value", permanent=True) == [1, 2]
    with pytest.raises(SchemaRegistryError) as refused:
        SchemaRegistryClient({"url": registry.url}).get_latest_version("users-value")
    assert (refused.value.http_status_code, refused.value.error_code) == (404, 40401)


def test_records_pass_through_the_foreign_serialisers_and_a_broker(tmp_path):
    broker = Broker(tmp_path, words=("--registry", "127.0.0.1:0")).start()
    url = broker.log.read_text().split("registry  ")[1].split()[0]
    client = SchemaRegistryClient({"url": url})
    rows = [{"name": f"n{i}", "age": i} for i in range(100)]
    write = AvroSerializer(client, json.dumps(user(NAME, AGE)))
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    for row in rows:
        producer.produce("users", write(row, SerializationContext("users", MessageField.VALUE)))
    assert producer.flush(20) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.address, "group.id": "g",
                                         "auto.offset.reset": "earliest"})
    consumer.subscribe(["users"])
    read = AvroDeserializer(SchemaRegistryClient({"url": url}))
    seen = []
    while len(seen) < len(rows):
        message = consumer.poll(10)
        assert message is not None and not message.error()
        seen.append(read(message.value(), SerializationContext("users", MessageField.VALUE)))
    consumer.close()
    assert seen == rows
    assert client.get_subjects() == ["users-value"]
    broker.stop()


def test_references_are_kept_and_guarded(registry):
    client = SchemaRegistryClient({"url": registry.url})
    client.register_schema("user", Schema(json.dumps(user(NAME)), "AVRO"))
    order = {"type": "record", "name": "Order", "fields": [{"name": "by", "type": "User"}]}
    reference = SchemaReference("User", "user", 1)
    assert client.register_schema("order", Schema(json.dumps(order), "AVRO", [reference])) == 2
    kept = client.get_schema(2)
    assert [(r.name, r.subject, r.version) for r in kept.references] == [("User", "user", 1)]
    assert registry.ask("GET", "/subjects/user/versions/1/referencedby") == (200, [2])
    assert refusal(registry, "DELETE", "/subjects/user")[:2] == (422, 42206)


# Status, error_code and sentence as Confluent's registry answers.
REFUSALS = [
    ("GET", "/subjects/no/versions", None, (404, 40401, "Subject 'no' not found.")),
    ("GET", "/subjects/s/versions/9", None, (404, 40402, "Version 9 not found.")),
    ("GET", "/subjects/s/versions/0", None,
     (422, 42202, "The specified version '0' is not a valid version id. Allowed values are between [1, 2^31-1] and the "
                  'string "latest"')),
    ("GET", "/schemas/ids/77", None, (404, 40403, "Schema 77 not found")),
    ("GET", "/schemas/ids/x", None, (404, 404, "HTTP 404 Not Found")),
    ("GET", "/nothing", None, (404, 404, "HTTP 404 Not Found")),
    ("PATCH", "/subjects", None, (405, 405, "HTTP 405 Method Not Allowed")),
    ("POST", "/subjects/s", {"schema": '"long"'}, (404, 40403, "Schema not found")),
    ("PUT", "/config", {"compatibility": "SOME"},
     (422, 42203, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
                  "forward_transitive, and full_transitive")),
    ("PUT", "/mode", {"mode": "SOME"},
     (422, 42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")),
    ("GET", "/config/s", None, (404, 40408, "Subject 's' does not have subject-level compatibility configured")),
    ("GET", "/mode/s", None, (404, 40409, "Subject 's' does not have subject-level mode configured")),
    ("DELETE", "/subjects/s?permanent=true", None,
     (404, 40405, "Subject 's' was not deleted first before being permanently deleted")),
    ("DELETE", "/subjects/s/versions/1?permanent=true", None,
     (404, 40407, "Subject 's' Version 1 was not deleted first before being permanently deleted")),
]


@pytest.mark.parametrize("method, path, body, expected", REFUSALS, ids=[f"{r[0]} {r[1]}" for r in REFUSALS])
def test_what_is_refused_has_the_known_code_and_sentence(registry, method, path, body, expected):
    registry.register("s", "string")
    assert refusal(registry, method, path, body) == expected


def test_forms_that_clients_send_are_taken(registry):
    schema = json.dumps(user(NAME))
    for more in ({"metadata": None, "ruleSet": None}, {"references": []}, {"schemaType": "AVRO"}, {"unknown": 1}):
        status, answer = registry.ask("POST", "/subjects/a/versions", {"schema": schema, **more})
        assert (status, answer["id"]) == (200, 1), more
    spaced = json.dumps(user(NAME), indent=4)
    assert registry.ask("POST", "/subjects/a", {"schema": spaced})[1]["version"] == 1
    for kind in ("application/json", "application/vnd.schemaregistry+json", "application/octet-stream"):
        assert registry.ask("POST", "/subjects/a/versions", {"schema": schema}, {"Content-Type": kind})[0] == 200
    assert registry.ask("POST", "/subjects/a/versions", "x", {"Content-Type": "text/html"})[0] == 415
    assert registry.ask("POST", "/subjects/a/versions", "{")[0] == 400
    assert registry.ask("GET", "/subjects/a/versions/latest/schema") == (200, user(NAME))
    assert registry.ask("GET", "/subjects/a/versions/-1")[1]["version"] == 1
    assert registry.ask("GET", "/schemas/ids/1/schema/") == (200, user(NAME))
    assert registry.ask("GET", "/schemas/ids/1/versions") == (200, [{"subject": "a", "version": 1}])
    assert registry.ask("PUT", "/config", {"compatibility": "full"}) == (200, {"compatibility": "FULL"})
    assert registry.ask("GET", "/config") == (200, {"compatibilityLevel": "FULL"})


def test_a_schema_that_is_too_large_is_refused_and_no_other_harmed(registry):
    huge = user(*({"name": f"f{n}", "type": "string", "doc": "x" * 1000} for n in range(6000)))
    assert refusal(registry, "POST", "/subjects/a/versions", {"schema": json.dumps(huge)})[:2] == (422, 42209)
    assert registry.register("a", user(NAME)) == 1


def test_a_context_is_a_registry_of_its_own(registry):
    assert registry.register("a", user(NAME)) == 1
    assert registry.ask("POST", "/contexts/.eu/subjects/a/versions", {"schema": '"int"'})[1]["id"] == 1
    assert registry.ask("GET", "/subjects") == (200, [":.eu:a", "a"])
    assert registry.ask("GET", "/contexts/eu/subjects") == (200, [":.eu:a"])
    assert registry.ask("GET", "/contexts") == (200, [".", ".eu"])
    assert registry.ask("GET", "/contexts/.eu/schemas/ids/1")[1]["schema"] == '"int"'
    assert registry.ask("PUT", "/contexts/.eu/config", {"compatibility": "NONE"})[0] == 200
    assert registry.ask("GET", "/config/:.eu:") == (200, {"compatibilityLevel": "NONE"})
    assert registry.ask("GET", "/config/a?defaultToGlobal=true") == (200, {"compatibilityLevel": "BACKWARD"})


def test_what_was_answered_survives_a_kill(tmp_path):
    registry = Registry(tmp_path)
    known = {}
    for life in range(3):
        registry.start()
        for subject, (identity, schema) in known.items():
            answer = registry.ask("GET", f"/subjects/{subject}/versions/latest")[1]
            assert (answer["id"], json.loads(answer["schema"])) == (identity, schema)
        for n in range(20):
            schema = user({"name": f"f{life}_{n}", "type": "string"})
            known[f"s{life}-{n}"] = (registry.register(f"s{life}-{n}", schema), schema)
        registry.kill()
    assert len({identity for identity, _ in known.values()}) == len(known), "an id was given twice"
    registry.start().stop()


def test_writers_at_once_never_share_an_id_and_one_schema_has_one(registry):
    answers = []

    def write(seed):
        own = SchemaRegistryClient({"url": registry.url})
        order = list(range(40))
        random.Random(seed).shuffle(order)
        for n in order:
            schema = json.dumps(user({"name": f"f{n}", "type": "string"}))
            answers.append((n, own.register_schema(f"s{seed}", Schema(schema, "AVRO"))))

    registry.ask("PUT", "/config", {"compatibility": "NONE"})
    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = {}
    for n, identity in answers:
        assert ids.setdefault(n, identity) == identity
    assert len(answers) == 160 and len(set(ids.values())) == 40


def test_what_others_write_to_the_topic_is_known_at_once(tmp_path):
    """A registry is moved by copying its topic, while the other one runs."""
    broker = Broker(tmp_path, words=("--registry", "127.0.0.1:0")).start()
    url = broker.log.read_text().split("registry  ")[1].split()[0]
    (tmp_path / "other").mkdir()
    other = Registry(tmp_path / "other").start()
    for i in range(50):
        other.register(f"s{i}", {"type": "record", "name": f"R{i}", "fields": [NAME]})
    other.register("s0", {"type": "record", "name": "R0", "fields": [NAME, AGE]})
    other.stop()
    source = Broker(tmp_path / "other").start()
    copied = confluent_kafka.Consumer({"bootstrap.servers": source.address, "group.id": "g",
                                       "auto.offset.reset": "earliest"})
    copied.subscribe(["_schemas"])
    records = []
    while len(records) < 51:
        records += [r for r in copied.consume(51 - len(records), timeout=20) if not r.error()]
    copied.close()
    client = SchemaRegistryClient({"url": url})
    assert client.get_subjects() == []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    for record in records[:-1]:
        producer.produce("_schemas", key=record.key(), value=record.value())
    assert producer.flush(20) == 0
    assert len(client.get_subjects()) == 50
    producer.produce("_schemas", key=records[-1].key(), value=records[-1].value())
    producer.produce("_schemas", key=b"no record of a registry", value=b"{")
    assert producer.flush(20) == 0
    assert client.get_versions("s0") == [1, 2]
    assert client.register_schema("here", Schema('"long"', "AVRO")) == 52
    source.stop()
    broker.stop()
