"""confluent-kafka's own serialisers and deserialisers of Avro, JSON Schema and Protobuf against the registry: what they
register, look up and read back, with references, and what the registry says of each format's schemas."""
import base64
import json

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from registry import Registry

VALUE = SerializationContext("orders", MessageField.VALUE)
KINDS = descriptor_pb2.FieldDescriptorProto

AVRO_USER = {"type": "record", "name": "User", "namespace": "shop", "fields": [{"name": "name", "type": "string"}]}
AVRO_ORDER = {"type": "record", "name": "Order", "namespace": "shop",
              "fields": [{"name": "number", "type": "long"}, {"name": "by", "type": "User"}]}
JSON_USER = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "http://shop.example/user.json",
             "title": "User", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
JSON_ORDER = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "http://shop.example/order.json",
              "title": "Order", "type": "object",
              "properties": {"number": {"type": "integer"}, "by": {"$ref": "http://shop.example/user.json"}}}
PROTO_USER = 'syntax = "proto3";\npackage shop;\n\nmessage User {\n  string name = 1;\n}\n'
PROTO_ORDER = ('syntax = "proto3";\npackage shop;\n\nimport "user.proto";\n\nmessage Order {\n  int64 number = 1;\n'
               "  User by = 2;\n}\n")
ORDER = {"number": 7, "by": {"name": "Ada"}}


def proto_classes():
    """The classes of Order, Item and User, as protoc would make them from two files."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    user = descriptor_pb2.FileDescriptorProto(name="user.proto", package="shop", syntax="proto3")
    user.message_type.add(name="User").field.add(name="name", number=1, type=KINDS.TYPE_STRING, label=1)
    order = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3",
                                               dependency=["user.proto", "google/protobuf/timestamp.proto"])
    kind = order.message_type.add(name="Order")
    kind.field.add(name="number", number=1, type=KINDS.TYPE_INT64, label=1)
    kind.field.add(name="by", number=2, type=KINDS.TYPE_MESSAGE, type_name=".shop.User", label=1)
    kind.field.add(name="at", number=3, type=KINDS.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp", label=1)
    item = kind.nested_type.add(name="Item")
    item.field.add(name="label", number=1, type=KINDS.TYPE_STRING, label=1)
    kind.field.add(name="items", number=4, type=KINDS.TYPE_MESSAGE, type_name=".shop.Order.Item", label=3)
    order.message_type.add(name="Receipt").field.add(name="total", number=1, type=KINDS.TYPE_DOUBLE, label=1)
    pool.Add(user)
    pool.Add(order)
    names = ("shop.Order", "shop.Order.Item", "shop.User", "shop.Receipt")
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]


OrderMessage, ItemMessage, UserMessage, ReceiptMessage = proto_classes()


@pytest.fixture
def registry(tmp_path):
    started = Registry(tmp_path).start()
    yield started
    started.stop()


@pytest.fixture
def client(registry):
    return SchemaRegistryClient({"url": registry.url})


def fresh(registry):
    """A client that knows nothing yet."""
    return SchemaRegistryClient({"url": registry.url})


def test_avro_with_a_reference_passes_both_ways(registry, client):
    client.register_schema("user", Schema(json.dumps(AVRO_USER), "AVRO"))
    schema = Schema(json.dumps(AVRO_ORDER), "AVRO", [SchemaReference("shop.User", "user", 1)])
    data = AvroSerializer(client, schema)(ORDER, VALUE)
    assert data[:5] == b"\0\0\0\0\x02"
    assert AvroDeserializer(fresh(registry))(data, VALUE) == ORDER
    assert registry.ask("GET", "/subjects/user/versions/1/referencedby") == (200, [2])


def test_json_schema_with_a_reference_passes_both_ways(registry, client):
    client.register_schema("user", Schema(json.dumps(JSON_USER), "JSON"))
    reference = SchemaReference("http://shop.example/user.json", "user", 1)
    data = JSONSerializer(Schema(json.dumps(JSON_ORDER), "JSON", [reference]), client)(ORDER, VALUE)
    assert data[:5] == b"\0\0\0\0\x02" and json.loads(data[5:]) == ORDER
    assert JSONDeserializer(None, schema_registry_client=fresh(registry))(data, VALUE) == ORDER
    assert registry.ask("GET", "/subjects/user/versions/1/referencedby") == (200, [2])
    kept = client.get_latest_version("orders-value")
    assert (kept.schema.schema_type, json.loads(kept.schema.schema_str)) == ("JSON", JSON_ORDER)


@pytest.mark.parametrize("skips", [True, False], ids=["known types on the server", "known types registered"])
def test_protobuf_with_imports_passes_both_ways(registry, client, skips):
    order = OrderMessage(number=7, by=UserMessage(name="Ada"), items=[ItemMessage(label="x")])
    order.at.FromSeconds(1_700_000_000)
    write = ProtobufSerializer(OrderMessage, client, {"skip.known.types": skips})
    data = write(order, VALUE)
    assert write(order, VALUE) == data
    read = ProtobufDeserializer(OrderMessage, schema_registry_client=fresh(registry))
    assert read(data, VALUE) == order
    imports = ["user.proto"] if skips else ["google/protobuf/timestamp.proto", "user.proto"]
    assert sorted(client.get_subjects()) == sorted([*imports, "orders-value"])
    kept = client.get_latest_version("orders-value")
    assert sorted(r.name for r in kept.schema.references) == imports
    assert registry.ask("GET", "/subjects/user.proto/versions/1/referencedby") == (200, [kept.schema_id])


def test_protobuf_messages_inside_one_another_keep_their_index(registry, client):
    for kind, value, index in ((ItemMessage, ItemMessage(label="x"), b"\x04\0\0"),
                               (ReceiptMessage, ReceiptMessage(total=1.5), b"\x02\x02")):
        data = ProtobufSerializer(kind, client)(value, VALUE)
        assert data[5:5 + len(index)] == index
        assert ProtobufDeserializer(kind, schema_registry_client=fresh(registry))(data, VALUE) == value
    assert client.get_versions("orders-value") == [1]


def test_a_proto_text_and_the_serialised_descriptor_of_it_are_one_schema(registry, client):
    user = Schema(PROTO_USER, "PROTOBUF")
    assert client.register_schema("user.proto", user) == 1
    ProtobufSerializer(UserMessage, client)(UserMessage(name="Ada"), SerializationContext("user", MessageField.VALUE))
    assert client.get_latest_version("user-value").schema_id == 1
    assert client.get_latest_version("user-value").schema.schema_str == PROTO_USER


OWN = {
    "AVRO": (AVRO_USER, {**AVRO_USER, "fields": [*AVRO_USER["fields"], {"name": "age", "type": "int", "default": 0}]},
             {**AVRO_USER, "fields": [{"name": "name", "type": "int"}]}, "TYPE_MISMATCH"),
    "JSON": (JSON_USER, {**JSON_USER, "required": []},
             {**JSON_USER, "required": [], "properties": {"name": {"type": "integer"}}}, "TYPE_CHANGED"),
    "PROTOBUF": (PROTO_USER, PROTO_USER.replace("= 1;", "= 1;\n  int32 age = 2;"),
                 PROTO_USER.replace("string", "int64"), "FIELD_SCALAR_KIND_CHANGED"),
}


def text(schema):
    return schema if isinstance(schema, str) else json.dumps(schema)


@pytest.mark.parametrize("kind", OWN)
def test_every_format_evolves_as_its_rules_say(registry, client, kind):
    first, wider, wrong, reason = (*(Schema(text(s), kind) for s in OWN[kind][:3]), OWN[kind][3])
    assert client.register_schema("s", first) == 1
    assert client.lookup_schema("s", first).version == 1
    assert client.test_compatibility("s", wider) and not client.test_compatibility("s", wrong)
    assert client.register_schema("s", wider) == 2
    body = {"schema": text(OWN[kind][2]), "schemaType": kind}
    status, answer = registry.ask("POST", "/compatibility/subjects/s/versions?verbose=true", body)
    assert (status, answer["is_compatible"]) == (200, False)
    assert reason in answer["messages"][0], answer
    assert any(m.startswith("{oldSchemaVersion: 2}") for m in answer["messages"]), answer
    status, answer = registry.ask("POST", "/subjects/s/versions", body)
    assert (status, answer["error_code"]) == (409, 409)
    assert answer["message"].startswith("Schema being registered is incompatible with an earlier schema for subject")
    assert reason in answer["message"]


@pytest.mark.parametrize("kind", OWN)
def test_a_subject_never_changes_its_format(registry, client, kind):
    client.register_schema("s", Schema(text(OWN[kind][0]), kind))
    other = next(name for name in OWN if name != kind)
    body = {"schema": text(OWN[other][0]), "schemaType": other}
    status, answer = registry.ask("POST", "/subjects/s/versions", body)
    assert (status, answer["error_code"]) == (409, 409)


@pytest.mark.parametrize("kind, wrong", [("AVRO", '{"type":"reord"}'), ("JSON", '{"type":"objekt"}'),
                                         ("JSON", "{"), ("PROTOBUF", "message {"), ("THRIFT", "x")])
def test_what_is_no_schema_is_refused_with_its_format_named(registry, kind, wrong):
    status, answer = registry.ask("POST", "/subjects/s/versions", {"schema": wrong, "schemaType": kind})
    assert (status, answer["error_code"]) == (422, 42201)
    known = f"Invalid schema of type {kind}, details: " if kind in OWN else f"Invalid schema type {kind}"
    assert known in answer["message"], answer


@pytest.mark.parametrize("kind, name, schema", [
    ("AVRO", "shop.User", AVRO_ORDER), ("JSON", "http://shop.example/user.json", JSON_ORDER),
    ("PROTOBUF", "user.proto", PROTO_ORDER)])
def test_references_of_every_format_are_resolved_and_guarded(registry, client, kind, name, schema):
    body = {"schema": text(schema), "schemaType": kind}
    status, answer = registry.ask("POST", "/subjects/order/versions", body)
    assert (status, answer["error_code"]) == (422, 42201), "what is not given cannot be referred to"
    body["references"] = [{"name": name, "subject": "user", "version": 1}]
    status, answer = registry.ask("POST", "/subjects/order/versions", body)
    assert (status, answer["error_code"]) == (422, 42201)
    assert 'No schema reference found for subject "user" and version 1' in answer["message"]
    client.register_schema("user", Schema(text(OWN[kind][0]), kind))
    status, answer = registry.ask("POST", "/subjects/order/versions", body)
    assert (status, answer["id"], answer["references"]) == (200, 2, body["references"])
    assert registry.ask("POST", "/subjects/order", body)[1]["version"] == 1
    assert registry.ask("GET", "/subjects/user/versions/latest/referencedby") == (200, [2])
    status, answer = registry.ask("DELETE", "/subjects/user/versions/1")
    assert (status, answer["error_code"]) == (422, 42206)
    assert registry.ask("DELETE", "/subjects/order")[0] == 200
    assert registry.ask("DELETE", "/subjects/order?permanent=true")[0] == 200
    assert registry.ask("DELETE", "/subjects/user/versions/1") == (200, 1)


NORMAL = {
    "AVRO": ('{"fields":[{"type":{"type":"string"},"name":"name"}],"name":"User","namespace":"shop","type":"record"}',
             '{"type":"record","name":"User","namespace":"shop","fields":[{"name":"name","type":"string"}]}'),
    "JSON": ('{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"integer"}}}',
             '{"properties":{"a":{"type":"integer"},"b":{"type":"string"}},"type":"object"}'),
    "PROTOBUF": ('syntax = "proto3";\npackage shop;\n\nmessage User {\n  int32 age = 2;\n  string name = 1;\n}\n',
                 'syntax = "proto3";\npackage shop;\n\nmessage User {\n  string name = 1;\n  int32 age = 2;\n}\n'),
}


@pytest.mark.parametrize("kind", NORMAL)
def test_normalised_schemas_of_every_format_are_one(registry, client, kind):
    written, normal = NORMAL[kind]
    first = client.register_schema("s", Schema(written, kind), normalize_schemas=True)
    assert client.get_schema(first).schema_str == normal
    assert client.register_schema("s", Schema(normal, kind), normalize_schemas=True) == first
    assert client.lookup_schema("s", Schema(written, kind), normalize_schemas=True).version == 1


def test_a_text_is_answered_in_the_form_that_is_asked_for(registry, client):
    client.register_schema("user", Schema(json.dumps(AVRO_USER), "AVRO"))
    client.register_schema("order", Schema(json.dumps(AVRO_ORDER), "AVRO", [SchemaReference("shop.User", "user", 1)]))
    client.register_schema("proto", Schema(PROTO_USER, "PROTOBUF"))
    guid = registry.ask("GET", "/schemas/ids/2")[1]["guid"]
    user = {member: value for member, value in AVRO_USER.items() if member != "namespace"}
    whole = {**AVRO_ORDER, "fields": [AVRO_ORDER["fields"][0], {"name": "by", "type": user}]}

    for path in ("/schemas/ids/2", f"/schemas/guids/{guid}", "/subjects/order/versions/1"):
        plain, resolved = (registry.ask("GET", path + f"?format={form}")[1] for form in ("", "resolved"))
        assert json.loads(plain["schema"]) == AVRO_ORDER
        assert json.loads(resolved["schema"]) == whole
        assert {**plain, "schema": 0} == {**resolved, "schema": 0}
    for path in ("/schemas/ids/2/schema", "/subjects/order/versions/1/schema"):
        assert registry.ask("GET", path + "?format=resolved") == (200, whole)
        assert registry.ask("GET", path + "?format=unheard") == (200, AVRO_ORDER)
    for form in ("serialized", "SERIALIZED"):
        status, answer = registry.ask("GET", f"/subjects/proto/versions/1?format={form}")
        file = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(answer["schema"]))
        assert (status, file.package, file.message_type[0].name) == (200, "shop", "User")
    body = {"schema": PROTO_USER, "schemaType": "PROTOBUF"}
    assert registry.ask("POST", "/subjects/proto?format=serialized", body)[1]["schema"] == answer["schema"]
    assert registry.ask("POST", "/subjects/proto/versions?format=serialized", body)[1]["schema"] == answer["schema"]


def test_a_proto_text_is_answered_without_its_own_options(registry, client):
    text = ('syntax = "proto3";\n\nimport "google/protobuf/descriptor.proto";\n\nextend google.protobuf.FieldOptions '
            '{\n  string owner = 50000;\n}\n\nmessage User {\n  string name = 1 [(owner) = "sales"];\n}\n')
    client.register_schema("user", Schema(text, "PROTOBUF"))
    assert registry.ask("GET", "/schemas/ids/1")[1]["schema"].count("owner") == 2
    bare = registry.ask("GET", "/schemas/ids/1?format=ignore_extensions")[1]["schema"]
    assert "owner" not in bare and "string name = 1;" in bare


FIELD = {"type": "string", "confluent:tags": ["PII", "EU"]}
TAGGED = {
    "AVRO": ({"type": "record", "name": "User", "namespace": "shop", "confluent:tags": ["PII"],
              "fields": [{"name": "name", **FIELD}, {"name": "age", "type": "int"}]}, "shop.User", "shop.User.name"),
    "JSON": ({"type": "object", "confluent:tags": ["PII"], "properties": {"name": FIELD, "age": {"type": "integer"}}},
             "object", "object.name"),
    "PROTOBUF": ('syntax = "proto3";\npackage shop;\n\nimport "confluent/meta.proto";\n\nmessage User {\n'
                 '  option (confluent.message_meta) = {\n    tags: ["PII"]\n  };\n\n'
                 '  string name = 1 [(confluent.field_meta) = {\n    tags: ["PII", "EU"]\n  }];\n  int32 age = 2;\n}\n',
                 "User", "User.name"),
}


@pytest.mark.parametrize("kind", TAGGED)
def test_tags_in_a_schema_are_found(registry, client, kind):
    schema, record, field = TAGGED[kind]
    client.register_schema("s", Schema(text(schema), kind))
    record = {"schemaEntity": {"entityPath": record, "entityType": "sr_record"}, "tags": ["PII"]}
    field = {"schemaEntity": {"entityPath": field, "entityType": "sr_field"}, "tags": ["PII", "EU"]}
    for path in ("/schemas/ids/1", "/subjects/s/versions/1"):
        for wanted, expected in (("findTags=*", [record, field]), ("findTags=PII", [record, field]),
                                 ("findTags=EU", [field]), ("findTags=US&findTags=EU", [field]), ("findTags=US", [])):
            assert registry.ask("GET", f"{path}?{wanted}")[1]["schemaTags"] == expected, wanted
        assert "schemaTags" not in registry.ask("GET", path)[1]


def test_all_three_formats_are_listed(registry):
    status, types = registry.ask("GET", "/schemas/types")
    assert (status, sorted(types)) == (200, ["AVRO", "JSON", "PROTOBUF"])
