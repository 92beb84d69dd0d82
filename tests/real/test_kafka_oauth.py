"""SASL/OAUTHBEARER with Kafka's own client, which gets its tokens by the client credentials grant, given to real Kafka
and to our broker: both take and refuse the same."""
import os

import kafka_side
import pytest
from identity_provider import SECRET, IdentityProvider
from secured_broker import SecuredBroker

PACKAGE = "org.apache.kafka.common.security.oauthbearer"
MODULE = f"{PACKAGE}.OAuthBearerLoginModule required"
ALLOWED = "org.apache.kafka.sasl.oauthbearer.allowed.urls"


def real(folder, url):
    prefix = "listener.name.sasl_plaintext"
    os.environ["JDK_JAVA_OPTIONS"] = f"-D{ALLOWED}={url}/keys,{url}/token"
    broker = kafka_side.RealKafka(folder, ["SASL_PLAINTEXT"], **{
        f"{prefix}.sasl.enabled.mechanisms": "OAUTHBEARER",
        f"{prefix}.oauthbearer.sasl.jaas.config": f"{MODULE};",
        f"{prefix}.oauthbearer.sasl.server.callback.handler.class": f"{PACKAGE}.OAuthBearerValidatorCallbackHandler",
        f"{prefix}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url": f"{url}/keys",
        f"{prefix}.oauthbearer.sasl.oauthbearer.expected.audience": "kafka"}).start()
    return broker, broker.ports["SASL_PLAINTEXT"]


def ours(folder, url):
    prefix = "listener.name.sasl_plaintext"
    broker = SecuredBroker(folder, f"""
listeners=PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0
{prefix}.sasl.enabled.mechanisms=OAUTHBEARER
{prefix}.oauthbearer.sasl.jaas.config={MODULE};
{prefix}.oauthbearer.sasl.server.callback.handler.class={PACKAGE}.OAuthBearerValidatorCallbackHandler
{prefix}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url={url}/keys
{prefix}.oauthbearer.sasl.oauthbearer.expected.audience=kafka
""").start()
    return broker, broker.ports["SASL_PLAINTEXT"]


def client(folder, url, secret=SECRET):
    file = folder / f"{secret}.properties"
    file.write_text(f"""security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.login.callback.handler.class={PACKAGE}.OAuthBearerLoginCallbackHandler
sasl.oauthbearer.token.endpoint.url={url}/token
sasl.jaas.config={MODULE} clientId="alice" clientSecret="{secret}" scope="kafka";
request.timeout.ms=10000
default.api.timeout.ms=20000
""")
    return file


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
def test_kafkas_own_client_logs_in_with_tokens_as_on_kafka(tmp_path, monkeypatch):
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "")
    provider = IdentityProvider()
    for make in (real, ours):
        folder = tmp_path / make.__name__
        folder.mkdir()
        broker, address = make(folder, provider.url)

        def ask(secret=SECRET):
            config = client(folder, provider.url, secret)
            return kafka_side.tool(address, f"TopicCommand --bootstrap-server @ --command-config {config} --create"
                                            f" --topic of-{len(provider.requests)}")
        taken = ask()
        assert taken.code == 0, (make.__name__, taken)
        provider.audience = "nobody"
        refused = ask()
        provider.audience = "kafka"
        assert refused.code != 0 and "invalid_token" in "\n".join(refused.lines), (make.__name__, refused)
        assert ask("wrong").code != 0
        assert ask().code == 0
        broker.stop()
    provider.stop()
