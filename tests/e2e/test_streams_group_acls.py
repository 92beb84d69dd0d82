"""Who may do what with streams groups (KIP-1071)."""
import pytest
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, NewTopic,
                                   ResourcePatternType, ResourceType)
from kafka_wire import Connection
from secured_broker import SecuredBroker
from streams_member import Member, word_count

PROPERTIES = """
listeners=ADMIN://127.0.0.1:0,LOGIN://127.0.0.1:0
listener.security.protocol.map=ADMIN:PLAINTEXT,LOGIN:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_alice="alice" user_bob="bob";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
group.streams.initial.rebalance.delay.ms=0
"""


@pytest.fixture
def broker(tmp_path):
    started = SecuredBroker(tmp_path, PROPERTIES).start()
    admin = AdminClient({"bootstrap.servers": started.ports["ADMIN"]})
    [made] = admin.create_topics([NewTopic("text", 2, 1)]).values()
    made.result(30)
    started.allow = lambda *rule: allow(admin, *rule)
    yield started
    started.stop()


def allow(admin, kind, name, operation):
    rule = AclBinding(kind, name, ResourcePatternType.LITERAL, "User:alice", "*", operation, AclPermissionType.ALLOW)
    [done] = admin.create_acls([rule]).values()
    done.result(30)


def login(broker, user):
    wire = Connection(broker.ports["LOGIN"])
    assert wire.ask("SaslHandshake", Mechanism="PLAIN")["ErrorCode"] == 0
    assert wire.ask("SaslAuthenticate", AuthBytes=f"\0{user}\0{user}".encode())["ErrorCode"] == 0
    return wire


def test_a_member_needs_its_group_its_topics_and_leave_to_make_them(broker):
    one = Member(broker.ports["ADMIN"], "counters", "a", word_count("text"))
    one.wire = login(broker, "alice")
    assert one.beat()["ErrorCode"] == 30  # GROUP_AUTHORIZATION_FAILED
    broker.allow(ResourceType.GROUP, "counters", AclOperation.READ)
    assert one.beat()["ErrorCode"] == 29  # TOPIC_AUTHORIZATION_FAILED
    for topic in ("text", "words", "counts"):
        broker.allow(ResourceType.TOPIC, topic, AclOperation.DESCRIBE)
    assert one.beat()["ErrorCode"] == 0
    assert one.statuses()[0] == (3, "Internal topics are missing: counts, words; "
                                    "Unauthorized to CREATE on topics counts, words.")
    broker.allow(ResourceType.BROKER, "kafka-cluster", AclOperation.CREATE)
    assert one.beat()["ErrorCode"] == 0
    assert one.statuses()[0] == (3, "Internal topics are missing: counts, words")
    names = {topic["Name"] for topic in Connection(broker.ports["ADMIN"]).ask("Metadata", Topics=None)["Topics"]}
    assert {"words", "counts"} <= names


def test_a_group_is_described_to_who_may_see_it_and_its_topics(broker):
    Member(broker.ports["ADMIN"], "counters", "a", word_count("text")).beat()

    def described():
        [group] = login(broker, "alice").ask("StreamsGroupDescribe", GroupIds=["counters"])["Groups"]
        return group["ErrorCode"], len(group["Members"])

    assert described() == (30, 0)
    broker.allow(ResourceType.GROUP, "counters", AclOperation.DESCRIBE)
    assert described() == (29, 0)
    for topic in ("text", "words", "counts"):
        broker.allow(ResourceType.TOPIC, topic, AclOperation.DESCRIBE)
    assert described() == (0, 1)


def test_voters_are_asked_about_by_who_may_alter_the_cluster(broker):
    wire = login(broker, "alice")
    asked = dict(ClusterId="another", VoterId=1)
    assert wire.ask("RemoveRaftVoter", **asked)["ErrorCode"] == 31  # CLUSTER_AUTHORIZATION_FAILED
    broker.allow(ResourceType.BROKER, "kafka-cluster", AclOperation.ALTER)
    assert wire.ask("RemoveRaftVoter", **asked)["ErrorCode"] == 104  # INCONSISTENT_CLUSTER_ID
