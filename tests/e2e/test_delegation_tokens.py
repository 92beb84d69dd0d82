"""Delegation tokens (KIP-48, 373) on the wire: who is given one, who may change it, and what it logs in to."""
import base64
import hashlib
import hmac

import kafka_wire
import pytest
import tailrace
from scram_login import log_in, prove
from secured_broker import SecuredBroker

HOUR = 3_600_000
DISABLED, NOT_FOUND, MISMATCH, NOT_ALLOWED, DENIED, EXPIRED, BAD_TYPE = 61, 62, 63, 64, 65, 66, 67
USERS = ("admin", "alice", "bob", "carol")
JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required " + \
    " ".join(f'user_{name}="of-{name}"' for name in USERS) + ";"
PROPERTIES = f"""
listeners=PLAINTEXT://127.0.0.1:0,LOGIN://127.0.0.1:0
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config={JAAS}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
connection.failed.authentication.delay.ms=0
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    started = SecuredBroker(folder, PROPERTIES + "delegation.token.secret.key=a-key\n").start()
    yield started
    text = started.log.read_text()
    started.stop()
    assert "a-key" not in text


def by(broker, name):
    connection, answer = log_in(broker.ports["LOGIN"], "PLAIN", name, f"of-{name}")
    assert answer["ErrorCode"] == 0
    return connection


def renewer(name):
    return {"PrincipalType": "User", "PrincipalName": name}


def create(connection, version=None, **fields):
    return connection.ask("CreateDelegationToken", version, **({"MaxLifetimeMs": -1} | fields))


def described(connection, *owners, version=None):
    asked = [renewer(name) for name in owners] or None
    answer = connection.ask("DescribeDelegationToken", version, Owners=asked)
    assert answer["ErrorCode"] == 0
    return {token["TokenId"]: token for token in answer["Tokens"]}


def allow(broker, operation, kind, name, user):
    done = kafka_wire.Connection(broker.ports["PLAINTEXT"]).ask("CreateAcls", Creations=[{
        "ResourceType": kind, "ResourceName": name, "ResourcePatternType": 3, "Principal": f"User:{user}",
        "Host": "*", "Operation": operation, "PermissionType": 3}])
    assert done["Results"][0]["ErrorCode"] == 0


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_token_is_made_described_renewed_and_expired_in_every_version(broker, version):
    alice, older = by(broker, "alice"), min(version, 2)
    made = create(alice, version, Renewers=[renewer("bob")])
    assert made["ErrorCode"] == 0 and made["PrincipalName"] == "alice"
    assert made["MaxTimestampMs"] - made["IssueTimestampMs"] == 7 * 24 * HOUR
    assert made["ExpiryTimestampMs"] - made["IssueTimestampMs"] == 24 * HOUR
    assert made["Hmac"] == hmac.new(b"a-key", made["TokenId"].encode(), hashlib.sha512).digest()
    token = described(by(broker, "bob"), version=version)[made["TokenId"]]
    assert token["Hmac"] == made["Hmac"] and token["Renewers"] == [renewer("bob")]
    renewed = by(broker, "bob").ask("RenewDelegationToken", older, Hmac=made["Hmac"], RenewPeriodMs=HOUR)
    assert renewed["ErrorCode"] == 0 and made["ExpiryTimestampMs"] > renewed["ExpiryTimestampMs"]
    assert described(alice, "alice")[made["TokenId"]]["ExpiryTimestamp"] == renewed["ExpiryTimestampMs"]
    gone = alice.ask("ExpireDelegationToken", older, Hmac=made["Hmac"], ExpiryTimePeriodMs=-1)
    assert gone["ErrorCode"] == 0 and gone["ExpiryTimestampMs"] > 0
    assert made["TokenId"] not in described(alice)


def test_a_token_for_another_needs_the_right_to_make_one(broker):
    carol = by(broker, "carol")
    asked = {"OwnerPrincipalType": "User", "OwnerPrincipalName": "bob"}
    refused = create(carol, **asked)
    assert (refused["ErrorCode"], refused["PrincipalName"], refused["TokenRequesterPrincipalName"],
            refused["IssueTimestampMs"]) == (DENIED, "bob", "carol", -1)
    assert "audit: User:carol from 127.0.0.1 may not CreateTokens User User:bob" in broker.log.read_text()
    allow(broker, 13, 7, "User:bob", "carol")
    made = create(carol, **asked)
    assert (made["ErrorCode"], made["PrincipalName"], made["TokenRequesterPrincipalName"]) == (0, "bob", "carol")
    # Who asked sees it, and may not renew it.
    assert made["TokenId"] in described(carol)
    for api, period in (("Renew", "RenewPeriodMs"), ("Expire", "ExpiryTimePeriodMs")):
        answer = carol.ask(f"{api}DelegationToken", Hmac=made["Hmac"], **{period: -1})
        assert answer["ErrorCode"] == MISMATCH
    assert by(broker, "bob").ask("RenewDelegationToken", Hmac=made["Hmac"], RenewPeriodMs=-1)["ErrorCode"] == 0


def test_who_a_token_is_nothing_to_sees_it_only_with_a_right(broker):
    alice, carol = by(broker, "alice"), by(broker, "carol")
    one, other = create(alice)["TokenId"], create(alice)["TokenId"]
    assert not {one, other} & set(described(carol, "alice"))
    allow(broker, 8, 6, one, "carol")
    assert {one, other} & set(described(carol, "alice")) == {one}
    allow(broker, 14, 7, "User:alice", "carol")
    assert {one, other} <= set(described(carol)) and one not in described(carol, "bob")
    assert alice.ask("DescribeDelegationToken", Owners=[])["Tokens"] == []


def test_a_renewer_that_is_no_user_is_refused(broker):
    made = create(by(broker, "alice"), Renewers=[{"PrincipalType": "Group", "PrincipalName": "all"}])
    assert (made["ErrorCode"], made["TokenId"], made["IssueTimestampMs"]) == (BAD_TYPE, "", -1)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_token_logs_its_owner_in_and_gets_no_further_tokens(broker, mechanism):
    made = create(by(broker, "alice"), MaxLifetimeMs=HOUR)
    password = base64.b64encode(made["Hmac"]).decode()
    worker, answer = log_in(broker.ports["LOGIN"], mechanism, made["TokenId"], password, token=True)
    assert answer["ErrorCode"] == 0 and HOUR - 60_000 < answer["SessionLifetimeMs"] <= HOUR
    for refused in (create(worker), worker.ask("DescribeDelegationToken", Owners=None),
                    worker.ask("RenewDelegationToken", Hmac=made["Hmac"], RenewPeriodMs=-1),
                    worker.ask("ExpireDelegationToken", Hmac=made["Hmac"], ExpiryTimePeriodMs=-1)):
        assert refused["ErrorCode"] == NOT_ALLOWED
    # It is alice: she may not write the topic until she is allowed to.
    topic = f"of-alice-{mechanism}"
    kafka_wire.Connection(broker.ports["PLAINTEXT"]).ask("CreateTopics", TimeoutMs=10_000, Topics=[
        {"Name": topic, "NumPartitions": 1, "ReplicationFactor": 1}])
    assert worker.ask("Metadata", Topics=[{"Name": topic}])["Topics"][0]["ErrorCode"] == 29
    allow(broker, 8, 2, topic, "alice")
    assert worker.ask("Metadata", Topics=[{"Name": topic}])["Topics"][0]["ErrorCode"] == 0


def test_a_secret_that_is_wrong_and_an_id_that_is_not_there_are_refused_alike(broker):
    made = create(by(broker, "alice"))
    right = base64.b64encode(made["Hmac"]).decode()
    for name, password, token in ((made["TokenId"], "wrong", True), ("nothing", right, True),
                                  (made["TokenId"], right, False), ("alice", "of-alice", True)):
        _, answer = log_in(broker.ports["LOGIN"], "SCRAM-SHA-256", name, password, token)
        assert answer["ErrorCode"] == 58
        assert answer["ErrorMessage"].endswith("invalid credentials with SASL mechanism SCRAM-SHA-256")
    assert right not in broker.log.read_text()


def test_a_login_by_token_ends_with_the_token_and_is_renewed_by_one_that_holds(broker):
    alice = by(broker, "alice")
    brief, lasting = create(alice, MaxLifetimeMs=5000), create(alice)
    address = broker.ports["LOGIN"]
    worker, answer = log_in(address, "SCRAM-SHA-256", brief["TokenId"], secret(brief), token=True)
    assert 0 < answer["SessionLifetimeMs"] <= 5000
    again, _ = log_in(address, "SCRAM-SHA-256", brief["TokenId"], secret(brief), token=True)
    assert again.ask("SaslHandshake", Mechanism="SCRAM-SHA-256")["ErrorCode"] == 0
    assert prove(again, "SCRAM-SHA-256", lasting["TokenId"], secret(lasting), True)["SessionLifetimeMs"] > HOUR

    def ended():
        try:
            worker.ask("Metadata", Topics=[])
        except (AssertionError, OSError):
            return True
        return False
    tailrace.wait_until(ended, "the end of a login whose token is over", 30)
    assert again.ask("Metadata", Topics=[])["Brokers"]
    assert "its login is over" in broker.log.read_text()
    assert alice.ask("RenewDelegationToken", Hmac=brief["Hmac"], RenewPeriodMs=-1)["ErrorCode"] == EXPIRED
    assert alice.ask("ExpireDelegationToken", Hmac=brief["Hmac"], ExpiryTimePeriodMs=1)["ErrorCode"] == EXPIRED
    _, late = log_in(address, "SCRAM-SHA-256", brief["TokenId"], secret(brief), token=True)
    assert late["ErrorCode"] == 58


def secret(token):
    return base64.b64encode(token["Hmac"]).decode()


def test_nobody_in_particular_gets_no_token(broker):
    anybody = kafka_wire.Connection(broker.ports["PLAINTEXT"])
    made = create(anybody)
    assert (made["ErrorCode"], made["PrincipalName"], made["ExpiryTimestampMs"]) == (NOT_ALLOWED, "ANONYMOUS", -1)
    assert anybody.ask("DescribeDelegationToken", Owners=None)["ErrorCode"] == NOT_ALLOWED
    renewed = anybody.ask("RenewDelegationToken", Hmac=b"x", RenewPeriodMs=-1)
    assert (renewed["ErrorCode"], renewed["ExpiryTimestampMs"]) == (NOT_ALLOWED, -1)


def test_a_secret_that_nobody_has_is_not_found(broker):
    admin = by(broker, "admin")
    for api, period in (("Renew", "RenewPeriodMs"), ("Expire", "ExpiryTimePeriodMs")):
        for unknown in (b"", b"x" * 64):
            assert admin.ask(f"{api}DelegationToken", Hmac=unknown, **{period: -1})["ErrorCode"] == NOT_FOUND


def test_tokens_outlive_kill_9_and_lifetimes_are_set(tmp_path):
    broker = SecuredBroker(tmp_path, PROPERTIES + "delegation.token.secret.key=a-key\n"
                           "delegation.token.max.lifetime.ms=7200000\ndelegation.token.expiry.time.ms=60000\n").start()
    alice = by(broker, "alice")
    made, gone = create(alice, Renewers=[renewer("bob")]), create(alice)
    assert made["MaxTimestampMs"] - made["IssueTimestampMs"] == 2 * HOUR
    assert made["ExpiryTimestampMs"] - made["IssueTimestampMs"] == 60_000
    assert alice.ask("ExpireDelegationToken", Hmac=gone["Hmac"], ExpiryTimePeriodMs=-1)["ErrorCode"] == 0
    before = described(alice)
    broker.kill()
    broker.start()
    assert described(by(broker, "alice")) == before and list(before) == [made["TokenId"]]
    _, answer = log_in(broker.ports["LOGIN"], "SCRAM-SHA-512", made["TokenId"], secret(made), token=True)
    assert answer["ErrorCode"] == 0
    file = broker.data / "log" / "delegation-tokens"
    assert file.stat().st_mode & 0o077 == 0 and secret(made) not in file.read_text()
    broker.stop()


def test_without_a_key_there_are_no_tokens(tmp_path):
    broker = SecuredBroker(tmp_path, PROPERTIES).start()
    alice = by(broker, "alice")
    made = create(alice)
    assert (made["ErrorCode"], made["PrincipalName"], made["ExpiryTimestampMs"]) == (DISABLED, "alice", 0)
    for answer in (alice.ask("RenewDelegationToken", Hmac=b"x", RenewPeriodMs=-1),
                   alice.ask("ExpireDelegationToken", Hmac=b"x", ExpiryTimePeriodMs=-1),
                   alice.ask("DescribeDelegationToken", Owners=None)):
        assert answer["ErrorCode"] == DISABLED
    broker.stop()
