"""Paths and parameters of the API that Confluent publishes for its registry: each is routed, read and answered in its
shape, or told why not."""
import gzip
import itertools
import json
import re

import pytest
from registry import Registry

# Paths, and the parameters of each.
PUBLISHED = {
    "GET /": "",
    "POST /": "",
    "POST /compatibility/subjects/{subject}/versions": "normalize verbose",
    "POST /compatibility/subjects/{subject}/versions/{version}": "normalize verbose",
    "GET /config": "defaultToGlobal",
    "PUT /config": "",
    "DELETE /config": "",
    "GET /config/{subject}": "defaultToGlobal",
    "PUT /config/{subject}": "",
    "DELETE /config/{subject}": "",
    "GET /contexts": "offset limit contextPrefix",
    "DELETE /contexts/{context}": "",
    "GET /mode": "defaultToGlobal",
    "PUT /mode": "force",
    "DELETE /mode": "recursive",
    "GET /mode/{subject}": "defaultToGlobal",
    "PUT /mode/{subject}": "force",
    "DELETE /mode/{subject}": "recursive",
    "GET /schemas": ("subjectPrefix aliases deleted latestOnly ruleType resourceType associationType lifecycle offset "
                     "limit"),
    "GET /schemas/types": "",
    "GET /schemas/ids/{id}": "subject format referenceFormat findTags fetchMaxId",
    "GET /schemas/ids/{id}/subjects": "subject deleted offset limit",
    "GET /schemas/ids/{id}/versions": "subject deleted offset limit",
    "GET /schemas/ids/{id}/schema": "subject format",
    "GET /schemas/guids/{guid}": "format",
    "GET /schemas/guids/{guid}/ids": "",
    "GET /subjects": "subjectPrefix offset limit deleted deletedOnly",
    "POST /subjects/{subject}": "normalize format deleted",
    "DELETE /subjects/{subject}": "permanent",
    "GET /subjects/{subject}/metadata": "key value format deleted",
    "GET /subjects/{subject}/versions": "deleted deletedOnly deletedAsNegative offset limit",
    "POST /subjects/{subject}/versions": "normalize format force",
    "GET /subjects/{subject}/versions/{version}": "format referenceFormat deleted findTags",
    "DELETE /subjects/{subject}/versions/{version}": "permanent",
    "GET /subjects/{subject}/versions/{version}/schema": "format deleted",
    "GET /subjects/{subject}/versions/{version}/referencedby": "deleted offset limit",
    "POST /subjects/{subject}/versions/{version}/tags": "",
    "POST /associations": "context dryRun",
    "GET /associations/subjects/{subject}": "resourceType associationType lifecycle offset limit",
    "GET /associations/resources/{id}": "resourceType associationType lifecycle offset limit",
    "PUT /associations/resources/{id}": "context dryRun",
    "DELETE /associations/resources/{id}": "resourceType associationType cascadeLifecycle dryRun",
    "GET /associations/resources/{namespace}/{name}": "resourceType associationType lifecycle offset limit",
    "POST /associations:batchGet": "includeSchemas",
    "POST /associations:batchMutate": "context dryRun",
    "GET /v1/metadata/id": "",
    "GET /v1/metadata/version": "",
    "GET /v1/metadata/deployment": "",
}

# Published, and not served: what is asked, and why it is answered as by a registry that does not know it.
NOT_SERVED = {
    "GET /exporters": "schema linking is paid",
    "POST /exporters": "schema linking is paid",
    "PUT /exporters/e/pause": "schema linking is paid",
    "GET /dek-registry/v1/keks": "keys of encrypted fields are another program's, of the same address",
    "POST /dek-registry/v1/keks": "keys of encrypted fields are another program's, of the same address",
    "GET /catalog/v1/entity/tags": "the catalogue is paid",
}
# A parameter that is passed over: format=logical came after 8.3, and a format that a schema's type
# does not know is its own.
PASSED_OVER = ["GET /subjects/{c}s/versions/1?format=logical"]


def row(asked, expected, body=None, before=()):
    return asked, expected, body, before


def tags(path, kind, *names):
    return {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list(names)}


# What is asked of a registry that has, for each row, the context {c} with: the subject {c}s, whose versions 1 (id 1)
# and 2 (id 2) live and 3 (id 3) is softly deleted; {c}r, whose version 1 (id 4) refers to {c}s version 2; {c}gone,
# softly deleted. Then: the answer, its type, its members that are told, or the status and code of a refusal.
ONE = {"subject": "{c}s", "lifecycle": "WEAK"}
TOPIC = {"resourceName": "t", "resourceNamespace": "n", "resourceId": "{name}", "associations": [ONE]}
LINKED = [("POST /associations", TOPIC)]
LINK = {"subject": "{c}s", "resourceName": "t", "resourceNamespace": "n", "resourceId": "{name}", "guid": str,
        "resourceType": "topic", "associationType": "value", "lifecycle": "WEAK", "createTs": int, "updateTs": int}
V1, V2, NEW, WRONG = ("{v1}", "{v2}", "{new}", "{wrong}")
ROWS = [
    row("GET /", {}),
    row("POST /", {}, {}),
    row("POST /compatibility/subjects/{c}s/versions", {"is_compatible": True}, {"schema": NEW}),
    row("POST /compatibility/subjects/{c}s/versions?verbose=true", {"is_compatible": False, "messages": list},
        {"schema": WRONG}),
    row("POST /compatibility/subjects/{c}s/versions?normalize=true", {"is_compatible": False}, {"schema": WRONG}),
    row("POST /compatibility/subjects/{c}s/versions/latest", {"is_compatible": True}, {"schema": NEW}),
    row("POST /compatibility/subjects/{c}s/versions/1?verbose=true&normalize=true",
        {"is_compatible": False, "messages": list}, {"schema": WRONG}),
    row("GET /config", {"compatibilityLevel": "BACKWARD"}),
    row("GET /config?defaultToGlobal=true", {"compatibilityLevel": "BACKWARD"}),
    row("PUT /config", {"compatibility": "BACKWARD"}, {"compatibility": "BACKWARD"}),
    row("DELETE /config", {"compatibilityLevel": "BACKWARD"}),
    row("GET /config/{c}s", (404, 40408)),
    row("GET /config/{c}s?defaultToGlobal=true", {"compatibilityLevel": "BACKWARD"}),
    row("PUT /config/{c}s", {"compatibility": "FULL"}, {"compatibility": "FULL"}),
    row("DELETE /config/{c}s", {"compatibilityLevel": "NONE"}, None, [("PUT /config/{c}s", {"compatibility": "NONE"})]),
    row("GET /contexts", list),
    row("GET /contexts?contextPrefix={name}", ["{name}"]),
    row("GET /contexts?contextPrefix={name}&offset=1", []),
    row("GET /contexts?limit=1", ["."]),
    row("DELETE /contexts/{name}", (422, 42211)),
    row("DELETE /contexts/.nothing", (204, None)),
    row("GET /mode", {"mode": "READWRITE"}),
    row("GET /mode?defaultToGlobal=true", {"mode": "READWRITE"}),
    row("PUT /mode?force=true", {"mode": "READWRITE"}, {"mode": "READWRITE"}),
    row("DELETE /mode", {"mode": "READWRITE"}),
    row("DELETE /mode?recursive=true", {"mode": "READWRITE"}),
    row("GET /mode/{c}s", (404, 40409)),
    row("GET /mode/{c}s?defaultToGlobal=true", {"mode": "READWRITE"}),
    row("PUT /mode/{c}s", {"mode": "READONLY"}, {"mode": "READONLY"}),
    row("PUT /mode/{c}s", (422, 42205), {"mode": "IMPORT"}),
    row("PUT /mode/{c}s?force=true", {"mode": "IMPORT"}, {"mode": "IMPORT"}),
    row("DELETE /mode/{c}s", {"mode": "READONLY"}, None, [("PUT /mode/{c}s", {"mode": "READONLY"})]),
    row("DELETE /mode/{c}?recursive=true", {"mode": "READONLY"}, None, [("PUT /mode/{c}", {"mode": "READONLY"})]),
    row("GET /schemas?subjectPrefix={c}s", [{"version": 1, "id": 1, "schemaType": "AVRO"}, {"version": 2, "id": 2}]),
    row("GET /schemas?subjectPrefix={c}s&deleted=true", [{"version": 1}, {"version": 2}, {"version": 3}]),
    row("GET /schemas?subjectPrefix={c}s&latestOnly=true", [{"version": 2}]),
    row("GET /schemas?subjectPrefix={c}s&offset=1&limit=1", [{"version": 2}]),
    row("GET /schemas?subjectPrefix={c}s&ruleType=CEL", [{"version": 2, "ruleSet": dict}]),
    row("GET /schemas?subjectPrefix={c}other&aliases=true",
        [{"subject": "{c}s", "version": 1, "aliases": ["{c}other"]}, {"version": 2}], None,
        [("PUT /config/{c}other", {"alias": "{c}s"})]),
    row("GET /schemas/types", list),
    row("GET /schemas/ids/1?subject={c}", {"schema": V1, "guid": str}),
    row("GET /schemas/ids/1?subject={c}s", {"schema": V1, "subject": "{c}s", "version": 1}),
    row("GET /schemas/ids/4?subject={c}&format=resolved", {"schema": "{resolved}"}),
    row("GET /schemas/ids/4?subject={c}&referenceFormat=qualified",
        {"references": [{"name": "User", "subject": "{c}s", "version": 2}]}),
    row("GET /schemas/ids/2?subject={c}&findTags=PII",
        {"schemaTags": [{"schemaEntity": {"entityPath": "User.name", "entityType": "sr_field"}, "tags": ["PII"]}]}),
    row("GET /schemas/ids/1?subject={c}&fetchMaxId=true", {"schema": V1, "maxId": 5}),
    row("GET /schemas/ids/1/subjects?subject={c}", ["{c}s"]),
    row("GET /schemas/ids/3/subjects?subject={c}&deleted=true", ["{c}s"]),
    row("GET /schemas/ids/1/subjects?subject={c}&offset=1&limit=1", []),
    row("GET /schemas/ids/1/versions?subject={c}", [{"subject": "{c}s", "version": 1}]),
    row("GET /schemas/ids/3/versions?subject={c}&deleted=true", [{"subject": "{c}s", "version": 3}]),
    row("GET /schemas/ids/1/versions?subject={c}&offset=1&limit=1", []),
    row("GET /schemas/ids/1/schema?subject={c}", "{v1}"),
    row("GET /schemas/ids/4/schema?subject={c}&format=resolved", "{resolved}"),
    row("GET /schemas/guids/{guid}", {"schema": V1, "schemaType": "AVRO", "guid": "{guid}"}),
    row("GET /schemas/guids/{guid}?format=resolved", {"schema": V1}),
    row("GET /schemas/guids/{guid}/ids", list),
    row("GET /subjects?subjectPrefix={c}", ["{c}r", "{c}s"]),
    row("GET /subjects?subjectPrefix={c}&deleted=true", ["{c}gone", "{c}r", "{c}s"]),
    row("GET /subjects?subjectPrefix={c}&deletedOnly=true", ["{c}gone"]),
    row("GET /subjects?subjectPrefix={c}&offset=1&limit=1", ["{c}s"]),
    row("POST /subjects/{c}s", {"subject": "{c}s", "version": 1, "id": 1, "schema": V1}, {"schema": V1}),
    row("POST /subjects/{c}s?normalize=true&format=resolved", {"version": 1, "schema": V1}, {"schema": V1}),
    row("POST /subjects/{c}gone?deleted=true", {"version": 1}, {"schema": '"long"'}),
    row("DELETE /subjects/{c}r", [1]),
    row("DELETE /subjects/{c}gone?permanent=true", [1]),
    row("GET /subjects/{c}s/metadata?key=team&value=sales", {"version": 2}),
    row("GET /subjects/{c}s/metadata?key=team&value=sales&format=resolved&deleted=true", {"version": int}),
    row("GET /subjects/{c}s/versions", [1, 2]),
    row("GET /subjects/{c}s/versions?deleted=true", [1, 2, 3]),
    row("GET /subjects/{c}s/versions?deletedOnly=true", [3]),
    row("GET /subjects/{c}s/versions?deletedAsNegative=true", [1, 2, -3]),
    row("GET /subjects/{c}s/versions?offset=1&limit=1", [2]),
    row("POST /subjects/{c}s/versions", {"id": 6, "version": 4, "guid": str, "schema": NEW}, {"schema": NEW}),
    row("POST /subjects/{c}s/versions?normalize=true&format=resolved", {"id": 1, "version": 1}, {"schema": V1}),
    row("POST /subjects/{c}s/versions", (409, 409), {"schema": WRONG}),
    row("POST /subjects/{c}s/versions?force=true", {"id": 6, "version": 4}, {"schema": WRONG}),
    row("GET /subjects/{c}s/versions/1",
        {"subject": "{c}s", "version": 1, "id": 1, "guid": "{guid}", "schemaType": "AVRO", "schema": V1, "ts": int}),
    row("GET /subjects/{c}s/versions/latest", {"version": 2}),
    row("GET /subjects/{c}s/versions/3?deleted=true", {"version": 3, "deleted": True}),
    row("GET /subjects/{c}r/versions/1?format=resolved&referenceFormat=qualified",
        {"schema": "{resolved}", "references": [{"name": "User", "subject": "{c}s", "version": 2}]}),
    row("GET /subjects/{c}s/versions/2?findTags=*",
        {"schemaTags": [{"schemaEntity": {"entityPath": "User.name", "entityType": "sr_field"}, "tags": ["PII"]}]}),
    row("GET /subjects/{c}s/versions/2?findTags=OTHER", {"schemaTags": []}),
    row("DELETE /subjects/{c}s/versions/1", 1),
    row("DELETE /subjects/{c}s/versions/3?permanent=true", 3),
    row("GET /subjects/{c}s/versions/1/schema", "{v1}"),
    row("GET /subjects/{c}r/versions/1/schema?format=resolved&deleted=true", "{resolved}"),
    row("GET /subjects/{c}s/versions/2/referencedby", [4]),
    row("GET /subjects/{c}s/versions/2/referencedby?deleted=true&offset=1&limit=1", []),
    row("POST /subjects/{c}s/versions/2/tags",
        {"id": 6, "version": 4, "schema": "{retagged}", "metadata": {"properties": {"confluent:version": "4"}}},
        {"tagsToAdd": [tags("User", "sr_record", "OWNED"), tags("User.name", "sr_field", "NAME", "PII")],
         "tagsToRemove": [tags("User.name", "sr_field", "PII")]}),
    row("POST /subjects/{c}s/versions/latest/tags", {"version": 4, "ruleSet": dict}, {"newVersion": 4}),
    row("POST /subjects/{c}s/versions/latest/tags", (422, 42201), {"newVersion": 3}),
    row("POST /subjects/{c}s/versions/latest/tags", (422, 42201),
        {"tagsToAdd": [tags("User.nothing", "sr_field", "A")]}),
    row("POST /subjects/{c}s/versions/9/tags", (404, 40402), {}),
    row("POST /subjects/{c}s/versions/2/tags", {"version": 4, "metadata": {"properties": {"team": "x"}}},
        {"metadata": {"properties": {"team": "x"}}, "rulesToRemove": ["short"]}),
    row("POST /subjects/{c}s/versions/2/tags", (422, 42210), {"ruleSet": {}, "rulesToRemove": ["short"]}),
    row("POST /subjects/{c}s/versions",
        {"version": 4, "schema": "{wholly}", "metadata": {"properties": {"confluent:version": "4"}}},
        {"schema": V2, "schemaTagsToAdd": [tags("User", "sr_record", "OWNED")],
         "schemaTagsToRemove": [tags("User.name", "sr_field", "OTHER")]}),
    row("POST /subjects/{c}s/versions", {"version": 4, "schema": NEW},
        {"schema": "{bare}", "propagateSchemaTags": True}),
    row("POST /associations", {"resourceId": "{name}", "associations": [ONE]}, TOPIC),
    row("POST /associations?context={c}", {"associations": [ONE]}, TOPIC | {"associations": [ONE | {"subject": "s"}]}),
    row("POST /associations?dryRun=true", {"resourceName": "t"}, TOPIC),
    row("POST /associations", (422, 42212), {}),
    row("GET /associations/subjects/{c}s", [LINK], None, LINKED),
    row("GET /associations/subjects/{c}s?resourceType=topic&associationType=value&lifecycle=WEAK", [LINK], None,
        LINKED),
    row("GET /associations/subjects/{c}s?offset=1&limit=1", [], None, LINKED),
    row("GET /associations/resources/{name}", [LINK], None, LINKED),
    row("GET /associations/resources/{name}?resourceType=topic&associationType=key&lifecycle=WEAK", [], None, LINKED),
    row("GET /associations/resources/{name}?offset=0&limit=1", [LINK], None, LINKED),
    row("PUT /associations/resources/{name}?context={c}", {"associations": [ONE]}, TOPIC),
    row("PUT /associations/resources/{name}?dryRun=true", {"resourceId": "{name}"}, TOPIC),
    row("DELETE /associations/resources/{name}?resourceType=topic&associationType=value", (204, None), None, LINKED),
    row("DELETE /associations/resources/{name}?cascadeLifecycle=true&dryRun=true", (204, None), None, LINKED),
    row("DELETE /associations/resources/{name}", (404, 40410)),
    row("GET /associations/resources/n/nothing?resourceType=topic&associationType=value&lifecycle=WEAK", []),
    row("GET /associations/resources/n/nothing?offset=0&limit=1", []),
    row("POST /associations:batchGet", {"results": [{"result": {"associations": [ONE]}}]},
        {"requests": [{"resourceId": "{name}"}]}, LINKED),
    row("POST /associations:batchGet?includeSchemas=true",
        {"results": [{"result": {"associations": [ONE | {"schema": {"version": 2}}]}}]},
        {"requests": [{"resourceId": "{name}"}]}, LINKED),
    row("POST /associations:batchMutate?context={c}", {"results": [{"result": {"associations": [ONE]}}]},
        {"requests": [TOPIC | {"associations": [ONE | {"opType": "CREATE"}]}]}),
    row("POST /associations:batchMutate?dryRun=true", {"results": [{"result": {"resourceId": "{name}"}}]},
        {"requests": [TOPIC | {"associations": [ONE | {"opType": "UPSERT"}]}]}),
    row("GET /schemas?subjectPrefix={c}s&resourceType=topic&associationType=value&lifecycle=WEAK",
        [{"version": 1, "associations": [LINK]}, {"version": 2}], None, LINKED),
    row("GET /v1/metadata/id", {"scope": dict}),
    row("GET /v1/metadata/version", {"version": str, "commitId": str}),
    row("GET /v1/metadata/deployment", {"attributes": list}),
]


def user(*fields):
    return json.dumps({"type": "record", "name": "User", "fields": list(fields)}, separators=(",", ":"))


NAME = {"name": "name", "type": "string"}
TAGGED = {**NAME, "confluent:tags": ["PII"]}
TEXTS = {"v1": user(NAME), "v2": user(TAGGED), "new": user(TAGGED, {"name": "x", "type": "int", "default": 0}),
         "wrong": user({"name": "name", "type": "int"})}
TEXTS["bare"] = user(NAME, {"name": "x", "type": "int", "default": 0})
TEXTS["wholly"] = TEXTS["v2"][:-1] + ',"confluent:tags":["OWNED"]}'
TEXTS["retagged"] = TEXTS["wholly"].replace('["PII"]', '["NAME"]')
TEXTS["resolved"] = '{"type":"record","name":"R","fields":[{"name":"by","type":%s}]}' % TEXTS["v2"]
RULES = {"domainRules": [{"name": "short", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "true"}]}
numbers = itertools.count()


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    started = Registry(tmp_path_factory.mktemp("registry")).start()
    yield started
    started.stop()


@pytest.fixture
def words(registry):
    """A context with the schemas that the rows are about; what stands in braces there."""
    name = f".t{next(numbers)}"
    c = f":{name}:"
    registry.register(f"{c}s", json.loads(TEXTS["v1"]))
    registry.register(f"{c}s", json.loads(TEXTS["v2"]), metadata={"properties": {"team": "sales"}}, ruleSet=RULES)
    registry.register(f"{c}s", json.loads(user(TAGGED, {"name": "y", "type": "int", "default": 0})))
    referring = {"type": "record", "name": "R", "fields": [{"name": "by", "type": "User"}]}
    registry.register(f"{c}r", referring, references=[{"name": "User", "subject": "s", "version": 2}])
    registry.register(f"{c}gone", "long")
    assert registry.ask("DELETE", f"/subjects/{c}s/versions/3") == (200, 3)
    assert registry.ask("DELETE", f"/subjects/{c}gone") == (200, [1])
    guid = registry.ask("GET", f"/subjects/{c}s/versions/1")[1]["guid"]
    return {"c": c, "name": name, "guid": guid, **TEXTS}


def filled(part, words):
    if isinstance(part, str):
        return re.sub(r"\{(\w+)\}", lambda m: words[m.group(1)], part)
    if isinstance(part, dict):
        return {name: filled(value, words) for name, value in part.items()}
    return [filled(one, words) for one in part] if isinstance(part, list) else part


def agrees(answer, expected):
    """The answer is what is expected, of the type that is, or has the members that are."""
    if isinstance(expected, type):
        return isinstance(answer, expected)
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(name in answer and agrees(answer[name], value)
                                                for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(map(agrees, answer, expected))
    return answer == expected


def ask(registry, asked, body, words):
    method, path = filled(asked, words).split(" ", 1)
    return registry.ask(method, path, filled(body, words) if body is not None else None)


@pytest.mark.parametrize("asked, expected, body, before", ROWS, ids=[f"{r[0]} {r[1]}"[:90] for r in ROWS])
def test_every_published_path_and_parameter_is_answered(registry, words, asked, expected, body, before):
    for other, content in before:
        assert ask(registry, other, content, words)[0] == 200
    status, answer = ask(registry, asked, body, words)
    if isinstance(expected, tuple):
        assert status == expected[0], answer
        assert answer is None if expected[1] is None else (answer["error_code"], bool(answer["message"])) == (
            expected[1], True)
        return
    assert status == (207 if ":batch" in asked else 200), answer
    if isinstance(expected, str):
        assert answer == json.loads(filled(expected, words))
    else:
        assert agrees(answer, filled(expected, words)), answer


def test_the_table_has_every_published_path_and_parameter():
    missing = []
    for published, parameters in PUBLISHED.items():
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(published)) + r"(\?|$)")
        rows = [asked for asked, *_ in ROWS if pattern.match(asked)]
        missing += [published] if not rows else []
        missing += [f"{published}: {name}" for name in parameters.split()
                    if not any(re.search(rf"[?&]{name}=", asked) for asked in rows)]
    assert not missing


@pytest.mark.parametrize("asked", NOT_SERVED)
def test_a_path_that_is_not_served_is_not_found_as_in_a_registry_without_it(registry, words, asked):
    status, answer = ask(registry, asked, None if asked.startswith(("GET", "DELETE")) else {}, words)
    assert (status, answer) == (404, {"error_code": 404, "message": "HTTP 404 Not Found"}), NOT_SERVED[asked]


@pytest.mark.parametrize("asked", PASSED_OVER)
def test_a_parameter_of_what_is_not_served_changes_nothing(registry, words, asked):
    plain = asked.split("?")[0] + ("?subjectPrefix={c}s" if "subjectPrefix" in asked else "")
    assert ask(registry, asked, None, words) == ask(registry, plain, None, words)


TAGGED_MESSAGE = """syntax = "proto3";

message User {
  option (confluent.message_meta) = {
    tags: [
      "OWNED"
    ]
  };

  string name = 1 [(confluent.field_meta) = {
    doc: "n",
    tags: [
      "PII",
      "B"
    ]
  }];

  oneof way {
    string mail = 2 [(confluent.field_meta) = {
      tags: [
        "PII"
      ]
    }];
  }
}
"""


def test_tags_of_protobuf_are_options_of_its_messages_and_fields(registry):
    text = ('syntax = "proto3"; message User { string name = 1 [(confluent.field_meta).tags = "PII",'
            ' (confluent.field_meta) = {doc: "n"}]; oneof way { string mail = 2; } }')
    registry.ask("POST", "/subjects/proto/versions", {"schemaType": "PROTOBUF", "schema": text})
    edit = {"tagsToAdd": [tags("User", "sr_record", "OWNED"), tags(".User.name", "sr_field", "A", "B"),
                          tags("User.way.mail", "sr_field", "PII")],
            "tagsToRemove": [tags("User.name", "sr_field", "A")]}
    status, answer = registry.ask("POST", "/subjects/proto/versions/1/tags", edit)
    assert (status, answer.get("schema")) == (200, TAGGED_MESSAGE), answer
    found = registry.ask("GET", "/subjects/proto/versions/latest?findTags=*")[1]["schemaTags"]
    assert found == [tags("User", "sr_record", "OWNED"), tags("User.mail", "sr_field", "PII"),
                     tags("User.name", "sr_field", "PII", "B")]


def test_tags_of_json_schema_stand_where_findtags_finds_them(registry):
    schema = {"type": "object", "properties": {"a": {"allOf": [
        {"type": "object", "properties": {"b": {"type": "number", "maximum": 1.50}}}]}}}
    registry.ask("POST", "/subjects/json/versions", {"schemaType": "JSON", "schema": json.dumps(schema)})
    added = [tags("object", "sr_record", "OWNED"), tags("object.a.allof.0.object.b", "sr_field", "PII")]
    status, answer = registry.ask("POST", "/subjects/json/versions/1/tags", {"tagsToAdd": added})
    assert status == 200, answer
    found = registry.ask("GET", "/subjects/json/versions/2?findTags=*")[1]["schemaTags"]
    assert found == [tags("object", "sr_record", "OWNED"), tags("object.a.allOf.0.object.b", "sr_field", "PII")]
    status, answer = registry.ask("POST", "/subjects/json/versions/2/tags", {"tagsToRemove": added})
    assert (status, json.loads(answer["schema"])) == (200, schema)


def test_a_packed_body_is_read_like_a_plain_one_and_within_the_same_limit(registry):
    body = json.dumps({"schema": user({**NAME, "doc": "y" * 5000})}).encode()
    packed = {"Content-Encoding": "gzip"}
    status, answer = registry.ask("POST", "/subjects/packed/versions", gzip.compress(body), packed)
    assert (status, answer["version"]) == (200, 1)
    assert registry.ask("POST", "/subjects/packed", body)[0] == 200
    assert registry.ask("POST", "/subjects/packed", gzip.compress(body)[:-9], packed)[0] == 400
    assert registry.ask("POST", "/subjects/packed", body, packed)[0] == 400
    assert registry.ask("POST", "/subjects/packed", gzip.compress(b" " * (17 << 20)), packed)[0] == 413
    assert registry.ask("POST", "/subjects/packed", body, {"Content-Encoding": "br"})[0] == 415


def test_long_answers_are_packed_for_who_takes_gzip(registry):
    registry.register("long", json.loads(user({**NAME, "doc": "x" * 5000})))
    registry.connection.request("GET", "/subjects/long/versions/1", headers={"Accept-Encoding": "gzip"})
    answer = registry.connection.getresponse()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert "x" * 5000 in json.loads(gzip.decompress(answer.read()))["schema"]
