"""Somebody sets the machine's clock by an hour while a broker runs (set_clock.c, preloaded into it): records have the
time that it shows, and nobody's session, lock or transaction is over for it, nor lasts longer."""
import pathlib
import struct
import subprocess

import kafka_wire
import pytest
import tailrace
from broker import Broker
from kafka.record.default_records import DefaultRecordBatchBuilder
from test_share_groups import ACCEPT, Member, configure, make_topic, prepared
from test_transaction_verification import Producer

HOUR_MS = 3_600_000
UNKNOWN_MEMBER = 25


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    built = tmp_path_factory.mktemp("clock") / "set_clock.so"
    source = pathlib.Path(__file__).with_name("set_clock.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", built, source], check=True)
    return built


class Machine:
    """Its clock is that of a file."""

    def __init__(self, folder, library, monkeypatch):
        self.file = folder / "clock"
        self.set(0)
        with monkeypatch.context() as changed:
            changed.setenv("LD_PRELOAD", str(library))
            changed.setenv("TAILRACE_CLOCK_FILE", str(self.file))
            self.broker = Broker(folder, "num.partitions=2", "group.min.session.timeout.ms=1000",
                                 "group.share.min.record.lock.duration.ms=1000",
                                 "log.message.timestamp.type=LogAppendTime").start()

    def set(self, by_ms):
        mode = "r+b" if self.file.exists() else "wb"
        with open(self.file, mode) as file:
            file.write(struct.pack("<q", by_ms * 1_000_000))

    def append_time(self, producer):
        """Of a record that is written now."""
        topic = {"Name": "plain", "PartitionData": [{"Index": 0, "Records": plain_batch(producer)}]}
        answer = producer.ask("Produce", 9, Acks=-1, TimeoutMs=10_000, TopicData=[topic])
        part = answer["Responses"][0]["PartitionResponses"][0]
        assert part["ErrorCode"] == 0, part
        return part["LogAppendTimeMs"]


def plain_batch(producer):
    builder = DefaultRecordBatchBuilder(magic=2, compression_type=0, is_transactional=0, producer_id=-1,
                                        producer_epoch=-1, base_sequence=-1, batch_size=1 << 20)
    builder.append(0, timestamp=1000, key=None, value=b"value", headers=[])
    return bytes(builder.build())


@pytest.fixture
def machine(tmp_path, library, monkeypatch):
    made = Machine(tmp_path, library, monkeypatch)
    yield made
    made.broker.stop()


class Classic:
    """A member of a classic group."""

    def __init__(self, broker, group, session_ms):
        self.wire, self.group = kafka_wire.Connection(broker.address), group
        joined = self.join("", session_ms)
        joined = self.join(joined["MemberId"], session_ms)
        assert joined["ErrorCode"] == 0
        self.member, self.generation = joined["MemberId"], joined["GenerationId"]
        synced = self.wire.ask("SyncGroup", GroupId=group, GenerationId=self.generation, MemberId=self.member,
                               ProtocolType="consumer", ProtocolName="range",
                               Assignments=[{"MemberId": self.member, "Assignment": b""}])
        assert synced["ErrorCode"] == 0

    def join(self, member, session_ms):
        return self.wire.ask("JoinGroup", GroupId=self.group, SessionTimeoutMs=session_ms, RebalanceTimeoutMs=60_000,
                             MemberId=member, ProtocolType="consumer", Protocols=[{"Name": "range", "Metadata": b""}])

    def heartbeat(self):
        return self.wire.ask("Heartbeat", GroupId=self.group, GenerationId=self.generation,
                             MemberId=self.member)["ErrorCode"]


def members(wire, group):
    return wire.ask("DescribeGroups", Groups=[group])["Groups"][0]["Members"]


@pytest.mark.parametrize("by_ms", [HOUR_MS, -HOUR_MS])
def test_who_is_alive_stays_so_when_the_clock_is_set(machine, by_ms):
    broker = machine.broker
    prepared(broker, [b"x"] * 4, record_lock_duration_ms="60000")
    make_topic(broker, "plain")
    configure(broker, "workers", auto_offset_reset="earliest")
    sharing = Member(broker, "jobs")
    assert sharing.fetch() == ([(0, 3, 1)], 0)
    classic = Classic(broker, "classic", 30_000)
    consumer = kafka_wire.Connection(broker.address)
    beat = {"GroupId": "consumers", "MemberId": "A" * 22}
    joined = consumer.ask("ConsumerGroupHeartbeat", MemberEpoch=0, RebalanceTimeoutMs=60_000,
                          SubscribedTopicNames=["plain"], TopicPartitions=[], **beat)
    assert joined["ErrorCode"] == 0
    producer = Producer(broker, "open", "in-transaction", 12)
    assert producer.produce(0) == [0]
    before = machine.append_time(producer)

    machine.set(by_ms)

    assert abs(machine.append_time(producer) - before - by_ms) < HOUR_MS / 2
    assert classic.heartbeat() == 0
    alive = consumer.ask("ConsumerGroupHeartbeat", MemberEpoch=joined["MemberEpoch"], **beat)
    assert alive["ErrorCode"] == 0
    assert sharing.say((0, 3, [ACCEPT])) == 0
    assert producer.state() == "Ongoing"
    assert producer.produce(1) == [0]
    producer.end(True)
    assert producer.state() == "CompleteCommit"
    assert classic.heartbeat() == 0


def test_who_is_silent_is_gone_in_time_though_the_clock_was_set_back(machine):
    broker = machine.broker
    prepared(broker, [b"x"] * 2, record_lock_duration_ms="1000")
    make_topic(broker, "plain")
    silent, other = Member(broker, "jobs", "A" * 22), Member(broker, "jobs", "B" * 22)
    assert silent.fetch() == ([(0, 1, 1)], 0)
    classic = Classic(broker, "classic", 1000)
    producer = Producer(broker, "silent", "in-transaction", 12)
    slow = producer.ask("InitProducerId", 4, TransactionalId="silent", TransactionTimeoutMs=1000, ProducerId=-1,
                        ProducerEpoch=-1)
    producer.id, producer.epoch = slow["ProducerId"], slow["ProducerEpoch"]
    assert producer.produce(0) == [0]
    before = machine.append_time(producer)

    machine.set(-HOUR_MS)

    assert machine.append_time(producer) < before
    assert other.fetch() == ([(0, 1, 2)], 0)
    tailrace.wait_until(lambda: members(classic.wire, "classic") == [], "the end of a session", 30)
    assert classic.heartbeat() == UNKNOWN_MEMBER
    tailrace.wait_until(lambda: producer.state() == "CompleteAbort", "the end of a transaction", 30)
