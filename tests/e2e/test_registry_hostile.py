"""Schemas made to harm: each gets a clear answer, the registry goes on, and others are served meanwhile."""
import http.client
import json
import threading

import pytest
from registry import Registry
from tailrace import wait_until


@pytest.fixture
def registry(tmp_path):
    one = Registry(tmp_path).start()
    yield one
    one.stop()


DEEP = 10_000


def fields(count):
    return ",".join('{"name":"f%d","type":"string"}' % i for i in range(count))


TOO_LARGE, INVALID, TAKEN = (422, 42209), (422, 42201), (200, 0)
# Kind, text, status and code, words of the refusal.
HOSTILE = {
    "an Avro record of 5 MB": (
        "AVRO", '{"type":"record","name":"R","fields":[%s]}' % fields(150_000), TOO_LARGE, "too large"),
    "10,000 records in one another": (
        "AVRO", "".join('{"type":"record","name":"R%d","fields":[{"name":"f","type":' % i for i in range(DEEP))
        + '"int"' + "}]}" * DEEP, INVALID, "nested more than"),
    "an Avro doc of 5 MB": (
        "AVRO", '{"type":"record","name":"R","doc":"%s","fields":[]}' % ("d" * 5_000_000), TAKEN, ""),
    "an Avro default that contains itself": (
        "AVRO", '{"type":"record","name":"R","fields":[{"name":"r","type":"R","default":{}}]}', INVALID, "default"),
    "a JSON Schema of 5 MB": (
        "JSON", '{"properties":{%s}}' % ",".join('"p%d":{"type":"string"}' % i for i in range(180_000)), TOO_LARGE, ""),
    "10,000 objects in one another": (
        "JSON", '{"properties":{"a":' * DEEP + "{}" + "}}" * DEEP, INVALID, "nested more than"),
    "a regular expression that explodes": ("JSON", '{"pattern":"(a+)+$(b|b|b)*(x{1,1000}){1,1000}"}', TAKEN, ""),
    "a $ref of itself": (
        "JSON", '{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/a"}}}', TAKEN, ""),
    "a .proto of 5 MB": (
        "PROTOBUF", 'syntax="proto3"; message M {%s}' % "".join("string f%d = %d;" % (i, i) for i in range(1, 200_000)),
        INVALID, "at most 50000 fields"),
    "10,000 messages in one another": (
        "PROTOBUF", 'syntax="proto3";' + "".join("message M%d {" % i for i in range(DEEP)) + "int32 a=1;" + "}" * DEEP,
        INVALID, "at most 32 messages"),
    "3,000 maps in one another": ("PROTOBUF", 'syntax="proto3"; message M { ' + "map<string," * 3000, INVALID, ""),
    "a comment that does not end": ("PROTOBUF", 'syntax="proto3"; /*' + "x" * 5_000_000, INVALID, "comment"),
}


class Other:
    """Another client, which asks all the while."""

    def __init__(self, address):
        self.statuses, self.over = [], threading.Event()
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            self.connection.request("GET", "/subjects")
            answer = self.connection.getresponse()
            answer.read()
            self.statuses.append(answer.status)

    def stop(self):
        self.over.set()
        self.thread.join()
        self.connection.close()
        return self.statuses


def test_each_is_answered_and_others_are_served_meanwhile(registry):
    other = Other(registry.address)
    for number, (name, (kind, text, expected, words)) in enumerate(HOSTILE.items()):
        before = len(other.statuses)
        body = {"schemaType": kind, "schema": text}
        status, answer = registry.ask("POST", f"/subjects/s{number}/versions", body)
        assert (status, answer.get("error_code", 0)) == expected, (name, status, str(answer)[:300])
        assert words in answer.get("message", ""), (name, str(answer)[:300])
        # A try of what is no schema says so, too.
        status, answer = registry.ask("POST", f"/compatibility/subjects/s{number}/versions/latest?verbose=true", body)
        assert status == (422 if expected == TOO_LARGE else 200), (name, status, str(answer)[:300])
        assert status == 422 or answer["is_compatible"] == (expected == TAKEN), (name, str(answer)[:300])
        assert registry.process.poll() is None, name
        wait_until(lambda: len(other.statuses) > before, f"an answer to another one after {name}")
    assert set(other.stop()) == {200}


@pytest.mark.parametrize("kind, one, other", [
    ("AVRO", '{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}',
     '{"type":"record","name":"B","fields":[{"name":"a","type":["null","A"]}]}'),
    ("JSON", '{"properties":{"b":{"$ref":"B"}}}', '{"properties":{"a":{"$ref":"A"}}}'),
    ("PROTOBUF", 'syntax = "proto3"; import "B"; message A { B b = 1; }',
     'syntax = "proto3"; import "A"; message B { A a = 1; }')])
def test_references_in_a_circle_end(registry, kind, one, other):
    """Only with ids given, as a registry that is moved does, can a schema refer to one that comes later."""
    assert registry.ask("PUT", "/mode/a?force=true", {"mode": "IMPORT"})[0] == 200
    assert registry.ask("PUT", "/mode/b?force=true", {"mode": "IMPORT"})[0] == 200
    schemas = {"a": (one, "B", "b", 7), "b": (other, "A", "a", 8)}
    for subject, (text, name, of, id) in schemas.items():
        status, answer = registry.ask("POST", f"/subjects/{subject}/versions", {
            "schemaType": kind, "schema": text, "version": 1, "id": id,
            "references": [{"name": name, "subject": of, "version": 1}]})
        assert status in (200, 422), answer
        assert status == 200 or answer["error_code"] in (42201, 42212), answer
    for subject, (text, name, of, _) in schemas.items():
        body = {"schemaType": kind, "schema": text, "references": [{"name": name, "subject": of, "version": 1}]}
        for method, path in (("POST", f"/subjects/{subject}"), ("GET", f"/subjects/{subject}/versions/1"),
                             ("GET", f"/subjects/{subject}/versions/1/referencedby"),
                             ("POST", f"/compatibility/subjects/{subject}/versions/latest"),
                             ("GET", f"/subjects/{subject}/versions/1?format=resolved")):
            status, answer = registry.ask(method, path, body if method == "POST" else None)
            assert status in (200, 404, 422), (path, status, answer)
    assert registry.register("c", {"type": "string"}) > 0
