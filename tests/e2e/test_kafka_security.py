"""TLS and SASL at the Kafka door, as clients nobody here wrote see them."""
import asyncio
import re
import socket
import ssl
import subprocess
import urllib.request

import aiokafka
import confluent_kafka
import confluent_kafka.admin
import kafka
import pytest
import tailrace
from certificates import Authority
from kafka.errors import KafkaError
from scram_login import log_in
from secured_broker import SecuredBroker

PASSWORD = "sesame-open"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def alice(authority):
    return authority.sign("alice", "/O=Example/CN=alice")


@pytest.fixture(scope="module")
def broker(tmp_path_factory, authority):
    _, _, both = authority.sign("server", "/CN=localhost")
    jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required \\\n" \
           f'  username="admin" password="admin" \\\n  user_alice="{PASSWORD}";'
    started = SecuredBroker(tmp_path_factory.mktemp("broker"), f"""
listeners=PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0,MUTUAL://127.0.0.1:0,SASL_SSL://127.0.0.1:0,LOGIN://127.0.0.1:0
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,MUTUAL:SSL,SASL_SSL:SASL_SSL,LOGIN:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={both}
ssl.truststore.type=PEM
ssl.truststore.location={authority.certificate}
listener.name.mutual.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=(.*?),.*$/$1/,DEFAULT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={jaas}
listener.name.login.plain.sasl.jaas.config={jaas}
listener.name.login.connections.max.reauth.ms=1500
""").start()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": started.ports["PLAINTEXT"]})
    users = [confluent_kafka.admin.UserScramCredentialUpsertion(
        "alice", confluent_kafka.admin.ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
        for mechanism in (confluent_kafka.admin.ScramMechanism.SCRAM_SHA_256,
                          confluent_kafka.admin.ScramMechanism.SCRAM_SHA_512)]
    for done in admin.alter_user_scram_credentials(users).values():
        done.result(30)
    yield started
    text = started.log.read_text()
    started.stop()
    assert PASSWORD not in text


def confluent_settings(broker, authority, listener, mechanism=None, password=PASSWORD, own=None):
    secure = listener in ("SSL", "MUTUAL", "SASL_SSL")
    settings = {"bootstrap.servers": broker.ports[listener], "security.protocol":
                ("SASL_" if mechanism else "") + ("SSL" if secure else "PLAINTEXT")}
    if secure:
        settings["ssl.ca.location"] = str(authority.certificate)
    if mechanism:
        settings |= {"sasl.mechanism": mechanism, "sasl.username": "alice", "sasl.password": password}
    if own:
        settings |= {"ssl.certificate.location": str(own[0]), "ssl.key.location": str(own[1])}
    return settings


def write_and_read(settings, topic):
    producer = confluent_kafka.Producer(settings)
    failed = []
    for n in range(100):
        producer.produce(topic, b"%d" % n, on_delivery=lambda error, _: error and failed.append(error))
    assert producer.flush(30) == 0 and not failed
    consumer = confluent_kafka.Consumer(settings | {"group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    values = []
    tailrace.wait_until(lambda: values.extend(m.value() for m in consumer.consume(100, 0.5)) or len(values) >= 100,
                        "the records", 30)
    consumer.close()
    assert sorted(values, key=int) == [b"%d" % n for n in range(100)]


def first_error(settings, text=""):
    """The first error with `text` that librdkafka tells of, while it tries to connect."""
    told = []
    producer = confluent_kafka.Producer(settings | {"error_cb": told.append})

    def heard():
        producer.poll(0.1)
        return [error for error in told if error.name() != "_ALL_BROKERS_DOWN" and text in str(error)]
    return tailrace.wait_until(heard, "an error", 30)[0]


@pytest.mark.parametrize("listener,mechanism", [
    ("SSL", None), ("SASL_SSL", "PLAIN"), ("SASL_SSL", "SCRAM-SHA-256"), ("SASL_SSL", "SCRAM-SHA-512"),
    ("LOGIN", "PLAIN"), ("LOGIN", "SCRAM-SHA-256")])
def test_confluent_writes_and_reads_with_every_protocol(broker, authority, listener, mechanism):
    write_and_read(confluent_settings(broker, authority, listener, mechanism), f"of-{listener}-{mechanism}")


def test_confluent_shows_its_certificate(broker, authority, alice):
    write_and_read(confluent_settings(broker, authority, "MUTUAL", own=alice), "mutual")


def test_who_shows_no_certificate_where_one_is_required_is_refused(broker, authority):
    error = first_error(confluent_settings(broker, authority, "MUTUAL"), "certificate required")
    assert error.name() in ("_SSL", "_TRANSPORT")
    # The client has TLS's alert before the broker has its line.
    tailrace.wait_until(lambda: "showed no certificate" in broker.log.read_text(), "the line")


def test_a_broker_of_an_unknown_authority_is_refused_by_its_client(broker, tmp_path):
    error = first_error(confluent_settings(broker, Authority(tmp_path), "SSL"), "certificate verify failed")
    assert error.name() in ("_SSL", "_TRANSPORT")


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_is_told_as_kafka_tells_it(broker, authority, mechanism):
    error = first_error(confluent_settings(broker, authority, "SASL_SSL", mechanism, "wrong-password"))
    assert error.name() == "_AUTHENTICATION"
    assert ("Invalid username or password" if mechanism == "PLAIN" else
            "invalid credentials with SASL mechanism SCRAM-SHA-256") in str(error)
    assert re.search(rf"login of .* at SASL_SSL by {mechanism} failed, the \d+th", broker.log.read_text())
    assert "wrong-password" not in broker.log.read_text()


def test_a_mechanism_that_is_not_enabled_is_refused(broker, authority):
    error = first_error(confluent_settings(broker, authority, "SASL_SSL", "OAUTHBEARER") |
                        {"sasl.oauthbearer.config": "principal=alice", "enable.sasl.oauthbearer.unsecure.jwt": True})
    assert error.name() == "_AUTHENTICATION"


def test_a_client_without_a_login_is_closed_with_a_line(broker):
    client = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["LOGIN"]})
    with pytest.raises(confluent_kafka.KafkaException):
        client.list_topics(timeout=2)
    tailrace.wait_until(lambda: "a request before a login" in broker.log.read_text(), "the line")


def test_plaintext_at_a_tls_port_and_tls_at_a_plaintext_port_have_a_line_each(broker, authority):
    host, port = broker.ports["SSL"].split(":")
    with socket.create_connection((host, int(port))) as plain:
        plain.sendall(b"\0\0\0\x10\0\x12\0\0\0\0\0\1\0\0\0\0\0\0\0\0")
        while plain.recv(100):
            pass
    host, port = broker.ports["PLAINTEXT"].split(":")
    context = ssl.create_default_context(cafile=authority.certificate)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(socket.create_connection((host, int(port))), server_hostname="localhost")
    tailrace.wait_until(lambda: "does not speak TLS, at a port that does" in broker.log.read_text() and
                        "speaks TLS, at a port that does not" in broker.log.read_text(), "two lines")


def test_kafka_python_logs_in(broker, authority):
    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        producer = kafka.KafkaProducer(
            bootstrap_servers=broker.ports["SASL_SSL"], security_protocol="SASL_SSL",
            ssl_cafile=str(authority.certificate), sasl_mechanism=mechanism, sasl_plain_username="alice",
            sasl_plain_password=PASSWORD)
        assert producer.send("kafka-python", b"value").get(30).offset >= 0
        producer.close()
    with pytest.raises(KafkaError):
        kafka.KafkaAdminClient(bootstrap_servers=broker.ports["LOGIN"], security_protocol="SASL_PLAINTEXT",
                               sasl_mechanism="PLAIN", sasl_plain_username="alice", sasl_plain_password="no",
                               bootstrap_timeout_ms=3000)


def test_aiokafka_logs_in(broker, authority, alice):
    async def write(**settings):
        producer = aiokafka.AIOKafkaProducer(**settings)
        async with producer:
            return await producer.send_and_wait("aiokafka", b"value")

    context = ssl.create_default_context(cafile=authority.certificate)
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        assert asyncio.run(write(bootstrap_servers=broker.ports["SASL_SSL"], security_protocol="SASL_SSL",
                                 ssl_context=context, sasl_mechanism=mechanism, sasl_plain_username="alice",
                                 sasl_plain_password=PASSWORD)).offset >= 0
    context.load_cert_chain(alice[0], alice[1])
    assert asyncio.run(write(bootstrap_servers=broker.ports["MUTUAL"], security_protocol="SSL",
                             ssl_context=context)).offset >= 0


def test_a_login_is_renewed_in_time(broker, authority):
    settings = confluent_settings(broker, authority, "LOGIN", "SCRAM-SHA-256")
    told = []
    producer = confluent_kafka.Producer(settings | {"error_cb": told.append})
    for _ in range(20):  # over three times as long as a login holds
        producer.produce("renewed", b"value")
        assert producer.flush(10) == 0
        producer.poll(0.25)
    assert not told and "was not renewed" not in broker.log.read_text()


def test_handshakes_that_never_end_hold_up_nobody(broker, authority):
    host, port = broker.ports["SSL"].split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(100)]
    for one in silent:
        one.sendall(b"\x16\x03\x01\x02\x00")
    write_and_read(confluent_settings(broker, authority, "SSL"), "beside-silent")
    for one in silent:
        one.close()


def test_a_large_frame_before_the_login_closes_the_connection(broker):
    host, port = broker.ports["LOGIN"].split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall((1 << 20).to_bytes(4, "big"))
        client.settimeout(10)
        assert client.recv(1) == b""
    assert "the limit is 524292" in broker.log.read_text()


def test_passwords_last_longer_than_the_broker(tmp_path):
    properties = "listeners=PLAINTEXT://127.0.0.1:0,LOGIN://127.0.0.1:0\n" \
                 "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT\n" \
                 "sasl.enabled.mechanisms=SCRAM-SHA-512\n"
    broker = SecuredBroker(tmp_path, properties).start()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["PLAINTEXT"]})
    kind = confluent_kafka.admin.ScramMechanism.SCRAM_SHA_512
    info = confluent_kafka.admin.ScramCredentialInfo(kind, 8192)
    change = confluent_kafka.admin.UserScramCredentialUpsertion("bob", info, b"secret")
    admin.alter_user_scram_credentials([change])["bob"].result(30)
    broker.kill()
    broker.start()
    login = {"bootstrap.servers": broker.ports["LOGIN"], "security.protocol": "SASL_PLAINTEXT",
             "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "bob", "sasl.password": "secret"}
    assert confluent_kafka.admin.AdminClient(login).list_topics(timeout=30).brokers
    file = broker.data / "log" / "scram-users"
    assert file.stat().st_mode & 0o077 == 0 and "secret" not in file.read_text()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["PLAINTEXT"]})
    described = admin.describe_user_scram_credentials(["bob"])["bob"].result(30)
    assert [(one.mechanism, one.iterations) for one in described.scram_credential_infos] == [(kind, 8192)]
    admin.alter_user_scram_credentials([confluent_kafka.admin.UserScramCredentialDeletion("bob", kind)])["bob"] \
        .result(30)
    assert first_error(login).name() == "_AUTHENTICATION"
    broker.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_our_own_commands_log_in_as_kafkas_tools_do(broker, authority, tmp_path, mechanism):
    module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"

    def topics(password, certificate=authority.certificate):
        config = tmp_path / "client.properties"
        config.write_text(f"""security.protocol=SASL_SSL
sasl.mechanism={mechanism}
sasl.jaas.config=org.apache.kafka.common.security.{module} required \\
  username="alice" password="{password}";
ssl.truststore.type=PEM
ssl.truststore.location={certificate}
""")
        return subprocess.run([tailrace.PROGRAM, "topics", "--broker", broker.ports["SASL_SSL"], "--command-config",
                               config], capture_output=True, text=True, timeout=60)
    assert topics(PASSWORD).returncode == 0
    refused = topics("wrong-password")
    assert refused.returncode != 0 and "Authentication failed" in refused.stderr and "wrong-pass" not in refused.stderr
    assert "certificate" in topics(PASSWORD, Authority(tmp_path / "other").certificate).stderr


def test_old_clients_send_the_messages_of_a_login_bare(broker):
    host, port = broker.ports["LOGIN"].split(":")
    with socket.create_connection((host, int(port))) as client:
        client.settimeout(10)

        def ask(frame):
            client.sendall(len(frame).to_bytes(4, "big") + frame)
            size = int.from_bytes(client.recv(4, socket.MSG_WAITALL), "big")
            return client.recv(size, socket.MSG_WAITALL)
        # SaslHandshake, version 0, correlation 7, no client id.
        assert ask(b"\0\x11\0\0\0\0\0\7\xff\xff\0\5PLAIN")[:6] == b"\0\0\0\7\0\0"
        assert ask(b"\0alice\0" + PASSWORD.encode()) == b""
        assert ask(b"\0\x12\0\0\0\0\0\x08\xff\xff")[:6] == b"\0\0\0\x08\0\0"  # ApiVersions


def test_a_certificate_names_its_user(tmp_path, authority, alice):
    _, _, both = authority.sign("named", "/CN=localhost")
    broker = SecuredBroker(tmp_path, f"""
listeners=MUTUAL://127.0.0.1:0,PLAINTEXT://127.0.0.1:0
listener.security.protocol.map=MUTUAL:SSL,PLAINTEXT:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={both}
ssl.truststore.type=PEM
ssl.truststore.location={authority.certificate}
ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=(.*?),.*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:alice
""").start()
    write_and_read(confluent_settings(broker, authority, "MUTUAL", own=alice), "of-alice")
    bob = authority.sign("bob", "/O=Example/CN=bob")
    admin = confluent_kafka.admin.AdminClient(confluent_settings(broker, authority, "MUTUAL", own=bob))
    told = admin.create_topics([confluent_kafka.admin.NewTopic("of-bob", 1)])["of-bob"]
    with pytest.raises(confluent_kafka.KafkaException) as failed:
        told.result(30)
    assert failed.value.args[0].name() == "TOPIC_AUTHORIZATION_FAILED"
    assert "audit: User:bob from 127.0.0.1 may not Create Topic of-bob (CreateTopics)" in broker.log.read_text()
    broker.stop()


def test_logins_are_counted_by_listener(tmp_path):
    jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=right;"
    broker = SecuredBroker(tmp_path, f"""
listeners=LOGIN://127.0.0.1:0,OTHER://127.0.0.1:0
listener.security.protocol.map=LOGIN:SASL_PLAINTEXT,OTHER:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.jaas.config={jaas}
connection.failed.authentication.delay.ms=0
""", words=("--metrics", "127.0.0.1:0")).start()
    assert log_in(broker.ports["LOGIN"], "PLAIN", "alice", "right")[1]["ErrorCode"] == 0
    for _ in range(2):
        assert log_in(broker.ports["LOGIN"], "PLAIN", "alice", "wrong")[1]["ErrorCode"] == 58
    page = re.search(r"metrics  (\S+)", broker.log.read_text()).group(1)
    text = urllib.request.urlopen(page, timeout=10).read().decode()
    prefix = "kafka_server_socket_server_metrics_"
    for what, listener, count in (("successful", "LOGIN", 1), ("failed", "LOGIN", 2), ("failed", "OTHER", 0)):
        assert f'{prefix}{what}_authentication_total{{listener="{listener}"}} {count}\n' in text
    broker.stop()


@pytest.mark.parametrize("settings,told", [
    ("listeners=SSL://127.0.0.1:0", "ssl.keystore.location"),
    ("listeners=SSL://127.0.0.1:0\nssl.keystore.location=/nowhere.pem", "/nowhere.pem"),
    ("listeners=SASL_PLAINTEXT://127.0.0.1:0", "GSSAPI is not served"),
    ("listeners=SASL_PLAINTEXT://127.0.0.1:0\nsasl.enabled.mechanisms=PLAIN", "sasl.jaas.config"),
    ("listeners=OTHER://127.0.0.1:0", "listener.security.protocol.map"),
    ("authorizer.class.name=com.example.Mine", "com.example.Mine"),
])
def test_what_cannot_be_used_is_named_at_the_start(tmp_path, settings, told):
    config = tmp_path / "server.properties"
    config.write_text(settings)
    done = subprocess.run([tailrace.PROGRAM, "broker", "--data", tmp_path / "data", "--config", config],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and told in done.stderr
