"""Associations of topics with subjects, as Confluent's registry serves them since 8.2: what its own tests of them ask
is asked here, with the codes and the records of `_schemas` that they have there."""
import json

import pytest
import record_batches
from registry import Registry

INVALID = 42212
SCHEMA = {"schema": json.dumps({"type": "record", "name": "A", "fields": [{"name": "a", "type": "string"}]})}
OTHER = {"schema": json.dumps({"type": "record", "name": "B", "fields": [{"name": "b", "type": "int"}]})}


@pytest.fixture
def door(tmp_path):
    registry = Registry(tmp_path).start()
    yield registry
    if registry.process.poll() is None:
        registry.stop()


def weak(subject, type="value", **more):
    return {"subject": subject, "associationType": type, "lifecycle": "WEAK", **more}


def strong(type="value", schema=SCHEMA, **more):
    return {"associationType": type, "lifecycle": "STRONG", "schema": schema, **more}


def resource(*associations, name="orders", id="id-1", **more):
    out = {"resourceName": name, "resourceNamespace": "lkc", "resourceType": "topic", "associations": associations}
    return out | ({"resourceId": id} if id else {}) | more


def register(door, *subjects):
    for subject in subjects:
        assert door.ask("POST", f"/subjects/{subject}/versions", SCHEMA)[0] == 200


def create(door, *associations, query="", **more):
    return door.ask("POST", "/associations" + query, resource(*associations, **more))


def upsert(door, *associations, id="id-1", **more):
    return door.ask("PUT", f"/associations/resources/{id}", resource(*associations, id=id, **more))


def refused(answer, status, code, *words):
    assert answer[0] == status and answer[1]["error_code"] == code, answer
    for word in words:
        assert word in answer[1]["message"], answer


def test_a_weak_association_is_made_listed_and_deleted(door):
    register(door, "k", "v")
    tried = create(door, weak("k", "key"), weak("v"), id=None, query="?dryRun=true")
    assert tried == (200, {"resourceName": "orders", "resourceNamespace": "lkc", "resourceType": "topic"})
    status, made = create(door, weak("k", "key"), weak("v"))
    assert status == 200 and made["associations"] == [weak("k", "key"), weak("v")]
    (one,) = door.ask("GET", "/associations/subjects/k")[1]
    assert one.pop("createTs") == one.pop("updateTs") > 0 and len(one.pop("guid")) == 36
    assert one == {"subject": "k", "resourceName": "orders", "resourceNamespace": "lkc", "resourceId": "id-1",
                   "resourceType": "topic", "associationType": "key", "lifecycle": "WEAK"}
    for path in ("id-1", "lkc/orders", "-/orders", "lkc/-"):
        found = door.ask("GET", f"/associations/resources/{path}?resourceType=topic")[1]
        assert [row["associationType"] for row in found] == ["key", "value"], path
        assert [row["subject"] for row in door.ask(
            "GET", f"/associations/resources/{path}?associationType=value&lifecycle=WEAK")[1]] == ["v"]
        assert door.ask("GET", f"/associations/resources/{path}?lifecycle=STRONG")[1] == []
        assert len(door.ask("GET", f"/associations/resources/{path}?offset=1&limit=5")[1]) == 1
    assert create(door, weak("k", "key"))[1].get("associations") is None  # it is there as it is asked for
    refused(create(door, weak("v", "key")), 409, 40903, "'key'", "'orders'")
    refused(upsert(door, weak("k", "key") | {"lifecycle": "STRONG"}), 422, INVALID, "frozen")
    refused(upsert(door, weak("v", "key")), 422, INVALID, "subject of association cannot be changed from 'k' to 'v'")
    assert door.ask("DELETE", "/associations/resources/id-1?associationType=key&dryRun=true")[0] == 204
    assert len(door.ask("GET", "/associations/resources/id-1")[1]) == 2
    assert door.ask("DELETE", "/associations/resources/id-1?associationType=key")[0] == 204
    assert door.ask("DELETE", "/associations/resources/id-1?cascadeLifecycle=true")[0] == 204
    refused(door.ask("DELETE", "/associations/resources/id-1"), 404, 40410, "'id-1'")
    assert door.ask("GET", "/subjects")[1] == ["k", "v"]


def test_a_strong_association_registers_its_schema_and_owns_the_subject(door):
    status, made = create(door, strong("key"), strong(schema=OTHER))
    assert status == 200
    (key, value) = made["associations"]
    assert key["subject"] == ":.lkc:orders-key" and "frozen" not in key and key["schema"]["version"] == 1
    assert json.loads(value["schema"]["schema"]) == json.loads(OTHER["schema"])
    assert door.ask("GET", "/subjects")[1] == [":.lkc:orders-key", ":.lkc:orders-value"]
    assert create(door, strong("key"))[0] == 200
    refused(create(door, strong("key", schema=OTHER)), 409, 40903)
    refused(create(door, weak(":.lkc:orders-key"), name="other", id="id-2"), 409, 40905, ":.lkc:orders-key")
    refused(upsert(door, strong("key", schema=OTHER)), 409, 40901, "NAME_MISMATCH")
    refused(upsert(door, weak(":.lkc:orders-key", "key")), 422, INVALID, "WEAK")
    refused(upsert(door, strong("key", frozen=False)), 422, INVALID, "frozen=false")
    refused(door.ask("DELETE", "/subjects/:.lkc:orders-key"), 409, 40904)
    refused(door.ask("DELETE", "/subjects/:.lkc:orders-key/versions/1"), 409, 40907)
    refused(door.ask("DELETE", "/associations/resources/id-1"), 409, 40908)
    pointing = {"schema": json.dumps({"type": "record", "name": "P", "fields": [{"name": "a", "type": "A"}]}),
                "references": [{"name": "A", "subject": ":.lkc:orders-key", "version": 1}]}
    refused(door.ask("POST", "/subjects/pointing/versions", pointing), 422, 42205, "cannot be referenced")
    assert door.ask("DELETE", "/associations/resources/id-1?cascadeLifecycle=true")[0] == 204
    assert door.ask("GET", "/subjects?deleted=true")[1] == []
    assert door.ask("POST", "/subjects/:.lkc:orders-key/versions", SCHEMA)[0] == 200
    assert door.ask("POST", "/subjects/pointing/versions", pointing)[0] == 200
    refused(create(door, strong("key")), 422, 42206, ":.lkc:orders-key")


def test_what_cannot_be_meant_is_refused_with_the_property_and_the_reason(door):
    register(door, "v", "w")

    def wrong(property, reason, *associations, made=create, **more):
        refused(made(door, *associations, **more), 422, INVALID,
                f"The association specified an invalid value for property: '{property}', detail: {reason}")

    wrong("resourceName", "cannot be null or empty", weak("v"), name="")
    wrong("resourceName", "illegal character '.'", weak("v"), name="a.b")
    wrong("resourceName", "exceeds max length of 256", weak("v"), name="a" * 257)
    wrong("resourceId", "cannot be null or empty", weak("v"), id=None)
    wrong("resourceType", "must be 'topic'", weak("v"), resourceType="table")
    wrong("associations", "cannot be null or empty")
    wrong("associationType", "must be either 'key' or 'value'", weak("v", "header"))
    wrong("associationType", "may only appear once per request, but 'value'", weak("v"), weak("v"))
    wrong("subject", "must be provided for WEAK associations", {"lifecycle": "WEAK"})
    wrong("subject", "WEAK associations cannot use subject ':.lkc:orders-value'", weak(":.lkc:orders-value"))
    wrong("subject", "frozen associations must use subject ':.lkc:orders-value'", strong(subject="v"))
    wrong("lifecycle", "cannot be WEAK when schema is provided", weak("v", schema=SCHEMA))
    wrong("frozen", "cannot be false when a schema is provided", strong(frozen=False))
    wrong("frozen", "association with lifecycle of WEAK cannot be frozen=true", weak("v", frozen=True))
    wrong("schema", "schema must be provided when creating a frozen association", {"lifecycle": "STRONG"})
    wrong("lifecycle", "all associations for a resource must have the same lifecycle, but got key=WEAK, value=STRONG",
          weak("v", "key"), strong())
    wrong("lifecycle", "cannot be STRONG when creating an association", {"lifecycle": "STRONG"}, made=upsert)
    wrong("schema", "cannot be provided when adding an association to an existing topic", strong(), made=upsert)
    assert door.ask("PUT", "/associations/resources/other", resource(weak("v")))[1]["error_code"] == INVALID
    refused(create(door, weak("nothing")), 409, 40907, "'nothing'")
    refused(create(door, strong(schema={"schema": "{"})), 422, 42201)
    assert create(door, weak("v"))[0] == 200
    wrong("lifecycle", "all associations for a resource must have the same lifecycle, but got value=WEAK, key=STRONG",
          strong("key"))
    wrong("lifecycle", "at least lifecycle or schema must be provided for update", {"subject": "w"}, made=upsert)
    assert upsert(door, weak("w", "key"))[1]["associations"] == [weak("w", "key")]
    assert door.ask("PUT", "/mode/frozen", {"mode": "READONLY"})[0] == 200
    refused(create(door, weak("frozen"), id="id-3"), 422, 42205, "read-only")


def test_batches_answer_request_by_request(door):
    register(door, "v")
    operations = {"requests": [
        resource({"opType": "CREATE", **weak("v")}, {"opType": "UPSERT", **weak("v", "key")}),
        resource({"opType": "CREATE", **weak("nothing")}, name="other", id="id-2"),
        resource({"opType": "CREATE", **strong()}, name="third", id="id-3"),
        resource({"opType": "CREATE", **weak("v")}, {"opType": "DELETE", "associationType": "value"}),
        resource()]}
    status, answer = door.ask("POST", "/associations:batchMutate", operations)
    assert status == 207
    first, missing, third, twice, empty = answer["results"]
    assert [row["associationType"] for row in first["result"]["associations"]] == ["key", "value"]
    assert missing["error"]["error_code"] == 40907
    assert third["result"]["associations"][0]["schema"]["version"] == 1
    assert twice["error"]["error_code"] == empty["error"]["error_code"] == INVALID
    asked = {"requests": [{"resourceId": "id-1"}, {"resourceName": "third", "resourceNamespace": "lkc"},
                          {"resourceId": "none"}, {}]}
    status, answer = door.ask("POST", "/associations:batchGet?includeSchemas=true", asked)
    assert status == 207
    first, third, none, wrong = answer["results"]
    assert [row["schema"]["subject"] for row in first["result"]["associations"]] == ["v", "v"]
    assert first["result"]["resourceName"] == "orders" and third["result"]["resourceId"] == "id-3"
    assert none["result"] == {"resourceId": "none", "resourceType": "topic"}
    assert wrong["error"]["error_code"] == 500
    gone = {"requests": [resource({"opType": "DELETE", "associationType": "value", "cascadeLifecycle": True},
                                  name="third", id="id-3")]}
    assert door.ask("POST", "/associations:batchMutate", gone)[1]["results"][0]["result"].get("associations") is None
    assert door.ask("GET", "/subjects")[1] == ["v"]
    refused(door.ask("POST", "/associations:batchGet", {"requests": []}), 422, INVALID)


def test_schemas_are_found_by_the_associations_of_their_subjects(door):
    register(door, "v", "w")
    create(door, weak("v"))
    create(door, strong(), name="third", id="id-3")

    def subjects(query):
        return [row["subject"] for row in door.ask("GET", "/schemas?subjectPrefix=:*:&" + query)[1]]

    assert subjects("resourceType=topic") == [":.lkc:third-value", "v"]
    assert subjects("lifecycle=STRONG") == [":.lkc:third-value"]
    assert subjects("lifecycle=NONE") == ["w"]
    assert subjects("lifecycle=NONE&lifecycle=WEAK") == ["v", "w"]
    assert subjects("associationType=key") == []
    (row,) = door.ask("GET", "/schemas?lifecycle=WEAK")[1]
    assert row["associations"][0]["resourceId"] == "id-1"


def test_they_are_kept_as_confluent_keeps_them_and_come_back(door, tmp_path):
    register(door, "v")
    create(door, weak("v"))
    create(door, strong(), name="third", id="id-3")
    listed = door.ask("GET", "/associations/resources/-/-")[1]
    door.kill()
    door.start()
    assert door.ask("GET", "/associations/resources/-/-")[1] == listed and len(listed) == 2
    assert door.ask("DELETE", "/associations/resources/id-1")[0] == 204
    door.stop()
    records = [(json.loads(key), json.loads(value) if value else None)
               for path in record_batches.segments(tmp_path / "data", "_schemas", 0)
               for key, value in record_batches.keyed_records(path)]
    key = {"keytype": "ASSOC", "tenant": "default", "resourceName": "orders", "resourceNamespace": "lkc",
           "resourceType": "topic", "associationType": "value", "subject": "v", "magic": 0}
    put, gone = [value for at, value in records if at == key]
    assert list(key) == list(next(at for at, _ in records if at == key)) and gone is None
    assert put.pop("guid") == listed[0]["guid"]
    assert put == {"tenant": "default", "resourceName": "orders", "resourceNamespace": "lkc", "resourceId": "id-1",
                   "resourceType": "topic", "associationType": "value", "subject": "v", "lifecycle": "WEAK",
                   "frozen": False}
