"""Paths and parameters of the API that Confluent publishes for its registry: each is routed, read and answered in its
shape. Not served, and not here: tags edited within a version, associations with other resources, the logical format."""
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
    "GET /schemas": "subjectPrefix aliases deleted latestOnly ruleType offset limit",
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
    "GET /v1/metadata/id": "",
    "GET /v1/metadata/version": "",
    "GET /v1/metadata/deployment": "",
}


def row(asked, expected, body=None, before=()):
    return asked, expected, body, before


# What is asked of a registry that has, for each row, the context {c} with: the subject {c}s, whose versions 1 (id 1)
# and 2 (id 2) live and 3 (id 3) is softly deleted; {c}r, whose version 1 (id 4) refers to {c}s version 2; {c}gone,
# softly deleted. Then: the answer, its type, its members that are told, or the status and code of a refusal.
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
    assert status == 200, answer
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


def test_long_answers_are_packed_for_who_takes_gzip(registry):
    registry.register("long", json.loads(user({**NAME, "doc": "x" * 5000})))
    registry.connection.request("GET", "/subjects/long/versions/1", headers={"Accept-Encoding": "gzip"})
    answer = registry.connection.getresponse()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert "x" * 5000 in json.loads(gzip.decompress(answer.read()))["schema"]
