"""Access rules and quotas at the Kafka door: what a client is told that may not, and how long one has to wait."""
import confluent_kafka
import confluent_kafka.admin
import kafka.admin
import pytest
import tailrace
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AlterConfigOpType, ConfigEntry,
                                   ConfigResource, ResourcePatternType, ResourceType)
from kafka.admin import (ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, KafkaAdminClient, NewTopic,
                         ResourcePatternFilter)
from kafka.errors import ClusterAuthorizationFailedError, TopicAuthorizationFailedError
from secured_broker import SecuredBroker

PROPERTIES = """
listeners=ADMIN://127.0.0.1:0,LOGIN://127.0.0.1:0
listener.security.protocol.map=ADMIN:PLAINTEXT,LOGIN:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_alice="alice" user_bob="bob";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:root
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = SecuredBroker(tmp_path_factory.mktemp("broker"), PROPERTIES).start()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": started.ports["ADMIN"]})
    for done in admin.create_topics([confluent_kafka.admin.NewTopic(name, 1) for name in
                                     ("orders", "orders-2", "secret", "quota")]).values():
        done.result(30)
    allow(admin, ResourceType.TOPIC, "orders", "User:alice", AclOperation.ALL, ResourcePatternType.PREFIXED)
    allow(admin, ResourceType.GROUP, "readers", "User:alice", AclOperation.READ)
    allow(admin, ResourceType.TRANSACTIONAL_ID, "tx", "User:alice", AclOperation.WRITE)
    allow(admin, ResourceType.TOPIC, "orders-2", "User:alice", AclOperation.WRITE, permission=AclPermissionType.DENY)
    allow(admin, ResourceType.TOPIC, "quota", "User:*", AclOperation.ALL)
    yield started
    started.stop()


def allow(admin, kind, name, principal, operation, pattern=ResourcePatternType.LITERAL,
          permission=AclPermissionType.ALLOW):
    rule = AclBinding(kind, name, pattern, principal, "*", operation, permission)
    for done in admin.create_acls([rule]).values():
        done.result(30)


def login(broker, user, **more):
    return {"bootstrap.servers": broker.ports["LOGIN"], "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN", "sasl.username": user, "sasl.password": user, **more}


def write(broker, user, topic, **more):
    """None, or the name of the error: told at the call where the topic's answer has come already, else at delivery."""
    told = []
    producer = confluent_kafka.Producer(login(broker, user, **{"message.timeout.ms": 10000}, **more))
    try:
        producer.produce(topic, b"value", on_delivery=lambda error, _: told.append(error and error.name()))
    except confluent_kafka.KafkaException as error:
        return error.args[0].name()
    assert producer.flush(30) == 0
    return told[0]


def read(broker, user, topic, group="readers"):
    consumer = confluent_kafka.Consumer(login(broker, user, **{"group.id": group, "auto.offset.reset": "earliest"}))
    consumer.subscribe([topic])
    try:
        message = tailrace.wait_until(lambda: consumer.poll(1), "a message", 30)
        return message.error().name() if message.error() else message.value()
    finally:
        consumer.close()


def test_who_is_allowed_writes_and_reads(broker):
    assert write(broker, "alice", "orders") is None
    assert read(broker, "alice", "orders") == b"value"


def test_a_topic_that_may_not_be_written_or_read_is_named_denied(broker):
    assert write(broker, "bob", "orders") == "TOPIC_AUTHORIZATION_FAILED"
    assert write(broker, "alice", "secret") == "TOPIC_AUTHORIZATION_FAILED"
    assert write(broker, "alice", "orders-2") == "TOPIC_AUTHORIZATION_FAILED"
    assert read(broker, "alice", "secret") == "TOPIC_AUTHORIZATION_FAILED"
    assert "audit: User:bob from 127.0.0.1 may not Describe Topic orders" in broker.log.read_text()


def test_a_group_that_may_not_be_read_is_named_denied(broker):
    assert read(broker, "alice", "orders", group="others") == "GROUP_AUTHORIZATION_FAILED"


def test_a_topic_is_not_made_for_who_may_not(broker):
    assert write(broker, "bob", "made-by-bob") == "TOPIC_AUTHORIZATION_FAILED"
    admin = KafkaAdminClient(bootstrap_servers=broker.ports["LOGIN"], security_protocol="SASL_PLAINTEXT",
                             sasl_mechanism="PLAIN", sasl_plain_username="bob", sasl_plain_password="bob")
    with pytest.raises(TopicAuthorizationFailedError):
        admin.create_topics([NewTopic("made-by-bob", 1, 1)])
    admin.close()
    topics = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["ADMIN"]}).list_topics(timeout=30)
    assert "made-by-bob" not in topics.topics


def test_only_what_may_be_described_is_listed(broker):
    def topics(settings):
        return set(confluent_kafka.admin.AdminClient(settings).list_topics(timeout=30).topics)
    assert topics(login(broker, "alice")) == {"orders", "orders-2", "quota"}
    assert topics(login(broker, "bob")) == {"quota"}
    assert {"orders", "secret"} <= topics({"bootstrap.servers": broker.ports["ADMIN"]})


def test_transactions_need_their_id_and_their_topics(broker):
    def transaction(user, name, topic):
        producer = confluent_kafka.Producer(login(broker, user, **{"transactional.id": name}))
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce(topic, b"value")
        producer.commit_transaction(30)
    transaction("alice", "tx", "orders")
    with pytest.raises(confluent_kafka.KafkaException) as failed:
        transaction("alice", "other", "orders")
    assert failed.value.args[0].name() == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"
    with pytest.raises(confluent_kafka.KafkaException):
        transaction("alice", "tx", "secret")


def test_who_may_not_manage_the_cluster_is_told(broker):
    python = KafkaAdminClient(bootstrap_servers=broker.ports["LOGIN"], security_protocol="SASL_PLAINTEXT",
                              sasl_mechanism="PLAIN", sasl_plain_username="alice", sasl_plain_password="alice")
    every = ResourcePatternFilter(kafka.admin.ResourceType.ANY, None, ACLResourcePatternType.ANY)
    with pytest.raises(ClusterAuthorizationFailedError):
        python.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every))
    python.close()
    admin = confluent_kafka.admin.AdminClient(login(broker, "alice"))
    with pytest.raises(confluent_kafka.KafkaException) as failed:
        admin.delete_topics(["secret"])["secret"].result(30)
    assert failed.value.args[0].name() == "TOPIC_AUTHORIZATION_FAILED"


def test_what_is_allowed_is_told_where_it_is_asked_for(broker):
    admin = confluent_kafka.admin.AdminClient(login(broker, "alice"))
    topics = confluent_kafka.TopicCollection(["orders-2"])
    told = admin.describe_topics(topics, include_authorized_operations=True)["orders-2"].result(30)
    assert AclOperation.READ in told.authorized_operations and AclOperation.WRITE not in told.authorized_operations
    cluster = admin.describe_cluster(include_authorized_operations=True).result(30)
    assert not cluster.authorized_operations


def test_rules_last_longer_than_the_broker(tmp_path):
    broker = SecuredBroker(tmp_path, PROPERTIES).start()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["ADMIN"]})
    allow(admin, ResourceType.TOPIC, "kept", "User:alice", AclOperation.ALL)
    broker.kill()
    broker.start()
    assert write(broker, "alice", "kept") is None
    assert write(broker, "bob", "kept") == "TOPIC_AUTHORIZATION_FAILED"
    broker.stop()


def test_a_share_group_reads_as_long_as_it_may(broker):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["ADMIN"]})
    admin.create_topics([confluent_kafka.admin.NewTopic("shared", 1)])["shared"].result(30)
    allow(admin, ResourceType.TOPIC, "shared", "User:alice", AclOperation.ALL)
    allow(admin, ResourceType.GROUP, "sharers", "User:alice", AclOperation.READ)
    earliest = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    group = ConfigResource(ResourceType.GROUP, "sharers", incremental_configs=[earliest])
    for done in admin.incremental_alter_configs([group]).values():
        done.result(30)
    assert write(broker, "alice", "shared") is None
    settings = {"group.id": "sharers", "share.acknowledgement.mode": "implicit", "log_level": 0}
    with confluent_kafka.ShareConsumer(login(broker, "alice", **settings)) as reader:
        reader.subscribe(["shared"])
        first = tailrace.wait_until(lambda: list(reader.poll(1.0)), "the first record", 30)
        assert [message.value() for message in first] == [b"value"]
        allow(admin, ResourceType.TOPIC, "shared", "User:alice", AclOperation.READ, permission=AclPermissionType.DENY)
        other = confluent_kafka.Producer({"bootstrap.servers": broker.ports["ADMIN"]})
        other.produce("shared", b"secret")
        assert other.flush(30) == 0
        with pytest.raises(confluent_kafka.KafkaException) as refused:
            for _ in range(10):
                assert list(reader.poll(1.0)) == []
        assert refused.value.args[0].name() == "TOPIC_AUTHORIZATION_FAILED"


def test_an_expression_means_no_topic_that_the_member_may_not_describe(broker):
    """KIP-848: his group is given no partition of it, and does not see that it is there."""
    consumer = confluent_kafka.Consumer(login(broker, "alice", **{
        "group.id": "readers", "group.protocol": "consumer", "auto.offset.reset": "earliest"}))
    consumer.subscribe(["^.*"])

    def assigned():
        consumer.poll(0.2)
        return {one.topic for one in consumer.assignment()}
    topics = tailrace.wait_until(assigned, "partitions", 30)
    assert "orders" in topics and "secret" not in topics
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker.ports["ADMIN"]})
    told = admin.describe_consumer_groups(["readers"])["readers"].result(30)
    assert "secret" not in {one.topic for member in told.members for one in member.assignment.topic_partitions}
    consumer.close()
