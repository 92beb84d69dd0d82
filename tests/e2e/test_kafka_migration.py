"""Groups that change their protocol while they read (KIP-848), static members, and librdkafka's assignors."""
import collections
import time

import confluent_kafka
import confluent_kafka.admin
import pytest
from broker import Broker
from kafka_wire import Connection

PARTITIONS = 6


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    started = Broker(tmp_path_factory.mktemp("broker"), f"num.partitions={PARTITIONS}").start()
    yield started
    started.stop()


class Readers:
    """Consumers of one group, polled in turn; all that each was given."""

    def __init__(self, address, group, topic):
        self.address, self.group, self.topic = address, group, topic
        self.consumers, self.read = {}, collections.Counter()

    def add(self, name, **settings):
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.address, "group.id": self.group, "auto.offset.reset": "earliest",
            "client.id": name, "topic.metadata.refresh.interval.ms": 500, **settings})
        consumer.subscribe([self.topic])
        self.consumers[name] = consumer

    def close(self, name):
        self.consumers.pop(name).close()

    def owned(self):
        return {name: sorted(one.partition for one in consumer.assignment())
                for name, consumer in self.consumers.items()}

    def poll(self):
        for consumer in self.consumers.values():
            while (message := consumer.poll(0.05)) is not None:
                if message.error() is None:
                    self.read[message.value()] += 1

    def until(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.poll()
            assert time.monotonic() < end, f"{what}: {self.owned()}, {len(self.read)} read"

    def share(self):
        """Every partition is with one of them, and each has some."""
        def done():
            owned = self.owned()
            return all(owned.values()) and sorted(sum(owned.values(), [])) == list(range(PARTITIONS))
        self.until(done, "all partitions are shared")
        return self.owned()


def make_topic(address, name):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    admin.create_topics([confluent_kafka.admin.NewTopic(name, PARTITIONS)])[name].result(30)


def write(address, topic, values):
    """To every partition in turn: left to itself, a producer may keep to one."""
    producer = confluent_kafka.Producer({"bootstrap.servers": address})
    for at, value in enumerate(values):
        producer.produce(topic, value, partition=at % PARTITIONS)
    assert producer.flush(30) == 0


def kind_of(address, group):
    connection = Connection(address)
    listed = connection.ask("ListGroups")["Groups"]
    connection.close()
    return {one["GroupId"]: one["GroupType"].lower() for one in listed}[group]


CLASSIC = ["range", "roundrobin"]


@pytest.mark.parametrize("assignor", CLASSIC)
def test_a_group_moves_to_the_consumer_protocol_and_back_while_it_reads(broker, assignor):
    topic = f"moved-{assignor}"
    make_topic(broker.address, topic)
    values = [b"%d" % n for n in range(3000)]
    readers = Readers(broker.address, topic, topic)
    try:
        for name in ("a", "b"):
            readers.add(name, **{"partition.assignment.strategy": assignor})
        readers.share()
        write(broker.address, topic, values[:1000])
        readers.until(lambda: len(readers.read) == 1000, "the classic members read")
        assert kind_of(broker.address, topic) == "classic"

        readers.add("c", **{"group.protocol": "consumer"})
        assert set(readers.share()) == {"a", "b", "c"}
        assert kind_of(broker.address, topic) == "consumer"
        write(broker.address, topic, values[1000:2000])
        readers.until(lambda: len(readers.read) == 2000, "members of both kinds read")

        readers.close("c")
        assert set(readers.share()) == {"a", "b"}
        assert kind_of(broker.address, topic) == "classic"
        write(broker.address, topic, values[2000:])
        readers.until(lambda: len(readers.read) == 3000, "the classic members read on")
    finally:
        for name in list(readers.consumers):
            readers.close(name)
    assert set(readers.read) == set(values)


def test_all_members_move_one_by_one(broker):
    """As a rolling restart does it."""
    topic = "rolled"
    make_topic(broker.address, topic)
    readers = Readers(broker.address, topic, topic)
    try:
        for name in ("a", "b"):
            readers.add(name)
        readers.share()
        for name in ("a", "b"):
            readers.close(name)
            readers.add(f"new {name}", **{"group.protocol": "consumer"})
            readers.share()
        assert kind_of(broker.address, topic) == "consumer"
        write(broker.address, topic, [b"x", b"y"])
        readers.until(lambda: len(readers.read) == 2, "the new members read")
    finally:
        for name in list(readers.consumers):
            readers.close(name)


def test_a_group_whose_assignments_have_user_data_stays_classic(broker):
    """As in Kafka. librdkafka's leader puts there what members said with their subscription, and the sticky assignor
    says something in each generation but a member's first."""
    topic = "sticky"
    make_topic(broker.address, topic)
    readers = Readers(broker.address, topic, topic)
    connection = Connection(broker.address)
    try:
        for name in ("a", "b"):
            readers.add(name, **{"partition.assignment.strategy": "cooperative-sticky"})
            readers.until(readers.consumers[name].assignment, f"{name} has partitions")
        readers.share()
        joined = connection.ask("ConsumerGroupHeartbeat", GroupId=topic, MemberId="m", MemberEpoch=0,
                                RebalanceTimeoutMs=60000, SubscribedTopicNames=[topic], TopicPartitions=[])
        assert joined["ErrorCode"] == 69 and "an unsupported custom assignor is in use" in joined["ErrorMessage"]
        write(broker.address, topic, [b"%d" % n for n in range(100)])
        readers.until(lambda: len(readers.read) == 100, "the classic members read on")
        assert kind_of(broker.address, topic) == "classic"
    finally:
        connection.close()
        for name in list(readers.consumers):
            readers.close(name)


def test_where_migration_is_disabled_a_group_keeps_its_protocol(tmp_path):
    broker = Broker(tmp_path, "group.consumer.migration.policy=DISABLED").start()
    make_topic(broker.address, "kept")
    readers = Readers(broker.address, "kept", "kept")
    readers.add("a")
    readers.share()
    connection = Connection(broker.address)
    joined = connection.ask("ConsumerGroupHeartbeat", GroupId="kept", MemberId="m", MemberEpoch=0,
                            RebalanceTimeoutMs=60000, SubscribedTopicNames=["kept"], TopicPartitions=[])
    assert joined["ErrorCode"] == 69 and "disabled" in joined["ErrorMessage"]
    connection.close()
    assert kind_of(broker.address, "kept") == "classic"
    readers.close("a")
    broker.stop()


@pytest.mark.parametrize("assignor", [*CLASSIC, "cooperative-sticky"])
def test_every_assignor_of_librdkafka_shares_all_partitions(broker, assignor):
    topic = f"shared-{assignor}"
    make_topic(broker.address, topic)
    readers = Readers(broker.address, topic, topic)
    for name in ("a", "b", "c"):
        readers.add(name, **{"partition.assignment.strategy": assignor})
    owned = readers.share()
    assert sorted(map(len, owned.values())) == [2, 2, 2]
    readers.close("b")
    assert sorted(map(len, readers.share().values())) == [3, 3]
    for name in list(readers.consumers):
        readers.close(name)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_static_member_comes_back_to_its_partitions(broker, protocol):
    """KIP-345: nobody else is disturbed meanwhile."""
    topic = f"static-{protocol}"
    make_topic(broker.address, topic)
    readers = Readers(broker.address, topic, topic)
    for name in ("a", "b"):
        readers.add(name, **{"group.protocol": protocol, "group.instance.id": name})
    before = readers.share()
    readers.close("a")
    write(broker.address, topic, [b"%d" % n for n in range(100)])
    readers.until(lambda: readers.read.total() > 0, "b reads on")
    assert readers.owned()["b"] == before["b"]
    readers.add("a", **{"group.protocol": protocol, "group.instance.id": "a"})
    assert readers.share() == before
    readers.until(lambda: len(readers.read) == 100, "all is read")
    for name in list(readers.consumers):
        readers.close(name)
