"""The registry's door where TLS and logins are switched on, asked by Python's own TLS and HTTP, and by
confluent-kafka's registry client."""
import base64
import http.client
import json
import socket
import ssl

import pytest
from broker import Broker
from certificates import Authority
from confluent_kafka.admin import (AdminClient, ScramCredentialInfo, ScramMechanism,
                                   UserScramCredentialUpsertion)
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from registry import Registry

SECRETS = "s3cret-of-alice", "s3cret-of-bob"


def login(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def users(tmp_path):
    file = tmp_path / "users.txt"
    file.write_text(f"# who may\nalice: {SECRETS[0]},admin\nbob: {SECRETS[1]}\n")
    return file


def with_users(folder, users, *more):
    lines = ["authentication.method=BASIC", f"authentication.users.location={users}", *more]
    (folder / "registry.properties").write_text("\n".join(lines))
    return Registry(folder, "--config", folder / "registry.properties")


def test_with_basic_a_client_says_who_it_is(tmp_path, users):
    registry = with_users(tmp_path, users, "authentication.realm=Schemas").start()
    refused = {"error_code": 401, "message": "Unauthorized"}
    other = {"Authorization": "Bearer " + "x" * 20}
    for headers in ({}, login("alice", "x"), login("alice", ""), login("carol", "x"), other,
                    {"Authorization": "Basic !"}, {"Authorization": "Basic"}, {"Authorization": "Basic YWxpY2U="}):
        assert registry.ask("GET", "/subjects", headers=headers) == (401, refused), headers
    registry.connection.request("GET", "/subjects")
    answer = registry.connection.getresponse()
    assert (answer.read() and answer.getheader("WWW-Authenticate")) == 'Basic realm="Schemas"'
    assert registry.ask("GET", "/subjects", headers=login("alice", SECRETS[0])) == (200, [])
    client = SchemaRegistryClient({"url": registry.url, "basic.auth.user.info": f"bob:{SECRETS[1]}"})
    assert client.register_schema("a", Schema('"long"', "AVRO")) == 1
    assert registry.ask("DELETE", "/subjects/a") == (401, refused)
    registry.stop()
    assert not any(secret in registry.log.read_text() for secret in (*SECRETS, "YWxpY2U"))


def test_roles_keep_others_out_and_paths_may_stay_open(tmp_path, users):
    registry = with_users(tmp_path, users, "authentication.roles=admin,reader",
                          "authentication.skip.paths=/v1/*,/").start()
    assert registry.ask("GET", "/subjects", headers=login("alice", SECRETS[0])) == (200, [])
    assert registry.ask("GET", "/subjects", headers=login("bob", SECRETS[1])) == (
        403, {"error_code": 403, "message": "Forbidden"})
    assert registry.ask("GET", "/") == (200, {})
    assert registry.ask("GET", "/v1/metadata/version")[0] == 200
    assert registry.ask("GET", "/subjects")[0] == 401
    registry.stop()


def test_users_that_log_in_to_the_broker_log_in_to_its_registry(tmp_path):
    (tmp_path / "registry.properties").write_text("authentication.method=BASIC")
    broker = Broker(tmp_path, words=("--registry", "127.0.0.1:0", "--registry-config",
                                     tmp_path / "registry.properties")).start()
    address = broker.log.read_text().split("registry  http://")[1].split()[0]
    connection = http.client.HTTPConnection(address, timeout=60)

    def status(password):
        connection.request("GET", "/subjects", headers=login("alice", password))
        answer = connection.getresponse()
        answer.read()
        return answer.status

    admin = AdminClient({"bootstrap.servers": broker.address})

    def set_password(password):
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        done = admin.alter_user_scram_credentials([UserScramCredentialUpsertion("alice", info, password.encode())])
        done["alice"].result(20)

    assert status("one") == 401
    set_password("one")
    assert [status("one"), status("two"), status("one")] == [200, 401, 200]
    set_password("two")
    assert [status("one"), status("two")] == [401, 200]
    connection.request("GET", "/v1/metadata/id", headers=login("alice", "two"))
    cluster = json.loads(connection.getresponse().read())["scope"]["clusters"]["kafka-cluster"]
    assert cluster == AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=20).cluster_id
    broker.stop()


@pytest.fixture
def secure(tmp_path, authority):
    both = authority.sign("door", "/CN=localhost")[2]
    (tmp_path / "registry.properties").write_text(
        f"ssl.keystore.type=PEM\nssl.keystore.location={both}\nssl.truststore.type=PEM\n"
        f"ssl.truststore.location={authority.certificate}\nssl.client.authentication=REQUESTED\n")
    registry = Registry(tmp_path, "--config", tmp_path / "registry.properties").start()
    yield registry
    registry.stop()


def secured(registry, authority, host="127.0.0.1"):
    port = int(registry.address.rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=authority.certificate)
    return http.client.HTTPSConnection(host, port, timeout=60, context=context)


def test_with_a_key_store_the_door_speaks_tls(secure, authority):
    assert f"https://{secure.address}" in secure.log.read_text()
    secure.connection = secured(secure, authority)
    big = json.dumps({"type": "record", "name": "R", "doc": "x" * 300_000, "fields": []})
    assert secure.ask("POST", "/subjects/a/versions", {"schema": big})[0] == 200
    for _ in range(3):
        assert secure.ask("GET", "/subjects/a/versions/1")[1]["schema"] == big.replace(" ", "")
    secure.connection = secured(secure, authority, "localhost")
    assert secure.ask("GET", "/subjects", headers={"Host": "registry.example:8081"}) == (200, ["a"])
    with pytest.raises(ssl.SSLCertVerificationError):
        http.client.HTTPSConnection("127.0.0.1", int(secure.address.rsplit(":", 1)[1]),
                                    context=ssl.create_default_context()).request("GET", "/subjects")
    client = SchemaRegistryClient({"url": f"https://{secure.address}", "ssl.ca.location": str(authority.certificate)})
    assert client.get_versions("a") == [1]


def test_a_client_that_does_not_speak_tls_holds_nobody_up(secure, authority):
    host, port = secure.address.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(20)]
    plain = http.client.HTTPConnection(secure.address, timeout=60)
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/subjects")
        plain.getresponse()
    secure.connection = secured(secure, authority)
    assert secure.ask("GET", "/subjects") == (200, [])
    for one in silent:
        one.close()


@pytest.mark.parametrize("line, named", [
    ("authentication.method=BEARER", "authentication.method"),
    ("ssl.keystore.location=/nowhere.pem", "ssl.keystore.location"),
    ("authentication.method=BASIC\nauthentication.users.location=/nowhere", "authentication.users.location"),
    ("listeners=https://127.0.0.1:0", "ssl.keystore.location"),
    ("listeners=http://127.0.0.1:0,http://127.0.0.1:0", "listeners"),
    ("ssl.client.authentication=MAYBE\nssl.keystore.location=PEM", "ssl.client.authentication"),
])
def test_a_setting_that_cannot_be_used_is_named_at_the_start(tmp_path, authority, line, named):
    line = line.replace("=PEM", f"={authority.sign('door', '/CN=localhost')[2]}")
    (tmp_path / "registry.properties").write_text(line)
    registry = Registry(tmp_path, "--config", tmp_path / "registry.properties")
    registry.address = "" if "listeners" in line else registry.address
    with pytest.raises(AssertionError):
        registry.start()
    assert registry.process.wait(timeout=20) == 1
    assert f"tailrace: {named}: " in registry.log.read_text()
