"""What the console says of a schema registry, embedded or behind a URL, held against the registry's own answers."""
import http.client
import json
import urllib.parse

import pytest
import tailrace
from confluent_kafka import Producer
from registry import Registry
from test_console_api import ask, check

USER = {"type": "record", "name": "User", "fields": [{"name": "id", "type": "string"}]}
OLDER = {**USER, "fields": [*USER["fields"], {"name": "age", "type": "int", "default": 0}]}
WRONG = {**USER, "fields": [{"name": "id", "type": "int"}]}
SECRET = "s3cret-of-the-registry"


class Asked:
    """A project, and its registry asked over its own door."""

    def __init__(self, folder, registry=None, **roles):
        (folder / "input").mkdir()
        settings = json.loads(tailrace.settings(tailrace.files_from(folder / "input")))
        self.project = tailrace.Project(folder, settings=json.dumps({**settings, **roles})).start()
        self.registry = registry or self.embedded()

    def embedded(self):
        opened = Registry(self.project.data)
        opened.address = self.project.run_file()["registry"].removeprefix("http://")
        opened.connection = http.client.HTTPConnection(opened.address, timeout=60)
        return opened

    def get(self, path, target, status=200):
        return self.checked("GET", path, target, None, status)

    def post(self, what, subject, body, status=200):
        target = f"/api/schemas/{urllib.parse.quote(subject, safe='')}/{what}"
        return self.checked("POST", f"/api/schemas/{{name}}/{what}", target, json.dumps(body), status)

    def checked(self, method, path, target, body, status):
        found, kind, answer = ask(self.project, method, target, body)
        check(path, method, found, kind, answer)
        assert found == status, answer
        return answer

    def list(self, **params):
        return self.get("/api/schemas", f"/api/schemas?{urllib.parse.urlencode(params)}")

    def subject(self, name, status=200):
        return self.get("/api/schemas/{name}", f"/api/schemas/{urllib.parse.quote(name, safe='')}", status)

    def schema(self, name, version, status=200):
        target = f"/api/schemas/{urllib.parse.quote(name, safe='')}/{version}"
        return self.get("/api/schemas/{name}/{version}", target, status)


@pytest.fixture(scope="module", params=["embedded", "behind a URL"])
def asked(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemas")
    elsewhere = None
    roles = {}
    if request.param != "embedded":
        (folder / "elsewhere").mkdir()
        elsewhere = Registry(folder / "elsewhere").start()
        roles = {"roles": {"registry": {"url": elsewhere.url, "user": "u", "password": SECRET}}}
    made = Asked(folder, elsewhere, **roles)
    assert made.list()["total"] == 0
    made.registry.register("users_created-value", USER)
    made.registry.register("users_created-value", OLDER)
    made.registry.register(urllib.parse.quote(":.eu:odd/name é", safe=""), USER)
    message = 'syntax = "proto3";\nmessage M {\n  int32 n = 1;\n}\n'
    for n in range(30):
        body = {"schema": message, "schemaType": "PROTOBUF"}
        status, _ = made.registry.ask("POST", f"/subjects/many-{n:02}/versions", body)
        assert status == 200
    assert made.registry.ask("PUT", "/config/many-07", {"compatibility": "FULL_TRANSITIVE"})[0] == 200
    yield made
    made.project.stop()
    if elsewhere:
        elsewhere.stop()


def test_subjects_are_those_of_the_registry_a_page_at_a_time(asked):
    names, after = [], ""
    while True:
        page = asked.list(after=after, limit=7)
        names += [subject["name"] for subject in page["subjects"]]
        after = page["next"]
        if not after:
            break
    assert sorted(names) == sorted(asked.registry.ask("GET", "/subjects")[1]) and len(names) == page["total"] == 32
    assert [s["name"] for s in asked.list(search="MANY-1")["subjects"]] == [f"many-{n}" for n in range(10, 20)]
    [seven] = asked.list(search="many-07")["subjects"]
    assert (seven["type"], seven["compatibility"], seven["uses"]) == ("PROTOBUF", "FULL_TRANSITIVE", [])


def test_a_subject_has_its_versions_schemas_and_context(asked):
    detail = asked.subject("users_created-value")
    assert detail["versions"] == asked.registry.ask("GET", "/subjects/users_created-value/versions")[1] == [1, 2]
    info = detail["info"]
    assert (info["version"], info["compatibility"], info["context"]) == (2, "BACKWARD", ".")
    for number in (1, 2, "latest"):
        _, kept = asked.registry.ask("GET", f"/subjects/users_created-value/versions/{number}")
        shown = asked.schema("users_created-value", number)
        assert (shown["version"], shown["id"], shown["text"]) == (kept["version"], kept["id"], kept["schema"])
    assert asked.subject(":.eu:odd/name é")["info"]["context"] == ".eu"
    assert json.loads(asked.schema(":.eu:odd/name é", 1)["text"]) == USER
    assert asked.subject("nothing", 404)["error"]["code"] == "NOT_FOUND"
    asked.schema("users_created-value", 9, 404)
    asked.schema("users_created-value", "newest", 400)


def test_topics_and_subjects_know_one_another(asked):
    producer = Producer({"bootstrap.servers": asked.project.kafka()})
    producer.produce("many", b"x")
    assert producer.flush(20) == 0
    uses = [{"topic": "users_created", "part": "value"}]
    assert asked.subject("users_created-value")["info"]["uses"] == uses
    assert [s["name"] for s in asked.list(topic="users_created")["subjects"]] == ["users_created-value"]
    assert asked.list(topic="many")["total"] == 0


def test_a_check_is_the_registry_s_own_and_registers_nothing(asked):
    before = asked.registry.ask("GET", "/subjects")[1]
    wrong = {"type": "AVRO", "text": json.dumps(WRONG)}
    path = "/compatibility/subjects/users_created-value/versions?verbose=true"
    own = asked.registry.ask("POST", path, {"schema": wrong["text"]})[1]
    said = asked.post("check", "users_created-value", wrong)
    assert (said["compatible"], said["messages"]) == (own["is_compatible"], own["messages"])
    assert not said["compatible"] and any("/fields/0/type" in message for message in said["messages"])
    assert asked.post("check", "users_created-value", {"type": "AVRO", "text": json.dumps(USER)})["compatible"]
    assert asked.post("check", "new-one", {"type": "JSON", "text": "{}"})["compatible"]
    said = asked.post("check", "users_created-value", {"type": "AVRO", "text": '{"type": "reord"}'})
    assert not said["compatible"] and "reord" in said["messages"][0]
    assert asked.registry.ask("GET", "/subjects")[1] == before
    assert asked.registry.ask("GET", "/subjects/users_created-value/versions")[1] == [1, 2]


def test_a_registration_is_the_registry_s_own_with_references(asked):
    order = {"type": "record", "name": "Order", "fields": [{"name": "by", "type": "User"}]}
    body = {"type": "AVRO", "text": json.dumps(order),
            "references": [{"name": "User", "subject": "users_created-value", "version": 1}]}
    made = asked.post("register", "orders-value", body)
    _, kept = asked.registry.ask("GET", "/subjects/orders-value/versions/1")
    assert (made["version"], made["id"], made["references"]) == (1, kept["id"], kept["references"])
    assert asked.post("register", "orders-value", body) == made
    wrong = {"type": "AVRO", "text": json.dumps(WRONG)}
    assert "incompatible" in asked.post("register", "users_created-value", wrong, 409)["error"]["message"]
    asked.post("register", "users_created-value", {"type": "AVRO", "text": "{"}, 400)
    assert asked.registry.ask("DELETE", "/subjects/orders-value")[0] == 200


def test_no_answer_holds_the_registry_s_password(asked):
    for target in ("/api/schemas", "/api/schemas/users_created-value", "/api/schemas/nothing", "/api/status"):
        assert SECRET not in json.dumps(ask(asked.project, "GET", target)[2])


def test_a_registry_that_is_down_or_off_is_told_with_what_to_do(tmp_path):
    (tmp_path / "down").mkdir()
    down = Asked(tmp_path / "down", registry=True, roles={"registry": {"url": "http://u:pass@127.0.0.1:1"}})
    answer = down.get("/api/schemas", "/api/schemas", 503)["error"]
    assert "127.0.0.1:1" in answer["message"] and "pass" not in answer["message"]
    down.subject("x", 503)
    down.post("check", "x", {"type": "JSON", "text": "{}"}, 503)
    assert down.project.get("/api/topics/users_created")["info"]["name"] == "users_created"
    down.project.stop()
