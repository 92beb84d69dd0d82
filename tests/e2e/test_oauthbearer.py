"""SASL/OAUTHBEARER at the Kafka door: tokens of an identity provider, shown by clients nobody here wrote."""
import json
import re
import socket
import subprocess
import time

import confluent_kafka
import kafka
import kafka.net.sasl.oauth
import kafka_wire
import pytest
import tailrace
from identity_provider import SECRET, IdentityProvider, make_key
from secured_broker import SecuredBroker
from test_kafka_security import first_error, write_and_read

PACKAGE = "org.apache.kafka.common.security.oauthbearer"
UNSECURED = f"{PACKAGE}.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"
SIGNED = f"{PACKAGE}.OAuthBearerValidatorCallbackHandler"
HANDLER = "listener.name.tokens.oauthbearer.sasl.server.callback.handler.class"


@pytest.fixture(scope="module")
def provider():
    started = IdentityProvider()
    yield started
    started.stop()


def properties(url):
    return f"""
listeners=PLAINTEXT://127.0.0.1:0,TOKENS://127.0.0.1:0,OTHERS://127.0.0.1:0,UNSIGNED://127.0.0.1:0
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,TOKENS:SASL_PLAINTEXT,OTHERS:SASL_PLAINTEXT,UNSIGNED:SASL_PLAINTEXT
sasl.enabled.mechanisms=OAUTHBEARER
sasl.oauthbearer.jwks.endpoint.url={url}/keys
sasl.oauthbearer.expected.audience=kafka
sasl.oauthbearer.expected.issuer=https://id.example
listener.name.tokens.oauthbearer.sasl.server.callback.handler.class={SIGNED}
listener.name.others.oauthbearer.sasl.oauthbearer.sub.claim.name=email
listener.name.others.oauthbearer.sasl.oauthbearer.expected.audience=others
listener.name.unsigned.oauthbearer.sasl.server.callback.handler.class={UNSECURED}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:alice;User:alice@example.org
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory, provider):
    started = SecuredBroker(tmp_path_factory.mktemp("broker"), properties(provider.url)).start()
    yield started
    text = started.log.read_text()
    started.stop()
    assert "eyJ" not in text and SECRET not in text  # no token, no secret


def settings(broker, token, listener="TOKENS"):
    """Of confluent-kafka, which asks for a token with a callback."""
    return {"bootstrap.servers": broker.ports[listener], "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER", "oauth_cb": lambda _: (token, time.time() + 600)}


def by_grant(broker, provider, secret=SECRET):
    """Of confluent-kafka, whose librdkafka gets its tokens itself."""
    return {"bootstrap.servers": broker.ports["TOKENS"], "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "alice", "sasl.oauthbearer.client.secret": secret,
            "sasl.oauthbearer.token.endpoint.url": provider.url + "/token"}


def show(broker, token, listener="TOKENS", authorization_id=""):
    """A connection, and what SaslAuthenticate answers to the token."""
    connection = kafka_wire.Connection(broker.ports[listener])
    assert connection.ask("SaslHandshake", Mechanism="OAUTHBEARER")["ErrorCode"] == 0
    name = f"a={authorization_id}" if authorization_id else ""
    return connection, connection.ask("SaslAuthenticate", AuthBytes=f"n,{name},\1auth=Bearer {token}\1\1".encode())


@pytest.mark.parametrize("key", ["RS256", "ES256"])
def test_a_token_of_the_provider_writes_and_reads(broker, provider, key):
    write_and_read(settings(broker, provider.token("alice", key)), f"by-{key}")


def test_a_client_that_gets_its_tokens_itself_writes_and_reads(broker, provider):
    write_and_read(by_grant(broker, provider), "by-grant")


def test_kafka_python_writes_with_a_token(broker, provider):
    class Tokens(kafka.net.sasl.oauth.AbstractTokenProvider):
        def token(self):
            return provider.token("alice")

    producer = kafka.KafkaProducer(bootstrap_servers=broker.ports["TOKENS"], security_protocol="SASL_PLAINTEXT",
                                   sasl_mechanism="OAUTHBEARER", sasl_oauth_token_provider=Tokens())
    assert producer.send("of-kafka-python", b"x").get(30).offset == 0
    producer.close()


@pytest.mark.parametrize("why,claims", [
    ("it has expired", {"exp": 1_600_000_000, "iat": 1_500_000_000}),
    ("another audience", {"aud": "nobody"}),
    ("another issuer", {"iss": "https://evil.example"}),
    ("whose it is", {"sub": None}),
    ("when it expires", {"exp": None})])
def test_a_token_that_does_not_hold_is_refused_as_kafka_refuses_it(broker, provider, why, claims):
    connection, answer = show(broker, provider.token("alice", **claims))
    # RFC 7628: the reason first, and the refusal when the client has it.
    assert (answer["ErrorCode"], answer["AuthBytes"]) == (0, b'{"status":"invalid_token"}')
    answer = connection.ask("SaslAuthenticate", AuthBytes=b"\1")
    assert (answer["ErrorCode"], answer["ErrorMessage"]) == (58, '{"status":"invalid_token"}')
    assert why in broker.log.read_text()
    assert first_error(settings(broker, provider.token("alice", **claims)), "invalid_token").name() == "_AUTHENTICATION"


def test_a_token_that_another_key_signed_is_refused(broker, provider):
    forged = provider.token("alice", "RS256", signer=make_key("RS256", "RS256"))
    assert show(broker, forged)[1]["AuthBytes"] == b'{"status":"invalid_token"}'
    assert "its signature is wrong" in broker.log.read_text()


def test_what_is_no_message_of_the_mechanism_ends_the_login(broker):
    connection = kafka_wire.Connection(broker.ports["TOKENS"])
    connection.ask("SaslHandshake", Mechanism="OAUTHBEARER")
    answer = connection.ask("SaslAuthenticate", AuthBytes=b"\0alice\0secret")
    assert answer["ErrorCode"] == 58
    assert answer["ErrorMessage"] == "Authentication failed during authentication due to invalid credentials with " \
                                     "SASL mechanism OAUTHBEARER"


def test_who_wants_to_be_another_than_his_token_is_refused(broker, provider):
    _, answer = show(broker, provider.token("alice"), authorization_id="bob")
    assert answer["ErrorCode"] == 58 and "authorization id (bob) that is different from the token's principal name " \
                                         "(alice)" in answer["ErrorMessage"]
    assert show(broker, provider.token("alice"), authorization_id="alice")[1]["ErrorCode"] == 0


def test_a_new_key_of_the_provider_is_fetched_when_a_token_names_it(broker, provider):
    provider.keys["rolled"] = make_key("rolled", "RS256")
    before = provider.key_fetches

    def taken():
        _, answer = show(broker, provider.token("alice", "rolled"))
        return answer["ErrorCode"] == 0 and answer["AuthBytes"] == b""
    tailrace.wait_until(taken, "the new key", 30)
    assert provider.key_fetches == before + 1
    # Ids that nobody has are not asked for again and again.
    for _ in range(20):
        show(broker, provider.token("alice", "nobody", signer=provider.keys["RS256"]))
    assert provider.key_fetches <= before + 2


def test_the_token_says_who_it_is_and_the_rules_count_for_him(broker, provider):
    producer = confluent_kafka.Producer(settings(broker, provider.token("bob")) | {"message.timeout.ms": 20_000})
    errors = []
    producer.produce("of-bob", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(30)
    assert errors and errors[0] is not None
    assert re.search("audit: .*User:bob.*of-bob", broker.log.read_text())


def test_settings_of_one_listener_alone_count_there(broker, provider):
    token = provider.token("x1", email="alice@example.org", aud=["others", "more"])
    write_and_read(settings(broker, token, "OTHERS"), "of-others")
    assert show(broker, token)[1]["AuthBytes"] == b'{"status":"invalid_token"}'


def test_a_connection_ends_with_its_token_unless_it_shows_a_new_one(broker, provider):
    soon = int(time.time()) + 5
    connection, answer = show(broker, provider.token("alice", exp=soon))
    assert 0 < answer["SessionLifetimeMs"] <= 5000
    # A new one in time.
    connection.ask("SaslHandshake", Mechanism="OAUTHBEARER")
    token = provider.token("alice", exp=soon)
    again = connection.ask("SaslAuthenticate", AuthBytes=f"n,,\1auth=Bearer {token}\1\1".encode())
    assert again["ErrorCode"] == 0

    def refused():
        try:
            connection.ask("Metadata", Topics=None)
        except (ConnectionError, EOFError, socket.error, AssertionError):
            return True
        return False
    tailrace.wait_until(refused, "the token's end by the broker's clock", 30)
    assert time.time() > soon - 1
    assert "its login is over" in broker.log.read_text()


def test_unsigned_tokens_are_taken_only_where_that_is_asked_for(broker):
    unsigned = {"bootstrap.servers": broker.ports["UNSIGNED"], "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": True,
                "sasl.oauthbearer.config": "principal=alice"}
    write_and_read(unsigned, "unsigned")
    assert first_error(unsigned | {"bootstrap.servers": broker.ports["TOKENS"]}, "invalid_token").name() == \
        "_AUTHENTICATION"


@pytest.mark.parametrize("more,said", [
    ("", "sasl.oauthbearer.jwks.endpoint.url: is missing"),
    ("sasl.oauthbearer.jwks.endpoint.url=ftp://x/keys", "is no https://"),
    ("sasl.oauthbearer.jwks.endpoint.url=file:///nonexistent/keys.json", "/nonexistent/keys.json"),
    ("sasl.oauthbearer.jwks.endpoint.url=http://127.0.0.1:1/keys", "http://127.0.0.1:1/keys"),
    (f"{HANDLER}=com.example.Mine", "com.example.Mine is not known")])
def test_a_broker_that_could_not_check_tokens_does_not_start(tmp_path, more, said):
    config = tmp_path / "server.properties"
    config.write_text("listeners=TOKENS://127.0.0.1:0\nlistener.security.protocol.map=TOKENS:SASL_PLAINTEXT\n"
                      f"sasl.enabled.mechanisms=OAUTHBEARER\n{more}\n")
    done = subprocess.run([tailrace.PROGRAM, "broker", "--data", tmp_path / "data", "--config", config],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and said in done.stderr, done.stderr


def test_our_own_commands_get_a_token_as_kafkas_tools_do(broker, provider, tmp_path):
    def topics(secret, audience="kafka"):
        provider.audience = audience
        config = tmp_path / "client.properties"
        config.write_text(f"""security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.oauthbearer.token.endpoint.url={provider.url}/token
sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \\
  clientId="alice" clientSecret="{secret}" scope="kafka read";
""")
        done = subprocess.run([tailrace.PROGRAM, "topics", "--broker", broker.ports["TOKENS"], "--command-config",
                               config], capture_output=True, text=True, timeout=60)
        provider.audience = "kafka"
        return done
    assert topics(SECRET).returncode == 0
    assert provider.requests[-1] == ("/token", {"grant_type": "client_credentials", "scope": "kafka read"})
    refused = topics("wrong-secret")
    assert refused.returncode != 0 and "401 (invalid_client)" in refused.stderr and "wrong-secret" not in refused.stderr
    refused = topics(SECRET, audience="nobody")
    assert refused.returncode != 0 and "invalid_token" in refused.stderr, refused.stderr


def test_a_project_whose_log_is_a_kafka_logs_in_with_tokens(broker, provider, tmp_path):
    provider.lifetime = 20  # so that it needs more than one
    properties = {"security.protocol": "sasl_plaintext", "sasl.mechanism": "OAUTHBEARER",
                  "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.token.endpoint.url": provider.url + "/token",
                  "sasl.oauthbearer.client.id": "alice", "sasl.oauthbearer.client.secret": SECRET,
                  "sasl.oauthbearer.scope": "of-project"}
    project = tailrace.with_sql(tmp_path, "CREATE STREAMING TABLE seen AS SELECT key FROM STREAM orders;", json.dumps({
        "roles": {"log": {"url": f"kafka://{broker.ports['TOKENS']}", "properties": properties}},
        "topics": {"orders": {"format": "json", "partitions": 1}}, "checkpoint": {"every": "200ms"}}))
    project.start()

    def rows_of(keys):
        producer = confluent_kafka.Producer(settings(broker, provider.token("alice")))
        for key in keys:
            producer.produce("orders", "{}", key)
        assert producer.flush(30) == 0

        def seen():
            return set(keys) <= {row["key"] for row in project.sql("SELECT key FROM seen")}
        tailrace.wait_until(seen, "the rows", 60)
    rows_of(["a", "b"])

    def grants():
        return sum(form.get("scope") == "of-project" for _, form in provider.requests)
    before = grants()
    assert before > 0
    tailrace.wait_until(lambda: grants() > before, "a new token, before the old one ends", 60)
    rows_of(["c"])
    project.stop()
    provider.lifetime = 3600


def test_keys_of_a_file_are_read_again_when_it_changed(tmp_path, provider):
    file = tmp_path / "keys.json"
    file.write_text('{"keys": []}')
    started = SecuredBroker(tmp_path, "listeners=PLAINTEXT://127.0.0.1:0,TOKENS://127.0.0.1:0\n"
                            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,TOKENS:SASL_PLAINTEXT\n"
                            "sasl.enabled.mechanisms=OAUTHBEARER\n"
                            f"sasl.oauthbearer.jwks.endpoint.url=file://{file}\n"
                            "sasl.oauthbearer.expected.audience=kafka\n").start()
    assert show(started, provider.token("alice"), "TOKENS")[1]["AuthBytes"] != b""

    file.write_text(json.dumps({"keys": [provider.keys["ES256"].as_dict(private=False)]}))
    assert show(started, provider.token("alice", "ES256"), "TOKENS")[1]["AuthBytes"] == b""
    started.stop()
