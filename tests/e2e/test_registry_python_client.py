"""Every call of Confluent's newest Python client, and its serialisers by associations, against the registry."""
import json

import pytest
from confluent_kafka.schema_registry import (AssociationCreateOrUpdateInfo, AssociationCreateOrUpdateRequest, Schema,
                                             SchemaRegistryClient, ServerConfig)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.schema_registry_client import (ConfigCompatibilityLevel, Metadata,
                                                                           MetadataProperties, SchemaReference)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from registry import Registry

# What holds no request of its own.
LOCAL = {"close", "config", "clear_caches", "clear_latest_caches", "new_client"}


@pytest.fixture
def registry(tmp_path):
    one = Registry(tmp_path).start()
    yield one
    one.stop()


class Noting(SchemaRegistryClient):
    """A client that notes which of its calls were made."""

    made = set()

    def __getattribute__(self, name):
        if not name.startswith("_"):
            Noting.made.add(name)
        return super().__getattribute__(name)


@pytest.fixture
def client(registry):
    Noting.made = set()
    with Noting({"url": registry.url}) as one:
        yield one


def avro(name="A", *more, **options):
    fields = [{"name": "a", "type": "string"}, *({"name": one, "type": "int", "default": 0} for one in more)]
    text = json.dumps({"type": "record", "name": name, "fields": fields}, separators=(",", ":"))
    return Schema(text, "AVRO", **options)


def refused(call, status, code):
    with pytest.raises(SchemaRegistryError) as told:
        call()
    assert (told.value.http_status_code, told.value.error_code) == (status, code)


def test_every_call_of_the_client_is_understood(registry, client):
    def owned(owner):
        return Metadata(tags=None, properties=MetadataProperties({"owner": owner}), sensitive=None)

    tagged = avro(metadata=owned("shop"))
    one = client.register_schema("s", tagged)
    full = client.register_schema_full_response("s", avro("A", "b", metadata=owned("web")), normalize_schemas=True)
    assert full.schema_id != one
    assert client.get_schema(one).schema_str == avro().schema_str
    guid = client.lookup_schema("s", tagged).guid
    assert client.get_schema_by_guid(guid).schema_str == avro().schema_str
    assert set(client.get_schema_types()) == {"AVRO", "JSON", "PROTOBUF"}
    assert client.get_subjects_by_schema_id(one) == ["s"]
    assert [(v.subject, v.version) for v in client.get_schema_versions(one)] == [("s", 1)]
    assert client.lookup_schema("s", tagged).version == 1
    assert client.get_versions("s") == [1, 2]
    assert client.get_latest_version("s").version == 2
    assert client.get_latest_with_metadata("s", {"owner": "shop"}).version == 1
    assert client.get_version("s", 1).schema_id == one
    uses = Schema(json.dumps({"type": "record", "name": "U", "fields": [{"name": "of", "type": "A"}]}), "AVRO",
                  [SchemaReference("A", "s", 1)])
    by = client.register_schema("u", uses)
    assert client.get_referenced_by("s", 1) == [by]
    assert sorted(client.get_subjects()) == ["s", "u"]
    assert client.get_subjects(subject_prefix="u") == ["u"]

    assert client.set_compatibility("s", "FULL")["compatibility"] == "FULL"
    assert client.get_compatibility("s") == "FULL"
    other = Schema('{"type": "record", "name": "A", "fields": [{"name": "z", "type": "int"}]}', "AVRO")
    assert client.test_compatibility("s", avro("A", "b", "c"))
    assert not client.test_compatibility("s", other)
    assert not client.test_compatibility_all_versions("s", other)
    refused(lambda: client.register_schema("s", other), 409, 409)
    client.set_config("s", ServerConfig(compatibility=ConfigCompatibilityLevel.NONE, compatibility_group="app"))
    config = client.get_config("s")
    level = config.compatibility_level or config.compatibility
    assert (level, config.compatibility_group) == (ConfigCompatibilityLevel.NONE, "app")
    client.delete_config("s")
    refused(lambda: client.get_config("s"), 404, 40408)

    assert client.get_global_mode() == "READWRITE"
    client.update_global_mode("READONLY")
    refused(lambda: client.register_schema("t", avro("T")), 422, 42205)
    client.update_global_mode("READWRITE")
    client.update_mode("s", "READONLY")
    assert client.get_mode("s") == "READONLY"
    client.delete_mode("s")
    refused(lambda: client.get_mode("s"), 404, 40409)
    client.register_schema(":.eu:s", avro())
    assert client.get_contexts() == [".", ".eu"]

    refused(lambda: client.delete_version("s", 1), 422, 42206)
    assert client.delete_subject("u") == [1]
    assert client.delete_subject("u", permanent=True) == [1]
    assert client.delete_version("s", 1) == 1
    assert client.delete_subject("s") == [2]
    refused(lambda: client.get_versions("s"), 404, 40401)

    request = AssociationCreateOrUpdateRequest(
        "orders", "lkc", "id-1", "topic",
        [AssociationCreateOrUpdateInfo(association_type="value", lifecycle="STRONG", schema=avro("Order"))])
    made = client.create_association(request).associations[0]
    assert made.lifecycle == "STRONG"
    (found,) = client.get_associations_by_resource_name("orders", "lkc", "topic", ["value"])
    assert (found.subject, found.resource_id, found.frozen) == (made.subject, "id-1", made.frozen)
    assert client.get_associations_by_resource_name("orders", "-", None, ["key"]) == []
    client.delete_associations("id-1", "topic", ["value"], cascade_lifecycle=True)
    assert client.get_associations_by_resource_name("orders", "lkc") == []
    assert made.subject not in client.get_subjects()

    known = {name for kind in SchemaRegistryClient.__mro__[:-1] for name in vars(kind) if not name.startswith("_")}
    assert known - LOCAL <= Noting.made, known - LOCAL - Noting.made


def test_serialisers_ask_which_subject_a_topic_has(registry, client):
    for subject in ("of-orders", "orders-value"):
        client.register_schema(subject, avro("Order"))
    client.create_association(AssociationCreateOrUpdateRequest(
        "orders", "lkc", "id-1", "topic",
        [AssociationCreateOrUpdateInfo(subject="of-orders", association_type="value", lifecycle="WEAK")]))
    client.register_schema("of-orders", avro("Order", "b"))
    context = SerializationContext("orders", MessageField.VALUE)
    write = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True})
    record = write({"a": "x", "b": 7}, context)
    assert int.from_bytes(record[1:5], "big") == client.get_latest_version("of-orders").schema_id
    assert AvroDeserializer(client)(record, context) == {"a": "x", "b": 7}
    # A topic without one has its own name's subject, or none where that is asked.
    client.register_schema("plain-value", avro("Plain"))
    plain = SerializationContext("plain", MessageField.VALUE)
    assert int.from_bytes(write({"a": "x"}, plain)[1:5], "big") == client.get_latest_version("plain-value").schema_id
    none = {"subject.name.strategy.fallback.type": "NONE"}
    strict = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True,
                                          "subject.name.strategy.conf": none})
    with pytest.raises(SerializationError):
        strict({"a": "x"}, plain)
